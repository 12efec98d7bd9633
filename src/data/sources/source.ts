// Finds out what kind of data set a path names, and reads its images and labels.
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { drawSyntheticFaces, SYNTHETIC_DEFAULTS, syntheticKey } from "../../cartoons/draw.js";
import { InputError, type InputProblem, suggestion } from "../../errors.js";
import { cacheDir, kindOf } from "../../files.js";
import { inShort, nameOf } from "../../names.js";
import type { OnProgress } from "../../progress.js";
import { type AnyText, counted } from "../../text.js";
import { isArchive, PLAIN_TAR, shardsAmong, TAR_FILE, unpackArchive, unpackShards } from "./archive.js";
import type { ArchiveNotes } from "./archive-entries.js";
import { type FolderChoice, findClassFolders } from "./class-folders.js";
import { downloadFer2013, findVotes, isVoteTable, readVotes, relabel } from "./fer2013.js";
import { readKnownNames, readLabelPattern, suggestPattern } from "./file-names.js";
import { otherFilesIn, type Walk, walkFolder } from "./files.js";
import type { LabelChoice } from "./label-columns.js";
import { readLabelFiles } from "./label-files.js";
import { REASONS } from "./left-out.js";
import { classesOf, type Listing } from "./listing.js";
import { readParquet } from "./parquet.js";
import { hasSplitColumn, isPixelTable, readPixelTable } from "./pixel-table.js";
import { isSplitChosen } from "./split-columns.js";
import { compareWithTables } from "./table-beside.js";
import { isUnreadTable, TABLE_FILE, tableFiles } from "./table-file.js";
import { readLabelTables } from "./tables.js";
import { unreadTables, withUnread } from "./unread-tables.js";

/** Data sets that ferkit knows by name, with their titles. */
export const OWN_SOURCES: Readonly<Record<string, string>> = {
  synthetic: "synthetic faces",
  fer2013: "FER-2013",
};

/** Returns a title for `data`: the name of an own source or of a folder or archive. */
export function dataName(data: string): string {
  return OWN_SOURCES[data] ?? path.basename(data).replace(/\.(tar\.gz|tgz|tar|zip)$/i, "");
}

/** What to read, and how to settle what the files leave open. */
export interface SourceOptions extends FolderChoice, LabelChoice {
  /** `synthetic`, `fer2013` (downloads it), or a path: of a folder, an archive, a table of labels or pixels, or a Parquet file. */
  data: "synthetic" | "fer2013" | AnyText;
  /**
   * `folders`: the names of class folders; `ferplus`: the majority of FER+'s votes, for FER-2013; `ferplus-soft`: the shares of
   * its votes, too; or the path of a table. Default: what the files show.
   */
  labels?: "folders" | "ferplus" | "ferplus-soft" | AnyText;
  /** Regular expression for a path in the data set's folder; its group is the class. */
  labelPattern?: string;
  /** Names for labels that are codes: `1=surprise,2=fear`, or `rafdb`. */
  labelNames?: "rafdb" | AnyText;
  /** Seed of the synthetic faces. */
  seed: number;
}

/** The codes of RAF-DB's lists, as its description gives them (Li et al. 2017). */
const KNOWN_NAMES: Record<string, string> = {
  rafdb: "1=surprise,2=fear,3=disgust,4=happy,5=sad,6=angry,7=neutral",
};

/** Tables with these names are there to be read, whatever the folders are. */
const STANDARD_TABLE = /^(_classes\.csv|metadata\.(csv|jsonl))$/;
const EXPECTED =
  "synthetic, fer2013, or a folder, an archive (.tar.gz, .tgz, .tar, .zip), a table (.csv, .tsv, .jsonl, .txt) or a Parquet file";
const FIX_PATH = "Fix the path, or choose the images with --data.";
/** With more tables than this, they are notes on single images. */
const MAX_TABLES = 20;

