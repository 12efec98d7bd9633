import { Command, Option } from "commander";
import { callerPath, dataSource, numberFor } from "../scripts/arguments.js";
import { reportFailure } from "../scripts/report-failure.js";
import { toText } from "../src/charts/text-table.js";
import { InputError } from "../src/errors.js";
import type { AccuracyRunName } from "./accuracy-record.js";
import type { BenchOptions } from "./bench.js";
import type { Ratio } from "./ratios.js";
import type { Results } from "./results.js";
import type { BenchVariant } from "./workload.js";

interface Flags {
  quick?: boolean;
  json?: string;
  only?: string;
  rounds?: number;
  seconds?: number;
  readme?: boolean;
  profile?: boolean;
  variant: BenchVariant;
  imageSize: number;
  batchSize: number;
  timeToAccuracy?: boolean;
  data?: string;
  preset: string;
  runs?: AccuracyRunName[];
  epochs?: number;
}

const program = new Command("npm run bench --")
  .description(
    "Measures ferkit beside PyTorch with timm, Keras and stock tfjs layers: each in a process of its own, in turns, after " +
      "the same weights and batch have given the same loss and gradients. The whole bench takes about twenty minutes, with " +
      "--data some hours, and is recorded in bench/results.",
  )
  .option("--quick", "less than eight minutes: fewer rounds, and nothing is recorded")
  .option("--json <file>", 'write {"ratios": {name: value}}, above 1 = ferkit is faster')
  .option(
    "--only <text>",
    "workloads whose name holds this: `train lite0, 48 px, batch 32`; nothing is recorded",
  )
  .option("--rounds <count>", "turns of each contender; nothing is recorded", numberFor("--rounds"))
  .option("--seconds <count>", "least duration of a turn; nothing is recorded", numberFor("--seconds"))
  .optionsGroup("Instead of measuring:")
  .option("--readme", "write the README's section on speed and its charts from the newest results")
  .optionsGroup("Where a training step's time goes:")
  .option("--profile", "print the time of each op of one training step of ferkit")
  .addOption(new Option("--variant <name>", "network").choices(["lite0", "b0"]).default("lite0"))
  .option("--image-size <pixels>", "side of the images", numberFor("--image-size"), 48)
  .option("--batch-size <count>", "images a step", numberFor("--batch-size"), 32)
  .optionsGroup("Time to accuracy:")
  .option("--time-to-accuracy", "only train, to the best validation accuracy of PyTorch's seed recipe")
  .option("--data <path>", "what to train on: fer2013 (downloads), or a folder or archive of class folders")
  .option("--preset <name>", "ferkit's recipe", "fer2013-fast")
  .addOption(
    new Option("--runs <names...>", "do only these, and keep the others of the newest record").choices([
      "pytorchSeed",
      "ferkit",
      "pytorchRecipe",
    ]),
  )
  .option(
    "--epochs <count>",
    "in place of the recipes' own, to try it out; this is not recorded",
    numberFor("--epochs"),
  )
  .showHelpAfterError()
  .action(run);

/** What each needs is loaded when it is asked for: the engine takes a second and says so. */
async function run(flags: Flags): Promise<void> {
  if (flags.readme) return writeReadme();
  if (flags.profile) return profile(flags);
  if (flags.timeToAccuracy) return timeToAccuracy(flags);
  return bench(flags);
}

async function bench(flags: Flags): Promise<void> {
  const { quick, json, only, rounds, seconds, data, preset } = flags;
  const { QUICK, runBench, WHOLE } = await import("./bench.js");
  const { latestAccuracyRecord } = await import("./accuracy-record.js");
  const { ratiosOf } = await import("./ratios.js");
  const { recordResults, writeJson } = await import("./results.js");
  const { trainConfig } = await import("../src/index.js");
  const options: BenchOptions = { ...(quick ? QUICK : WHOLE), only };
  if (rounds !== undefined) options.numRounds = options.numRoundsOfLong = rounds;
  if (seconds !== undefined) options.seconds = seconds;
  const isWhole = !quick && [only, rounds, seconds].every((flag) => flag === undefined);
  const isTraining = isWhole && data !== undefined;
  if (isTraining) trainConfig(preset); // refuses an unknown one before all is measured
  const results = await runBench(options);
  if (isWhole) console.error(`recorded in ${await recordResults(results)}`);
  if (isTraining) await timeToAccuracy(flags);
  const record = latestAccuracyRecord();
  const ratios = ratiosOf(results, record);
  await report(results, ratios, isTraining ? undefined : (record?.date ?? "none"));
  if (json === undefined) return;
  const values = Object.fromEntries(Object.entries(ratios).map(([name, { value }]) => [name, value]));
  await writeJson(callerPath(json), { ratios: values });
}

/** @param recordDate - Of the record of time to accuracy that was taken, `none` where there is none; undefined when measured now. */
async function report(
  results: Results,
  ratios: Record<string, Ratio>,
  recordDate: string | undefined,
): Promise<void> {
  const tables = await import("./tables.js");
  console.log(toText(tables.timingTable(results.timings, tables.withSpread)));
  console.log(`\n${toText(tables.ratioTable(ratios))}\n`);
  for (const remark of tables.remarks(results)) console.log(remark);
  if (recordDate !== undefined)
    console.log(
      `Time to accuracy was not measured now (npm run bench -- --time-to-accuracy does); last recorded: ${recordDate}.`,
    );
}

async function writeReadme(): Promise<void> {
  const readme = await import("./readme.js");
  console.error(`wrote ${(await readme.writeReadme()).join(", ")}`);
}

async function profile({ variant, imageSize, batchSize }: Flags): Promise<void> {
  const { profileTable, profileTraining } = await import("./profile.js");
  console.log(toText(profileTable(await profileTraining({ variant, imageSize, batchSize }))));
}

async function timeToAccuracy({ data, preset, runs, epochs }: Flags): Promise<void> {
  if (data === undefined)
    throw new InputError({ expected: "--data <path> with --time-to-accuracy", found: "no --data" });
  const accuracy = await import("./time-to-accuracy.js");
  const options = { data: dataSource(data), preset, runs, epochs };
  console.log(accuracy.describeTimes(await accuracy.measureTimeToAccuracy(options)));
}

program.parseAsync().catch(reportFailure);
