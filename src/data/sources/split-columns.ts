// Which columns of a table name the part of the split.
import path from "node:path";
import { InputError } from "../../errors.js";
import { inShort } from "./listing.js";
import { type Part, partOf } from "./split-names.js";
import { LABEL_COLUMN, type Table } from "./table-file.js";

/** Usual names of a column with the part of the split. */
const SPLIT_COLUMN = /^(split|set|usage|subset|partition|phase|ml[ _-]?use|data[ _-]?set|part)$/i;
/** Names of columns that may have it, besides; those that name no part get a note. */
const MAY_BE_SPLIT =
  /(^|[ _-])(splits?|fold|subset|partition|usage)($|[ _-])|^train[ _-]?(and[ _-])?(test|val)/i;
/** Names of columns that say with 1 or 0, or true or false, whether an image is in a part. */
const FLAG_COLUMN = /^(?:(?:is|in|for)[ _-]+|is)?(.+)$/i;
const BARE_FLAG = /^(train|training|val|valid|validation|test|testing)$/i;
const VALIDATION_COLUMN = /^(is[ _-]?)?(valid|validation|val)$/i;
/** Values of a column that a message shows. */
const NUM_SHOWN = 5;

/** A table, and what its columns are known to be. */
export interface ReadColumns {
  table: Table;
  pathColumn: number;
  labelColumn?: string;
  /** Columns that are each a class. */
  classColumns?: number[] | null;
}

/** A part that is neither for training nor for validation, or none that the row names. */
export type RowPart = Part | null | "extra";

/** The split that a table has. */
export interface SplitColumns {
  /** One column, or several of 0 and 1. */
  columns: number[];
  /** Names them at the start of a sentence: "The column split", "Column 2". */
  name: string;
  /** Part of each row. */
  parts: RowPart[];
  /** Guesses, each a sentence. */
  notes: string[];
}

/** Whether a column has a usual name of one with the part of the split. */
export function isSplitName(name: string): boolean {
  return SPLIT_COLUMN.test(name) || flagPart(name) !== null;
}

/** Returns the part that a column of 0 and 1 is for, as `is_test`, `train` or `isValid`; null if its name says none. */
export function flagPart(name: string): Part | null {
  const [, inner = ""] = FLAG_COLUMN.exec(name.trim()) ?? [];
  return inner !== name.trim() || BARE_FLAG.test(inner) ? partOf(inner) : null;
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
  if (NONE.test(value)) return null;
  return /^(true|false|[01](\.0+)?)$/i.test(value) ? /^(true|1(\.0+)?)$/i.test(value) : undefined;
}

/**
 * Returns the columns that name the part of the split, if any: one with a usual name, or columns of 0 and 1 with the names of parts,
 * or another one whose values are all names of parts.
 *
 * @throws InputError if a column with the name of one has parts in some rows and other values in others.
 */
export function splitColumns(read: ReadColumns, dir: string): SplitColumns | null {
  const found = [...namedColumns(read, dir), ...flagColumns(read, dir), ...otherColumns(read)];
  const [first, ...others] = found;
  if (first === undefined) return null;
  const differing = others.flatMap(({ name, parts }) => {
    const row = parts.findIndex((part, i) => part && first.parts[i] && part !== first.parts[i]);
    return row < 0 ? [] : [{ name, row }];
  });
  const notes = differing.map(
    ({ name, row }) =>
      `${name} of ${read.table.file} has another split than ${inSentence(first.name)}, as for ${read.table.rows[row][read.pathColumn]}. ${first.name} is used.`,
  );
  return { ...first, notes: [...first.notes, ...notes] };
}

function inSentence(name: string): string {
  return name.replace(/^./, (letter) => letter.toLowerCase());
}

/** Returns the columns that may be others than the images' and the labels'. */
function freeColumns({ table, pathColumn, labelColumn, classColumns }: ReadColumns): number[] {
  const { columns, rows } = table;
  const width = columns?.length ?? rows[0]?.length ?? 0;
  return Array.from({ length: width }, (_, column) => column).filter((column) => {
    const isKnown = column === pathColumn || classColumns?.includes(column);
    return !isKnown && (columns === null || columns[column] !== labelColumn);
  });
}

function namedColumns(read: ReadColumns, dir: string): SplitColumns[] {
  const { columns, rows, file } = read.table;
  return freeColumns(read).flatMap((column) => {
    const name = columns?.[column];
    if (name !== undefined && !SPLIT_COLUMN.test(name)) return [];
    const parts = rows.map((row) => partIn(row[column] ?? ""));
    if (!parts.some((part) => part && part !== "extra")) return [];
    if (areKnown(parts)) return [{ columns: [column], name: titleOf(read, column), parts, notes: [] }];
    if (name === undefined) return [];
    const known = "train, validation, test, or unsup and extra, which are left out,";
    throw unknownValues(read, column, known, parts, path.join(dir, file));
  });
}

function areKnown<Value>(values: (Value | undefined)[]): values is Value[] {
  return !values.includes(undefined);
}

function titleOf({ table }: ReadColumns, column: number): string {
  const name = table.columns?.[column];
  return name ? `The column ${name}` : `Column ${column + 1}`;
}

