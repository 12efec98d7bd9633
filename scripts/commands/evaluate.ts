import type { Command } from "commander";
import { evaluate, InputError, loadDataset, loadModel, percent } from "../../src/index.js";
import { callerPath } from "../arguments.js";
import { dataProgress } from "../progress.js";
import { type DataFlags, dataOptions, printJson, withDataOptions } from "./options.js";

interface Flags extends DataFlags {
  model: string;
}

export function addEvaluateCommand(program: Command): void {
  withDataOptions(program.command("evaluate"))
    .description("classify the validation images of a data set and score the result")
    .requiredOption("--model <folder>", "a model folder: `best` of a run")
    .option("--json", "print {accuracy, macroF1, perClassRecall, confusionMatrix, numImages}")
    .action(async (flags: Flags) => {
      const network = await loadModel(callerPath(flags.model));
      const { imageSize, classNames } = network.config;
      const loading = dataProgress();
      const dataset = await loadDataset({
        ...dataOptions(flags),
        imageSize,
        classNames,
        ...(flags.validationShare === undefined && { validationShare: 1 }), // without a split, all images
        onProgress: loading.onProgress,
      }).finally(loading.stop);
      if (dataset.validation.numImages === 0)
        throw new InputError({
          expected: "images to evaluate",
          where: dataset.name,
          found: "none",
          fix: "Give a --validation-share above 0.",
        });
      const { accuracy, macroF1, perClassRecall, confusionMatrix, numImages } = await evaluate(
        network,
        dataset.validation,
      );
      network.dispose();
      if (flags.json) return printJson({ accuracy, macroF1, perClassRecall, confusionMatrix, numImages });
      console.log(
        `accuracy ${percent(accuracy)}, macro-F1 ${macroF1.toFixed(3)} on ${numImages} images of ${dataset.name}`,
      );
      for (const [name, recall] of Object.entries(perClassRecall))
        console.log(`  ${name.padEnd(16)} recall ${recall === null ? "no images" : percent(recall)}`);
    });
}
