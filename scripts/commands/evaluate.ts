import type { Command } from "commander";
import {
  evaluate,
  findNearDuplicates,
  InputError,
  loadDataset,
  loadModel,
  saveChart,
} from "../../src/index.js";
import { classify, evaluationReport } from "../../src/inference/evaluate.js";
import { callerPath } from "../arguments.js";
import { dataProgress } from "../progress.js";
import { chartOf, inWords } from "./evaluation-words.js";
import { type DataFlags, dataOptions, printJson, withDataOptions, withModelOption } from "./options.js";

interface Flags extends DataFlags {
  model: string;
  flip?: boolean;
  chart?: string;
}

/** Governs the intervals. */
const SEED = 0;

export function addEvaluateCommand(program: Command): void {
  withModelOption(withDataOptions(program.command("evaluate")))
    .description("classify the validation images of a data set and score the result")
    .option("--flip", "also by the mean of the probabilities of each image and its mirror image")
    .option("--chart <file>", "draw how reliable it is and what it confuses: .svg, .png or .json (vega-lite)")
    .option("--json", "print all scores on one line")
    .action(async (flags: Flags) => {
      const network = await loadModel(callerPath(flags.model));
      const { config } = network;
      const loading = dataProgress();
      const dataset = await loadDataset({
        ...dataOptions(flags),
        imageSize: config.imageSize,
        classNames: config.classNames,
        ...(flags.validationShare === undefined && { validationShare: 1 }), // without a split, all images
        onProgress: loading.onProgress,
      }).finally(loading.stop);
      const { train, validation } = dataset;
      if (validation.numImages === 0)
        throw new InputError({
          expected: "images to evaluate",
          where: dataset.name,
          found: "none",
          fix: "Give a --validation-share above 0.",
        });
      const nearDuplicates =
        train.numImages > 0
          ? await findNearDuplicates([train, validation], loading.onProgress).finally(loading.stop)
          : null;
      const evaluation = await evaluate(network, validation);
      const mirroredProbs = flags.flip
        ? await classify(network, validation, { isMirrored: true })
        : undefined;
      network.dispose();
      const report = evaluationReport({
        dataset,
        config,
        evaluation,
        mirroredProbs,
        nearDuplicates,
        seed: SEED,
      });
      if (flags.json) printJson(report);
      else console.log(inWords(report, dataset.name));
      if (flags.chart !== undefined)
        await saveChart(chartOf(report, dataset, evaluation), callerPath(flags.chart));
    });
}
