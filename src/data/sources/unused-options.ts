// Options that say nothing about the way in which a data set is read. They are refused, since its user expects an effect.
import { InputError } from "../../errors.js";
import type { Listing } from "./listing.js";
import { isGroupColumn } from "./tables/group-columns.js";
import { isSplitChosen } from "./tables/split-columns.js";

/** What the options say something about. */
const NEEDS = {
  labels: "a folder of images",
  labelPattern: "names of image files",
  trainFolder: "class folders",
  validationFolder: "class folders",
  leaveOut: "image files",
} as const;
export type UnusedName = keyof typeof NEEDS;

/** Name of the option on the command line. */
const FLAGS: Readonly<Record<UnusedName, string>> = {
  labels: "--labels",
  labelPattern: "--label-pattern",
  trainFolder: "--train-folder",
  validationFolder: "--validation-folder",
  leaveOut: "--leave-out",
};

/**
 * @param names - Options that have no effect.
 * @param found - What is read instead.
 * @throws InputError if one of them is given.
 */
export function refuseUnused(
  options: Readonly<Partial<Record<UnusedName, unknown>>>,
  names: readonly UnusedName[],
  where: string,
  found: string,
): void {
  const given = names.find((name) => options[name] !== undefined);
  if (given === undefined) return;
  const flag = FLAGS[given];
  const instead = given === "labels" ? ", or choose the folder with --data" : "";
  throw new InputError({
    expected: `${NEEDS[given]}, for ${flag}`,
    where,
    found,
    fix: `Remove ${flag}${instead}.`,
  });
}

/** @throws InputError if labels are chosen in two ways, of which one would be ignored. */
export function refuseBothLabels({ labels, labelPattern }: { labels?: string; labelPattern?: string }): void {
  if (labels === undefined || labelPattern === undefined) return;
  throw new InputError({
    expected: "--labels or --label-pattern",
    found: "both",
    fix: "Remove one of them.",
  });
}

/** A data set in whose tables a column was looked for. */
type Read = Pick<Listing, "where" | "labels">;

function noColumn({ where, labels }: Read, column: string, option: string, fix: string): InputError {
  return new InputError({
    expected: `a table with the column ${column}, for ${option}`,
    where,
    found: `none beside ${labels}`,
    fix,
  });
}

/** @throws InputError if a column was chosen and no table is read. @param instead - Another remedy. */
export function refuseUnusedColumns(
  read: Read,
  { labelColumn, pathColumn }: { labelColumn?: string; pathColumn?: string },
  instead = "choose the table with --labels",
): void {
  const [option, column] =
    labelColumn === undefined ? ["--path-column", pathColumn] : ["--label-column", labelColumn];
  if (column !== undefined) throw noColumn(read, column, option, `Remove ${option}, or ${instead}.`);
}

/** @throws InputError if a column was chosen for the split and none is used. */
export function refuseUnusedSplit(listing: Listing, { splitColumn }: { splitColumn?: string }): void {
  if (splitColumn === undefined || listing.splitBy?.isColumn || !isSplitChosen({ splitColumn })) return;
  const fix = "Remove --split-column, or choose the table with --labels.";
  throw noColumn(listing, splitColumn, "--split-column", fix);
}

/** @throws InputError if a column was chosen for the groups and no image has one by it. */
export function refuseUnusedGroup(listing: Listing, group: string | undefined): void {
  if (!isGroupColumn(group) || listing.samples.some((sample) => sample.group)) return;
  const fix =
    "Fix the name of the column, choose the table with --labels, or write a regular expression with a group, such as --group '^([a-z]+)'.";
  throw noColumn(listing, `${group}, or a pattern with a group`, "--group", fix);
}
