// Options that several commands share.
import type { Command } from "commander";
import { dataSource, numberFor } from "../arguments.js";

export interface DataFlags {
  data: string;
  validationShare?: number;
  dropDuplicates?: boolean;
  dropLeaked?: boolean;
  maxUnreadableShare?: number;
  json?: boolean;
}

/** `--data` and what goes with it. */
export function withDataOptions(command: Command): Command {
  return command
    .option(
      "--data <source>",
      "synthetic, fer2013 (downloads), or a folder or archive of class folders",
      "synthetic",
    )
    .option(
      "--validation-share <share>",
      "share of each class to validate on, where the data has no split",
      numberFor("--validation-share"),
    )
    .option("--drop-duplicates", "leave out byte-identical images within a split")
    .option("--drop-leaked", "leave out validation images that also stand in train")
    .option(
      "--max-unreadable-share <share>",
      "unreadable images to put up with",
      numberFor("--max-unreadable-share"),
    );
}

/** Data options as the loader takes them; it checks the ranges of numbers. */
export function dataOptions(flags: DataFlags) {
  const { data, validationShare, maxUnreadableShare, dropDuplicates, dropLeaked } = flags;
  return {
    data: dataSource(data),
    ...(validationShare !== undefined && { validationShare }),
    ...(maxUnreadableShare !== undefined && { maxUnreadableShare }),
    ...(dropDuplicates && { dropDuplicates }),
    ...(dropLeaked && { dropLeaked }),
  };
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
