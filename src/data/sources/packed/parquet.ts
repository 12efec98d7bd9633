// Parquet files of images, as Hugging Face's data sets have them.
import { open, writeFile } from "node:fs/promises";
import path from "node:path";
import { InputError } from "../../../errors.js";
import { isSystemError } from "../../../files.js";
import { inShort } from "../../../names.js";
import type { OnProgress } from "../../../progress.js";
import { LeftOutFiles, REASONS } from "../left-out.js";
import { inOrder, type Listing } from "../listing.js";
import { type Part, partOf, partOfFile, partOfFolders } from "../split-names.js";
import { type ImageRow, listRows } from "../tables/image-rows.js";
import type { LabelChoice } from "../tables/label-columns.js";
import { unpackOnce } from "./archive.js";
import { type Allowance, allowanceFor } from "./archive-entries.js";
import { missingNotes } from "./missing-files.js";
import {
  bytesOf,
  type Columns,
  classNamesIn,
  columnsOf,
  firstValues,
  plainColumns,
  textOf,
} from "./parquet-columns.js";
import { openParquet } from "./parquet-file.js";

/** Rows to read at a time; all of their images are in memory. */
const BLOCK = 256;

interface Notes {
  rows: ImageRow[];
  /** Name of the column of labels in the first file. */
  label?: string;
  /** Names of the columns of the rows' cells. */
  columns: string[];
  /** Whether the file names the classes of all labels. */
  areNames: boolean;
  numWithoutImage: number;
  numWithoutLabel: number;
  /** Labels that the file has no name for, beside others that have one. */
  unnamed: string[];
  /** Files without rows. */
  empty: string[];
  notes: string[];
}

/**
 * Reads Parquet files with a column of images and one of labels. Their images are unpacked into the cache, once. The split is in a
 * column, as in other tables, or in the files' names, as in `train-00000-of-00001.parquet`, or in the names of their folders.
 *
 * @throws InputError if the columns are not clear, or a file cannot be read.
 */
export async function readParquet(
  files: string[],
  dir: string,
  options: LabelChoice & { onProgress?: OnProgress },
): Promise<Listing> {
  refuseConfigurations(files, dir);
  const { labelColumn, pathColumn } = options;
  const { dir: root, notes: kept } = await unpackOnce(files, (to) => unpackFiles(files, dir, to, options), {
    variant: JSON.stringify([labelColumn, pathColumn, "columns, label, cells, -1 and decimals"]),
  });
  const [name] = files.map((file) => path.basename(file));
  const leftOut = new LeftOutFiles();
  if (kept.numWithoutImage > 0) leftOut.add(REASONS.rowWithoutImage, name, kept.numWithoutImage);
  if (kept.numWithoutLabel > 0) leftOut.add(REASONS.rowWithoutLabel, name, kept.numWithoutLabel);
  const notes = [...kept.notes, ...missingNotes(files)];
  if (kept.empty.length > 0) notes.push(`Files without rows: ${inShort(kept.empty)}.`);
  if (kept.unnamed.length > 0)
    notes.push(
      `The files name the classes, but not ${inShort(kept.unnamed.sort())}, which ${kept.unnamed.length > 1 ? "are classes" : "is a class"} without a name.`,
    );
  const isOne = files.length === 1;
  const table = {
    ...kept,
    file: isOne ? name : `${files.length} Parquet files`,
    where: isOne ? files[0] : dir,
  };
  const listing = listRows(table, options, { dir: root, leftOut }, notes);
  const splitBy = { words: "the names of the Parquet files and their folders", isColumn: false };
  return { splitBy, ...listing, samples: inOrder(listing.samples) };
}

async function unpackFiles(
  files: string[],
  dir: string,
  to: string,
  options: LabelChoice & { onProgress?: OnProgress },
): Promise<Notes> {
  const notes: Notes = {
    rows: [],
    columns: [],
    areNames: true,
    numWithoutImage: 0,
    numWithoutLabel: 0,
    unnamed: [],
    empty: [],
    notes: [],
  };
  for (const file of files) {
    const name = path.relative(dir, file);
    const part = partOfFile(name) ?? partOfFolders(name);
    await unpackFile(file, { ...options, part, name: files.length > 1 ? name : "", to }, notes).catch(
      (error: unknown) => {
        if (error instanceof InputError || isSystemError(error)) throw error;
        const reason = error instanceof Error ? error.message : String(error);
        throw new InputError({
          expected: "a Parquet file",
          where: file,
          found: `one that is damaged or of an unknown kind (${reason})`,
          fix: "Download the file again.",
        });
      },
    );
  }
  if (notes.empty.length === files.length)
    throw new InputError({
      expected: "Parquet files with images",
      where: files.length > 1 ? dir : files[0],
      found: "no rows",
      fix: "Choose another.",
    });
  return notes;
}

