// Tables whose cells are the pixels of images, as fer2013.csv.
import { stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { InputError } from "../../errors.js";
import { linesOf } from "../../files.js";
import type { OnProgress } from "../../progress.js";
import { unpackOnce } from "./archive.js";
import { CODES, rowOf } from "./fer2013.js";
import { LeftOutFiles } from "./files.js";
import { LABEL_COLUMN } from "./label-columns.js";
import { type Listing, stampOf, type Usage } from "./listing.js";
import { partOf, SPLIT_COLUMN } from "./split-names.js";
import { headerOf } from "./table-file.js";

/** What is kept of a row of a table of pixels. */
interface PixelRow {
  path: string;
  className: string;
  usage: string;
}

interface PixelNotes {
  rows: PixelRow[];
  /** Rows without a usable image, by reason. */
  skipped: Record<string, number>;
  /** First line of each reason, with what it has; caches of earlier versions lack it. */
  firstSkipped?: Record<string, string>;
  numScaled: number;
  /** Level that is white; caches of earlier versions lack it, and the next. */
  white?: number;
  /** Largest level. */
  max?: number;
  isCoded: boolean;
}

/** Where a table of pixels has what. */
interface PixelColumns {
  delimiter: string;
  /** One column with all pixels, or one for each. */
  pixels: number[];
  /** -1 if there is none. */
  label: number;
  split: number;
  /** Whether the labels are FER-2013's codes. */
  isCoded: boolean;
}

/** Returns the columns of a table of pixels, such as fer2013.csv and icml_face_data.csv; null if a file is none. */
async function pixelColumns(file: string): Promise<PixelColumns | null> {
  const columns = await headerOf(file);
  const found = (fits: (name: string) => boolean) => columns.flatMap((name, i) => (fits(name) ? i : []));
  const single = found((name) => name === "pixels");
  const each = found((name) => /^(pixel[ _]?\d+|\d+x\d+)$/.test(name));
  if (single.length === 0 && each.length < 16) return null;
  const [emotion = -1] = found((name) => name === "emotion");
  const [label = -1] = found((name) => LABEL_COLUMN.test(name));
  const [split = -1] = found((name) => SPLIT_COLUMN.test(name));
  const read = [...single, ...each, emotion, label, split];
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
  const isCoded = emotion >= 0;
  const pixels = single.length > 0 ? single : each;
  return { delimiter: columns.delimiter, pixels, label: isCoded ? emotion : label, split, isCoded };
}

export async function isPixelTable(file: string): Promise<boolean> {
  return (await pixelColumns(file)) !== null;
}

/** Returns whether a table of pixels has a column for the split. */
export async function hasSplitColumn(file: string): Promise<boolean> {
  return ((await pixelColumns(file))?.split ?? -1) >= 0;
}

/**
 * Reads a table of pixels: its images are unpacked into the cache, once, named by row. `Training` is for training, `PublicTest`
 * for validation, `PrivateTest` for tests.
 *
 * @throws InputError if a column is missing or a label is unknown.
 */
export async function readPixelTable(file: string, onProgress?: OnProgress): Promise<Listing> {
  const { dir, notes } = await unpackOnce([file], (to) => unpackPixels(file, to, onProgress), {
    variant: "levels", // earlier versions read levels from 0 to 1 as 0 and 1
  });
  const { rows, skipped, firstSkipped = {}, isCoded } = notes;
  const leftOut = new LeftOutFiles();
  for (const [reason, count] of Object.entries(skipped)) leftOut.add(reason, path.basename(file), count);
  const samples = rows.map(({ path: image, className, usage }) => ({
    path: image,
    className,
    split: partOf(usage),
    row: rowOf(image) ?? undefined,
    usage: /^(Training|PublicTest|PrivateTest)$/.test(usage) ? (usage as Usage) : undefined,
    ...stampOf(path.join(dir, image)),
  }));
  const codes = `The codes of ${path.basename(file)} are read as ${CODES.map((name, code) => `${code} ${name}`).join(", ")}.`;
  const firsts = Object.entries(firstSkipped).map(
    ([reason, line]) => `The first ${reason.replace(/^a /, "")} of ${path.basename(file)} is ${line}.`,
  );
  return {
    root: dir,
    where: file,
    inner: ".",
    labels: path.basename(file),
    samples,
    emptyClasses: [],
    leftOut,
    notes: [...(isCoded ? [codes] : []), ...levelNotes(path.basename(file), notes), ...firsts],
  };
}

/** Less than this is unusual for the largest of all levels. */
const DARK = 64;

function levelNotes(name: string, { white = 255, max = white, numScaled }: PixelNotes): string[] {
  if (white === 1) return [`The pixels of ${name} are from 0 to 1, and are scaled to 0–255.`];
  if (numScaled > 0) return [`${numScaled} rows have pixels above 255, and are scaled to 0–255.`];
  return max < DARK
    ? [`The largest pixel of ${name} is ${max}, where 255 is white, so its images are dark.`]
    : [];
}

/** Pixels of a table from 0 to 1, with errors of rounding. */
const MAX_FRACTION = 1 + 1e-6;

/** Bytes of a row: an image of 1024 × 1024 pixels has a quarter. */
const MAX_LINE_BYTES = 2 ** 24;

/** @returns NaN for an empty cell, which as a number would be 0. */
const levelOf = (text: string) => (text === "" ? Number.NaN : Number(text));

/** @param white - Level that is white; larger ones are scaled by row. It is read again if most rows have another range. */
async function unpackPixels(
  file: string,
  dir: string,
  onProgress?: OnProgress,
  white = 255,
): Promise<PixelNotes> {
  const columns = await pixelColumns(file);
  if (!columns || columns.label < 0)
    throw new InputError({
      expected: "a column emotion or label beside pixels",
      where: file,
      found: (await headerOf(file)).filter((name) => !/\d/.test(name)).join(", ") || "pixels only",
      fix: "Choose a table with labels.",
    });
  const { default: sharp } = await import("sharp");
  const { size } = await stat(file);
  const [skipped, firstSkipped]: [Record<string, number>, Record<string, string>] = [{}, {}];
  const notes: PixelNotes = {
    rows: [],
    skipped,
    firstSkipped,
    numScaled: 0,
    white,
    isCoded: columns.isCoded,
  };
  let [largest, negative] = [0, ""];
  const skip = (reason: string, details = "") => {
    skipped[reason] = (skipped[reason] ?? 0) + 1;
    firstSkipped[reason] ??= `line ${row + 1}${details}`; // the header is line 1
  };
  let [row, done, writing] = [-1, 0, [] as Promise<unknown>[]];
  const problem = { expected: "a table of pixels", fix: "Choose another table." };
  try {
    for await (const line of linesOf(file, problem, MAX_LINE_BYTES)) {
      done += line.length + 1;
      if (row++ < 0 || line.trim() === "") continue;
      const cells = line.split(columns.delimiter).map((cell) => cell.trim().replace(/^"|"$/g, ""));
      const levels = columns.pixels.flatMap((column) =>
        Array.from(cells[column]?.split(/\s+/) ?? [], levelOf),
      );
      const side = Math.sqrt(levels.length);
      const label = cells[columns.label] ?? "";
      const className = columns.isCoded && /^\d+$/.test(label) ? CODES[Number(label)] : label;
      if (levels.some((level) => level < 0)) negative ||= `a negative value in line ${row + 1}`;
      if (!className) skip(label === "" ? "a row without a label" : `a row with the unknown code ${label}`);
      else if (levels.some((level) => !(level >= 0 && level < Number.POSITIVE_INFINITY)))
        skip("a row without a square image", ", which has a value that is no level of grey");
      else if (side === 0 || !Number.isInteger(side))
        skip(
          "a row without a square image",
          `, which has ${levels.length.toLocaleString("en-US")} values, no square number`,
        );
      else {
        const max = levels.reduce((a, b) => Math.max(a, b)); // too many for arguments of one call
        largest = Math.max(largest, max);
        if (max > 255) notes.numScaled++;
        const scale = 255 / Math.max(max, white);
        const bytes = Uint8Array.from(levels, (level) => Math.round(level * scale));
        const name = `${row - 1}.png`;
        notes.rows.push({ path: name, className, usage: cells[columns.split] ?? "" });
        const image = sharp(bytes, { raw: { width: side, height: side, channels: 1 } }).toColourspace("b-w");
        const png = image.png({ compressionLevel: 1 }).toBuffer();
        writing.push(png.then((content) => writeFile(path.join(dir, name), content)));
        if (writing.length < 64) continue;
        await Promise.all(writing);
        writing = [];
        onProgress?.({ stage: "unpack", done, total: size, unit: "bytes" });
      }
    }
    await Promise.all(writing);
  } finally {
    await Promise.allSettled(writing); // the folder may be removed next
  }
  const isFraction = largest > 0 && largest <= MAX_FRACTION;
  if (negative && largest < 255 / 2)
    throw new InputError({
      expected: "pixels from 0 to 255, or from 0 to 1",
      where: file,
      found: `${negative}, and none above ${largest}`,
      fix: "Choose a table whose pixels are not standardised.",
    });
  if (white === 255 && (isFraction || notes.numScaled * 2 > notes.rows.length))
    return unpackPixels(file, dir, onProgress, isFraction ? 1 : largest);
  notes.max = largest;
  if (notes.rows.length === 0)
    throw new InputError({
      expected: "rows with a label and a square image",
      where: file,
      found:
        Object.entries(skipped)
          .map(
            ([reason, count]) => `${count} × ${reason} (${count > 1 ? "first " : ""}${firstSkipped[reason]})`,
          )
          .join(", ") || "none",
      fix: "Choose another table.",
    });
  return notes;
}
