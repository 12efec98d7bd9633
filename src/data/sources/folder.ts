// Reads the images and labels of a folder: finds out which of the known layouts it has.
import { stat } from "node:fs/promises";
import path from "node:path";
import { groupBy } from "../../collections.js";
import { InputError } from "../../errors.js";
import { inShort } from "../../names.js";
import type { OnProgress } from "../../progress.js";
import type { AnyText } from "../../text.js";
import { isVoteTable, VOTE_LABELS } from "./fer2013.js";
import { readKnownNames, readLabelPattern } from "./file-names.js";
import { otherFilesIn, type Walk, walkFolder } from "./files.js";
import { type FolderChoice, findClassFolders } from "./folders/class-folders.js";
import { leaveFoldersOut } from "./folders/leave-out.js";
import { readLabelFiles } from "./label-files.js";
import { REASONS } from "./left-out.js";
import { CLASS_FOLDERS, classesOf, type Listing, type Sample, withNote } from "./listing.js";
import { fixFor, refuseFolder } from "./no-class-folders.js";
import { archiveName, PLAIN_TAR, shardsAmong, TAR_FILE, unpackShards } from "./packed/archive.js";
import type { ArchiveNotes } from "./packed/archive-entries.js";
import { archiveNotes, missingNotes } from "./packed/missing-files.js";
import { readParquet } from "./packed/parquet.js";
import { isPixelTable, pixelColumns } from "./packed/pixel-columns.js";
import { readPixelTables, tableParts } from "./packed/pixel-table.js";
import { pairedNotes } from "./paired-images.js";
import { isLabelName, isSplitName } from "./tables/column-names.js";
import type { LabelChoice } from "./tables/label-columns.js";
import { readLabelTables } from "./tables/label-tables.js";
import { matchTables, type Tables } from "./tables/matched-tables.js";
import { compareWithTables } from "./tables/table-beside.js";
import { MAX_TABLES, tableFiles } from "./tables/table-file.js";
import { readTableParts, withTableParts } from "./tables/table-parts.js";
import { isOfPart, oneListEach, withTableSplit } from "./tables/table-split.js";
import { unreadTables, withUnread } from "./tables/unread-tables.js";
import { refuseBothLabels, refuseUnused, refuseUnusedColumns } from "./unused-options.js";

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

type Options = SourceOptions & { onProgress?: OnProgress };

/** Words for `--labels`; others are paths. */
const LABEL_WORDS = ["folders", ...VOTE_LABELS];

/**
 * @param unpacked - What was noted when the folder was unpacked, if it was.
 * @param isShards - Whether the folder has the files of a webdataset.
 */
export async function readFolder(
  dir: string,
  options: Options,
  unpacked: ArchiveNotes = { skipped: [], guesses: [] },
  isShards = false,
): Promise<Listing> {
  const walk = walkFolder(dir);
  for (const { path: file, reason } of unpacked.skipped) walk.leftOut.add(reason, file);
  const listing = await readWalk(walk, options, isShards);
  const added = [...archiveNotes(walk.root), ...pairedNotes(listing.samples)];
  return { ...listing, notes: [...unpacked.guesses, ...listing.notes, ...added] };
}

async function readWalk(walk: Walk, options: Options, isShards: boolean): Promise<Listing> {
  refuseBothLabels(options);
  const { labels, labelPattern } = options;
  if (walk.root.numImages > 0) leaveFoldersOut(walk, options); // otherwise the folders are in an archive
  if (labelPattern !== undefined) {
    refuseUnused(options, ["trainFolder", "validationFolder"], walk.dir, "a label pattern, for all images");
    const listing = readLabelPattern(walk, labelPattern);
    refuseUnusedColumns(listing, options, "remove --label-pattern");
    return listing;
  }
  if (labels !== undefined && !LABEL_WORDS.includes(labels) && !(await isVoteTable(labels)))
    return readGivenTable(walk, options, labels);
  const packed = walk.root.numImages === 0 ? await readPacked(walk, options) : null;
  if (packed) return packed;
  if (labels !== undefined) return readFolders(walk, options);
  return (
    readKnownNames(walk) ?? (isShards ? readLabelFiles(walk, options) : null) ?? readFolders(walk, options)
  );
}

