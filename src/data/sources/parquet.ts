// Parquet files of images, as Hugging Face's data sets have them.
import { open, writeFile } from "node:fs/promises";
import path from "node:path";
import zlib from "node:zlib";
import { InputError } from "../../errors.js";
import { isSystemError } from "../../files.js";
import type { OnProgress } from "../../progress.js";
import { type Allowance, allowanceFor, unpackOnce } from "./archive.js";
import { LeftOutFiles } from "./files.js";
import type { LabelChoice } from "./label-columns.js";
import { inOrder, type Listing, stampOf } from "./listing.js";
import { type Part, partOf, partOfFile } from "./split-names.js";

/** Rows to read at a time; all of their images are in memory. */
const BLOCK = 256;

interface Row {
  path: string;
  label: string;
  split: Part | null;
}

interface Notes {
  rows: Row[];
  numWithoutImage: number;
  numWithoutLabel: number;
  notes: string[];
}

/** Columns of a file, and the classes of its label if they have names. */
interface Columns {
  image: string;
  label: string;
  classNames: string[] | null;
  note: string | null;
}

/**
 * Reads Parquet files with a column of images and one of labels. Their images are unpacked into the cache, once. The split is
 * in the files' names, as in `train-00000-of-00001.parquet`, or in the names of their folders.
 *
 * @throws InputError if the columns are not clear, or a file cannot be read.
 */