/**
 * Reads the images and labels of a data set.
 *
 * @throws InputError if there are none, or they can be understood in several ways.
 */
export async function readSource(
  options: SourceOptions,
  onProgress?: OnProgress,
): Promise<{ name: string; listing: Listing }> {
  const { name, listing: read } = await readLabelled(options, onProgress);
  const isUnpacked = !(options.data in OWN_SOURCES) && isArchive(options.data);
  const listing = isUnpacked ? { ...read, where: options.data } : read;
  refuseUnusedSplit(listing, options);
  const { labels = "", data } = options;
  const isVotes = labels !== "" && (/^ferplus(-soft)?$/.test(labels) || (await isVoteTable(labels)));
  const relabelled = isVotes
    ? relabel(
        listing,
        readVotes(labels.startsWith("ferplus") ? await findVotes(data, onProgress) : labels),
        labels === "ferplus-soft",
      )
    : listing;
  return { name, listing: rename(relabelled, options.labelNames) };
}

/** @throws InputError if a column was chosen for the split and none is used. */
function refuseUnusedSplit({ splitBy, where, labels }: Listing, { splitColumn }: SourceOptions): void {
  if (splitBy?.isColumn || !isSplitChosen({ splitColumn })) return;
  throw new InputError({
    expected: `a table with the column ${splitColumn}, for --split-column`,
    where,
    found: `none beside ${labels}`,
    fix: "Remove --split-column, or choose the table with --labels.",
  });
}

async function readLabelled(
  options: SourceOptions,
  onProgress?: OnProgress,
): Promise<{ name: string; listing: Listing }> {
  const { data, seed } = options;
  if (data === "synthetic") {
    const drawing = { ...SYNTHETIC_DEFAULTS, seed };
    const dir = path.join(cacheDir(), "synthetic", syntheticKey(drawing));
    const isDrawn = (await stat(dir).catch(() => null)) !== null;
    if (!isDrawn) await drawSyntheticFaces(dir, { ...drawing, onProgress });
    return { name: OWN_SOURCES.synthetic, listing: await readFolder(dir, options, null, onProgress) };
  }
  if (data === "fer2013") {
    const { dir, notes } = await unpackArchive(await downloadFer2013(onProgress));
    return { name: OWN_SOURCES.fer2013, listing: await readFolder(dir, options, notes, onProgress) };
  }
  const found = await stat(data).catch(() => null);
  if (found?.isDirectory())
    return {
      name: path.basename(path.resolve(data)),
      listing: await readFolder(data, options, null, onProgress),
    };
  if (found && isArchive(data)) {
    const { dir, notes } = await unpackArchive(data);
    const entries = await readdir(dir);
    const name = entries.length === 1 ? entries[0] : path.basename(data).replace(/\.(tar\.gz|\w+)$/i, "");
    return { name, listing: await readFolder(dir, options, notes, onProgress) };
  }
  const kind = found && kindOf(found);
  if (kind)
    throw new InputError({ expected: EXPECTED, where: data, found: kind, fix: "Choose a regular file." });
  const name = path.basename(data);
  if (found && /\.parquet$/i.test(data))
    return { name, listing: await readParquet([data], path.dirname(data), options, onProgress) };
  if (found && (TABLE_FILE.test(data) || isUnreadTable(data))) {
    if (await isPixelTable(data)) return { name, listing: await readPixelTable(data, options, onProgress) };
    const walk = walkFolder(path.dirname(data));
    const listing = readLabelTables(walk, options, [name]);
    if (listing) return { name, listing };
    const [unread] = unreadTables(walk, options, [name]);
    if (unread !== undefined)
      throw new InputError({
        expected: "a table that names images beside it",
        where: data,
        found: unread.found,
        fix: `${unread.fix} Or choose the images with --data and the table with --labels.`,
      });
  }
  throw new InputError({
    expected: EXPECTED,
    where: data,
    found: found ? "a file of another kind" : "no such path",
    fix: found ? "Fix the path." : fixFor(data, Object.keys(OWN_SOURCES)),
  });
}

