// Which columns of a table name the part of the split.
import { InputError } from "../../../errors.js";
import { inShort } from "../../../names.js";
import { type Part, partOf } from "../split-names.js";
import {
  flagPart,
  isFlagName,
  isLabelName,
  isPartName,
  isSplitName,
  mayBeSplitName,
} from "./column-names.js";
import {
  columnInWords,
  columnsAt,
  columnsIn,
  filledIn,
  flagOf,
  isFilled,
  type NamedTable,
  type Table,
  valuesIn,
} from "./table.js";

/** Values of a column that a message shows. */
export const NUM_SHOWN = 5;

/** A part that is neither for training nor for validation, or none that the row names. */
export type RowPart = Part | null | "extra";

/** The split that a table has. */
export interface SplitColumns {
  /** One column, or several of 0 and 1. */
  columns: number[];
  /** All columns that look like a split, so that none of them has the labels. */
  alike: number[];
  /** Names them at the start of a sentence: "The column split", "Column 2". */
  name: string;
  /** Part of each row; null if the columns are left unread, as was chosen. */
  parts: RowPart[] | null;
  /** Guesses, each a sentence. */
  notes: string[];
}

/** Names the columns of a split and their table, in a sentence. */
export function wordsOf({ name }: Pick<SplitColumns, "name">, file: string): string {
  return `${inSentence(name)} of ${file}`;
}

/** Choice of a split that is in no column. */
const UNREAD = "none";
const LEAVE_UNREAD = "--split-column none leaves";

export function isSplitChosen({ splitColumn }: { splitColumn?: string }): boolean {
  return splitColumn !== undefined && splitColumn !== UNREAD;
}

/** Names of parts that are left out: images without labels, or more of them. */
const EXTRA = /^(unsup(ervi[sz]ed)?|unlabell?ed|extra|additional|unused|ignored?)$/i;
const NONE = /^(|unassigned)$/i;

/** Returns the part that a value names; undefined if it is not known. */
function partIn(value: string): RowPart | undefined {
  if (NONE.test(value)) return null;
  return partOf(value) ?? (EXTRA.test(value) ? "extra" : undefined);
}

/** Returns what a value of 0 or 1 says; null if there is none, undefined if it is another value. */
function flagIn(value: string): boolean | null | undefined {
  return NONE.test(value) ? null : flagOf(value);
}

/**
 * Returns the columns that name the part of the split, if any: those that were chosen, or one with a usual name, or columns of 0 and 1
 * with the names of parts, or another one whose values are all names of parts.
 *
 * @param classColumns - Columns that are each a class.
 * @throws InputError if a column with the name of one has parts in some rows and other values in others, or is not there.
 */
export function splitColumns(
  table: NamedTable,
  { labelColumn, splitColumn }: { labelColumn?: string; splitColumn?: string },
  classColumns: readonly number[] = [],
): SplitColumns | null {
  const { columns: header, pathColumn, file, rows } = table;
  const free = columnsIn(table).filter((column) => {
    const isKnown = column === pathColumn || classColumns.includes(column);
    return !isKnown && (header === null || header[column] !== labelColumn);
  });
  const isLabelled = labelColumn !== undefined || classColumns.length > 0;
  if (splitColumn !== undefined) {
    const alike = columnsAlike(table, free, isLabelled);
    if (splitColumn !== UNREAD) return { ...chosenColumns(table, splitColumn), alike };
    return alike.length > 0 ? { columns: [], alike, name: "", parts: null, notes: [] } : null;
  }
  const found = [
    ...namedColumns(table, free),
    ...flagColumns(table, free),
    ...otherColumns(table, free, isLabelled),
  ];
  const [first, ...others] = found;
  if (first === undefined) return null;
  const notes = others.flatMap(({ name, columns, parts }) => {
    const row = parts.findIndex((part, i) => part && first.parts[i] && part !== first.parts[i]);
    const option = `--split-column ${choiceOf(table, columns)}`;
    const note = `${name} of ${file} has another split than ${inSentence(first.name)}, as for ${rows[row]?.[pathColumn]}. ${first.name} is used (${option} takes the other).`;
    return row < 0 ? [] : [note];
  });
  return { ...first, alike: found.flatMap(({ columns }) => columns), notes: [...first.notes, ...notes] };
}

