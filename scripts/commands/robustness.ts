import type { Command } from "commander";
import { internals } from "../../src/index.js";
import {
  type DataFlags,
  dataInputs,
  numberFor,
  printJson,
  scoredModelFolder,
  withChartOption,
  withDataOptions,
  withExamples,
  withPrecisionOption,
  withScoredModelOption,
} from "../options.js";
import { chartPath, writeChart } from "../outputs.js";
import { loadScored, trainedOnInWords } from "../scored-images.js";

const { CORRUPTION_NAMES, imagesInGroups, percent, robustness, robustnessChart, textTable } = internals;

interface Flags extends DataFlags {
  model?: string;
  precision: internals.Precision;
  images?: number;
  seed: number;
  chart?: string;
}

export function addRobustnessCommand(program: Command): void {
  const command = withScoredModelOption(withDataOptions(program.command("robustness")));
  withPrecisionOption(command);
  withChartOption(command, "accuracy over the strength of each corruption");
  withExamples(command, "npx ferkit robustness --data my-images --images 500 --chart robustness.svg")
    .option("--images <count>", "number of images to draw (default: all)", numberFor("--images"))
    .option("--seed <number>", "determines the drawn images and the noise", numberFor("--seed"), 0)
    .option("--json", "print all scores on one line")
    .action(async (flags: Flags) => {
      const { seed, images: numImages } = flags;
      internals.checkNumber("--seed", seed, { min: 0, integer: true });
      if (numImages !== undefined) internals.checkNumber("--images", numImages, { min: 1, integer: true });
      const model = scoredModelFolder(flags);
      const chart = chartPath(flags, { data: dataInputs(flags), models: [model] });
      const { network, dataset, isTrainedOn, progress } = await loadScored(model, flags);
      const numTrainedOn = isTrainedOn?.filter(Boolean).length ?? 0;
      if (numTrainedOn > 0)
        console.error(`note: ${trainedOnInWords(numTrainedOn, dataset.validation.numImages)}`);
      const options = {
        numImages,
        seed,
        group: internals.groupOption(dataset),
        onProgress: progress.onProgress,
      };
      const report = await robustness(network, dataset.validation, options).finally(progress.stop);
      network.dispose();
      if (flags.json) printJson({ model, ...report });
      else console.log(reportText(report, dataset.name));
      if (chart !== undefined)
        await writeChart(robustnessChart(report, { title: `Robustness on ${dataset.name}` }), chart);
    });
}

function reportText(report: internals.RobustnessReport, name: string): string {
  const { clean, corrupted, meanAccuracy } = report;
  const [low, high] = clean.interval;
  const table = textTable({
    heading: ["accuracy at strength", "1", "2", "3", "4", "5", "mean"],
    rows: CORRUPTION_NAMES.map((corruption) => {
      const own = corrupted.filter((one) => one.corruption === corruption);
      return [corruption, ...own.map(({ accuracy }) => percent(accuracy)), percent(meanAccuracy[corruption])];
    }),
    isNumeric: [false, true, true, true, true, true, true],
  });
  return [
    `${name}: accuracy ${percent(clean.accuracy)} (${percent(low)}–${percent(high)}) on the images as they are, ` +
      `${percent(meanAccuracy.all)} on average over corruptions and strengths; ${imagesInGroups(report)}`,
    "",
    table,
  ].join("\n");
}