/** Refuses folders beside each other that are not for parts of a split: the same code may be another class in each. */
function refuseConfigurations(files: string[], dir: string): void {
  const folders = new Set(
    files.map((file) => {
      const steps = path.dirname(path.relative(dir, file)).split(path.sep);
      return steps.filter((step) => partOf(step) === null).join("/") || ".";
    }),
  );
  if (folders.size < 2) return;
  const [first] = [...folders].filter((folder) => folder !== ".");
  throw new InputError({
    expected: "Parquet files of one data set",
    where: dir,
    found: `the folders ${[...folders].join(", ")}, in which labels may differ`,
    fix: `Choose one, for example --data ${path.join(dir, first)}, or move the files into one folder if they are one data set.`,
  });
}

interface UnpackOptions extends LabelChoice {
  /** Part that the file is for. */
  part: Part | null;
  /** Names the file in messages, if there are several. */
  name: string;
  /** Folder to write the images to. */
  to: string;
  onProgress?: OnProgress;
}

async function unpackFile(file: string, options: UnpackOptions, notes: Notes): Promise<void> {
  const { part, name, to, onProgress } = options;
  const handle = await open(file, "r");
  try {
    const { metadata, numRows, rows } = await openParquet(handle, file);
    if (numRows === 0) {
      notes.empty.push(path.basename(file));
      return;
    }
    const allowance = await allowanceFor(file, to);
    const head = firstValues(await rows(0, BLOCK));
    const classNames = classNamesIn(metadata.key_value_metadata);
    const columns = columnsOf(head, plainColumns(metadata.schema), classNames, options, file);
    const { image, label, others, note } = columns;
    notes.label ??= label;
    notes.areNames &&= label in classNames;
    for (const column of others) if (!notes.columns.includes(column)) notes.columns.push(column);
    if (note !== null && !notes.notes.includes(note)) notes.notes.push(note);
    for (let start = 0; start < numRows; start += BLOCK) {
      const block = await rows(start, start + BLOCK, [image, label, ...others]);
      for (const [i, row] of block.entries()) {
        const rowName = `row ${start + i + 1}${name && ` of ${name}`}`;
        await unpackRow(row, { ...columns, file }, { part, name: rowName, to, allowance }, notes);
      }
      onProgress?.({ stage: "unpack", done: start + block.length, total: numRows, unit: "images" });
    }
  } finally {
    await handle.close();
  }
}

/** Columns of a file, and its path for errors. */
type ReadColumns = Columns & { file: string };

/** Returns a value as text: the name of a class if the file has names for the column; null if there is none. */
function valueIn(row: Row, column: string, { classNames, file }: ReadColumns): string | null {
  const text = textOf(row[column], column, file);
  return text === null ? null : (classNames[column]?.[Number(text)] ?? text);
}

type Row = Record<string, unknown>;

/** Writes the image of a row, and notes its label and other values. */
async function unpackRow(
  row: Row,
  read: ReadColumns,
  { part, name, to, allowance }: Pick<UnpackOptions, "part" | "name" | "to"> & { allowance: Allowance },
  notes: Notes,
): Promise<void> {
  const { label, others, classNames } = read;
  const [bytes, text] = [bytesOf(row[read.image]), valueIn(row, label, read)];
  const isMissing = text === "-1" && label in classNames; // beside names of classes, -1 marks rows without one
  if (bytes === null) notes.numWithoutImage++;
  else if (text === null || isMissing) notes.numWithoutLabel++;
  else {
    const isUnnamed = label in classNames && /^\d+$/.test(text) && !classNames[label].includes(text);
    if (isUnnamed && !notes.unnamed.includes(text)) notes.unnamed.push(text);
    const number = String(notes.rows.length).padStart(7, "0");
    const image = `${part ?? "image"}-${number}${ENDINGS[bytes[0]] ?? ""}`;
    allowance.add(image, bytes.length); // rows may share an image
    await writeFile(path.join(to, image), bytes);
    const cells = notes.columns.map((column) =>
      others.includes(column) ? (valueIn(row, column, read) ?? "").trim().slice(0, MAX_CELL) : "",
    );
    notes.rows.push({ path: image, name, label: text, cells, part });
  }
}

/** Characters of a cell to keep, which tell whether it names a part of the split. */
const MAX_CELL = 40;

/** By the first byte of an image. */
const ENDINGS: Record<number, string> = { 255: ".jpg", 137: ".png", 71: ".gif", 82: ".webp" };
