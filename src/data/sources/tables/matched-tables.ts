// Which tables of a data set are about its images, and what their columns are.
import path from "node:path";
import { caught, InputError } from "../../../errors.js";
import { inShort } from "../../../names.js";
import type { Walk } from "../files.js";
import { type Part, partOf } from "../split-names.js";
import { isSplitName, mayBeSplitName } from "./column-names.js";
import { type ImageTable, inPart, matchImages } from "./image-column.js";
import { ImageIndex } from "./image-index.js";
import { type LabelChoice, type LabelColumns, oneHotColumns, withoutRepeats } from "./label-columns.js";
import { NUM_SHOWN, type SplitColumns, splitColumns } from "./split-columns.js";
import { columnsAt, columnsIn, filledIn, isFilled, type NamedTable, type Table } from "./table.js";
import {
  isOtherJson,
  isUnreadTable,
  partsOfTables,
  readTable,
  tableFiles,
  unreadLabelFiles,
} from "./table-file.js";

/** A table whose rows name images, with its columns. */
export interface ReadTable extends ImageTable {
  split: SplitColumns | null;
  /** Null if the table has no labels, or it is not known yet which columns have them. */
  labels: LabelColumns | null;
}

/** The tables of a data set, each read once. */
export interface Tables {
  /** Tables about the images. */
  useful: ReadTable[];
  /** Lists of names alone, each for a part of the split: `train.txt` with `cat/1.jpg`. */
  lists: ImageTable[];
  /** Why it is not clear which images other tables mean. */
  refusals: InputError[];
  /** Why a table about the images cannot be read; null if all can. */
  error: InputError | null;
  /** Other files that may have been meant for tables of labels. */
  others: { file: string; table: Table | null; why: Reason | null }[];
  /** Whether the user chose them. */
  areChosen: boolean;
  index: ImageIndex;
}

/** Why a file is not read, and what to do. */
export interface Reason {
  reason: string;
  fix: string;
}

/**
 * Reads the tables of a data set, and finds those that are about its images.
 *
 * @param chosen - Tables to read, relative to the folder; by default all in it.
 */
export function matchTables({ dir, root }: Walk, choice: LabelChoice, chosen?: string[]): Tables {
  const index = new ImageIndex(root);
  const areChosen = chosen !== undefined;
  const tables: Tables = { useful: [], lists: [], refusals: [], error: null, others: [], areChosen, index };
  const files = chosen ?? [...tableFiles(root), ...unreadLabelFiles(root)];
  const parts = partsOfTables(files);
  for (const [i, file] of files.entries()) {
    const table = isUnreadTable(file) ? null : readTable(dir, file);
    const isList = table?.columns === null && columnsIn(table).length === 1;
    if (isList) addList(tables, table, parts[i]);
    else addTable(tables, { file, table, part: parts[i] }, choice);
  }
  return tables;
}

/** Adds a list of names if it is about the images of a part. */
function addList({ lists, index }: Tables, list: Table, part: Part | null): void {
  if (part === null || list.damage) return;
  const found = matchImages(list, index, {}, part);
  if (found && !(found instanceof InputError) && isUseful(found, index.files.length)) lists.push(found);
}

/** Adds a table to those about the images, or to the others. */
function addTable(
  tables: Tables,
  { file, table, part }: { file: string; table: Table | null; part: Part | null },
  choice: LabelChoice,
): void {
  const { index, areChosen } = tables;
  const found = table && index.files.length > 0 ? matchImages(table, index, choice, part) : null;
  const isRefused = found instanceof InputError;
  const why = found && !isRefused && !areChosen ? whyCodedSplit(found, choice) : null;
  const isUsed = isRefused || (found && !why && (areChosen || isUseful(found, index.files.length)));
  if (table?.damage && (areChosen || isUsed)) tables.error ??= table.damage;
  if (isRefused) tables.refusals.push(found);
  else if (found && isUsed) {
    const read = found.damage
      ? { ...found, split: null, labels: null }
      : caught(() => withColumns(found, choice));
    if (read instanceof InputError) tables.error ??= read;
    else tables.useful.push(read);
  } else if (areChosen || !isOtherJson(file)) tables.others.push({ file, table, why });
}