/** Returns what to do about a path that does not exist: it may be meant for a name. */
function fixFor(given: string, known: string[], otherwise = "Fix the path."): string {
  const near = suggestion(path.basename(given), known);
  return near === undefined ? otherwise : `Did you mean ${near}? ${otherwise}`;
}

async function readFolder(
  dir: string,
  options: SourceOptions,
  unpacked: ArchiveNotes | null,
  onProgress?: OnProgress,
  isShards = false,
): Promise<Listing> {
  const walk = walkFolder(dir);
  for (const { path: file, reason } of unpacked?.skipped ?? []) walk.leftOut.add(reason, file);
  const listing = await readWalk(walk, options, onProgress, isShards);
  return { ...listing, notes: [...(unpacked?.guesses ?? []), ...listing.notes] };
}

async function readWalk(
  walk: Walk,
  options: SourceOptions,
  onProgress: OnProgress | undefined,
  isShards: boolean,
): Promise<Listing> {
  if (options.labelPattern !== undefined) return readLabelPattern(walk, options.labelPattern);
  const { labels = "auto" } = options;
  if (!/^(auto|folders|ferplus|ferplus-soft)$/.test(labels) && !(await isVoteTable(labels)))
    return readGivenTable(walk, options, labels);
  if (walk.root.numImages === 0) {
    const packed = await readPacked(walk, options, onProgress);
    if (packed) return packed;
  }
  if (labels === "auto") {
    const tables = otherFilesIn(walk.root).filter((file) => STANDARD_TABLE.test(path.posix.basename(file)));
    const listing =
      readKnownNames(walk) ??
      (isShards ? readLabelFiles(walk, options) : null) ??
      (tables.length > 0 ? readLabelTables(walk, options, tables) : null);
    if (listing) return listing;
  }
  return readClassFolders(walk, options, labels === "auto");
}

/** Reads class folders, and compares them with tables of labels if there are any. */
function readClassFolders(walk: Walk, options: SourceOptions, isGuess: boolean): Listing {
  const unused: Walk = { ...walk, leftOut: walk.leftOut.copy() };
  const found = findClassFolders(walk, options);
  const numTables = tableFiles(walk.root).length;
  const isChosen = options.trainFolder !== undefined || options.validationFolder !== undefined;
  const mayBeTable = isGuess && !isChosen && numTables > 0 && numTables <= MAX_TABLES;
  if ("listing" in found) {
    const compared = mayBeTable ? compareWithTables(found.listing, unused, options) : found.listing;
    const isOpen = isGuess && !isChosen && numTables <= MAX_TABLES;
    return isOpen ? withUnread(compared, unused, options) : compared;
  }
  const listing =
    (mayBeTable ? readLabelTables(unused, options) : null) ??
    (isGuess ? readLabelFiles(walk, options) : null);
  if (listing) return listing;
  throw new InputError(withSuggestion(found.refusal, walk, options));
}

const GARBLED: string[] = [REASONS.notUtf8, REASONS.notUtf8InArchive];

/** TensorFlow's files, also compressed and in parts. */
const TF_RECORD = /\.tf_?rec(ord)?s?(-\d+-of-\d+)?(\.gz)?$/i;

function tfRecordProblem(files: string[]): Pick<InputProblem, "found" | "fix"> {
  return {
    found: `TFRecord, which ferkit does not read: ${inShort(files)}`,
    fix: "Write the images into folders named by their classes, or into Parquet files, with TensorFlow.",
  };
}

