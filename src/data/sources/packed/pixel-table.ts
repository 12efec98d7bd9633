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
import { isLabelName, isSplitName } from "../tables/column-names.js";
import { headerOf, type NumberedRow, rowsOf } from "../tables/csv.js";
import { listRows } from "../tables/image-rows.js";
import type { LabelChoice } from "../tables/label-columns.js";
import { MISSING } from "../tables/label-values.js";
import { columnAt } from "../tables/table.js";
import { unpackOnce } from "./archive.js";

/** What is kept of a row of a table of pixels. */
interface PixelRow {
  path: string;
  /** Number of its line in the file, from 1. */
  line: number;
  className: string;
  /** The other columns, which may name its part of the split. */
  cells: string[];
}

interface PixelNotes {
  rows: PixelRow[];
  /** Rows without a usable image, by reason. */
  skipped: Record<string, number>;
  /** First line of each reason, with what it has. */
  firstSkipped: Record<string, string>;
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

/** Where a table of pixels has what. */
interface PixelColumns {
  /** One column with all pixels, or one for each. */
  pixels: number[];
  /** -1 if there is none. */
  label: number;
  others: { name: string; column: number }[];
  /** Whether the labels are FER-2013's codes. */
  isCoded: boolean;
}

/** Returns the columns of a table of pixels, such as fer2013.csv and icml_face_data.csv; null if a file is none. */
async function pixelColumns(file: string, { labelColumn }: LabelChoice = {}): Promise<PixelColumns | null> {
  const header = await headerOf(file);
  const columns = header.map((name) => name.toLowerCase());
  const found = (fits: (name: string) => boolean) => columns.flatMap((name, i) => (fits(name) ? i : []));
  const single = found((name) => name === "pixels");
  const each = found((name) => /^(pixel[ _]?\d+|\d+x\d+)$/.test(name));
  refuseNumbers(file, header);
  if (single.length === 0 && each.length < 16) return null;
  const pixels = single.length > 0 ? single : each;
  const chosen = labelColumn === undefined ? -1 : (columnAt(header, labelColumn) ?? -1);
  const [emotion = -1] = labelColumn === undefined ? found((name) => name === "emotion") : [];
  const [likely = -1, ...others] = labelColumn === undefined ? found(isLabelName) : [chosen];
  const label = emotion >= 0 ? emotion : others.length > 0 ? -1 : likely;
  const read = [...single, ...each, label, ...found(isSplitName)];
  const repeated = columns.find(
    (name, i) => columns.indexOf(name) < i && read.includes(columns.indexOf(name)),
  );
  if (repeated !== undefined)
    throw new InputError({
      expected: `one column ${repeated}`,
      where: file,
      found: `${found((name) => name === repeated).length} of that name`,
      fix: "Rename or remove the others.",
    });
  const beside = header
    .map((name, column) => ({ name, column }))
    .filter(({ column }) => column !== label && !pixels.includes(column));
  return { pixels, label, others: beside, isCoded: label >= 0 && columns[label] === "emotion" };
}

/** Refuses a table whose first line is an image: a label, before or after the pixels of a square. */
function refuseNumbers(file: string, header: string[]): void {
  const side = Math.sqrt(header.length - 1);
  if (side < 8 || !Number.isInteger(side) || !header.every((cell) => /^\d+(\.\d+)?$/.test(cell))) return;
  throw new InputError({
    expected: "names of columns in the first line",
    where: file,
    found: `${header.length} numbers, as for a label and ${side} × ${side} pixels`,
    fix: "Add a first line of names: label,pixel0,pixel1,… (or with label at the end, if it is there).",
  });
}

/** Returns the name of the column of labels. */
async function labelNameOf(file: string, choice: LabelChoice): Promise<string | undefined> {
  const columns = await pixelColumns(file, choice);
  return (await headerOf(file))[columns?.label ?? -1];
}

export async function isPixelTable(file: string): Promise<boolean> {
  return (await pixelColumns(file)) !== null;
}

export async function hasSplitColumn(file: string): Promise<boolean> {
  return (await headerOf(file)).some(isSplitName);
}

/** Returns whether a table of pixels has a usual column of labels; that of a competition's test images has none. */
export async function hasLabelColumn(file: string): Promise<boolean> {
  return (await headerOf(file)).some(isLabelName);
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
export async function readPixelTables(
  files: string[],
  dir: string,
  { onProgress, ...choice }: Options,
): Promise<Listing> {
  const isOne = files.length === 1;
  const [stems, parts] = [files.map(stemOf), tableParts(files)];
  const folderOf = (i: number) => (stems.indexOf(stems[i]) === i ? stems[i] : `${stems[i]}-${i}`);
  const unpackAll = async (to: string) => {
    const notes: PixelNotes[] = [];
    for (const [i, file] of files.entries()) {
      const inner = isOne ? to : path.join(to, folderOf(i));
      makeFolder(inner);
      notes.push(await unpackPixels(file, inner, { choice, onProgress }));
    }
    return notes;
  };
  // Earlier versions kept no lines, or one column for the split, and classes such as "1.0".
  const variant = JSON.stringify(["tables", choice.labelColumn]);
  const { dir: root, notes: kept } = await unpackOnce(files, unpackAll, { variant });
  const names = files.map((file) => (isOne ? path.basename(file) : path.relative(dir, file)));
  const leftOut = new LeftOutFiles();
  kept.forEach(({ skipped }, i) => {
    for (const [reason, count] of Object.entries(skipped)) leftOut.add(reason, names[i], count);
  });
  const columns = [...new Set(kept.flatMap((one) => one.columns))];
  const rows = kept.flatMap((one, i) =>
    one.rows.map(({ path: image, line, className, cells }) => ({
      path: isOne ? image : `${folderOf(i)}/${image}`,
      name: isOne ? `line ${line}` : `line ${line} of ${names[i]}`,
      label: className,
      cells: columns.map((name) => cells[one.columns.indexOf(name)] ?? ""),
      part: parts?.[i] ?? null,
    })),
  );
  const table = {
    file: names.join(", "),
    where: isOne ? files[0] : dir,
    label: await labelNameOf(files[0], choice),
    columns,
    rows,
    areNames: kept.every(({ isCoded }) => isCoded),
  };
  const said = (notes: (name: string, one: PixelNotes) => string[]) =>
    kept.flatMap((one, i) => notes(names[i], one));
  const listing = listRows(table, choice, { dir: root, leftOut }, said(codeNotes));
  const held = names.filter((_, i) => parts?.[i] === "validation");
  const tests = names.filter((_, i) => parts?.[i] === "test");
  const words = `the table ${(held.length > 0 ? held : tests).join(", ")}`;
  return {
    ...(parts && { splitBy: { words, isColumn: false } }),
    ...listing,
    samples: isOne
      ? listing.samples.map((sample) => ({ ...sample, row: rowOf(sample.path) ?? undefined }))
      : inOrder(listing.samples),
    notes: [...listing.notes, ...said(levelNotes), ...said(skippedNotes)],
  };
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

function codeNotes(name: string, { numCoded, decimal }: PixelNotes): string[] {
  const notes: string[] = [];
  if (numCoded > 0)
    notes.push(`The codes of ${name} are read as ${CODES.map((one, code) => `${code} ${one}`).join(", ")}.`);
  if (decimal)
    notes.push(`The code ${decimal} of ${name} is read as ${Number(decimal)}, as are others like it.`);
  return notes;
}

function skippedNotes(name: string, { firstSkipped }: PixelNotes): string[] {
  return Object.entries(firstSkipped).map(
    ([reason, line]) => `The first ${reason.replace(/^a /, "")} of ${name} is ${line}.`,
  );
}

/** Less than this is unusual for the largest of all levels. */
const DARK = 64;

function levelNotes(name: string, { white, max, numScaled }: PixelNotes): string[] {
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
async function unpackPixels(
  file: string,
  dir: string,
  given: { choice: LabelChoice; onProgress?: OnProgress },
  white = 255,
): Promise<PixelNotes> {
  const columns = await labelledColumns(file, given.choice);
  const { size } = await stat(file);
  const notes: PixelNotes = {
    rows: [],
    skipped: {},
    firstSkipped: {},
    numScaled: 0,
    white,
    max: 0,
    columns: columns.others.map(({ name }) => name),
    isCoded: columns.isCoded,
    numCoded: 0,
  };
  let [row, done, writing] = [-1, 0, [] as Promise<void>[]];
  const unreadable = { expected: "a table of pixels", fix: "Choose another table." };
  try {
    for await (const { cells, line } of rowsOf(file, unreadable, MAX_LINE_LENGTH)) {
      done += cells.reduce((sum, cell) => sum + cell.length + 1, 0);
      if (row++ < 0) continue; // the header
      const image = `${row - 1}.png`;
      const found = noteRow({ cells, line }, image, columns, notes);
      if (found === null) continue;
      writing.push(writeLevels(path.join(dir, image), found.levels, Math.max(found.max, white)));
      if (writing.length < 64) continue;
      await Promise.all(writing);
      writing = [];
      given.onProgress?.({ stage: "unpack", done, total: size, unit: "bytes" });
    }
    await Promise.all(writing);
  } finally {
    await Promise.allSettled(writing); // the folder may be removed next
  }
  const { max, negative } = notes;
  const isFraction = max > 0 && max <= MAX_FRACTION;
  if (negative !== undefined && max < 255 / 2)
    throw new InputError({
      expected: "pixels from 0 to 255, or from 0 to 1",
      where: file,
      found: `a negative value in line ${negative}, and none above ${max}`,
      fix: "Choose a table whose pixels are not standardised.",
    });
  if (white === 255 && (isFraction || notes.numScaled * 2 > notes.rows.length))
    return unpackPixels(file, dir, given, isFraction ? 1 : max);
  if (notes.rows.length === 0) throw noRows(file, notes);
  return notes;
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
    notes.skipped[reason] = (notes.skipped[reason] ?? 0) + 1;
    notes.firstSkipped[reason] ??= `line ${line}${details}`;
    return null;
  }
  const max = levels.reduce((a, b) => Math.max(a, b)); // too many for arguments of one call
  notes.max = Math.max(notes.max, max);
  if (max > 255) notes.numScaled++;
  if (code !== null) notes.numCoded++;
  if (code !== null && label.includes(".")) notes.decimal ??= label;
  notes.rows.push({
    path: image,
    line,
    className,
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

/** @throws InputError if a table has no column of labels. */
async function labelledColumns(file: string, choice: LabelChoice): Promise<PixelColumns> {
  const columns = await pixelColumns(file, choice);
  if (columns && columns.label >= 0) return columns;
  const names = (await headerOf(file)).filter((name) => !/\d/.test(name));
  throw new InputError({
    expected: `${choice.labelColumn ? `the column ${choice.labelColumn}` : "a column emotion or label"} beside pixels`,
    where: file,
    found: names.join(", ") || "pixels only",
    fix: names.length > 1 ? "Choose the column with --label-column NAME." : "Choose a table with labels.",
  });
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

function noRows(file: string, { skipped, firstSkipped }: PixelNotes): InputError {
  const reasons = Object.entries(skipped).map(
    ([reason, count]) => `${count} × ${reason} (${count > 1 ? "first " : ""}${firstSkipped[reason]})`,
  );
  return new InputError({
    expected: "rows with a label and a square image",
    where: file,
    found: reasons.join(", ") || "none",
    fix: "Choose another table.",
  });
}