/** Reads the tables that the user named, with commas between them. */
async function readGivenTable(walk: Walk, options: Options, given: string): Promise<Listing> {
  const { dir } = walk;
  refuseUnused(options, ["trainFolder", "validationFolder"], dir, `the table ${given}, for all images`);
  const existing = async (name: string) => {
    for (const file of [name, path.join(dir, name)]) if (await stat(file).catch(() => null)) return file;
    return null;
  };
  const whole = await existing(given);
  const names = whole === null ? given.split(",").map((name) => name.trim()) : [given];
  const files = (await Promise.all(names.map(existing))).flatMap((file) => file ?? []);
  const areFound = files.length === names.length;
  const arePixels = areFound && (await Promise.all(files.map(isPixelTable))).every(Boolean);
  if (arePixels) return readPixelTables(files, dir, options);
  const inDir = files.map((file) => path.relative(dir, file));
  const tables = areFound ? matchTables(walk, options, inDir) : null;
  const listing =
    tables && (readLabelTables(walk, options, tables) ?? readGivenLists(walk, options, tables, files.length));
  if (listing) return listing;
  const [unread] = tables ? unreadTables(dir, tables) : [];
  const choosePath = "Fix the path, or choose the images with --data.";
  throw new InputError({
    expected: "folders, ferplus, ferplus-soft or a table that names images, for --labels",
    where: given,
    found: areFound ? (unread?.found ?? "a table that names none of the images") : "no such path",
    fix: areFound ? (unread?.fix ?? choosePath) : fixFor(given, LABEL_WORDS, choosePath),
  });
}

/** Reads class folders with the split of lists that the user named, one for each part; null if the files are others. */
function readGivenLists(walk: Walk, options: Options, tables: Tables, numGiven: number): Listing | null {
  if (tables.lists.length < numGiven) return null;
  const found = findClassFolders(walk, options);
  if ("refusal" in found) return null;
  const listing = withTableSplit(found.listing, tables, options);
  return listing.splitBy?.isList ? listing : null;
}

/** Reads a folder without image files: tar files of webdataset, Parquet files, or a table of pixels. */
async function readPacked(walk: Walk, options: Options): Promise<Listing | null> {
  const { dir } = walk;
  const files = otherFilesIn(walk.root).map((file) => path.join(dir, file));
  const withEnding = (ending: RegExp) => files.filter((file) => ending.test(file));
  const [shards, parquet] = [await shardsAmong(withEnding(TAR_FILE)), withEnding(/\.parquet$/i)];
  if (shards.length > 0) return beside(await readShards(shards, walk, options), shards, walk);
  const ofFolders = ["trainFolder", "validationFolder", "leaveOut"] as const;
  const unused = options.labels === "folders" ? ([...ofFolders, "labels"] as const) : ofFolders;
  if (parquet.length > 0) {
    refuseUnused(options, unused, dir, "Parquet files");
    return beside(await readParquet(parquet, dir, options), parquet, walk);
  }
  const tables = await pixelTablesAmong(withEnding(/\.(csv|tsv|txt)$/i), dir);
  if (tables.length === 0) return null;
  refuseUnused(options, unused, dir, "a table of pixels");
  return beside(await readPixelTables(tables, dir, options), tables, walk);
}

/** Counts the files beside those that were read as left out. */
function beside(listing: Listing | null, read: string[], { dir, root, leftOut }: Walk): Listing | null {
  if (!listing) return null;
  listing.leftOut.addAll(leftOut);
  for (const file of otherFilesIn(root))
    if (!read.includes(path.join(dir, file))) listing.leftOut.add(REASONS.notImage, file);
  return listing;
}

/** @returns Null if they are archives of something else. */
async function readShards(shards: string[], { dir, root }: Walk, options: Options): Promise<Listing | null> {
  const { dir: unpacked, notes } = await unpackShards(shards, dir);
  notes.guesses.push(...missingNotes(shards));
  const listing = await readFolder(unpacked, options, notes, true);
  if (listing.labels !== CLASS_FOLDERS) return { ...listing, where: dir };
  if (!shards.every((file) => PLAIN_TAR.test(file))) return null;
  const names = shards.map(archiveName);
  const named = classesOf(listing.samples).filter((name) => names.includes(name));
  if (named.length > 0 && tableFiles(root).length > 0) return null;
  if (named.length > 0) listing.notes.push(`Names of tar files are read as classes: ${inShort(named)}.`);
  refuseSharedFolders(listing, dir);
  return { ...listing, where: dir };
}

