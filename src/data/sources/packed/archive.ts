// Files that hold many images are unpacked once into the user's cache: archives here, tables of pixels beside.
import { randomBytes } from "node:crypto";
import { readdir, readFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { shortDigest } from "../../../digest.js";
import { InputError } from "../../../errors.js";
import {
  cacheDir,
  isSystemError,
  kindOf,
  makeFolder,
  readError,
  removeAbandoned,
  writeError,
  writeFileAtomically,
} from "../../../files.js";
import { counted } from "../../../text.js";
import { holdPairs } from "../label-files.js";
import { REASONS } from "../left-out.js";
import { type ArchiveNotes, allowanceFor, outside } from "./archive-entries.js";
import { firstFilesIn, unpackTar } from "./tar.js";
import { unpackZip } from "./zip.js";

export const TAR_FILE = /\.(tar|tgz|tar\.gz)$/i;
export const PLAIN_TAR = /\.tar$/i;
const ZIP_FILE = /\.zip$/i;
/** Changes when the same file would be unpacked to something else. */
const FORMAT_VERSION = 4;

export function isArchive(file: string): boolean {
  return TAR_FILE.test(file) || ZIP_FILE.test(file);
}

export function archiveName(file: string): string {
  return path.basename(file).replace(/\.(tar\.gz|tgz|tar|zip)$/i, "");
}

/** A folder of the cache, and what was noted when it was filled. */
export interface Unpacked<Notes> {
  dir: string;
  notes: Notes;
}

/**
 * Unpacks files into a folder of the cache, as a whole or not at all. Unchanged files are not unpacked again.
 *
 * @param fill - Writes the images into an empty folder; returns notes as plain JSON, which are kept beside it.
 * @param options.variant - Anything else that the result depends on.
 * @param options.describe - Turns an error of `fill` into one for the user.
 */
export async function unpackOnce<Notes>(
  files: string[],
  fill: (dir: string) => Promise<Notes>,
  { variant = "", describe = (error: unknown): unknown => error } = {},
): Promise<Unpacked<Notes>> {
  const dir = await cacheFolder(files, variant);
  const kept = async (): Promise<Unpacked<Notes> | null> => {
    if ((await stat(dir).catch(() => null)) === null) return null;
    const notes = await readFile(`${dir}.json`, "utf8").then(JSON.parse, () => null);
    return { dir, notes: notes as Notes };
  };
  const earlier = await kept().catch(() => null);
  if (earlier?.notes) return earlier;
  const temporary = `${dir}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    if (earlier) await rm(dir, { recursive: true, force: true }); // its notes are lost
    await removeAbandoned(path.dirname(dir));
    makeFolder(temporary);
    const notes = await fill(temporary);
    if ((await readdir(temporary)).length === 0) throw new Error("no files in it");
    await writeFileAtomically(`${dir}.json`, JSON.stringify(notes));
    await rename(temporary, dir);
    return { dir, notes };
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {}); // there may be a file instead of a folder
    const other = await kept().catch(() => null); // another process was faster
    if (other?.notes) return other;
    const { path: at = "", syscall } = error as NodeJS.ErrnoException;
    const source = files.find((file) => file === at) ?? (syscall === "read" ? files[0] : undefined);
    const named = source === undefined ? writeError(dir, error) : readError(source, UNREAD, error);
    throw named instanceof InputError ? named : describe(error);
  }
}

const UNREAD = { expected: "a file of images", fix: "Choose another file." };

/** Names the folder of the cache for what is in files, as long as they do not change. */
async function cacheFolder(files: string[], variant: string): Promise<string> {
  const identity = files.map(async (file) => {
    const found = await stat(file);
    const kind = kindOf(found);
    if (kind) throw new InputError({ ...UNREAD, where: file, found: kind, fix: "Choose a regular file." });
    const { size, mtimeMs, ctimeMs, ino } = found;
    return [path.resolve(file), size, mtimeMs, ctimeMs, ino];
  });
  const text = JSON.stringify([FORMAT_VERSION, variant, await Promise.all(identity)]);
  return path.join(cacheDir(), "unpacked", shortDigest(text));
}

/**
 * Unpacks an archive into the cache. Links in it are followed as far as they stay in it.
 *
 * @throws InputError when the archive is cut short or empty, or has an entry outside its folder.
 */
export async function unpackArchive(file: string): Promise<Unpacked<ArchiveNotes>> {
  const fill = async (dir: string) => {
    const notes = await unpackInto(file, dir);
    const garbled = notes.skipped.filter(({ reason }) => reason === REASONS.notUtf8InArchive);
    if (garbled.length === 0 || (await readdir(dir)).length > 0) return notes;
    throw new InputError({
      expected: "an archive with names in UTF-8",
      where: file,
      found: `${counted(garbled.length, "other name")}, such as ${garbled[0].path}`,
      fix: "Rename the files, and pack it again.",
    });
  };
  return unpackOnce([file], fill, { describe: (error) => archiveError(file, error) });
}

/** Lists the shards of webdataset: of compressed files only if all hold images with labels beside them, since most others are archives. */
export async function shardsAmong(tars: string[]): Promise<string[]> {
  for (const file of tars)
    if (!PLAIN_TAR.test(file) && !holdPairs(await firstFilesIn(file)))
      return tars.filter((one) => PLAIN_TAR.test(one));
  return tars;
}

/**
 * Unpacks the shards of a data set, each into a folder with the path that it has in `dir`, without the ending:
 * `train/0000.tar` into `train/0000`.
 */
export async function unpackShards(files: string[], dir: string): Promise<Unpacked<ArchiveNotes>> {
  const names = shardNames(files.map((file) => path.relative(dir, file)));
  const fill = async (to: string) => {
    const all: ArchiveNotes = { skipped: [], guesses: [] };
    for (const [i, file] of files.entries()) {
      const name = names[i];
      makeFolder(path.join(to, name));
      const { skipped, guesses } = await unpackInto(file, path.join(to, name)).catch((error: unknown) => {
        throw error instanceof InputError || isSystemError(error) ? error : archiveError(file, error);
      });
      for (const entry of skipped) all.skipped.push({ ...entry, path: path.posix.join(name, entry.path) });
      all.guesses.push(...guesses);
    }
    return all;
  };
  return unpackOnce(files, fill, { variant: names.join("\n") });
}

/** Names a folder for each shard, which is neither another's nor around or in another's. */
function shardNames(files: string[]): string[] {
  const taken = new Set<string>();
  for (const file of files)
    for (let around = path.dirname(file); around !== "."; around = path.dirname(around)) taken.add(around);
  return files.map((file) => {
    let name = file.replace(/(\.tar)?\.\w+$/i, "");
    while (taken.has(name)) name += "_";
    taken.add(name);
    return name;
  });
}

async function unpackInto(file: string, dir: string): Promise<ArchiveNotes> {
  const allowance = await allowanceFor(file, dir);
  return ZIP_FILE.test(file) ? unpackZip(file, dir, allowance) : unpackTar(file, dir, allowance);
}

function archiveError(file: string, error: unknown): unknown {
  const message = error instanceof Error ? error.message : String(error);
  if (/invalid relative path|absolute path/.test(message)) return outside(file, message.replace(/^.*: /, ""));
  return new InputError({
    expected: "a complete .tar.gz, .tgz, .tar or .zip archive",
    where: file,
    found: `one that cannot be read (${message})`,
    fix: "Remove it, and download or pack it again; nothing was unpacked.",
  });
}
