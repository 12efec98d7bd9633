// Recognises folders, files, columns and values that are named for a split.
import path from "node:path";
import { InputError } from "../../errors.js";
import type { Table } from "./table-file.js";

/** Part of a data set. `test` is used for validation if there is nothing else for it. */
export type Part = "train" | "validation" | "test";

const WORDS: Record<string, Part> = {
  ...byPart("train", "train training trn"),
  ...byPart("validation", "val valid validation validate vali dev devel development eval evaluation"),
  ...byPart("test", "test testing tst"),
};
/** Words that do not change what a name means. */
const FILLERS = new Set(
  (
    "a aligned all and aug augmentation augmented balanced big clean cleaned crop cropped cut data dataset datasets dir directory " +
    "face faces file files final fold folder folders frame frames full fullsize image images img imgs input inputs jpeg jpegs jpg " +
    "jpgs large my new of org orig original part photo photos pic pics picture pictures png pngs processed px raw rgb resized " +
    "sample samples scaled seg set sets small split splits square subset the v ver version"
  ).split(" "),
);

function byPart(part: Part, words: string): Record<string, Part> {
  return Object.fromEntries(words.split(" ").map((word) => [word, part]));
}

/** What a name says: the part of the data set, and its other words. */
interface Reading {
  part: Part;
  /** Words that are neither the part's nor fillers nor numbers. */
  rest: string;
  numbers: string;
}

/** Reads names such as `train`, `Val_set`, `seg_test`, `testData`, `train2017`, `FER2013Train`, `PublicTest`. */
function read(name: string): Reading | null {
  const words = name
    .normalize("NFC")
    .replace(/\d+\s*x\s*\d+/gi, " ")
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, "$1 $2")
    .replace(/(\d)(\p{L})/gu, "$1 $2")
    .replace(/(\p{L})(\d)/gu, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)
    .flatMap((word) =>
      word
        .replace(
          /^(training|train|validation|valid|val|dev|eval|testing|test)(sets?|data|images?|imgs?)$/,
          "$1 $2",
        )
        .split(" "),
    );
  const parts = new Set(words.flatMap((word) => WORDS[word] ?? []));
  if (parts.size !== 1) return null;
  const [part] = parts;
  const others = words.filter((word) => !WORDS[word] && !FILLERS.has(word));
  const isPublic = part === "test" && others.includes("public"); // of the two test sets of a challenge, for validation
  const rest = others.filter(
    (word) => !/^\d+$/.test(word) && !(part === "test" && /^(public|private)$/.test(word)),
  );
  return {
    part: isPublic ? "validation" : part,
    rest: rest.join(" "),
    numbers: others.filter((word) => /^\d+$/.test(word)).join(" "),
  };
}

/** Returns the part that a value such as `Training`, `val` or `PublicTest` names; null if it names none. */
export function partOf(name: string): Part | null {
  const reading = read(name);
  return reading?.rest === "" ? reading.part : null;
}

/**
 * Returns the part that each of several neighbouring names stands for, if any. A word such as `steam` in `steam_train` means
 * that the name is none, except if neighbours share it, as in `birds_train` and `birds_test`.
 */
export function partsOf(names: string[]): Map<string, Part> {
  const hasValidation = names.some((name) => /val/i.test(name.replace(/eval/gi, "")) && read(name));
  const readings = names.flatMap((name) => {
    const reading = read(name);
    if (!reading) return [];
    // beside a folder for validation, one for evaluation is for tests
    const isTest = hasValidation && reading.part === "validation" && /eval/i.test(name);
    return [{ name, ...reading, ...(isTest && { part: "test" as const }) }];
  });
  const isShared = (rest: string) =>
    new Set(readings.filter((other) => other.rest === rest).map(({ part }) => part)).size > 1;
  return new Map(
    readings.flatMap(({ name, part, rest }) =>
      rest === "" || isShared(rest) ? [[name, part] as const] : [],
    ),
  );
}

/** Returns the part that the beginning of a file's name stands for, as in `train_00001.jpg` or `val-0003.tar`. */
export function partOfFile(file: string): Part | null {
  const [start] = path.posix.basename(file).split(/[-_.\s]/);
  return partOf(start);
}