export async function readParquet(
  files: string[],
  dir: string,
  choice: LabelChoice,
  onProgress?: OnProgress,
): Promise<Listing> {
  refuseConfigurations(files, dir);
  const fill = async (to: string): Promise<Notes> => {
    const notes: Notes = { rows: [], numWithoutImage: 0, numWithoutLabel: 0, notes: [] };
    for (const file of files) {
      const split = partOfPath(path.relative(dir, file));
      await unpackFile(file, { split, choice, to, onProgress }, notes).catch((error: unknown) => {
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
    return notes;
  };
  const { dir: root, notes } = await unpackOnce(files, fill, {
    variant: JSON.stringify([choice.labelColumn, choice.pathColumn, "columns by name"]),
  });
  const leftOut = new LeftOutFiles();
  const [name] = files.map((file) => path.basename(file));
  if (notes.numWithoutImage > 0) leftOut.add("a row without an image", name, notes.numWithoutImage);
  if (notes.numWithoutLabel > 0) leftOut.add("a row without a label", name, notes.numWithoutLabel);
  const samples = notes.rows.map(({ path: file, label, split }) => ({
    path: file,
    className: label.normalize("NFC"),
    split,
    ...stampOf(path.join(root, file)),
  }));
  const labels = files.length > 1 ? `${files.length} Parquet files` : name;
  return {
    root,
    where: files[0],
    inner: ".",
    labels,
    samples: inOrder(samples),
    emptyClasses: [],
    leftOut,
    notes: notes.notes,
  };
}

function partOfPath(file: string): Part | null {
  const folders = file.split(path.sep).slice(0, -1);
  return partOfFile(file) ?? folders.reduce<Part | null>((part, folder) => part ?? partOf(folder), null);
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
  split: Part | null;
  choice: LabelChoice;
  /** Folder to write the images to. */
  to: string;
  onProgress?: OnProgress;
}

async function unpackFile(
  file: string,
  { split, choice, to, onProgress }: UnpackOptions,
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
    refuseCompressions(metadata, file, compressors);
    const head = await parquetReadObjects({
      file: buffer,
      metadata,
      rowEnd: Math.min(numRows, BLOCK),
      utf8: false,
      compressors,
    });
    const found = columnsOf(firstValues(head), classNamesIn(metadata.key_value_metadata), choice, file);
    if (found.note !== null && !notes.notes.includes(found.note)) notes.notes.push(found.note);
    for (let start = 0; start < numRows; start += BLOCK) {
      const rows = await parquetReadObjects({
        file: buffer,
        metadata,
        columns: [found.image, found.label],
        rowStart: start,
        rowEnd: Math.min(numRows, start + BLOCK),
        utf8: false,
        compressors,
      });
      for (const row of rows) await unpackRow(row, found, { split, to, allowance, file }, notes);
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

async function unpackRow(
  row: Record<string, unknown>,
  { image, label, classNames }: Columns,
  { split, to, allowance, file }: { split: Part | null; to: string; allowance: Allowance; file: string },
  notes: Notes,
): Promise<void> {
  const bytes = bytesOf(row[image]);
  const text = textOf(row[label], label, file);
  if (bytes === null) notes.numWithoutImage++;
  else if (text === null || text === "-1")
    notes.numWithoutLabel++; // -1 is how unlabelled rows are marked
  else {
    const number = String(notes.rows.length).padStart(7, "0");
    const name = `${split ?? "image"}-${number}${ENDINGS[bytes[0]] ?? ""}`;
    allowance.add(name, bytes.length); // rows may share an image
    await writeFile(path.join(to, name), bytes);
    notes.rows.push({ path: name, label: classNames?.[Number(text)] ?? text, split });
  }
}

/** By the first byte of an image. */
const ENDINGS: Record<number, string> = { 255: ".jpg", 137: ".png", 71: ".gif", 82: ".webp" };

/** An image is its bytes, or a structure of bytes and a path. */
function bytesOf(value: unknown): Uint8Array | null {
  if (value instanceof Uint8Array) return value;
  const { bytes } = (value ?? {}) as { bytes?: unknown };
  return bytes instanceof Uint8Array ? bytes : null;
}

/** @throws InputError if it is not one label. */
function textOf(value: unknown, column: string, where: string): string | null {
  if (value === null || value === undefined || value === "") return null;
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (Array.isArray(value) && value.length < 2) return textOf(value[0], column, where);
  if (typeof value !== "object") return String(value);
  const shown = JSON.stringify(value, (_, one) => (typeof one === "bigint" ? Number(one) : one));
  throw new InputError({
    expected: `one label for each image in the column ${column}`,
    where,
    found: shown.length > 60 ? `${shown.slice(0, 60)}…` : shown,
    fix: "Choose another column with --label-column NAME, or write the file again with one label in each row.",
  });
}

/** Returns the first value of each column that is not null. */
function firstValues(rows: Record<string, unknown>[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const row of rows)
    for (const [name, value] of Object.entries(row))
      if (!(name in values) || bytesOf(values[name]) === null) values[name] = value ?? values[name];
  return values;
}

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

interface Feature {
  names?: string[];
  /** What a list has. */
  feature?: { names?: string[] };
}

/** Reads the features that Hugging Face's `datasets` writes beside the rows: names of classes by column. */
function classNamesIn(entries: { key: string; value?: string }[] | undefined): Record<string, string[]> {
  const text = entries?.find(({ key }) => key === "huggingface")?.value;
  if (!text) return {};
  const { info } = JSON.parse(text) as { info?: { features?: Record<string, Feature> } };
  const features = Object.entries(info?.features ?? {});
  return Object.fromEntries(
    features.flatMap(([name, { names, feature }]) => {
      const found = names ?? feature?.names;
      return found ? [[name, found]] : [];
    }),
  );
}

function columnsOf(
  row: Record<string, unknown>,
  classNames: Record<string, string[]>,
  { labelColumn, pathColumn }: LabelChoice,
  where: string,
): Columns {
  const names = Object.keys(row);
  const images = names.filter(
    (name) => bytesOf(row[name]) !== null && !(textLike(row[name]) && name !== "image"),
  );
  const usual = images.filter((name) => /^(image|img)$/i.test(name));
  const [image] =
    pathColumn !== undefined
      ? images.filter((name) => name === pathColumn)
      : usual.length === 1
        ? usual
        : images;
  if (pathColumn === undefined && images.length > 1 && usual.length !== 1)
    throw new InputError({
      expected: "one column of images",
      where,
      found: images.join(", "),
      fix: "Choose one with --path-column NAME.",
    });
  const named = names.filter((name) => name in classNames);
  const likely = named.length === 1 ? named : names.filter((name) => name === "label" || name === "labels");
  const label =
    labelColumn === undefined
      ? likely.length === 1
        ? likely[0]
        : undefined
      : names.find((name) => name === labelColumn);
  if (image === undefined || label === undefined)
    throw new InputError({
      expected:
        image === undefined
          ? `a column${pathColumn === undefined ? "" : ` ${pathColumn}`} of images`
          : `the column ${labelColumn ?? "label"}`,
      where,
      found: names.join(", ") || "no rows",
      fix:
        image === undefined
          ? pathColumn === undefined
            ? "Choose another file."
            : "Fix --path-column."
          : "Choose the column with --label-column NAME.",
    });
  const rest = images.filter((name) => name !== image);
  const note =
    rest.length > 0 && pathColumn === undefined
      ? `The images are those of the column ${image}, not of ${rest.join(", ")} (--path-column takes another).`
      : null;
  return { image, label, classNames: classNames[label] ?? null, note };
}

/** Strings are bytes, too. */
function textLike(value: unknown): boolean {
  return (
    value instanceof Uint8Array &&
    !/^(\xff\xd8|\x89PNG|GIF8|RIFF|II\*|MM\0)/.test(Buffer.from(value.subarray(0, 8)).toString("latin1"))
  );
}
