// Files that hold many images are unpacked once into the user's cache: archives here, tables of pixels beside.
import { createHash, randomBytes } from "node:crypto";
import { constants, createReadStream, createWriteStream } from "node:fs";
import { copyFile, link, readdir, readFile, rename, rm, stat, statfs, symlink } from "node:fs/promises";
import path from "node:path";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import zlib from "node:zlib";
import type { Entry } from "yauzl";
import { InputError } from "../../errors.js";
import {
  cacheDir,
  isSystemError,
  kindOf,
  makeFolder,
  readError,
  removeAbandoned,
  writeError,
  writeFileAtomically,
} from "../../files.js";

const TAR_FILE = /\.(tar|tgz|tar\.gz)$/i;
const ZIP_FILE = /\.zip$/i;
/** Bytes to read at a time. */
const READ_BYTES = 2 ** 18;
/** Changes when the same file would be unpacked to something else. */
const FORMAT_VERSION = 3;

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
  stamps.forEach((found, i) => {
    const kind = kindOf(found);
    if (kind === null) return;
    const problem = { expected: "a file of images", found: kind, fix: "Choose a regular file." };
    throw new InputError({ ...problem, where: files[i] });
  });
  const identity = stamps.map(({ size, mtimeMs, ctimeMs, ino }, i) => [
    path.resolve(files[i]),
    size,
    mtimeMs,
    ctimeMs,
    ino,
  ]);
  const text = JSON.stringify([FORMAT_VERSION, variant, identity]);
  const dir = path.join(cacheDir(), "unpacked", createHash("sha256").update(text).digest("hex").slice(0, 16));
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
    await rm(temporary, { recursive: true, force: true }).catch(() => {}); // there may be a file in place of a folder
    const other = await kept().catch(() => null); // another process was faster
    if (other?.notes) return other;
    const { path: at = "", syscall } = error as NodeJS.ErrnoException;
    const source = files.find((file) => file === at) ?? (syscall === "read" ? files[0] : undefined);
    const named = source === undefined ? writeError(dir, error) : readError(source, UNREAD, error);
    throw named instanceof InputError ? named : describe(error);
  }
}

const UNREAD = { expected: "a file of images", fix: "Choose another file." };

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

/**
 * Unpacks the shards of a data set, each into a folder with the path that it has in `dir`, without the ending:
 * `train/0000.tar` into `train/0000`.
 */
export async function unpackShards(files: string[], dir: string): Promise<Unpacked<SkippedEntry[]>> {
  const names = shardNames(files.map((file) => path.relative(dir, file)));
  const fill = async (to: string) => {
    const skipped: SkippedEntry[] = [];
    for (const [i, file] of files.entries()) {
      const name = names[i];
      makeFolder(path.join(to, name));
      const entries = await unpackInto(file, path.join(to, name)).catch((error: unknown) => {
        throw error instanceof InputError || isSystemError(error) ? error : archiveError(file, error);
      });
      for (const entry of entries) skipped.push({ ...entry, path: path.posix.join(name, entry.path) });
    }
    return skipped;
  };
  return unpackOnce(files, fill, { variant: names.join("\n") });
}

/** Names a folder for each shard, which is neither another's nor around or in another's. */
function shardNames(files: string[]): string[] {
  const taken = new Set<string>();
  for (const file of files)
    for (let around = path.dirname(file); around !== "."; around = path.dirname(around)) taken.add(around);
  return files.map((file) => {
    let name = file.replace(/\.\w+$/, "");
    while (taken.has(name)) name += "_";
    taken.add(name);
    return name;
  });
}

async function unpackInto(file: string, dir: string): Promise<SkippedEntry[]> {
  const allowance = await allowanceFor(file, dir);
  return ZIP_FILE.test(file) ? unpackZip(file, dir, allowance) : unpackTar(file, dir, allowance);
}

