// FER-2013 in all its forms: class folders, the table of pixels, its official split, and the votes of FER+.
import { createReadStream } from "node:fs";
import { stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { downloadFile } from "../../download.js";
import { InputError } from "../../errors.js";
import { cacheDir, linesOf } from "../../files.js";
import type { OnProgress } from "../../progress.js";
import { unpackOnce } from "./archive.js";
import { LeftOutFiles } from "./files.js";
import { LABEL_COLUMN } from "./label-columns.js";
import type { Listing, Sample, Usage } from "./listing.js";
import { stampOf } from "./listing.js";
import { partOf, SPLIT_COLUMN } from "./split-names.js";
import { parseRows, readTable } from "./table-file.js";

/** FER-2013 as class folders of JPEG files. */
const URL = "https://codeload.github.com/parth1620/Facial-Expression-Dataset/tar.gz/refs/heads/master";
/** The votes of FER+. */
const VOTES_URL = "https://raw.githubusercontent.com/microsoft/FERPlus/master/fer2013new.csv";
const VOTES_SHA256 = "9206e20d62f56475939f516847d61753e4860caeac9718b560129541b776fc2c";

/**
 * Downloads the archive of FER-2013's class folders into the cache, once, and returns its path. The environment variable
 * `FERKIT_FER2013_URL` names a mirror.
 */
export async function downloadFer2013(onProgress?: OnProgress): Promise<string> {
  const file = path.join(cacheDir(), "downloads", "fer2013.tar.gz");
  await downloadFile(process.env.FERKIT_FER2013_URL ?? URL, file, {
    check: checkArchive,
    onProgress,
    instead: "Download it in another way, and give the archive or folder with --data PATH.",
  });
  return file;
}

/** Reads an archive to its end: GitHub packs it for each request, so it has no digest that is known. */
async function checkArchive(file: string): Promise<void> {
  const { list } = await import("tar");
  let numEntries = 0;
  const onReadEntry = () => {
    numEntries++;
  };
  await list({ file, strict: true, onReadEntry });
  if (numEntries === 0) throw new Error("an archive without files");
}

/**
 * First rows of PublicTest and PrivateTest in the original fer2013.csv, by its column Usage, and the number of rows. The files
 * of the class folders are named by row.
 */
const [PUBLIC_TEST, PRIVATE_TEST, NUM_ROWS] = [28_709, 32_298, 35_887];

/** Classes of the codes 0 to 6, as the data set's description gives them, and 7 of its extensions. */
const CODES = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "contempt"];

/**
 * Returns the part of the challenge that an image is in: by the table's column Usage, by a name such as `PublicTest_12.jpg`, or
 * by the row that names the file. Null if it is not known.
 */
export function usageOf({ usage, row, path: file }: Sample): Usage | null {
  if (usage) return usage;
  const named = /^(Training|PublicTest|PrivateTest)_\d+$/.exec(path.parse(file).name);
  if (named) return named[1] as Usage;
  const index = row ?? rowOf(file);
  if (index === null) return null;
  return index < PUBLIC_TEST ? "Training" : index < PRIVATE_TEST ? "PublicTest" : "PrivateTest";
}

function rowOf(file: string): number | null {
  const { name } = path.parse(file);
  return /^\d+$/.test(name) && Number(name) < NUM_ROWS ? Number(name) : null;
}

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

/** Returns whether a file is a table of FER+'s votes. */
export async function isVoteTable(file: string): Promise<boolean> {
  const columns = await headerOf(file).catch((): string[] => []);
  return Object.keys(VOTES).every((name) => columns.includes(name));
}

/** Reads the names of a table's columns, in lower case, and what is between them. */
async function headerOf(file: string): Promise<string[] & { delimiter: string }> {
  if (!(await stat(file)).isFile()) return Object.assign([], { delimiter: "," }); // a named pipe would wait for its writer
  const stream = createReadStream(file, { encoding: "utf8", end: 2 ** 16 });
  let text = "";
  for await (const chunk of stream) text += chunk;
  const [line] = text.split(/\r?\n/, 1);
  const names = (parseRows(line)[0] ?? []).map((name) => name.toLowerCase());
  const delimiter =
    [";", "\t"].find((mark) => line.split(mark).length === names.length && names.length > 1) ?? ",";
  return Object.assign(names, { delimiter });
}

/**
 * Reads a table of pixels: its images are unpacked into the cache, once, named by row. `Training` is for training, `PublicTest`
 * for validation, `PrivateTest` for tests.
 *
 * @throws InputError if a column is missing or a label is unknown.
 */
export async function readPixelTable(file: string, onProgress?: OnProgress): Promise<Listing> {
  const { dir, notes } = await unpackOnce([file], (to) => unpackPixels(file, to, onProgress));
  const { rows, skipped, firstSkipped = {}, numScaled, isCoded } = notes;
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
  const scaled = numScaled > 0 ? [`${numScaled} rows have pixels above 255, and are scaled to 0–255.`] : [];
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
    notes: [...(isCoded ? [codes] : []), ...scaled, ...firsts],
  };
}

/** Bytes of a row: an image of 1024 × 1024 pixels has a quarter. */
const MAX_LINE_BYTES = 2 ** 24;

/** @returns NaN for an empty cell, which as a number would be 0. */
const levelOf = (text: string) => (text === "" ? Number.NaN : Number(text));

