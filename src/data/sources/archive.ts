// Archives of class folders, unpacked once into the user's cache.
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import type { Entry } from "yauzl";
import { InputError } from "../../errors.js";
import { cacheDir, writeError } from "../../files.js";

const TAR_FILE = /\.(tar|tgz|tar\.gz)$/i;
const ZIP_FILE = /\.zip$/i;
/** Bytes to read at a time. */
const READ_BYTES = 2 ** 18;

export function isArchive(file: string): boolean {
  return TAR_FILE.test(file) || ZIP_FILE.test(file);
}

/**
 * Unpacks an archive into the cache, as a whole or not at all, and returns the folder. An archive that was unpacked before is
 * not unpacked again. Links are left out.
 *
 * @throws InputError when the archive is cut short or empty, or has an entry outside its folder.
 */
export async function unpackArchive(file: string): Promise<string> {
  const { size, mtimeMs } = await stat(file);
  const key = createHash("sha256")
    .update(JSON.stringify([path.resolve(file), size, mtimeMs]))
    .digest("hex")
    .slice(0, 16);
  const dir = path.join(cacheDir(), "unpacked", key);
  if ((await stat(dir).catch(() => null)) !== null) return dir;
  const temporary = `${dir}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    await mkdir(temporary, { recursive: true });
    await (ZIP_FILE.test(file) ? unpackZip(file, temporary) : unpackTar(file, temporary));
    if ((await readdir(temporary)).length === 0) throw new Error("no files in it");
    await rename(temporary, dir);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {}); // there may be a file in place of a folder
    if ((await stat(dir).catch(() => null)) !== null) return dir; // another process was faster
    throw archiveError(file, dir, error);
  }
  return dir;
}

/** Writes one file after another: for many small files that takes a fifth of the time of several at once. */
async function unpackTar(file: string, dir: string): Promise<void> {
  const { UnpackSync } = await import("tar");
  let refused: unknown = null;
  const unpack = new UnpackSync({
    cwd: dir,
    strict: true,
    filter: (entryPath, entry) => {
      const isFile =
        !("type" in entry) || ["File", "OldFile", "ContiguousFile", "Directory"].includes(entry.type);
      if (isOutside(entryPath)) refused ??= outside(file, entryPath);
      return isFile && refused === null;
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
}

async function unpackZip(file: string, dir: string): Promise<void> {
  const { openPromise } = await import("yauzl");
  const zip = await openPromise(file);
  try {
    for await (const entry of zip.eachEntry()) {
      if (isOutside(entry.fileName)) throw outside(file, entry.fileName);
      const target = path.join(dir, entry.fileName);
      if (entry.fileName.endsWith("/") || isLink(entry)) continue;
      await mkdir(path.dirname(target), { recursive: true });
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target));
    }
  } finally {
    zip.close();
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

function archiveError(file: string, dir: string, error: unknown): unknown {
  if (error instanceof InputError) return error;
  const isRead = (error as NodeJS.ErrnoException).path === file;
  const named = isRead ? error : writeError(dir, error);
  if (named instanceof InputError) return named;
  const message = error instanceof Error ? error.message : String(error);
  if (/invalid relative path|absolute path/.test(message)) return outside(file, message.replace(/^.*: /, ""));
  return new InputError({
    expected: "a complete .tar.gz, .tgz, .tar or .zip archive",
    where: file,
    found: `one that cannot be read (${message})`,
    fix: "Remove it, and download or pack it again; nothing was unpacked.",
  });
}
