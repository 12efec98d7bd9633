import type { Command } from "commander";
import {
  findNearDuplicates,
  imageConclusions,
  internals,
  loadDataset,
  nearDuplicatesChart,
} from "../../src/index.js";
import {
  type DataFlags,
  dataInputs,
  dataOptions,
  numberFor,
  printData,
  printJson,
  withChartOption,
  withDataOptions,
  withExamples,
} from "../options.js";
import { chartPath, writeChart } from "../outputs.js";
import { dataProgress } from "../progress.js";

interface Flags extends DataFlags {
  imageSize: number;
  chart?: string;
}

/** Two rows of each kind. */
const PAIRS_OF_A_KIND = 8;

export function addDataCommand(program: Command): void {
  const command = withChartOption(withDataOptions(program.command("data")), "pairs of near-duplicates");
  withExamples(command, "npx ferkit data --data my-images --chart pairs.png")
    .option(
      "--image-size <pixels>",
      "side that the images are decoded to; a training decodes them to imageSize of its preset",
      numberFor("--image-size"),
      48,
    )
    .option("--json", "print the report as JSON")
    .action(async (flags: Flags) => {
      const chart = chartPath(flags, { data: dataInputs(flags) });
      const { onProgress, stop } = dataProgress();
      const dataset = await loadDataset({
        ...dataOptions(flags),
        imageSize: flags.imageSize,
        onProblem: "report",
        onProgress,
      }).finally(stop);
      printData(flags, dataset.report);
      const found = await findNearDuplicates([dataset.train, dataset.validation], onProgress).finally(stop);
      const nearDuplicates = internals.nearDuplicateReport(dataset, found);
      const report = {
        ...dataset.report,
        conclusions: [...(await imageConclusions(dataset, found)), ...dataset.report.conclusions],
      };
      if (flags.json) printJson({ ...report, nearDuplicates });
      else for (const line of reportText(report, nearDuplicates)) console.log(line);
      if (chart === undefined) return;
      const subtitle = `some of those in ${dataset.name}`;
      await writeChart(
        await nearDuplicatesChart(dataset, found, { numEach: PAIRS_OF_A_KIND, subtitle }),
        chart,
      );
    });
}

function reportText(report: internals.DataReport, nearDuplicates: internals.NearDuplicateReport): string[] {
  const { name, numImages, classCounts, sizes, colours, unreadable, dropped, unusedFolders } = report;
  const { counted, percent } = internals;
  const counts = report.classNames.map((className) => {
    const count = (split: string) =>
      classCounts.find((row) => row.split === split && row.className === className)?.count ?? 0;
    return `  ${internals.visible(className).padEnd(16)} ${String(count("train")).padStart(7)} ${String(count("validation")).padStart(7)}`;
  });
  const [common] = sizes;
  const total = sizes.reduce((sum, { count }) => sum + count, 0);
  const { groups, images, leaked, labelConflicts, mirroredPairs, examples } = nearDuplicates;
  const pairs = [...examples.leaked.slice(0, 3), ...examples.conflicts.slice(0, 3)];
  return [
    `${name}: ${numImages.train} training and ${counted(numImages.validation, "validation image")}`,
    ...counts,
    `validation images: ${internals.splitInWords(report.split, report.splitBy)}`,
    `labels: ${report.labels}`,
    ...(common
      ? [
          `sizes: ${sizes.length}, most often ${common.width}×${common.height} (${percent(common.count / total)})`,
        ]
      : []),
    `colours: ${colours.grey} grey and ${colours.coloured} in colour, used in ${colours.used}`,
    ...internals.filesInWords(report.files),
    `unreadable: ${unreadable.length}`,
    ...unreadable.slice(0, 10).map(({ path, reason }) => `  ${path}: ${reason}`),
    `duplicates: ${counted(report.duplicateGroups, "group")}; ${counted(report.duplicateImages, "image")} twice in a split, ` +
      `${counted(report.leakedImages, "validation image")} also in train, ${counted(report.labelConflicts, "group")} with two labels`,
    `near-duplicates, duplicates included: ${counted(groups, "group")}; ${counted(images, "image")} like another of their split, ` +
      `${counted(leaked, "validation image")} like one in train, ${counted(labelConflicts, "group")} with two labels, ` +
      counted(mirroredPairs, "mirrored pair"),
    ...pairs.map(({ paths, similarity }) => `  ${paths.join(" and ")} (${similarity.toFixed(2)})`),
    ...(dropped.duplicates + dropped.leaked > 0
      ? [`left out: ${dropped.duplicates} duplicates, ${dropped.leaked} leaked`]
      : []),
    ...unusedFolders.map((folder) => `not used: the folder ${folder}, since other images are for validation`),
    ...report.notes.map((note) => `note: ${note}`),
    ...report.conclusions.map(({ text }) => `conclusion: ${text}`),
    ...report.problems.map((problem) => `training would refuse this: ${problem}`),
  ];
}
