// Files that hold many images are unpacked once into the user's cache: archives here, tables of pixels beside.
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { link, mkdir, readdir, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import type { Entry } from "yauzl";
import { InputError } from "../../errors.js";
import { cacheDir, writeError, writeFileAtomically } from "../../files.js";

const TAR_FILE = /\.(tar|tgz|tar\.gz)$/i;
const ZIP_FILE = /\.zip$/i;
/** Bytes to read at a time. */
const READ_BYTES = 2 ** 18;
/** Changes when the same file would be unpacked to something else. */
const FORMAT_VERSION = 2;

export function isArchive(file: string): boolean {
  return TAR_FILE.test(file) || ZIP_FILE.test(file);
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
  const stamps = await Promise.all(files.map((file) => stat(file)));
  const identity = stamps.map(({ size, mtimeMs, ctimeMs, ino }, i) => [
    path.resolve(files[i]),
    size,
    mtimeMs,
    ctimeMs,
    ino,
  ]);
  const text = JSON.stringify([FORMAT_VERSION, variant, identity]);
  const dir = path.join(cacheDir(), "unpacked", createHash("sha256").update(text).digest("hex").slice(0, 16));
  const kept = async () => ({ dir, notes: JSON.parse(await readFile(`${dir}.json`, "utf8")) as Notes });
  const isThere = async () => (await stat(dir).catch(() => null)) !== null;
  if (await isThere()) return kept();
  const temporary = `${dir}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    await mkdir(temporary, { recursive: true });
    const notes = await fill(temporary);
    if ((await readdir(temporary)).length === 0) throw new Error("no files in it");
    await writeFileAtomically(`${dir}.json`, JSON.stringify(notes));
    await rename(temporary, dir);
    return { dir, notes };
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {}); // there may be a file in place of a folder
    if (await isThere()) return kept(); // another process was faster
    const isRead = files.includes((error as NodeJS.ErrnoException).path ?? "");
    const named = isRead ? error : writeError(dir, error);
    throw named instanceof InputError ? named : describe(error);
  }
}

/** An entry of an archive that was not unpacked. */
export interface SkippedEntry {
  path: string;
  reason: string;
}

/**
 * Unpacks an archive into the cache. Links in it are followed as far as they stay in it.
 *
 * @throws InputError when the archive is cut short or empty, or has an entry outside its folder.
 */
export async function unpackArchive(file: string): Promise<Unpacked<SkippedEntry[]>> {
  return unpackOnce([file], (dir) => unpackInto(file, dir), {
    describe: (error) => archiveError(file, error),
  });
}

/** Unpacks the parts of a data set, each into a folder with the part's name, as webdataset's `train-0000.tar`. */
export async function unpackShards(files: string[]): Promise<Unpacked<SkippedEntry[]>> {
  return unpackOnce(files, async (dir) => {
    const skipped: SkippedEntry[] = [];
    for (const file of files) {
      const name = path.basename(file).replace(/\.(tar\.gz|\w+)$/i, "");
      await mkdir(path.join(dir, name), { recursive: true });
      const entries = await unpackInto(file, path.join(dir, name)).catch((error: unknown) => {
        throw error instanceof InputError ? error : archiveError(file, error);
      });
      skipped.push(...entries.map((entry) => ({ ...entry, path: path.posix.join(name, entry.path) })));
    }
    return skipped;
  });
}

function unpackInto(file: string, dir: string): Promise<SkippedEntry[]> {
  return ZIP_FILE.test(file) ? unpackZip(file, dir) : unpackTar(file, dir);
}

/** A link of an archive. */
interface Link {
  path: string;
  /** Relative to the root of the archive. */
  target: string;
}

/** Writes one file after another: for many small files that takes a fifth of the time of several at once. */
async function unpackTar(file: string, dir: string): Promise<SkippedEntry[]> {
  const { UnpackSync } = await import("tar");
  let refused: unknown = null;
  const links: Link[] = [];
  const skipped: SkippedEntry[] = [];
  const unpack = new UnpackSync({
    cwd: dir,
    strict: true,
    filter: (entryPath, entry) => {
      if (isOutside(entryPath)) refused ??= outside(file, entryPath);
      if (refused !== null) return false;
      if (!("type" in entry) || ["File", "OldFile", "ContiguousFile", "Directory"].includes(entry.type))
        return true;
      const target = entry.linkpath ?? "";
      if (entry.type === "Link") links.push({ path: entryPath, target });
      else if (entry.type === "SymbolicLink")
        links.push({ path: entryPath, target: targetOf(entryPath, target) });
      else skipped.push({ path: entryPath, reason: "no file in the archive" });
      return false;
    },
  });
  unpack.on("error", (error: unknown) => {
    refused ??= error;
  });
  for await (const chunk of createReadStream(file, { highWaterMark: READ_BYTES })) {
    unpack.write(chunk);
    if (refused) throw refused;
  }
  unpack.end();
  if (refused) throw refused;
  return [...skipped, ...(await makeLinks(dir, links))];
}

async function unpackZip(file: string, dir: string): Promise<SkippedEntry[]> {
  const { openPromise } = await import("yauzl");
  const zip = await openPromise(file);
  const links: Link[] = [];
  try {
    for await (const entry of zip.eachEntry()) {
      if (isOutside(entry.fileName)) throw outside(file, entry.fileName);
      if (entry.fileName.endsWith("/")) continue;
      const stream = await zip.openReadStreamPromise(entry);
      if (isLink(entry)) {
        const chunks: Buffer[] = [];
        for await (const chunk of stream) chunks.push(chunk as Buffer);
        const target = targetOf(entry.fileName, Buffer.concat(chunks).toString());
        links.push({ path: entry.fileName, target });
        continue;
      }
      const onDisk = path.join(dir, entry.fileName);
      await mkdir(path.dirname(onDisk), { recursive: true });
      await pipeline(stream, createWriteStream(onDisk));
    }
  } finally {
    zip.close();
  }
  return makeLinks(dir, links);
}

/** Returns where a symbolic link leads, relative to the root of the archive. */
function targetOf(linkPath: string, target: string): string {
  return path.posix.isAbsolute(target) ? target : path.posix.join(path.posix.dirname(linkPath), target);
}

/** Makes the links of an archive that lead to something in it: hard links to files, symbolic ones to folders. */
async function makeLinks(dir: string, links: Link[]): Promise<SkippedEntry[]> {
  let left = links.filter(({ target }) => !isOutside(target));
  const skipped = links
    .filter(({ target }) => isOutside(target))
    .map(({ path }) => ({ path, reason: "a link out of the archive" }));
  for (let before = -1; left.length !== before; ) {
    before = left.length;
    const waiting: Link[] = [];
    for (const one of left) if (!(await makeLink(dir, one))) waiting.push(one); // its target may be another link
    left = waiting;
  }
  return [...skipped, ...left.map(({ path }) => ({ path, reason: "a link to nothing in the archive" }))];
}

async function makeLink(dir: string, { path: linkPath, target }: Link): Promise<boolean> {
  const [from, to] = [path.join(dir, linkPath), path.join(dir, target)];
  try {
    const isFolder = (await stat(to)).isDirectory();
    await mkdir(path.dirname(from), { recursive: true });
    if (isFolder) await symlink(path.relative(path.dirname(from), to), from);
    else await link(to, from);
    return true;
  } catch {
    return false;
  }
}

/** Reads the Unix mode in the upper half of the attributes. */
function isLink({ externalFileAttributes }: Entry): boolean {
  return ((externalFileAttributes >>> 16) & 0o170000) === 0o120000;
}

function isOutside(entryPath: string): boolean {
  return path.isAbsolute(entryPath) || entryPath.split(/[\\/]/).includes("..");
}

function outside(file: string, entryPath: string): InputError {
  return new InputError({
    expected: "an archive that stays in its folder",
    where: file,
    found: `the entry ${entryPath}`,
    fix: "Remove the archive, since it is not to be trusted; nothing was unpacked.",
  });
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