/** Returns what chooses columns with --split-column: their names, or numbers from 1 if there is no header. */
export function choiceOf({ columns: header }: Table, columns: number[]): string {
  return columns.map((column) => header?.[column] || column + 1).join(",");
}

/** Columns of a split that were read. */
type ReadSplit = Omit<SplitColumns, "alike"> & { parts: RowPart[] };

/** Returns the columns that look like a split. */
function columnsAlike(table: NamedTable, free: number[], isLabelled: boolean): number[] {
  const named = free.filter((column) => isSplitName(table.columns?.[column] ?? ""));
  const others = table.columns === null ? namedColumns(table, free) : otherColumns(table, free, isLabelled);
  return [...named, ...others.flatMap(({ columns }) => columns)];
}

/** @throws InputError if they are not there, or have other values than names of parts or flags. */
function chosenColumns(table: NamedTable, choice: string): ReadSplit {
  const columns = columnsAt(table.columns, choice);
  if (columns === null)
    throw new InputError({
      expected: `the column ${choice}, for --split-column`,
      where: table.where,
      found: table.columns?.filter(Boolean).join(", ") || `${columnsIn(table).length} columns without names`,
      fix: "Choose one of these, or none.",
    });
  const [column] = columns;
  const parts = valuesIn(table, column).map(partIn);
  const isNamed = columns.length === 1 && parts.some((part) => part && part !== "extra");
  if (isNamed && !areKnown(parts)) throw unknownValues(table, column, PARTS, parts);
  if (isNamed && areKnown(parts)) return { columns, name: titleOf(table, column), parts, notes: [] };
  const [flags] = flagColumns(table, columns);
  if (flags?.columns.length === columns.length) return flags;
  throw unknownValues(table, column, PARTS, parts);
}

export function inSentence(name: string): string {
  return name.replace(/^./, (letter) => letter.toLowerCase());
}

const PARTS = "train, validation, test, or unsup and extra, which are left out,";

function namedColumns(table: NamedTable, free: number[]): ReadSplit[] {
  const { columns, file } = table;
  return free.flatMap((column) => {
    const name = columns?.[column];
    if (name !== undefined && !isPartName(name)) return [];
    const parts = valuesIn(table, column).map(partIn);
    if (!parts.some((part) => part && part !== "extra")) return [];
    if (!areKnown(parts)) {
      if (name === undefined) return [];
      throw unknownValues(table, column, PARTS, parts);
    }
    const title = titleOf(table, column);
    const notes = [`${title} of ${file} is read as the split (${LEAVE_UNREAD} it unread).`];
    return [{ columns: [column], name: title, parts, notes }];
  });
}

function areKnown<Value>(values: (Value | undefined)[]): values is Value[] {
  return !values.includes(undefined);
}

/** Names a column at the start of a sentence: "The column split", "Column 2". */
function titleOf(table: Table, column: number): string {
  return columnInWords(table.columns, column).replace(/^./, (letter) => letter.toUpperCase());
}

function unknownValues(
  { columns, rows, where, pathColumn }: NamedTable,
  column: number,
  known: string,
  found: unknown[],
): InputError {
  const unknown = rows.filter((_, i) => found[i] === undefined);
  const values = [...new Set(unknown.map((row) => row[column]))];
  return new InputError({
    expected: `${known} in ${columnInWords(columns, column)}`,
    where,
    found: `${inShort(values, NUM_SHOWN, NUM_SHOWN)} in ${unknown.length} of ${rows.length} rows, as that of ${unknown[0][pathColumn]}`,
    fix: `Fix these values, or leave the column unread with --split-column ${UNREAD}.`,
  });
}

/** A column of 0 and 1 for a part, and what it says of each row: null if nothing. */
interface FlagColumn {
  column: number;
  name: string;
  part: Part;
  flags: (boolean | null)[];
}