/** Finds the columns of the split, and those of 0 and 1 that are classes. */
function withColumns(given: ImageTable, choice: LabelChoice): ReadTable {
  const { labelColumn, pathColumn } = choice;
  const chosen = [pathColumn, ...(labelColumn?.split(",") ?? [])].flatMap((name) => name?.trim() ?? []);
  const table = withoutRepeats(given, [...chosen, given.columns?.[given.pathColumn] ?? ""]);
  const columns = oneHotColumns(table, choice);
  const split = splitColumns(table, choice, columns ?? []);
  const { parts } = split ?? {};
  return {
    ...table,
    split,
    labels: columns && { columns, isOneHot: true },
    files: parts ? inPart(table.files, (row) => parts[row]) : table.files,
  };
}

/**
 * A table is useful if its rows are about images, not about other things that happen to have such names. JSON with another name than
 * that of labels must be about most images, since `{"1": "rose"}` names classes.
 */
function isUseful(table: ImageTable, numImages: number): boolean {
  const { files } = table;
  const numFound = files.filter(({ length }) => length === 1).length;
  const isOther = isOtherJson(table.file) || isOfNames(table);
  const numNamed = new Set(files.flat()).size; // also where a row names several, such as an image and its mask
  return numNamed * 2 >= numImages || (numFound * 2 >= files.length && !isOther);
}

/** Whether a table may name the classes: JSON with another text for each number, as `{"0": "Healthy", "1": "Blight"}`. */
export function isOfNames({ file, columns, rows }: Table): boolean {
  const isNumbered = rows.every((row) => row.length === 2 && /^\d+$/.test(row[0]));
  const areDifferent = new Set(rows.map((row) => row[1])).size === rows.length;
  return columns === null && isNumbered && areDifferent && /\.json$/i.test(file);
}

/** Names of files with a split alone, as CelebA, CUB and Oxford Flowers have them. */
const SPLIT_FILE =
  /(^|[ _-])((splits?|folds?|subsets?|usage|(set|split|fold)[ _-]?ids?|(hold|held)[ _-]?out|(is|in|for)[ _-](train(ing)?|val(id(ation)?)?|test(ing)?))$|partitions?([ _.-]|$))/i;
/** Values that may stand for any part: numbers, letters, numbered folds, yes and no. */
const CODE = /^(\d{1,2}(\.0+)?|\p{L}|(fold|set|split|part|subset|group)[ _-]?\d{1,2}|yes|no|true|false)$/iu;

/**
 * Says why a table with the parts of a split in codes, such as `0.jpg 1` or `0.jpg T`, is not read: these are no labels, and may stand
 * for any part.
 *
 * @returns Null if it is no such table, or the column was chosen.
 */
function whyCodedSplit(table: NamedTable, { labelColumn, splitColumn }: LabelChoice): Reason | null {
  const { file, columns, pathColumn } = table;
  const [column, ...others] = columnsIn(table).filter((one) => one !== pathColumn && isFilled(table, one));
  const isChosen = [labelColumn, splitColumn].some(
    (name) => name && columnsAt(columns, name)?.includes(column),
  );
  if (column === undefined || others.length > 0 || isChosen) return null;
  const name = columns?.[column];
  const stem = path.posix.basename(file, path.posix.extname(file));
  const isSplitFile = SPLIT_FILE.test(stem) && partOf(stem) === null; // not `train_split.txt`, which has labels of one part
  const isNamed = name ? isSplitName(name) || mayBeSplitName(name) : isSplitFile;
  const codes = [...new Set(filledIn(table, column))].sort();
  if (!isNamed || !codes.every((code) => CODE.test(code))) return null;
  const shown = inShort(codes, NUM_SHOWN, NUM_SHOWN);
  return {
    reason: `it is named for a split, and ${shown} in it may stand for any part`,
    fix: `Write train, validation or test instead of ${shown}, or choose --labels ${file} if these are the classes.`,
  };
}