function unknownValues(
  { table: { columns, rows }, pathColumn }: ReadColumns,
  column: number,
  known: string,
  found: unknown[],
  where: string,
): InputError {
  const unknown = rows.filter((_, i) => found[i] === undefined);
  const values = [...new Set(unknown.map((row) => row[column]))];
  return new InputError({
    expected: `${known} in the column ${columns?.[column]}`,
    where,
    found: `${inShort(values, NUM_SHOWN, NUM_SHOWN)} in ${unknown.length} of ${rows.length} rows, as that of ${unknown[0][pathColumn]}`,
    fix: "Fix these values, or rename the column, so that it is not read as a split.",
  });
}

/** Reads columns of 0 and 1 with the names of parts; images in none of them are in the part that has no column. */
function flagColumns(read: ReadColumns, dir: string): SplitColumns[] {
  const { columns: header, rows, file } = read.table;
  const where = path.join(dir, file);
  if (header === null) return [];
  const columns: { column: number; part: Part; flags: (boolean | null)[] }[] = [];
  for (const column of freeColumns(read)) {
    const part = flagPart(header[column]);
    const flags = rows.map((row) => flagIn(row[column] ?? ""));
    if (part === null || !flags.some((flag) => flag !== null && flag !== undefined)) continue;
    if (areKnown(flags)) columns.push({ column, part, flags });
    else if (VALIDATION_COLUMN.test(header[column]) || !BARE_FLAG.test(header[column]))
      throw unknownValues(read, column, "true, false, 1 or 0", flags, where);
  }
  if (columns.length === 0) return [];
  const flagged = new Set(columns.map(({ part }) => part));
  const rest = (["train", "validation", "test"] as const).find((part) => !flagged.has(part)) ?? null;
  const parts = rows.map((row, i): RowPart => {
    const set = new Set(columns.flatMap(({ part, flags }) => (flags[i] ? part : [])));
    if (set.size > 1)
      throw new InputError({
        expected: "each image in one part of the split",
        where,
        found: `${row[read.pathColumn]} in ${[...set].join(" and ")}`,
        fix: "Fix its row, or rename the columns, so that they are not read as a split.",
      });
    const [part] = set;
    return part ?? (columns.every(({ flags }) => flags[i] === null) ? null : rest);
  });
  const names = columns.map(({ column }) => header[column]);
  const isUsual = columns.length === 1 && VALIDATION_COLUMN.test(names[0]);
  const title = names.length > 1 ? `The columns ${names.join(", ")}` : `The column ${names[0]}`;
  const meaning = columns.map(({ part }, i) => `1 in ${names[i]} is ${part}`).join(", ");
  const note = `${title} of ${file} ${names.length > 1 ? "are" : "is"} read as the split: ${meaning}, and 0 ${names.length > 1 ? "in all " : ""}is ${rest ?? "no part"}.`;
  return [{ columns: columns.map(({ column }) => column), name: title, parts, notes: isUsual ? [] : [note] }];
}

/** Returns columns of other names whose values all name parts, if labels are in another column. */
function otherColumns(read: ReadColumns): SplitColumns[] {
  const { columns, rows, file } = read.table;
  if (columns === null) return [];
  const free = freeColumns(read).filter((column) => rows.some((row) => row[column]));
  const hasLabels = (column: number) =>
    read.labelColumn !== undefined ||
    (read.classColumns?.length ?? 0) > 0 ||
    free.some((one) => one !== column && LABEL_COLUMN.test(columns[one]));
  return free.flatMap((column) => {
    const name = columns[column];
    if (SPLIT_COLUMN.test(name) || (LABEL_COLUMN.test(name) && !hasLabels(column))) return [];
    if (free.length < 2 && !MAY_BE_SPLIT.test(name) && !hasLabels(column)) return [];
    const parts = rows.map((row) => partIn(row[column] ?? ""));
    const numParts = new Set(parts.filter((part) => part && part !== "extra")).size;
    if (!areKnown(parts) || numParts < (MAY_BE_SPLIT.test(name) ? 1 : 2)) return [];
    const title = titleOf(read, column);
    return [
      {
        columns: [column],
        name: title,
        parts,
        notes: [`${title} of ${file} is read as the split, since all of its values name parts.`],
      },
    ];
  });
}

/** Returns a sentence about a column that may be the split but is not read as one; none if there is no such column. */
export function noSplitNote(read: ReadColumns, labels: number[]): string[] {
  const { columns, rows, file } = read.table;
  if (columns === null) return [];
  for (const column of freeColumns(read).filter((one) => !labels.includes(one))) {
    const filled = rows.flatMap((row) => row[column] || []);
    const numParts = filled.filter((value) => partOf(value) !== null).length;
    const isNamed = isSplitName(columns[column]) || MAY_BE_SPLIT.test(columns[column]);
    if (filled.length === 0 || (!isNamed && numParts * 2 < filled.length)) continue;
    const unknown = [...new Set(filled.filter((value) => partOf(value) === null))];
    const reason = numParts === 0 ? "its values name no part" : "some of its values name no part";
    if (unknown.length > 0)
      return [
        `${titleOf(read, column)} of ${file} is not read as a split, since ${reason}: ${inShort(unknown, NUM_SHOWN, NUM_SHOWN)}.`,
      ];
  }
  return [];
}
