// Options that several commands share.
import path from "node:path";
import type { Command } from "commander";
import { InputError } from "../../src/index.js";

export interface DataFlags {
  data: string;
  validationShare?: string;
  dropDuplicates?: boolean;
  dropLeaked?: boolean;
  maxUnreadableShare?: string;
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
    .option("--validation-share <share>", "share of each class to validate on, where the data has no split")
    .option("--drop-duplicates", "leave out byte-identical images within a split")
    .option("--drop-leaked", "leave out validation images that also stand in train")
    .option("--max-unreadable-share <share>", "unreadable images to put up with");
}

/** Data options as the loader takes them; numbers are checked by it. */
export function dataOptions(flags: DataFlags) {
  const { data, validationShare, maxUnreadableShare, dropDuplicates, dropLeaked } = flags;
  return {
    data: dataSource(data),
    ...(validationShare !== undefined && { validationShare: Number(validationShare) }),
    ...(maxUnreadableShare !== undefined && { maxUnreadableShare: Number(maxUnreadableShare) }),
    ...(dropDuplicates && { dropDuplicates }),
    ...(dropLeaked && { dropLeaked }),
  };
}

/** Paths count from where the command was called, also through npm. */
export function dataSource(data: string): string {
  return data === "synthetic" || data === "fer2013"
    ? data
    : path.resolve(process.env.INIT_CWD ?? process.cwd(), data);
}

/** Collects repeated `name=value` into an object; values are JSON where they parse, else text. */
export function collectAssignments(
  text: string,
  previous: Record<string, unknown> = {},
): Record<string, unknown> {
  const equals = text.indexOf("=");
  if (equals < 1)
    throw new InputError({
      expected: "name=value for --set",
      found: text,
      fix: "Write for example --set epochs=3.",
    });
  const value = text.slice(equals + 1);
  return { ...previous, [text.slice(0, equals)]: parseValue(value) };
}

function parseValue(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
