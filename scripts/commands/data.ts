import type { Command } from "commander";
import { loadDataset, percent } from "../../src/index.js";
import { numberFor } from "../arguments.js";
import { dataProgress } from "../progress.js";
import { type DataFlags, dataOptions, printJson, withDataOptions } from "./options.js";

interface Flags extends DataFlags {
  imageSize: number;
}

export function addDataCommand(program: Command): void {
  withDataOptions(program.command("data"))
    .description(
      "load a data set into the cache and report on it: counts, sizes, unreadable files, duplicates, leaks",
    )
    .option("--image-size <pixels>", "side that the images are decoded to", numberFor("--image-size"), 48)
    .option("--json", "print the report")
    .action(async (flags: Flags) => {
      const loading = dataProgress();
      const { report } = await loadDataset({
        ...dataOptions(flags),
        imageSize: flags.imageSize,
        onProgress: loading.onProgress,
      }).finally(loading.stop);
      if (flags.json) return printJson(report);
      const { name, numImages, classCounts, sizes, unreadable, dropped, unusedFolders } = report;
      console.log(`${name}: ${numImages.train} training and ${numImages.validation} validation images`);
      for (const className of report.classNames) {
        const count = (split: string) =>
          classCounts.find((row) => row.split === split && row.className === className)?.count ?? 0;
        console.log(
          `  ${className.padEnd(16)} ${String(count("train")).padStart(7)} ${String(count("validation")).padStart(7)}`,
        );
      }
      const [common] = sizes;
      const total = sizes.reduce((sum, { count }) => sum + count, 0);
      console.log(
        `sizes: ${sizes.length}, most often ${common.width}×${common.height} (${percent(common.count / total)})`,
      );
      console.log(`unreadable: ${unreadable.length}`);
      for (const { path, reason } of unreadable.slice(0, 10)) console.log(`  ${path}: ${reason}`);
      console.log(
        `byte-identical: ${report.duplicateGroups} groups; ${report.duplicateImages} images twice in a split, ` +
          `${report.leakedImages} validation images also in train, ${report.labelConflicts} groups with two labels`,
      );
      if (dropped.duplicates + dropped.leaked > 0)
        console.log(`left out: ${dropped.duplicates} duplicates, ${dropped.leaked} leaked`);
      for (const folder of unusedFolders)
        console.log(`not used: the folder ${folder}, since another is for validation`);
    });
}
