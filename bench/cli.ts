import { Command, Option } from "commander";
import { reportFailure } from "../scripts/cli.js";
import { callerPath, dataSource, numberFor } from "../scripts/options.js";
import type { AccuracyRunName } from "./accuracy-record.js";
import type { BenchOptions } from "./bench.js";
import type { Ratio } from "./ratios.js";
import type { Results } from "./results.js";
import { type BenchVariant, CONTENDER_NAMES, type ContenderName } from "./suite.js";

interface Flags {
  quick?: boolean;
  json?: string;
  only?: string;
  contenders?: ContenderName[];
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
    "Compares ferkit with PyTorch and timm, ONNX Runtime, OpenVINO, Keras, and stock tfjs layers. Each engine runs in its own process, and they take " +
      "turns. Before that, each must compute the same loss and gradients. The whole bench takes about fifty minutes, or some " +
      "hours with --data, and is recorded in bench/results.",
  )
  .option("--quick", "measure fewer rounds in about twenty minutes, without recording")
  .option("--json <file>", 'write {"ratios": {name: value}} to a file; above 1 = ferkit is better')
  .option(
    "--only <text>",
    "measure only workloads whose name contains this, such as `train lite0, 48 px, batch 32`, without recording",
  )
  .addOption(
    new Option("--contenders <names...>", "measure only these contenders, without recording").choices(
      CONTENDER_NAMES,
    ),
  )
  .option(
    "--rounds <count>",
    "turns of each contender; the record and docs/speed.md say how many",
    numberFor("--rounds"),
  )
  .option("--seconds <count>", "minimum duration of a turn (not recorded)", numberFor("--seconds"))
  .optionsGroup("Instead of measuring:")
  .option("--readme", "write docs/speed.md and its charts from the newest results")
  .optionsGroup("Profile of a training step:")
  .option("--profile", "print the time of each op in one training step of ferkit")
  .addOption(new Option("--variant <name>", "network").choices(["lite0", "b0"]).default("lite0"))
  .option("--image-size <pixels>", "side of the images", numberFor("--image-size"), 48)
  .option("--batch-size <count>", "images per step", numberFor("--batch-size"), 32)
  .optionsGroup("Time to accuracy:")
  .option(
    "--time-to-accuracy",
    "only train, to the best validation accuracy of the preset baseline in PyTorch",
  )
  .option("--data <path>", "data set: fer2013 (downloads), or a folder or archive of class folders")
  .option("--preset <name>", "ferkit's preset", "fer2013-fast")
  .addOption(
    new Option("--runs <names...>", "do only these runs, and keep the others of the newest record").choices([
      "pytorchBaseline",
      "ferkit",
      "pytorchRecipe",
    ]),
  )
  .option(
    "--epochs <count>",
    "replaces the presets' epochs, to try it out (not recorded)",
    numberFor("--epochs"),
  )
  .showHelpAfterError()
  .action(run);

/** Each action loads what it needs: the engine takes a second and prints notices. */
async function run(flags: Flags): Promise<void> {
  if (flags.readme) return writeReadme();
  if (flags.profile) return profile(flags);
  if (flags.timeToAccuracy) return timeToAccuracy(flags);
  return bench(flags);
}

async function bench(flags: Flags): Promise<void> {
  const { quick, json, only, contenders, rounds, seconds, data, preset } = flags;
  const { QUICK, runBench, WHOLE } = await import("./bench.js");
  const { latestAccuracyRecord } = await import("./accuracy-record.js");
  const { ratiosOf } = await import("./ratios.js");
  const { recordResults, writeJson } = await import("./results.js");
  const { trainConfig } = await import("../src/index.js");
  const options: BenchOptions = { ...(quick ? QUICK : WHOLE), only, contenders };
  if (rounds !== undefined) options.numRounds = options.numRoundsOfLong = rounds;
  if (seconds !== undefined) options.seconds = seconds;
  const isWhole = !quick && [only, contenders, seconds].every((flag) => flag === undefined);
  const isTraining = isWhole && data !== undefined;
  if (isTraining) trainConfig(preset); // refuses an unknown name before measuring
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

/** @param recordDate - Date of the earlier record of time to accuracy, or `none`; undefined if it was measured now. */
async function report(
  results: Results,
  ratios: Record<string, Ratio>,
  recordDate: string | undefined,
): Promise<void> {
  const tables = await import("./tables.js");
  for (const kinds of [["train"], ["infer", "predict"]]) {
    const timings = results.timings.filter(({ kind }) => kinds.includes(kind));
    if (timings.length > 0)
      console.log(`${tables.toMarkdown(tables.timingTable(timings, tables.withSpread))}\n`);
  }
  console.log(`${tables.toMarkdown(tables.ratioTable(ratios))}\n`);
  for (const remark of tables.remarks(results)) console.log(remark);
  if (recordDate !== undefined)
    console.log(
      `Time to accuracy was not measured now; last recorded: ${recordDate}. To measure it: npm run bench -- --time-to-accuracy`,
    );
}

async function writeReadme(): Promise<void> {
  const readme = await import("./readme.js");
  console.error(`wrote ${(await readme.writeReadme()).join(", ")}`);
}

async function profile({ variant, imageSize, batchSize }: Flags): Promise<void> {
  const { profileTable, profileTraining } = await import("./profile.js");
  const { toMarkdown } = await import("./tables.js");
  console.log(toMarkdown(profileTable(await profileTraining({ variant, imageSize, batchSize }))));
}

async function timeToAccuracy({ data, preset, runs, epochs }: Flags): Promise<void> {
  const { InputError } = await import("../src/index.js");
  if (data === undefined)
    throw new InputError({
      expected: "--data <path> with --time-to-accuracy",
      found: "no --data",
      fix: "Add --data PATH.",
    });
  const accuracy = await import("./time-to-accuracy.js");
  const options = { data: dataSource(data), preset, runs, epochs };
  console.log(accuracy.describeTimes(await accuracy.measureTimeToAccuracy(options)));
}

program.parseAsync().catch(reportFailure);