function withSuggestion(refusal: InputProblem, walk: Walk, choice: LabelChoice): InputProblem {
  const garbled = walk.leftOut.list().filter(({ reason }) => GARBLED.includes(reason));
  if (walk.root.numImages === 0 && garbled.length > 0) {
    const count = garbled.reduce((sum, one) => sum + one.count, 0);
    const found = `${refusal.found}, but ${counted(count, "name that is", "names that are")} not UTF-8, as ${garbled[0].example}`;
    return { ...refusal, found, fix: "Rename the files and folders in UTF-8." };
  }
  const files = otherFilesIn(walk.root);
  const [archive, ...archives] = files.filter((file) => isArchive(file));
  if (walk.root.numImages === 0 && archive !== undefined) {
    const isOne = archives.length === 0;
    return {
      ...refusal,
      found: isOne ? `the archive ${archive}` : `the archives ${inShort([archive, ...archives])}`,
      fix:
        isOne && tableFiles(walk.root).length === 0
          ? `Choose it, as in --data ${path.join(walk.dir, archive)}.`
          : `Unpack ${isOne ? "it into" : "them into one folder, as"} ${walk.dir}, and choose it with --data.`,
    };
  }
  const records = files.filter((file) => TF_RECORD.test(file));
  if (walk.root.numImages === 0 && records.length > 0) return { ...refusal, ...tfRecordProblem(records) };
  if (walk.root.numImages === 0 && files.length > 0) {
    const endings = [...new Set(files.map((file) => path.extname(file).toLowerCase() || "no ending"))];
    return { ...refusal, found: `${refusal.found}, but ${files.length} other files (${inShort(endings)})` };
  }
  const [table] = unreadTables(walk, choice);
  const pattern = suggestPattern(walk);
  const fixes = [
    table?.fix ?? refusal.fix,
    pattern && `If the class is in the files' names, run again with --label-pattern '${pattern}'.`,
  ];
  const found = table ? `${refusal.found}, and ${table.found}` : refusal.found;
  return { ...refusal, found, fix: fixes.filter(Boolean).join(" ") };
}

async function readGivenTable(walk: Walk, options: SourceOptions, given: string): Promise<Listing> {
  const { dir } = walk;
  const existing = async (name: string) => {
    for (const file of [name, path.join(dir, name)]) if (await stat(file).catch(() => null)) return file;
    return null;
  };
  const whole = await existing(given);
  const parts = whole === null ? given.split(",").map((name) => existing(name.trim())) : [];
  const files = whole === null ? await Promise.all(parts) : [whole];
  const found = !files.includes(null);
  const [file = ""] = files;
  if (found && file && (await isPixelTable(file))) return readPixelTable(file, options);
  const tables = files.flatMap((one) => (one === null ? [] : path.relative(dir, one)));
  const listing = found && readLabelTables(walk, options, tables);
  if (listing) return listing;
  const [unread] = found ? unreadTables(walk, options, tables) : [];
  throw new InputError({
    expected: "folders, ferplus, ferplus-soft or a table that names images, for --labels",
    where: given,
    found: found ? (unread?.found ?? "a table that names none of the images") : "no such path",
    fix: found ? (unread?.fix ?? FIX_PATH) : fixFor(given, ["folders", "ferplus", "ferplus-soft"], FIX_PATH),
  });
}