async function unpackPixels(file: string, dir: string, onProgress?: OnProgress): Promise<PixelNotes> {
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
  const notes: PixelNotes = { rows: [], skipped, firstSkipped, numScaled: 0, isCoded: columns.isCoded };
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
        if (max > 255) notes.numScaled++;
        const scale = max > 255 ? 255 / max : 1;
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

/** Columns of FER+'s votes, with the classes' names in FER-2013. */
const VOTES: Record<string, string> = {
  neutral: "neutral",
  happiness: "happy",
  surprise: "surprise",
  sadness: "sad",
  anger: "angry",
  disgust: "disgust",
  fear: "fear",
  contempt: "contempt",
};

/** What ten people said of an image of FER-2013. */
export interface Vote {
  usage: Usage;
  /** Class that has more than half of the votes, those for "unknown" and "no face" included; null if there is none. */
  majority: string | null;
  /** Share of each class in the votes for a class; votes that only one person gave are left out. */
  shares: Record<string, number>;
}

/**
 * Reads fer2013new.csv, and applies the majority rule of its authors: votes of a single person are left out, and a class needs
 * more than half of the rest.
 *
 * @returns A vote for each row of fer2013.csv.
 * @see Barsoum et al. 2016, https://arxiv.org/abs/1608.01041
 */
export function readVotes(file: string): Vote[] {
  const table = readTable(path.dirname(file), path.basename(file));
  const [header = [], ...rows] = table?.rows ?? [];
  const columns = header.map((name) => name.toLowerCase());
  const names = [...Object.keys(VOTES), "unknown", "nf"];
  const missing = ["usage", ...names].filter((name) => !columns.includes(name));
  if (missing.length > 0)
    throw new InputError({
      expected: "the columns of FER+'s fer2013new.csv",
      where: file,
      found: `no ${missing.join(", ")}`,
      fix: "Choose fer2013new.csv of github.com/microsoft/FERPlus.",
    });
  return rows.map((row) => {
    const votes = names
      .map((name) => Number(row[columns.indexOf(name)]))
      .map((count) => (count > 1 ? count : 0));
    const total = votes.reduce((sum, count) => sum + count, 0);
    const best = votes.indexOf(Math.max(...votes));
    const classes = Object.values(VOTES);
    const labelled = classes.reduce((sum, _, i) => sum + votes[i], 0);
    return {
      usage: row[columns.indexOf("usage")] as Usage,
      majority: votes[best] > 0.5 * total ? (classes[best] ?? null) : null,
      shares: Object.fromEntries(classes.map((name, i) => [name, labelled > 0 ? votes[i] / labelled : 0])),
    };
  });
}

/**
 * Returns the path of FER+'s votes: beside the data, in a folder `ferplus` near it, in the cache, or downloaded into it.
 * The environment variable `FERKIT_FERPLUS_URL` names a mirror.
 */
export async function findVotes(data: string, onProgress?: OnProgress): Promise<string> {
  const name = "fer2013new.csv";
  const cached = path.join(cacheDir(), "downloads", name);
  const dir = path.dirname(path.resolve(data));
  const near = [path.resolve(data), dir, path.join(dir, "ferplus"), path.join(dir, "../ferplus")];
  for (const file of [...near.map((folder) => path.join(folder, name)), cached])
    if ((await stat(file).catch(() => null))?.isFile()) return file;
  const mirror = process.env.FERKIT_FERPLUS_URL;
  await downloadFile(mirror ?? VOTES_URL, cached, {
    ...(mirror === undefined && { sha256: VOTES_SHA256 }),
    check: checkVotes,
    onProgress,
    instead: "Download fer2013new.csv in another way, and give it with --labels FILE.",
  });
  return cached;
}

/** Checks that a table of votes ends with a whole row. */
async function checkVotes(file: string): Promise<void> {
  const { rows } = readTable(path.dirname(file), path.basename(file)) ?? { rows: [] };
  if (!(await isVoteTable(file))) throw new Error("no table of FER+'s votes");
  if (rows.at(-1)?.length !== rows[0].length) throw new Error("a table whose last row is cut short");
}

/**
 * Replaces the labels of FER-2013 by those of FER+.
 *
 * @param isSoft - Keep the shares of the votes as labels, too.
 * @throws InputError if the files are not named by the rows of fer2013.csv.
 */
export function relabel(listing: Listing, votes: Vote[], isSoft: boolean): Listing {
  const { leftOut, where } = listing;
  const samples = listing.samples.flatMap((sample) => {
    const row = sample.row ?? rowOf(sample.path);
    const vote = row === null ? undefined : votes[row];
    if (!vote)
      throw new InputError({
        expected: `files named by the rows 0 to ${votes.length - 1} of fer2013.csv, for FER+'s labels`,
        where,
        found: sample.path,
        fix: "Choose fer2013.csv, or the class folders of FER-2013 that are named by row.",
      });
    if (vote.majority === null) {
      leftOut.add("without a majority in FER+", sample.path);
      return [];
    }
    return [
      { ...sample, usage: vote.usage, className: vote.majority, ...(isSoft && { shares: vote.shares }) },
    ];
  });
  return { ...listing, labels: isSoft ? "FER+ (shares of votes)" : "FER+ (majority)", samples };
}
