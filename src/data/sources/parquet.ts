// Parquet files of images, as Hugging Face's data sets have them.
import { open, writeFile } from "node:fs/promises";
import path from "node:path";
import zlib from "node:zlib";
import { InputError } from "../../errors.js";
import { isSystemError } from "../../files.js";
import { inShort } from "../../names.js";
import type { OnProgress } from "../../progress.js";
import { unpackOnce } from "./archive.js";
import { type Allowance, allowanceFor } from "./archive-entries.js";
import { type ImageRow, samplesOfRows } from "./image-rows.js";
import type { LabelChoice } from "./label-columns.js";
import { LeftOutFiles } from "./left-out.js";
import { inOrder, type Listing, listingOf } from "./listing.js";
import {
  bytesOf,
  type Columns,
  classNamesIn,
  columnsOf,
  type Decimals,
  decimalText,
  firstValues,
  plainColumns,
  shortest,
  singleColumns,
  takeDecimals,
  textOf,
} from "./parquet-columns.js";
import { type Part, partOf, partOfFile, partOfFolders } from "./split-names.js";

/** Rows to read at a time; all of their images are in memory. */
const BLOCK = 256;

/** A row with an image, without its path. */
interface Row extends ImageRow {
  part: Part | null;
}

interface Notes {
  rows: Row[];
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
  { onProgress, ...choice }: LabelChoice & { onProgress?: OnProgress },
): Promise<Listing> {
  refuseConfigurations(files, dir);
  const fill = async (to: string): Promise<Notes> => {
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
      const given = {
        part: partOfFile(name) ?? partOfFolders(name),
        name: files.length > 1 ? name : "",
        choice,
        to,
        onProgress,
      };
      await unpackFile(file, given, notes).catch((error: unknown) => {
        if (error instanceof InputError || isSystemError(error)) throw error;
        const reason = error instanceof Error ? error.message : String(error);
        throw new InputError({
          expected: "a Parquet file",
          where: file,
          found: `one that is damaged or of an unknown kind (${reason})`,
          fix: "Download the file again.",
        });
      });
    }
    if (notes.empty.length > 0 && notes.empty.length === files.length)
      throw new InputError({
        expected: "Parquet files with images",
        where: files.length > 1 ? dir : files[0],
        found: "no rows",
        fix: "Choose another.",
      });
    return notes;
  };
  const { dir: root, notes: kept } = await unpackOnce(files, fill, {
    variant: JSON.stringify([choice.labelColumn, choice.pathColumn, "columns, cells, -1 and decimals"]),
  });
  const leftOut = new LeftOutFiles();
  const [name] = files.map((file) => path.basename(file));
  if (kept.numWithoutImage > 0) leftOut.add("a row without an image", name, kept.numWithoutImage);
  if (kept.numWithoutLabel > 0) leftOut.add("a row without a label", name, kept.numWithoutLabel);
  const notes = [...kept.notes];
  if (kept.empty.length > 0) notes.push(`Files without rows: ${inShort(kept.empty)}.`);
  if (kept.unnamed.length > 0)
    notes.push(
      `The files name the classes, but not ${inShort(kept.unnamed.sort())}, which ${kept.unnamed.length > 1 ? "are classes" : "is a class"} without a name.`,
    );
  const labels = files.length > 1 ? `${files.length} Parquet files` : name;
  const where = files.length > 1 ? dir : files[0];
  const { samples, splitBy } = samplesOfRows({ ...kept, file: labels, where }, choice, {
    root,
    leftOut,
    notes,
  });
  return listingOf(
    { dir: root, leftOut },
    {
      where: files[0],
      labels,
      splitBy: splitBy ?? { words: "the names of the Parquet files and their folders", isColumn: false },
      samples: inOrder(samples),
      notes,
    },
  );
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
    fix: `Choose one, as in --data ${path.join(dir, first)}, or move the files into one folder if they are one data set.`,
  });
}

interface UnpackOptions {
  /** Part that the file is for. */
  part: Part | null;
  /** Names the file in messages, if there are several. */
  name: string;
  choice: LabelChoice;
  /** Folder to write the images to. */
  to: string;
  onProgress?: OnProgress;
}

async function unpackFile(
  file: string,
  { part, name, choice, to, onProgress }: UnpackOptions,
  notes: Notes,
): Promise<void> {
  const { parquetMetadataAsync, parquetReadObjects, snappyUncompress } = await import("hyparquet");
  const compressors = await compressorsWith(snappyUncompress);
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    const buffer = {
      byteLength: size,
      async slice(start: number, end = size): Promise<ArrayBuffer> {
        const from = Math.max(0, start < 0 ? size + start : start);
        const bytes = new Uint8Array(Math.max(0, Math.min(end, size) - from));
        await handle.read(bytes, 0, bytes.length, from);
        return bytes.buffer;
      },
    };
    const metadata = await parquetMetadataAsync(buffer);
    const allowance = await allowanceFor(file, to);
    const numRows = Number(metadata.num_rows);
    if (!(numRows >= 0 && numRows <= size)) throw new Error(`${numRows} rows in ${size} bytes`); // each has an image
    if (numRows === 0) {
      notes.empty.push(path.basename(file));
      return;
    }
    refuseCompressions(metadata, file, compressors);
    const decimals = takeDecimals(metadata.schema);
    const head = await parquetReadObjects({
      file: buffer,
      metadata,
      rowEnd: Math.min(numRows, BLOCK),
      utf8: false,
      compressors,
    });
    const classNames = classNamesIn(metadata.key_value_metadata);
    const columns = columnsOf(firstValues(head), plainColumns(metadata.schema), classNames, choice, file);
    const found = { ...columns, singles: singleColumns(metadata.schema) };
    notes.areNames &&= found.label in classNames;
    for (const column of found.others) if (!notes.columns.includes(column)) notes.columns.push(column);
    if (found.note !== null && !notes.notes.includes(found.note)) notes.notes.push(found.note);
    for (let start = 0; start < numRows; start += BLOCK) {
      const rows = await parquetReadObjects({
        file: buffer,
        metadata,
        columns: [found.image, found.label, ...found.others],
        rowStart: start,
        rowEnd: Math.min(numRows, start + BLOCK),
        utf8: false,
        compressors,
      });
      for (const [i, row] of rows.entries()) {
        const rowName = `row ${start + i + 1}${name && ` of ${name}`}`;
        await unpackRow(row, found, { part, name: rowName, to, allowance, file, decimals }, notes);
      }
      onProgress?.({ stage: "unpack", done: start + rows.length, total: numRows, unit: "images" });
    }
  } finally {
    await handle.close();
  }
}

