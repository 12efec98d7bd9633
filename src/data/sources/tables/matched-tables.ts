// Which tables of a data set are about its images, and what their columns are.
import path from "node:path";
import { InputError } from "../../../errors.js";
import { inShort } from "../../../names.js";
import type { Walk } from "../files.js";
import { partOf, partOfFolders } from "../split-names.js";
import { isSplitName, mayBeSplitName } from "./column-names.js";
import { type Matched, matchImages } from "./image-column.js";
import { imageIndex } from "./image-index.js";
import { type LabelChoice, oneHotColumns, withoutRepeats } from "./label-columns.js";
import {
  NUM_SHOWN,
  type ReadColumns,
  type RowPart,
  type SplitColumns,
  splitColumns,
} from "./split-columns.js";
import { columnsAt, columnsIn, filledIn, isFilled, type Table } from "./table.js";
import { isOtherJson, partOfTable, readTable, tableFiles } from "./table-file.js";

/** A table that names images, with the columns of classes and of the split. */
export interface MatchedTable extends Matched, ReadColumns {
  table: Table;
  classColumns: number[] | null;
  split: SplitColumns | null;
}

/**
 * Finds the tables that are about the images.
 *
 * @param given - Tables to read, relative to the folder; by default all in it.
 * @returns These tables, and why others are not read: errors where it is not clear what they mean, and notes.
 * @throws InputError if columns can be understood in several ways, or the bytes of such a table are not text.
 */
export function matchTables(
  { dir, root }: Walk,
  choice: LabelChoice,
  given?: string[],
): { useful: MatchedTable[]; refusals: InputError[]; notes: string[] } {
  const index = imageIndex(root);
  const [useful, refusals, notes]: [MatchedTable[], InputError[], string[]] = [[], [], []];
  for (const file of index.files.length === 0 ? [] : (given ?? tableFiles(root))) {
    const table = readTable(dir, file);
    const found = table && matchImages(table, index, choice);
    const part = partOfTable(file);
    const isFound = found !== null && !(found instanceof InputError);
    const matched = isFound ? { ...found, files: inPart(found.files, () => part) } : found;
    if (!table || !matched) {
      if (given !== undefined && table?.damage) throw table.damage;
      continue;
    }
    const isRefused = matched instanceof InputError;
    if (!isRefused && given === undefined && !isUseful(matched, index.files.length)) continue;
    if (table.damage) throw table.damage;
    const why = isRefused || given !== undefined ? null : whyCodedSplit(matched, choice);
    if (isRefused) refusals.push(matched);
    else if (why) notes.push(`${file} is not read, since ${why.reason}.`);
    else useful.push(withColumns(matched, choice));
  }
  return { useful, refusals, notes };
}

/** Finds the columns of a table that are not the path's. */
function withColumns(matched: Matched, choice: LabelChoice): MatchedTable {
  const { labelColumn, pathColumn, splitColumn } = choice;
  const chosen = [pathColumn, ...(labelColumn?.split(",") ?? [])].flatMap((name) => name?.trim() ?? []);
  const names = [...chosen, matched.table.columns?.[matched.pathColumn] ?? ""];
  const one = { ...matched, table: withoutRepeats(matched.table, matched.pathColumn, names) };
  const read = { ...one, labelColumn, splitColumn, classColumns: oneHotColumns(one, choice) };
  const split = splitColumns(read);
  const { parts } = split ?? {};
  return { ...read, split, files: parts ? inPart(read.files, (row) => parts[row]) : read.files };
}

/** Keeps those of several images of a row that are in folders for its part: `train/0.png` and not `test/0.png` for `0.png`. */
export function inPart(files: string[][], partOfRow: (row: number) => RowPart): string[][] {
  return files.map((named, row) => {
    const part = named.length > 1 ? partOfRow(row) : null;
    const own = part === null ? [] : named.filter((file) => partOfFolders(file) === part);
    return own.length > 0 ? own : named;
  });
}

/**
 * A table is useful if its rows are about images, not about other things that happen to have such names. JSON with another name than
 * that of labels must be about most images, since `{"1": "rose"}` names classes.
 */
export function isUseful({ files, table }: Matched, numImages: number): boolean {
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
export function whyCodedSplit(
  { table, pathColumn }: Pick<ReadColumns, "table" | "pathColumn">,
  { labelColumn, splitColumn }: LabelChoice,
): { reason: string; fix: string } | null {
  const { file, columns } = table;
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