/** Reads a folder without image files: tar files of webdataset, Parquet files, or a table of pixels. */
async function readPacked(
  { dir, root, leftOut }: Walk,
  options: SourceOptions,
  onProgress?: OnProgress,
): Promise<Listing | null> {
  const files = otherFilesIn(root);
  const [tars, parquet, tables] = [TAR_FILE, /\.parquet$/i, /\.(csv|tsv|txt)$/i].map((ending) =>
    files.filter((file) => ending.test(file)).map((file) => path.join(dir, file)),
  );
  const shards = await shardsAmong(tars);
  if (shards.length > 0) {
    const { dir: unpacked, notes } = await unpackShards(shards, dir);
    const listing = await readFolder(unpacked, options, notes, onProgress, true);
    const named = classesByShards(listing, shards);
    const areArchives = listing.labels === "class folders" && !shards.every((file) => PLAIN_TAR.test(file));
    if (areArchives || (named.length > 0 && tableFiles(root).length > 0)) return null;
    if (named.length > 0) listing.notes.push(`Names of tar files are read as classes: ${inShort(named)}.`);
    refuseSharedFolders(listing, dir);
    for (const file of files)
      if (!shards.includes(path.join(dir, file))) listing.leftOut.add("not an image", file);
    return { ...listing, where: dir };
  }
  if (parquet.length > 0) return readParquet(parquet, dir, options, onProgress);
  const pixels: string[] = [];
  for (const file of tables) if (await isPixelTable(file)) pixels.push(file);
  const labelled: string[] = [];
  for (const file of pixels) if (await hasSplitColumn(file)) labelled.push(file);
  const [best, ...others] = labelled.length > 0 ? labelled : pixels;
  if (best === undefined) return null;
  if (others.length > 0)
    throw new InputError({
      expected: "one table of pixels",
      where: dir,
      found: [best, ...others].map((file) => path.basename(file)).join(", "),
      fix: `Choose one, as in --data ${best}.`,
    });
  const listing = await readPixelTable(best, options, onProgress);
  for (const file of files) if (path.join(dir, file) !== best) leftOut.add("not an image", file);
  return listing;
}

/** Lists the classes that are names of shards. */
function classesByShards({ labels, samples }: Listing, shards: string[]): string[] {
  const names = shards.map(dataName);
  return labels === "class folders" ? classesOf(samples).filter((name) => names.includes(name)) : [];
}

/** Refuses shards that would be classes, although they hold the same folders, which are the classes. */
function refuseSharedFolders({ samples, labels }: Listing, where: string): void {
  if (labels !== "class folders") return;
  const shards = new Map<string, Set<string>>();
  for (const { path: file, className } of samples) {
    const steps = file.split("/");
    const inner = steps.slice(steps.indexOf(className) + 1, -1)[0];
    if (inner !== undefined) shards.set(inner, (shards.get(inner) ?? new Set()).add(className));
  }
  const shared = [...shards].flatMap(([inner, { size }]) => (size > 1 ? [inner] : []));
  if (shared.length < 2) return;
  throw new InputError({
    expected: "shards with a label beside each image, or one shard with class folders for each part",
    where,
    found: `the folders ${inShort(shared)} in several shards`,
    fix: "Choose a folder, with all shards of a part unpacked into one folder in it.",
  });
}

/** Gives names to labels that are codes. */
function rename(listing: Listing, labelNames: string | undefined): Listing {
  const classNames = classesOf(listing.samples);
  if (labelNames === undefined) {
    const areCodes = classNames.length > 0 && classNames.every((name) => /^\d+$/.test(name));
    const note = `The labels are codes: ${inShort(classNames)} (--label-names ${classNames[0]}=NAME,… gives them names, or rafdb for RAF-DB).`;
    return areCodes ? { ...listing, notes: [...listing.notes, note] } : listing;
  }
  const pairs = (KNOWN_NAMES[labelNames] ?? labelNames)
    .split(",")
    .map((pair) => pair.split("=").map((part) => nameOf(part.trim())));
  const names = new Map(pairs.map(([code, name]) => [code, name]));
  const missing = classNames.filter((code) => !names.get(code));
  if (missing.length > 0)
    throw new InputError({
      expected: "a name for each label in --label-names",
      where: listing.where,
      found: `none for ${missing.join(", ")}`,
      fix: `Write them as --label-names ${missing[0]}=NAME,…`,
    });
  const samples = listing.samples.map((sample) => ({
    ...sample,
    className: names.get(sample.className) as string,
  }));
  const note = `The labels' names are ${classNames.map((code) => `${code} ${names.get(code)}`).join(", ")}.`;
  return { ...listing, samples, notes: [...listing.notes, note] };
}
