import path from "node:path";
import type { Command } from "commander";
import { interruptSignal, loadDataset, train, trainConfig, writeRunReport } from "../../src/index.js";
import type { Overrides } from "../../src/presets.js";
import { callerPath, collectAssignments } from "../arguments.js";
import { dataProgress, TrainProgress } from "../progress.js";
import { type DataFlags, dataOptions, printJson, withDataOptions } from "./options.js";

interface Flags extends DataFlags {
  preset: string;
  run?: string;
  set?: Overrides;
}

export function addTrainCommand(program: Command): void {
  withDataOptions(program.command("train"))
    .description("fine-tune a network; a run that was stopped goes on")
    .option("--preset <name>", "tutorial, seed, fer2013-fast, fer2013 or fer2013-best", "tutorial")
    .option("--set <name=value>", "replace a value of the preset; repeatable", collectAssignments)
    .option("--run <folder>", "folder of the run (default: runs/<preset>)")
    .option("--json", "print epochs and the end as JSON lines")
    .action(async (flags: Flags) => {
      const config = trainConfig(flags.preset, flags.set);
      const loading = dataProgress();
      const { imageSize, seed } = config;
      const dataset = await loadDataset({
        ...dataOptions(flags),
        imageSize,
        seed,
        onProgress: loading.onProgress,
      }).finally(loading.stop);
      const runDir = callerPath(flags.run ?? path.join("runs", flags.preset));
      const progress = new TrainProgress(config.epochs);
      const { signal, release } = interruptSignal();
      try {
        const options = { runDir, data: dataOptions(flags).data, signal, onProgress: loading.onProgress };
        for await (const event of train(dataset, config, options)) {
          loading.stop(); // the weights are there
          progress.add(event);
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