/** Returns what a file may unpack to in a folder. */
export async function allowanceFor(file: string, dir: string): Promise<Allowance> {
  const [{ size }, { blocks, bavail, bsize }] = await Promise.all([stat(file), statfs(dir)]);
  const isKnown = blocks > 0; // some disks of user space do not say how large they are
  return new Allowance(file, size, isKnown ? bavail * bsize : Number.POSITIVE_INFINITY);
}

/** Compression makes images and tables a few times smaller; a larger ratio fills a disk from a small file. */
const [MAX_RATIO, MIN_ALLOWED_BYTES] = [200, 2 ** 26];
/** Entries of one archive. */
const MAX_ENTRIES = 5_000_000;

/** Counts what an archive unpacks to, before it is written. */
export class Allowance {
  private numBytes = 0;
  private numEntries = 0;

  constructor(
    private readonly file: string,
    private readonly archiveBytes: number,
    private readonly freeBytes: number,
  ) {}

  /** @throws InputError if an entry of `size` bytes is one too many. */
  add(name: string, size: number): void {
    this.numBytes += size;
    const refuse = (expected: string, found: string, fix: string) =>
      new InputError({ expected, where: this.file, found: `${found} with its entry ${name}`, fix });
    const distrust = "Remove it, since it is not to be trusted; nothing was unpacked.";
    if (++this.numEntries > MAX_ENTRIES) throw refuse(`at most ${MAX_ENTRIES} entries`, "more", distrust);
    if (!(this.numBytes <= Math.max(MIN_ALLOWED_BYTES, MAX_RATIO * this.archiveBytes)))
      throw refuse(`a file that unpacks to at most ${MAX_RATIO} times its size`, "more", distrust);
    if (this.numBytes > this.freeBytes)
      throw refuse(
        `a file that unpacks to the ${this.freeBytes} bytes that are free in the cache`,
        `${this.numBytes} bytes`,
        "Make room, or choose another cache with FERKIT_CACHE; nothing was unpacked.",
      );
  }
}

/** A link of an archive. */
interface Link {
  path: string;
  /** Relative to the root of the archive. */
  target: string;
}