/** Pages of images hardly shrink; a larger ratio fills the memory from a small file. */
const [MAX_RATIO, MIN_ALLOWED_BYTES] = [200, 2 ** 24];

/** Returns a codec that refuses a page that claims more than it may have, or has another length than it claims. */
function bounded(decompress: (bytes: Uint8Array, length: number) => Uint8Array) {
  return (bytes: Uint8Array, length: number): Uint8Array => {
    if (!(length >= 0 && length <= Math.max(MIN_ALLOWED_BYTES, MAX_RATIO * bytes.length)))
      throw new Error(`a page of ${bytes.length} bytes that unpacks to ${length}`);
    const page = decompress(bytes, length);
    if (page.length !== length) throw new Error(`a page of ${page.length} bytes in place of ${length}`);
    return page;
  };
}

/** Loads the codecs that are read: Node.js' own for gzip and brotli, which are faster and check more. */
async function compressorsWith(snappyUncompress: (bytes: Uint8Array, page: Uint8Array) => unknown) {
  const { decompressZstd, decompressLz4, decompressLz4Raw } = await import("hyparquet-compressors");
  return {
    SNAPPY: bounded((bytes, length) => {
      const page = new Uint8Array(length);
      snappyUncompress(bytes, page);
      return page;
    }),
    GZIP: bounded(
      (bytes, length) => new Uint8Array(zlib.gunzipSync(bytes, { maxOutputLength: length || 1 })),
    ),
    ZSTD: bounded((bytes, length) => decompressZstd(bytes, new Uint8Array(length))),
    BROTLI: bounded(
      (bytes, length) => new Uint8Array(zlib.brotliDecompressSync(bytes, { maxOutputLength: length || 1 })),
    ),
    LZ4: bounded(decompressLz4),
    LZ4_RAW: bounded(decompressLz4Raw),
  };
}

interface RowOptions extends Pick<UnpackOptions, "part" | "name" | "to"> {
  allowance: Allowance;
  file: string;
  decimals: Decimals;
}

async function unpackRow(
  row: Record<string, unknown>,
  { image, label, others, classNames, singles = [] }: Columns,
  { part, name, to, allowance, file, decimals }: RowOptions,
  notes: Notes,
): Promise<void> {
  const bytes = bytesOf(row[image]);
  const nameOf = (column: string) => {
    const exact = column in decimals ? decimalText(row[column], decimals[column]) : row[column];
    const value = singles.includes(column) ? shortest(exact) : exact;
    const text = textOf(value, column, file);
    return text === null ? null : (classNames[column]?.[Number(text)] ?? text);
  };
  const text = nameOf(label);
  if (bytes === null) notes.numWithoutImage++;
  else if (text === null || (text === "-1" && label in classNames))
    notes.numWithoutLabel++; // beside names of classes, -1 marks rows without one
  else {
    const isUnnamed = label in classNames && /^\d+$/.test(text) && !classNames[label].includes(text);
    if (isUnnamed && !notes.unnamed.includes(text)) notes.unnamed.push(text);
    const number = String(notes.rows.length).padStart(7, "0");
    const image = `${part ?? "image"}-${number}${ENDINGS[bytes[0]] ?? ""}`;
    allowance.add(image, bytes.length); // rows may share an image
    await writeFile(path.join(to, image), bytes);
    const cells = notes.columns.map((column) =>
      others.includes(column) ? (nameOf(column) ?? "").trim().slice(0, MAX_CELL) : "",
    );
    notes.rows.push({ path: image, name, label: text, cells, part });
  }
}

/** Characters of a cell to keep, which tell whether it names a part of the split. */
const MAX_CELL = 40;

/** By the first byte of an image. */
const ENDINGS: Record<number, string> = { 255: ".jpg", 137: ".png", 71: ".gif", 82: ".webp" };

interface Compressed {
  row_groups: { columns: { meta_data?: { codec: string } }[] }[];
}

/** @throws InputError for a compression that is not read. */
function refuseCompressions({ row_groups }: Compressed, where: string, known: object): void {
  const codecs = row_groups.flatMap(({ columns }) =>
    columns.flatMap(({ meta_data }) => meta_data?.codec ?? []),
  );
  const unknown = codecs.find((codec) => codec !== "UNCOMPRESSED" && !(codec in known));
  if (unknown === undefined) return;
  throw new InputError({
    expected: `a Parquet file with the compression ${Object.keys(known).join(", ")} or none`,
    where,
    found: unknown,
    fix: `Run pyarrow.parquet.write_table(pyarrow.parquet.read_table("FILE"), "FILE", compression="snappy") in Python.`,
  });
}
