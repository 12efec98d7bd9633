// Finds out what kind of data set a path names, and reads its images and labels.
//
// A path is a folder, an archive that is unpacked into one, or a file of its own (Parquet, table of pixels, table of labels).
// `folder.ts` finds out the layout of a folder, in this order:
//   a label pattern or a table that the user chose → file-names.ts, tables/label-tables.ts
//   files that hold the images (webdataset, Parquet, pixels) → packed/
//   names of files that are known (JAFFE, KDEF) → file-names.ts
//   class folders, compared with the tables beside them → folders/class-folders.ts, tables/table-beside.ts
//   a table of labels, or a file of labels beside each image → tables/label-tables.ts, label-files.ts
//   none of these: an error that says what is there instead → no-class-folders.ts
// The tables in a folder are read once, by tables/matched-tables.ts.
// All of them return a `Listing`: samples with class and part of the split, what is left out and why, and notes on guesses.
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { drawSyntheticFaces, SYNTHETIC_DEFAULTS, syntheticKey } from "../../cartoons/draw.js";
import { InputError } from "../../errors.js";
import { cacheDir, kindOf, statIfThere } from "../../files.js";
import { inShort, nameOf } from "../../names.js";
import type { OnProgress } from "../../progress.js";
import { downloadFer2013, isVoteTable, VOTE_LABELS, withVotes } from "./fer2013.js";
import { walkFolder } from "./files.js";
import { readFolder, type SourceOptions } from "./folder.js";
import { leaveFoldersOut } from "./folders/leave-out.js";
import { classesOf, type Listing, withNote } from "./listing.js";
import { fixFor } from "./no-class-folders.js";
import { archiveName, isArchive, unpackArchive } from "./packed/archive.js";
import { ARCHIVE } from "./packed/missing-files.js";
import { readParquet } from "./packed/parquet.js";
import { isPixelTable } from "./packed/pixel-columns.js";
import { readPixelTable } from "./packed/pixel-table.js";
import { unreadDataSets } from "./packed/unread-formats.js";
import { readLabelTables } from "./tables/label-tables.js";
import { matchTables } from "./tables/matched-tables.js";
import { isUnreadTable, TABLE_FILE } from "./tables/table-file.js";
import { unreadTables } from "./tables/unread-tables.js";
import { refuseUnused, refuseUnusedSplit, type UnusedName } from "./unused-options.js";

export type { SourceOptions } from "./folder.js";

/** Data sets that ferkit knows by name, with their titles. */
export const OWN_SOURCES: Readonly<Record<string, string>> = {
  synthetic: "synthetic faces",
  fer2013: "FER-2013",
};

/** Returns a title for `data`: the name of an own source or of a folder or archive. */
export function dataName(data: string): string {
  return OWN_SOURCES[data] ?? archiveName(data);
}

type Options = SourceOptions & { onProgress?: OnProgress };

/** A data set with its title. */
interface Source {
  name: string;
  listing: Listing;
}

/** Tables whose names end so are data; other texts may be notes. */
const DATA_FILE = /\.(csv|tsv|jsonl|parquet)$/i;

const EXPECTED =
  "synthetic, fer2013, or a folder, an archive (.tar.gz, .tgz, .tar, .zip), a table (.csv, .tsv, .jsonl, .txt) or a Parquet file";

/**
 * Reads the images and labels of a data set.
 *
 * @throws InputError if there are none, or they can be understood in several ways.
 */
export async function readSource(options: Options): Promise<Source> {
  const { name, listing: read } = await readData(options);
  const isUnpacked = !(options.data in OWN_SOURCES) && isArchive(options.data);
  const listing = isUnpacked ? { ...read, where: options.data } : read;
  refuseUnusedSplit(listing, options);
  return { name, listing: nameLabels(await withVotes(listing, options), options.labelNames) };
}

async function readData(options: Options): Promise<Source> {
  const { data, onProgress } = options;
  if (data === "synthetic")
    return { name: OWN_SOURCES.synthetic, listing: await readFolder(await drawnFaces(options), options) };
  if (data === "fer2013") {
    const { dir, notes } = await unpackArchive(await downloadFer2013(onProgress));
    return { name: OWN_SOURCES.fer2013, listing: await readFolder(dir, options, notes) };
  }
  const found = await statIfThere(data);
  if (!found)
    throw unreadable(
      data,
      "no such path",
      fixFor(data, [...Object.keys(OWN_SOURCES), ...(await dataBeside(data))]),
    );
  if (found.isDirectory())
    return { name: path.basename(path.resolve(data)), listing: await readFolder(data, options) };
  if (isArchive(data)) {
    const { dir, notes } = await unpackArchive(data);
    const entries = await readdir(dir);
    const name = entries.length === 1 ? entries[0] : archiveName(data);
    return { name, listing: await readFolder(dir, options, notes) };
  }
  const kind = kindOf(found);
  if (kind) throw unreadable(data, kind, "Choose a regular file.");
  return { name: path.basename(data), listing: await readFile(data, options) };
}

/** Lists what is beside a path and may be a data set. */
async function dataBeside(data: string): Promise<string[]> {
  const entries = await readdir(path.dirname(path.resolve(data)), { withFileTypes: true }).catch(() => []);
  return entries
    .filter(({ name }) => !name.startsWith("."))
    .filter((entry) => entry.isDirectory() || isArchive(entry.name) || DATA_FILE.test(entry.name))
    .map(({ name }) => name);
}

