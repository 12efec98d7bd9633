// Options that several commands share.
import path from "node:path";
import { type Command, Option } from "commander";
import { SPLIT_CHOICES, type SplitChoice } from "../../src/data/split.js";
import { dataSource, numberFor } from "../arguments.js";

/** The model in the box: facial expressions, trained on FER-2013. */
export const DEFAULT_MODEL = path.join(__dirname, "../../models/fer2013");

/** `--model`. */
export function withModelOption(command: Command): Command {
  return command.addOption(
    new Option("--model <folder>", "a model folder: `best` of a run").default(
      DEFAULT_MODEL,
      "models/fer2013: facial expressions",
    ),
  );
}

export interface DataFlags {
  data: string;
  validationShare?: number;
  split?: SplitChoice;
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
    .addOption(
      new Option(
        "--split <kind>",
        "the folders' split, or FER-2013's official one: train on Training, validate on PublicTest or (-test) PrivateTest",
      ).choices(SPLIT_CHOICES),
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
  const { data, validationShare, split, maxUnreadableShare, dropDuplicates, dropLeaked } = flags;
  return {
    data: dataSource(data),
    ...(validationShare !== undefined && { validationShare }),
    ...(split !== undefined && { split }),
    ...(maxUnreadableShare !== undefined && { maxUnreadableShare }),
    ...(dropDuplicates && { dropDuplicates }),
    ...(dropLeaked && { dropLeaked }),
  };
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