/** Refuses shards that would be classes, although they hold the same folders, which are the classes. */
function refuseSharedFolders({ samples }: Listing, where: string): void {
  const shards = groupBy(samples, ({ path: file, className }) => {
    const steps = file.split("/");
    return steps.slice(steps.indexOf(className) + 1, -1)[0];
  });
  const isShared = ([inner, some]: [string | undefined, Sample[]]) =>
    inner !== undefined && classesOf(some).length > 1;
  const shared = [...shards].filter(isShared).map(([inner]) => inner);
  if (shared.length < 2) return;
  throw new InputError({
    expected: "shards with a label beside each image, or one shard with class folders for each part",
    where,
    found: `the folders ${inShort(shared)} in several shards`,
    fix: "Choose a folder, with all shards of a part unpacked into one folder in it.",
  });
}

/** Returns the table of pixels among some files, that with a split if there are others, or those of the parts of a split. */
async function pixelTablesAmong(files: string[], dir: string): Promise<string[]> {
  const tables: { file: string; header: string[] }[] = [];
  for (const file of files) {
    const columns = await pixelColumns(file);
    if (columns) tables.push({ file, header: columns.header });
  }
  const having = (some: typeof tables, isWanted: (name: string) => boolean) => {
    const kept = some.filter(({ header }) => header.some(isWanted));
    return kept.length > 0 ? kept : some;
  };
  const labelled = having(having(tables, isSplitName), isLabelName); // not a competition's test images
  const usable = labelled.map(({ file }) => file);
  if (usable.length < 2 || tableParts(usable)) return usable;
  throw new InputError({
    expected: "one table of pixels, or one for each part of the split",
    where: dir,
    found: usable.map((file) => path.relative(dir, file)).join(", "),
    fix: `Choose one, for example --data ${usable[0]}.`,
  });
}

/**
 * Reads class folders, and what tables beside them say. If there are no class folders, and the labels were not chosen, reads what tables
 * or files beside the images show.
 */
function readFolders(walk: Walk, options: Options): Listing {
  const { labels, trainFolder, validationFolder } = options;
  const isOpen = trainFolder === undefined && validationFolder === undefined;
  const files = isOpen ? tableFiles(walk.root) : [];
  const mayRead = isOpen && files.length <= MAX_TABLES && (labels ?? "folders") === "folders";
  const tables = mayRead ? matchTables(walk, options) : null;
  const counting = (one: Walk): Walk => ({ ...one, leftOut: one.leftOut.copy() });
  const parts =
    tables && labels === undefined ? readTableParts(counting(walk), tables.useful, options) : null;
  const rest = parts?.rest ?? walk;
  const unused = counting(rest);
  const found = findClassFolders(rest, options);
  if ("refusal" in found)
    return (
      (labels === undefined ? readLabelled(walk, options, tables) : null) ??
      refuseFolder(found.refusal, walk, options, tables)
    );
  const isApart = parts !== null && parts.samples.length > 0;
  const choice = isApart ? { ...options, labelColumn: undefined, pathColumn: undefined } : options;
  const listing = besideTables(found.listing, unused, choice, { files, tables });
  return parts ? withTableParts(listing, parts, walk.dir) : listing;
}

/** Reads the labels of images in no class folders: from tables, or from a file beside each image; null if there are none. */
function readLabelled(walk: Walk, options: Options, tables: Tables | null): Listing | null {
  const labelled = tables && readLabelTables(walk, options, tables);
  return tables && labelled ? withTableSplit(labelled, tables, options) : readLabelFiles(walk, options);
}

/** Adds to class folders what tables beside them say. @param files - The tables, which are not read if they are too many. */
function besideTables(
  listing: Listing,
  walk: Walk,
  options: Options,
  { files, tables }: { files: string[]; tables: Tables | null },
): Listing {
  if (tables === null || files.length === 0) refuseUnusedColumns(listing, options);
  if (tables === null) return options.labels === undefined ? withManyTables(listing, files) : listing;
  if (options.labels !== undefined) return withTableSplit(listing, tables, options);
  return withUnread(compareWithTables(listing, walk, options, tables), walk.dir, tables);
}

/** Says that the tables are too many to be read, if one has the name of a part of the split. */
function withManyTables(listing: Listing, tables: string[]): Listing {
  const [part] = tables.filter(isOfPart);
  if (part === undefined) return listing;
  const note = `There are ${tables.length} tables beside the class folders, of which none is read, such as ${part}. ${oneListEach(tables) ?? `Keep at most ${MAX_TABLES} to read the split in them.`}`;
  return withNote(listing, note);
}