/** Reads columns of 0 and 1 with the names of parts; images in none of them are in the part that has no column. */
function flagColumns(table: NamedTable, free: number[]): ReadSplit[] {
  const { rows, where, file } = table;
  const columns = flagsIn(table, free);
  if (columns.length === 0) return [];
  const flagged = new Set(columns.map(({ part }) => part));
  const rest = (["train", "validation", "test"] as const).find((part) => !flagged.has(part)) ?? null;
  const parts = rows.map((row, i): RowPart => {
    const [part, ...others] = new Set(columns.flatMap((one) => (one.flags[i] ? one.part : [])));
    if (others.length > 0)
      throw new InputError({
        expected: "each image in one part of the split",
        where,
        found: `${row[table.pathColumn]} in ${[part, ...others].join(" and ")}`,
        fix: `Fix its row, or leave the columns unread with --split-column ${UNREAD}.`,
      });
    return part ?? (columns.every(({ flags }) => flags[i] === null) ? null : rest);
  });
  const names = columns.map(({ name }) => name);
  const [title, verb, all, object] =
    names.length > 1
      ? [`The columns ${names.join(", ")}`, "are", "in all ", "them"]
      : [`The column ${names[0]}`, "is", "", "it"];
  const meaning = columns.map(({ part, name }) => `1 in ${name} is ${part}`).join(", ");
  const note = `${title} of ${file} ${verb} read as the split: ${meaning}, and 0 ${all}is ${rest ?? "no part"} (${LEAVE_UNREAD} ${object} unread).`;
  return [{ columns: columns.map(({ column }) => column), name: title, parts, notes: [note] }];
}

/** @throws InputError if a column that must hold flags has other values in some rows. */
function flagsIn(table: NamedTable, free: number[]): FlagColumn[] {
  return free.flatMap((column): FlagColumn[] => {
    const name = table.columns?.[column] ?? "";
    const part = flagPart(name);
    if (part === null) return [];
    const flags = valuesIn(table, column).map(flagIn);
    if (!flags.some((flag) => typeof flag === "boolean")) return [];
    if (areKnown(flags)) return [{ column, name, part, flags }];
    if (isFlagName(name)) throw unknownValues(table, column, "true, false, 1 or 0", flags);
    return [];
  });
}

/** Returns columns of other names whose values all name parts, if labels are in another column. */
function otherColumns(table: NamedTable, free: number[], isLabelled: boolean): ReadSplit[] {
  const { columns, file } = table;
  if (columns === null) return [];
  const filled = free.filter((column) => isFilled(table, column));
  const hasLabels = (column: number) =>
    isLabelled || filled.some((one) => one !== column && isLabelName(columns[one]));
  return filled.flatMap((column) => {
    const name = columns[column];
    if (isPartName(name) || (isLabelName(name) && !hasLabels(column))) return [];
    const parts = valuesIn(table, column).map(partIn);
    const numParts = new Set(parts.filter((part) => part && part !== "extra")).size;
    if (!areKnown(parts) || numParts < (mayBeSplitName(name) ? 1 : 2)) return [];
    const title = titleOf(table, column);
    const note = `${title} of ${file} is read as the split, since all of its values name parts (${LEAVE_UNREAD} it unread).`;
    return [{ columns: [column], name: title, parts, notes: [note] }];
  });
}

/** Returns a sentence about a column that may be the split but is not read as one; none if there is no such column. */
export function noSplitNote(
  table: NamedTable,
  { splitColumn }: { splitColumn?: string },
  labels: readonly number[],
): string[] {
  const { columns, file, pathColumn } = table;
  if (columns === null || splitColumn !== undefined) return [];
  for (const column of columnsIn(table)) {
    const filled = filledIn(table, column);
    const numParts = filled.filter((value) => partOf(value) !== null).length;
    const isNamed = isSplitName(columns[column]) || mayBeSplitName(columns[column]);
    const isKnown = column === pathColumn || labels.includes(column);
    if (isKnown || filled.length === 0 || (!isNamed && numParts * 2 < filled.length)) continue;
    const unknown = [...new Set(filled.filter((value) => partOf(value) === null))];
    const reason = numParts === 0 ? "its values name no part" : "some of its values name no part";
    if (unknown.length > 0)
      return [
        `${titleOf(table, column)} of ${file} is not read as a split, since ${reason}: ${inShort(unknown, NUM_SHOWN, NUM_SHOWN)}.`,
      ];
  }
  return [];
}