/** Writes one file after another: for many small files that takes a fifth of the time of several at once. */
async function unpackTar(file: string, dir: string, allowance: Allowance): Promise<SkippedEntry[]> {
  const { UnpackSync } = await import("tar");
  let refused: unknown = null;
  const links: Link[] = [];
  const skipped: SkippedEntry[] = [];
  const unpack = new UnpackSync({
    cwd: dir,
    strict: true,
    preserveOwner: false,
    filter: (entryPath, entry) => {
      if (refused !== null || !("type" in entry)) return false;
      try {
        if (isOutside(entryPath)) throw outside(file, entryPath);
        allowance.add(entryPath, entry.size);
      } catch (error) {
        refused = error;
        return false;
      }
      if (["File", "OldFile", "ContiguousFile", "Directory"].includes(entry.type)) {
        entry.mode = entry.type === "Directory" ? 0o755 : 0o644; // as other new files, whatever the archive says
        return true;
      }
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

async function unpackZip(file: string, dir: string, allowance: Allowance): Promise<SkippedEntry[]> {
  const { openPromise } = await import("yauzl");
  const zip = await openPromise(file);
  zip.on("error", () => {}); // what is wrong with an entry is thrown by the loop, other errors come too late to matter
  const links: Link[] = [];
  try {
    for await (const entry of zip.eachEntry()) {
      const { fileName, uncompressedSize, compressionMethod } = entry;
      if (isOutside(fileName)) throw outside(file, fileName);
      allowance.add(fileName, uncompressedSize);
      if (fileName.endsWith("/")) continue;
      if (entry.isEncrypted()) throw new Error(`the encrypted entry ${fileName}`);
      if (![STORED, DEFLATED].includes(compressionMethod))
        throw new Error(`the compression method ${compressionMethod} of ${fileName}`);
      // Inflated here, since errors of the package's stream may come when nothing listens any more.
      const raw = await zip.openReadStreamPromise(entry, { decodeFileData: false });
      const decoded = compressionMethod === DEFLATED ? zlib.createInflateRaw() : new PassThrough();
      if (isLink(entry)) {
        if (uncompressedSize > MAX_LINK_BYTES) throw new Error(`the long link ${fileName}`);
        const chunks: Buffer[] = [];
        await pipeline(raw, decoded, verified(entry), async (parts: AsyncIterable<Buffer>) => {
          for await (const part of parts) chunks.push(part);
        });
        const target = targetOf(fileName, Buffer.concat(chunks).toString());
        links.push({ path: fileName, target });
        continue;
      }
      const onDisk = path.join(dir, fileName);
      makeFolder(path.dirname(onDisk));
      await pipeline(raw, decoded, verified(entry), createWriteStream(onDisk, { mode: 0o644 }));
    }
  } finally {
    zip.close();
  }
  return makeLinks(dir, links);
}

/** Longest path of Linux. */
const MAX_LINK_BYTES = 4096;
/** Compression methods of a zip archive (APPNOTE.TXT, 4.4.5). */
const [STORED, DEFLATED] = [0, 8];

/** Passes the bytes of an entry on, and compares their number and CRC-32 with what the archive says. */
function verified({ fileName, uncompressedSize, crc32 }: Entry) {
  return async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    let [numBytes, checksum] = [0, 0];
    for await (const chunk of chunks) {
      numBytes += chunk.length;
      checksum = zlib.crc32(chunk, checksum);
      if (numBytes > uncompressedSize) break;
      yield chunk;
    }
    if (numBytes !== uncompressedSize)
      throw new Error(`${fileName} of another length than the ${uncompressedSize} bytes in its header`);
    if (checksum !== crc32) throw new Error(`${fileName} of another CRC-32 than in its header`);
  };
}

/** Returns where a symbolic link leads, relative to the root of the archive. */
function targetOf(linkPath: string, target: string): string {
  return path.posix.isAbsolute(target) ? target : path.posix.join(path.posix.dirname(linkPath), target);
}

/** A longer chain of links cannot be followed on Linux either. */
const MAX_LINK_STEPS = 40;

/** Makes the links of an archive that lead to something in it: hard links to files, symbolic ones to folders. */
async function makeLinks(dir: string, links: Link[]): Promise<SkippedEntry[]> {
  let left = links.filter(({ target }) => !isOutside(target));
  const skipped = links
    .filter(({ target }) => isOutside(target))
    .map(({ path }) => ({ path, reason: "a link out of the archive" }));
  for (let step = 0, before = -1; left.length !== before && step < MAX_LINK_STEPS; step++) {
    before = left.length;
    const waiting: Link[] = [];
    for (const one of left) if (!(await makeLink(dir, one))) waiting.push(one); // its target may be another link
    left = waiting;
  }
  return [...skipped, ...left.map(({ path }) => ({ path, reason: "a link to nothing in the archive" }))];
}

/** Errors of a link that leads to nothing, or whose name is taken. */
const LEADS_NOWHERE = ["ENOENT", "ENOTDIR", "ELOOP", "EEXIST", "ENAMETOOLONG"];

/** Some disks have no hard links, or limit how many one file may have. */
async function linkOrCopy(to: string, from: string): Promise<void> {
  await link(to, from).catch((error) => {
    if (!["EPERM", "EMLINK", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"].includes(error.code)) throw error;
    return copyFile(to, from, constants.COPYFILE_EXCL);
  });
}

async function makeLink(dir: string, { path: linkPath, target }: Link): Promise<boolean> {
  const [from, to] = [path.join(dir, linkPath), path.join(dir, target)];
  try {
    const isFolder = (await stat(to)).isDirectory();
    makeFolder(path.dirname(from));
    if (isFolder) await symlink(path.relative(path.dirname(from), to), from);
    else await linkOrCopy(to, from);
    return true;
  } catch (error) {
    if (LEADS_NOWHERE.includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
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