function unreadable(data: string, found: string, fix: string): InputError {
  return new InputError({ expected: EXPECTED, where: data, found, fix });
}

/** Draws the synthetic faces into the cache, once. */
async function drawnFaces({ seed, onProgress }: Options): Promise<string> {
  const drawing = { ...SYNTHETIC_DEFAULTS, seed };
  const dir = path.join(cacheDir(), "synthetic", syntheticKey(drawing));
  const isDrawn = (await stat(dir).catch(() => null)) !== null;
  if (!isDrawn) await drawSyntheticFaces(dir, { ...drawing, onProgress });
  return dir;
}

/** Options about a folder of images, which a file has none of. */
const OF_FOLDERS = ["labelPattern", "trainFolder", "validationFolder"] as const;

/** Returns the name of the option `labels` if it chooses other labels than those of a file, and not FER+'s. */
async function unusedLabels({ labels }: Options, file: string): Promise<"labels"[]> {
  if (labels === undefined || path.resolve(labels) === path.resolve(file)) return [];
  return VOTE_LABELS.includes(labels) || (await isVoteTable(labels)) ? [] : ["labels"];
}

/** Reads a Parquet file, or a table of pixels or of labels. */
async function readFile(file: string, options: Options): Promise<Listing> {
  const dir = path.dirname(file);
  const refuse = (names: readonly UnusedName[], found: string) => refuseUnused(options, names, file, found);
  const ofFile = [...OF_FOLDERS, ...(await unusedLabels(options, file))] as const;
  if (/\.parquet$/i.test(file)) {
    refuse([...ofFile, "leaveOut"], "a Parquet file");
    return readParquet([file], dir, options);
  }
  const unreadSet = unreadDataSets([path.basename(file)]);
  if (unreadSet) throw unreadable(file, unreadSet.found, unreadSet.fix ?? "");
  if (ARCHIVE.test(file))
    throw unreadable(file, "an archive of another kind", "Unpack it, and choose the folder.");
  if (!TABLE_FILE.test(file) && !isUnreadTable(file))
    throw unreadable(file, "a file of another kind", "Fix the path.");
  if (await isPixelTable(file)) {
    refuse([...ofFile, "leaveOut"], "a table of pixels");
    return readPixelTable(file, options);
  }
  refuse(ofFile, "a table");
  const walk = walkFolder(dir);
  leaveFoldersOut(walk, options);
  const tables = matchTables(walk, options, [path.basename(file)]);
  const listing = readLabelTables(walk, options, tables);
  if (listing) return listing;
  const [unread] = unreadTables(dir, tables);
  if (unread === undefined) throw unreadable(file, "a file of another kind", "Fix the path.");
  throw new InputError({
    expected: "a table that names images beside it",
    where: file,
    found: unread.found,
    fix: `${unread.fix} Or choose the images with --data and the table with --labels.`,
  });
}

/** Names by data set; RAF-DB's are those of its description (Li et al. 2017). */
const KNOWN_NAMES: Record<string, string> = {
  rafdb: "1=surprise,2=fear,3=disgust,4=happy,5=sad,6=angry,7=neutral",
};

/**
 * Gives names to labels that are codes, or notes that there are none.
 *
 * @param labelNames - As `--label-names` gives them: `1=surprise,2=fear`, or a data set.
 */
function nameLabels(listing: Listing, labelNames: string | undefined): Listing {
  const classNames = classesOf(listing.samples);
  if (labelNames === undefined) {
    const areCodes = classNames.length > 0 && classNames.every((name) => /^\d+$/.test(name));
    const option = `--label-names ${classNames[0]}=NAME,…`;
    const raf = classNames.every((name) => /^[1-7]$/.test(name)) ? ", or rafdb for RAF-DB" : "";
    const note = `The labels are codes: ${inShort(classNames)} (${option} gives them names${raf}).`;
    return areCodes ? withNote(listing, note) : listing;
  }
  const pairs = (KNOWN_NAMES[labelNames] ?? labelNames).split(",").map(
    (pair) =>
      /^([^=]*)=?(.*)$/s
        .exec(pair)
        ?.slice(1)
        .map((part) => nameOf(part.trim())) as string[],
  );
  const names = new Map(pairs.map(([code, name]) => [code, name]));
  const [twice, other] = pairs.find(([code, name]) => names.get(code) !== name) ?? [];
  if (twice !== undefined)
    throw new InputError({
      expected: "one name for each label in --label-names",
      found: `${twice}=${other} and ${twice}=${names.get(twice)}`,
      fix: "Remove one of them.",
    });
  const missing = classNames.filter((code) => !names.get(code));
  if (missing.length > 0)
    throw new InputError({
      expected: "a name for each label in --label-names",
      where: listing.where,
      found: `none for ${missing.join(", ")}`,
      fix: `Write them as --label-names ${missing[0]}=NAME,…`,
    });
  const named = (code: string) => names.get(code) as string;
  const samples = listing.samples.map((sample) => ({ ...sample, className: named(sample.className) }));
  const shown = classNames.map((code) => `${code} ${named(code)}`).join(", ");
  return { ...withNote(listing, `The labels' names are ${shown}.`), samples };
}
