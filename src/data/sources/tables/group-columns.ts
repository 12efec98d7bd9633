// Columns that say which images belong together: those of one patient, subject or video.
import path from "node:path";
import type { Listing, Sample } from "../listing.js";
import { isGroupName } from "./column-names.js";
import type { LabelChoice } from "./label-columns.js";
import type { ReadTable } from "./matched-tables.js";
import { columnAt, filledIn, type Table, valuesIn } from "./table.js";

/** Whether a value of `--group` names a column: a pattern has signs that names do not have, such as brackets. */
export function isGroupColumn(group: string | undefined): boolean {
  return group !== undefined && !/[\\^$*+?()[\]{}|]/.test(group);
}

/** What the columns of a table say about groups. */
export interface Groups {
  /** Group of each row, by the column that was chosen; null if the table does not have it. */
  values: string[] | null;
  /** Says which column may have been meant, if none was chosen. */
  hint: string | null;
}

/** @param known - Columns of the images, the labels and the split. */
export function groupsOf(table: Table, { group }: LabelChoice, known: readonly number[]): Groups {
  const { columns, file } = table;
  if (columns === null) return { values: null, hint: null };
  if (group !== undefined) {
    const column = isGroupColumn(group) ? columnAt(columns, group) : undefined;
    return { values: column === undefined ? null : valuesIn(table, column), hint: null };
  }
  const name = columns.find((one, column) => {
    if (known.includes(column) || !isGroupName(one)) return false;
    const values = filledIn(table, column);
    const { size } = new Set(values);
    return size > 1 && size < values.length;
  });
  const hint = `The column ${name} of ${file} may say which images belong together, and they are not held out together (--group ${name} does so).`;
  return { values: null, hint: name === undefined ? null : hint };
}

/** Gives the images of a listing their groups by the columns of tables, or a hint at such a column. */
export function withGroups(listing: Listing, tables: readonly ReadTable[], choice: LabelChoice): Listing {
  const groups = new Map<string, string>();
  let { groupHint } = listing;
  for (const table of tables) {
    const { files, pathColumn, labels, split } = table;
    const known = [pathColumn, ...(labels?.columns ?? []), ...(split?.alike ?? [])];
    const { values, hint } = groupsOf(table, choice, known);
    groupHint ??= hint ?? undefined;
    values?.forEach((value, i) => {
      for (const file of files[i]) if (value) groups.set(file, value);
    });
  }
  const groupOf = (file: string) => groups.get(path.posix.join(listing.inner, file));
  const samples = listing.samples.map((sample): Sample => {
    const group = groupOf(sample.path);
    return group === undefined ? sample : { ...sample, group };
  });
  return { ...listing, samples, ...(groupHint !== undefined && { groupHint }) };
}
