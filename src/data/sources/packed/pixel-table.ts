// Tables whose cells are the pixels of images, as fer2013.csv.
import { stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { InputError } from "../../../errors.js";
import { makeFolder } from "../../../files.js";
import type { OnProgress } from "../../../progress.js";
import { formatCount } from "../../../text.js";
import { CODES, rowOf } from "../fer2013.js";
import { LeftOutFiles, REASONS } from "../left-out.js";
import { inOrder, type Listing } from "../listing.js";
import { type Part, partsOf } from "../split-names.js";
import { type NumberedRow, rowsOf } from "../tables/csv.js";
import { type ImageRow, listRows } from "../tables/image-rows.js";
import type { LabelChoice } from "../tables/label-columns.js";
import { MISSING } from "../tables/label-values.js";
import { refuseUnusedColumns } from "../unused-options.js";
import { unpackOnce } from "./archive.js";
import { labelledColumns, type PixelColumns } from "./pixel-columns.js";

/** What a table was unpacked to. */
interface PixelNotes {
  rows: ImageRow[];
  /** Rows without a usable image, by reason: how many there are, and the first line with what it has. */
  skipped: Record<string, { count: number; first: string }>;
  numScaled: number;
  /** Level that is white. */
  white: number;
  /** Largest level. */
  max: number;
  /** Names of the other columns. */
  columns: string[];
  /** Whether the labels may be FER-2013's codes, and how many are. */
  isCoded: boolean;
  numCoded: number;
  /** A code that is written as a decimal number. */
  decimal?: string;
  /** First line with a negative level. */
  negative?: number;
}

type Options = LabelChoice & { onProgress?: OnProgress };

/**
 * Reads a table of pixels: its images are unpacked into the cache, once, named by row. Its split is read as that of a table of
 * files: `Training` is for training, `PublicTest` for validation, `PrivateTest` for tests.
 *
 * @throws InputError if a column is missing, or the split has other values than names of parts.
 */
export async function readPixelTable(file: string, options: Options = {}): Promise<Listing> {
  return readPixelTables([file], path.dirname(file), options);
}

/** Reads tables of pixels as one. If all have names of parts, such as `train.csv` and `test.csv`, these are the split. */
export async function readPixelTables(files: string[], dir: string, options: Options): Promise<Listing> {
  const [isOne, parts, folders] = [files.length === 1, tableParts(files), foldersFor(files)];
  const where = isOne ? files[0] : dir;
  refuseUnusedColumns({ where, labels: "a table of pixels" }, { pathColumn: options.pathColumn });
  // Names what is kept, since earlier versions kept other rows.
  const variant = JSON.stringify(["tables, first rows", options.labelColumn]);
  const unpack = async (to: string) => {
    const notes: PixelNotes[] = [];
    for (const [i, file] of files.entries()) {
      const inner = path.join(to, folders[i]);
      makeFolder(inner);
      notes.push(await unpackPixels(file, inner, options));
    }
    return notes;
  };
  const { dir: root, notes: kept } = await unpackOnce(files, unpack, { variant });
  const tables = kept.map((notes, i): UnpackedTable => {
    const name = isOne ? path.basename(files[i]) : path.relative(dir, files[i]);
    return { ...notes, name, folder: folders[i], part: parts?.[i] ?? null };
  });
  const { header, label } = await labelledColumns(files[0], options);
  const leftOut = new LeftOutFiles();
  for (const { name, skipped } of tables)
    for (const [reason, { count }] of Object.entries(skipped)) leftOut.add(reason, name, count);
  const table = {
    file: tables.map(({ name }) => name).join(", "),
    where,
    label: header[label],
    ...joined(tables),
    areNames: tables.every(({ isCoded }) => isCoded),
  };
  const listing = listRows(table, options, { dir: root, leftOut }, tables.flatMap(codeNotes));
  const namesOf = (wanted: Part) => tables.flatMap(({ name, part }) => (part === wanted ? name : []));
  const words = `the table ${namesOf("validation").join(", ") || namesOf("test").join(", ")}`;
  return {
    ...(parts && { splitBy: { words, isColumn: false } }),
    ...listing,
    samples: isOne
      ? listing.samples.map((sample) => ({ ...sample, row: rowOf(sample.path) ?? undefined }))
      : inOrder(listing.samples),
    notes: [...listing.notes, ...tables.flatMap(levelNotes), ...tables.flatMap(skippedNotes)],
  };
}

/** A table that was unpacked, and what it is for. */
interface UnpackedTable extends PixelNotes {
  /** Names it in messages. */
  name: string;
  /** Folder of its images. */
  folder: string;
  /** Part that it is for. */
  part: Part | null;
}

/** Names a folder for the images of each table; a single one needs none. */
function foldersFor(files: string[]): string[] {
  const stems = files.map(stemOf);
  if (files.length === 1) return ["."];
  return stems.map((stem, i) => (stems.indexOf(stem) === i ? stem : `${stem}-${i}`));
}

/** Joins the rows of tables, whose other columns may differ. */
function joined(tables: UnpackedTable[]): { columns: string[]; rows: ImageRow[] } {
  const columns = [...new Set(tables.flatMap((one) => one.columns))];
  const rows = tables.flatMap((one) =>
    one.rows.map(({ path: image, name, label, cells }) => ({
      path: path.posix.join(one.folder, image),
      name: tables.length === 1 ? name : `${name} of ${one.name}`,
      label,
      cells: columns.map((column) => cells[one.columns.indexOf(column)] ?? ""),
      part: one.part,
    })),
  );
  return { columns, rows };
}

function stemOf(file: string): string {
  return path.parse(file).name;
}

/** Returns the part that each of several tables is for, by its name; null if they are not those of a split. */
export function tableParts(files: string[]): Part[] | null {
  const known = partsOf(files.map(stemOf));
  const parts = files.flatMap((file) => known.get(stemOf(file)) ?? []);
  return parts.length === files.length && parts.includes("train") && new Set(parts).size > 1 ? parts : null;
}

function codeNotes({ name, numCoded, decimal }: UnpackedTable): string[] {
  const notes: string[] = [];
  if (numCoded > 0)
    notes.push(`The codes of ${name} are read as ${CODES.map((one, code) => `${code} ${one}`).join(", ")}.`);
  if (decimal)
    notes.push(`The code ${decimal} of ${name} is read as ${Number(decimal)}, as are others like it.`);
  return notes;
}

function skippedNotes({ name, skipped }: UnpackedTable): string[] {
  return Object.entries(skipped).map(
    ([reason, { first }]) => `The first ${reason.replace(/^a /, "")} of ${name} is ${first}.`,
  );
}

/** Less than this is unusual for the largest of all levels. */
const DARK = 64;

function levelNotes({ name, white, max, numScaled }: UnpackedTable): string[] {
  if (white === 1) return [`The pixels of ${name} are from 0 to 1, and are scaled to 0–255.`];
  if (numScaled > 0) return [`${numScaled} rows have pixels above 255, and are scaled to 0–255.`];
  return max < DARK
    ? [`The largest pixel of ${name} is ${max}, where 255 is white, so its images are dark.`]
    : [];
}

/** Pixels of a table from 0 to 1, with errors of rounding. */
const MAX_FRACTION = 1 + 1e-6;

/** Characters of a row: an image of 1024 × 1024 pixels has a quarter. */
const MAX_LINE_LENGTH = 2 ** 24;

/** @returns NaN for an empty cell, which as a number would be 0. */
const levelOf = (text: string) => (text === "" ? Number.NaN : Number(text));

/** @param white - Level that is white; larger ones are scaled by row. It is read again if most rows have another range. */
async function unpackPixels(file: string, dir: string, options: Options, white = 255): Promise<PixelNotes> {
  const columns = await labelledColumns(file, options);
  const notes: PixelNotes = {
    rows: [],
    skipped: {},
    numScaled: 0,
    white,
    max: 0,
    columns: columns.others.map(({ name }) => name),
    isCoded: columns.isCoded,
    numCoded: 0,
  };
  await writeImages(imagesIn(file, columns, notes, options), dir, white);
  const { rows, max, numScaled } = notes;
  refuseStandardised(file, notes);
  const isFraction = max > 0 && max <= MAX_FRACTION;
  if (white === 255 && (isFraction || numScaled * 2 > rows.length))
    return unpackPixels(file, dir, options, isFraction ? 1 : max);
  if (rows.length === 0) throw noRows(file, notes);
  return notes;
}

/** The image of a row: its file's name, its levels and the largest of them. */
interface PixelImage {
  name: string;
  levels: number[];
  max: number;
}

/** Yields the image of each row, and notes what else there is. */
async function* imagesIn(
  file: string,
  columns: PixelColumns,
  notes: PixelNotes,
  { onProgress }: Options,
): AsyncGenerator<PixelImage, void, undefined> {
  const { size } = await stat(file);
  let [row, done] = [-1, 0];
  const unreadable = { expected: "a table of pixels", fix: "Choose another table." };
  for await (const { cells, line } of rowsOf(file, unreadable, MAX_LINE_LENGTH)) {
    done += cells.reduce((sum, cell) => sum + cell.length + 1, 0);
    if (row++ < 0) continue; // the header
    const name = `${row - 1}.png`;
    const found = noteRow({ cells, line }, name, columns, notes);
    if (found) yield { name, ...found };
    if (row % BLOCK === 0) onProgress?.({ stage: "unpack", done, total: size, unit: "bytes" });
  }
}

/** Images that are written at the same time. */
const BLOCK = 64;

async function writeImages(images: AsyncIterable<PixelImage>, dir: string, white: number): Promise<void> {
  let writing: Promise<void>[] = [];
  try {
    for await (const { name, levels, max } of images) {
      writing.push(writeLevels(path.join(dir, name), levels, Math.max(max, white)));
      if (writing.length < BLOCK) continue;
      await Promise.all(writing);
      writing = [];
    }
    await Promise.all(writing);
  } finally {
    await Promise.allSettled(writing); // the folder may be removed next
  }
}

function refuseStandardised(where: string, { max, negative }: PixelNotes): void {
  if (negative === undefined || max >= 255 / 2) return;
  throw new InputError({
    expected: "pixels from 0 to 255, or from 0 to 1",
    where,
    found: `a negative value in line ${negative}, and none above ${max}`,
    fix: "Choose a table whose pixels are not standardised.",
  });
}

/** Notes what a row holds, and returns the levels of its image; null if it is left out. */
function noteRow(
  { cells, line }: NumberedRow,
  image: string,
  columns: PixelColumns,
  notes: PixelNotes,
): { levels: number[]; max: number } | null {
  const { label, code, className, levels } = contentOf(cells, columns);
  if (levels.some((level) => level < 0)) notes.negative ??= line;
  const problem = labelProblem(label, className) ?? levelsProblem(levels);
  if (problem) {
    const [reason, details] = problem;
    notes.skipped[reason] ??= { count: 0, first: `line ${line}${details}` };
    notes.skipped[reason].count++;
    return null;
  }
  const max = levels.reduce((a, b) => Math.max(a, b)); // too many for arguments of one call
  notes.max = Math.max(notes.max, max);
  if (max > 255) notes.numScaled++;
  if (code !== null) notes.numCoded++;
  if (code !== null && label.includes(".")) notes.decimal ??= label;
  notes.rows.push({
    path: image,
    name: `line ${line}`,
    label: className,
    cells: columns.others.map(({ column }) => cells[column] ?? ""),
  });
  return { levels, max };
}

/** What a row holds. `code` is null if the label is no code; `className` is empty if there is no label. */
function contentOf(cells: string[], { pixels, label: labelColumn, isCoded }: PixelColumns) {
  const levels = pixels.flatMap((column) => Array.from(cells[column]?.split(/\s+/) ?? [], levelOf));
  const label = cells[labelColumn] ?? "";
  const code = isCoded && /^-?\d+(\.\d*)?$/.test(label) ? Number(label) : null;
  const className = MISSING.test(label) ? "" : code === null ? label : CODES[code];
  return { label, code, className, levels };
}

/** Writes a square image in grey. @param white - Level that is white. */
async function writeLevels(file: string, levels: number[], white: number): Promise<void> {
  const { default: sharp } = await import("sharp");
  const bytes = Uint8Array.from(levels, (level) => Math.round(level * (255 / white)));
  const side = Math.sqrt(levels.length);
  const image = sharp(bytes, { raw: { width: side, height: side, channels: 1 } }).toColourspace("b-w");
  await writeFile(file, await image.png({ compressionLevel: 1 }).toBuffer());
}

/** Why a row is left out, and what its first one has. */
type RowProblem = [reason: string, details: string];

/** @param className - What the label stands for; empty or undefined if for nothing. */
function labelProblem(label: string, className: string | undefined): RowProblem | null {
  if (className) return null;
  const isMissing = label === "" || MISSING.test(label);
  return [isMissing ? REASONS.rowWithoutLabel : `a row with the unknown code ${label}`, ""];
}

function levelsProblem(levels: readonly number[]): RowProblem | null {
  const reason = "a row without a square image";
  if (levels.some((level) => !(level >= 0 && level < Number.POSITIVE_INFINITY)))
    return [reason, ", which has a value that is no level of grey"];
  const isSquare = levels.length > 0 && Number.isInteger(Math.sqrt(levels.length));
  return isSquare ? null : [reason, `, which has ${formatCount(levels.length)} values, no square number`];
}

function noRows(file: string, { skipped }: PixelNotes): InputError {
  const reasons = Object.entries(skipped).map(
    ([reason, { count, first }]) => `${count} × ${reason} (${count > 1 ? "first " : ""}${first})`,
  );
  return new InputError({
    expected: "rows with a label and a square image",
    where: file,
    found: reasons.join(", ") || "none",
    fix: "Choose another table.",
  });
}
