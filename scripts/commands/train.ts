import { existsSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import {
  type Dataset,
  findLearningRate,
  internals,
  interruptSignal,
  learningRateSearchChart,
  loadDataset,
  type TrainConfig,
  train,
  trainConfig,
  writeRunReport,
} from "../../src/index.js";
import {
  callerPath,
  type DataFlags,
  dataInputs,
  dataOptions,
  type PresetFlags,
  printData,
  printJson,
  printRemarks,
  withDataOptions,
  withExamples,
  withoutSizeNote,
  withPresetOptions,
} from "../options.js";
import { checkChart, writeChart } from "../outputs.js";
import { dataProgress, TrainProgress } from "../progress.js";
import { withConfigOption } from "../run-config.js";

interface Flags extends DataFlags, PresetFlags {
  run?: string;
  findLearningRate?: string | true;
}

export function addTrainCommand(program: Command): void {
  const command = withConfigOption(withDataOptions(program.command("train")));
  withExamples(
    withPresetOptions(command),
    "npx ferkit train --data my-images --run runs/mine --set epochs=20 --set learningRate=0.001",
    "npx ferkit train --config run.json",
    "npx ferkit train --data my-images --find-learning-rate rate.png",
  )
    .option("--run <folder>", "folder of the run (default: runs/<preset>)")
    .option(
      "--find-learning-rate [chart]",
      "instead of training, try rising rates, suggest one, and draw the loss over the rate as .svg, .png or .json (default: learning-rate.svg)",
    )
    .option("--json", "print each epoch and the end as a JSON line")
    .action(async (flags: Flags) => {
      const config = trainConfig(flags.preset, flags.set);
      const chart = flags.findLearningRate === undefined ? undefined : rateChart(flags, config);
      const runDir = callerPath(flags.run ?? path.join("runs", flags.preset));
      if (chart === undefined) await internals.reportFile(runDir);
      await internals.checkModels(config, chart === undefined ? runDir : undefined);
      const source = dataOptions(flags);
      const begin = chart === undefined ? endsOnSignal(runDir) : () => {};
      const loading = dataProgress();
      const { imageSize, seed, fit, grey } = config;
      const dataset = await loadDataset({
        ...source,
        imageSize,
        seed,
        fit,
        grey,
        onProgress: loading.onProgress,
      }).finally(() => {
        loading.stop();
        begin();
      });
      printData(flags, dataset.report);
      const report = withoutSizeNote(dataset.report);
      printRemarks(report);
      if (chart !== undefined) return findRate(dataset, config, chart, flags.json);
      const progress = new TrainProgress(config.epochs);
      const { signal, release } = interruptSignal();
      signal.addEventListener("abort", () => void progress.add({ type: "note", text: STOPPING }));
      try {
        const options = { runDir, data: source.data, signal, onProgress: loading.onProgress };
        const isSizeChosen = (flags.set?.imageSize ?? null) !== null;
        const given = isSizeChosen ? { ...dataset, report } : dataset;
        for await (const event of train(given, config, options)) {
          loading.stop(); // the weights are there
          await progress.add(event);
          if (flags.json && (event.type === "epoch" || event.type === "done")) printJson(event);
        }
      } finally {
        loading.stop();
        release();
      }
      console.error(`report: ${await writeRunReport(runDir)}`);
      if (signal.aborted) process.exitCode = 130;
    });
}

const STOPPING =
  "stopping after this batch, where the same command resumes; a second signal stops at once, and the run resumes after its last whole epoch";

/** Says what is there if a signal ends the program before the training begins. Returns what ends that. */
function endsOnSignal(runDir: string): () => void {
  const end = () => {
    const state = existsSync(path.join(runDir, "last", "state.json"))
      ? `the run in ${runDir} is as it was`
      : "nothing is trained yet";
    console.error(`interrupted before the training: ${state}; the same command starts again`);
    process.exit(130);
  };
  for (const name of internals.END_SIGNALS) process.on(name, end);
  return () => {
    for (const name of internals.END_SIGNALS) process.removeListener(name, end);
  };
}

/** Returns where the chart of a search goes. */
function rateChart({ findLearningRate: given, ...flags }: Flags, { weights, teachers }: TrainConfig): string {
  const file = typeof given === "string" ? given : "learning-rate.svg";
  const inputs = { data: dataInputs(flags), models: [weights, ...teachers].map(callerPath) };
  return checkChart("--find-learning-rate", callerPath(file), inputs);
}

/** Searches for a learning rate, prints it, and draws what was measured. */
async function findRate(dataset: Dataset, config: TrainConfig, chart: string, isJson = false): Promise<void> {
  const { signal, release } = interruptSignal();
  const progress = dataProgress();
  const search = await findLearningRate(dataset, config, {
    signal,
    onProgress: progress.onProgress,
  }).finally(() => {
    progress.stop();
    release();
  });
  const { phase, suggestion, configured, notes } = search;
  if (isJson) printJson(search);
  else if (suggestion === null)
    console.log(`no suggestion: the loss falls at no rate; the configured one is ${configured}`);
  else {
    const name = phase === "head" ? "headLearningRate" : "learningRate";
    console.log(`${name}=${suggestion}: there the loss falls fastest; the configured one is ${configured}`);
  }
  for (const note of notes) console.error(`note: ${note}`);
  await writeChart(learningRateSearchChart(search), chart);
  if (signal.aborted) process.exitCode = 130;
}
