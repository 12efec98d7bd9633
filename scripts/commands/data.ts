import type { Command } from "commander";
import { SPLIT_WORDS } from "../../src/data/split.js";
import {
  findNearDuplicates,
  internals,
  loadDataset,
  nearDuplicatesChart,
  saveChart,
} from "../../src/index.js";
import { callerPath, numberFor } from "../arguments.js";
import { dataProgress } from "../progress.js";
import { type DataFlags, dataOptions, printJson, withDataOptions } from "./options.js";

interface Flags extends DataFlags {
  imageSize: number;
  chart?: string;
}

/** Two rows of each kind. */
const PAIRS_OF_A_KIND = 8;

export function addDataCommand(program: Command): void {
  withDataOptions(program.command("data"))
    .description(
      "load a data set into the cache and report on it: counts, sizes, unreadable files, duplicates, leaks",
    )
    .option("--image-size <pixels>", "side that the images are decoded to", numberFor("--image-size"), 48)
    .option("--chart <file>", "draw pairs of near-identical images: .svg, .png or .json (vega-lite)")
    .option("--json", "print the report")
    .action(async (flags: Flags) => {
      const { onProgress, stop } = dataProgress();
      const dataset = await loadDataset({
        ...dataOptions(flags),
        imageSize: flags.imageSize,
        onProgress,
      }).finally(stop);
      const found = await findNearDuplicates([dataset.train, dataset.validation], onProgress).finally(stop);
      const nearIdentical = internals.nearDuplicateReport(dataset, found);
      if (flags.json) printJson({ ...dataset.report, nearIdentical });
      else for (const line of inWords(dataset.report, nearIdentical)) console.log(line);
      if (flags.chart === undefined) return;
      const chart = await nearDuplicatesChart(dataset, found, {
        numEach: PAIRS_OF_A_KIND,
        subtitle: `some of those of ${dataset.name}`,
      });
      await saveChart(chart, callerPath(flags.chart));
    });
}

function inWords(report: internals.DataReport, nearIdentical: internals.NearDuplicateReport): string[] {
  const { name, numImages, classCounts, sizes, unreadable, dropped, unusedFolders } = report;
  const counts = report.classNames.map((className) => {
    const count = (split: string) =>
      classCounts.find((row) => row.split === split && row.className === className)?.count ?? 0;
    return `  ${className.padEnd(16)} ${String(count("train")).padStart(7)} ${String(count("validation")).padStart(7)}`;
  });
  const [common] = sizes;
  const total = sizes.reduce((sum, { count }) => sum + count, 0);
  const { groups, images, leaked, labelConflicts, mirroredPairs, examples } = nearIdentical;
  const pairs = [...examples.leaked.slice(0, 3), ...examples.conflicts.slice(0, 3)];
  return [
    `${name}: ${numImages.train} training and ${numImages.validation} validation images`,
    ...counts,
    `validation images: ${SPLIT_WORDS[report.split]}`,
    `sizes: ${sizes.length}, most often ${common.width}×${common.height} (${internals.percent(common.count / total)})`,
    `unreadable: ${unreadable.length}`,
    ...unreadable.slice(0, 10).map(({ path, reason }) => `  ${path}: ${reason}`),
    `byte-identical: ${report.duplicateGroups} groups; ${report.duplicateImages} images twice in a split, ` +
      `${report.leakedImages} validation images also in train, ${report.labelConflicts} groups with two labels`,
    `near-identical, those among them: ${groups} groups; ${images} images like another of their split, ` +
      `${leaked} validation images like one in train, ${labelConflicts} groups with two labels, ${mirroredPairs} mirrored pairs`,
    ...pairs.map(({ paths, similarity }) => `  ${paths.join(" and ")} (${similarity.toFixed(2)})`),
    ...(dropped.duplicates + dropped.leaked > 0
      ? [`left out: ${dropped.duplicates} duplicates, ${dropped.leaked} leaked`]
      : []),
    ...unusedFolders.map((folder) => `not used: the folder ${folder}, since another is for validation`),
  ];
}