/** Usual names of a column with the part of the split. */
export const SPLIT_COLUMN = /^(split|set|usage|subset|partition|phase|ml[ _-]?use|data[ _-]?set|part)$/i;
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

/** Whether a column has a usual name of one with the part of the split. */
export function isSplitName(name: string): boolean {
  return SPLIT_COLUMN.test(name) || isValidationName(name);
}

/** Whether a column has the name of one that says which images are for validation. */
export function isValidationName(name: string): boolean {
  return VALIDATION_COLUMN.test(name);
}

/** A part that is neither for training nor for validation, or none that the row names. */
export type RowPart = Part | null | "extra";
/** Names of parts that are left out: images without labels, or more of them. */
const EXTRA = /^(unsup(ervi[sz]ed)?|unlabell?ed|extra|additional|unused|ignored?)$/i;

/** Returns the part that a value of a column names; undefined if it is not known. */
export function rowPart(column: string | undefined, value: string): RowPart | undefined {
  if (/^(|unassigned)$/i.test(value)) return null;
  if (column !== undefined && VALIDATION_COLUMN.test(column)) {
    if (!/^(true|false|[01](\.0+)?)$/i.test(value)) return undefined;
    return /^(true|1(\.0+)?)$/i.test(value) ? "validation" : "train";
  }
  return partOf(value) ?? (EXTRA.test(value) ? "extra" : undefined);
}

/** Returns the columns that name the part of the split by their header; without a header, any may. */
function splitColumns({ table, pathColumn, labelColumn, classColumns }: ReadColumns): number[] {
  const { columns, rows } = table;
  const width = columns?.length ?? rows[0]?.length ?? 0;
  return Array.from({ length: width }, (_, column) => column).filter((column) => {
    const name = columns?.[column];
    const isKnown = column === pathColumn || classColumns?.includes(column);
    return !isKnown && (name === undefined || (name !== labelColumn && isSplitName(name)));
  });
}

/**
 * Returns the column that names the part of the split, if any; -1 otherwise.
 *
 * @throws InputError if a column with the name of one has parts in some rows and other values in others.
 */
export function splitColumn(read: ReadColumns, dir: string): number {
  const { columns, rows, file } = read.table;
  for (const column of splitColumns(read)) {
    const name = columns?.[column];
    const unknown = rows.filter((row) => rowPart(name, row[column] ?? "") === undefined);
    const hasPart = rows.some((row) => {
      const part = rowPart(name, row[column] ?? "");
      return part && part !== "extra";
    });
    if (hasPart && unknown.length === 0) return column;
    if (!hasPart || name === undefined) continue;
    const values = [...new Set(unknown.map((row) => row[column]))];
    const accepted = VALIDATION_COLUMN.test(name)
      ? "true, false, 1 or 0"
      : "train, validation, test, or unsup and extra, which are left out,";
    throw new InputError({
      expected: `${accepted} in the column ${name}`,
      where: path.join(dir, file),
      found: `${someOf(values)} in ${unknown.length} of ${rows.length} rows, as that of ${unknown[0][read.pathColumn]}`,
      fix: "Fix these values, or rename the column, so that it is not read as a split.",
    });
  }
  return -1;
}

/** Returns a sentence about a column that has the name of a split but no part of one; none if there is no such column. */
export function noSplitNote(read: ReadColumns, labels: number[]): string[] {
  const { table } = read;
  if (table.columns === null) return [];
  const [column] = splitColumns(read).filter(
    (other) => !labels.includes(other) && table.rows.some((row) => row[other]),
  );
  if (column === undefined) return [];
  const values = [...new Set(table.rows.map((row) => row[column]).filter(Boolean))];
  return [
    `The column ${table.columns[column]} of ${table.file} is not read as a split, since its values name no part: ${someOf(values)}.`,
  ];
}

function someOf(values: string[]): string {
  const numMore = values.length - NUM_SHOWN;
  return values.slice(0, NUM_SHOWN).join(", ") + (numMore > 0 ? ` and ${numMore} more` : "");
}
