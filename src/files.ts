import { randomBytes } from "node:crypto";
import { constants, existsSync, mkdirSync, readlinkSync, type Stats, statSync } from "node:fs";
import { type FileHandle, open, readdir, rename, rm, stat } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { DiskError, InputError } from "./errors.js";

/** Returns the user's cache folder, which all clones share. */
export function cacheDir(): string {
  const { FERKIT_CACHE, XDG_CACHE_HOME } = process.env;
  if (FERKIT_CACHE) return path.resolve(FERKIT_CACHE);
  // The XDG specification ignores empty and relative paths.
  const isUsable = XDG_CACHE_HOME !== undefined && path.isAbsolute(XDG_CACHE_HOME);
  return path.join(isUsable ? XDG_CACHE_HOME : path.join(os.homedir(), ".cache"), "ferkit");
}

/** A disk that needs longer for one answer may never give it, as one of a network that is gone. */
const SILENT_MS = 10_000;

/**
 * Says on standard error that a disk does not answer, once this takes long.
 *
 * @param file - A path, or the descriptor of an open file.
 * @returns A function to call when it has answered.
 */
export function noteSilence(file: string | number, silentMs = SILENT_MS): () => void {
  let hasAnswered = false;
  const say = () => {
    if (hasAnswered) return;
    const name = typeof file === "string" ? file : openFile(file);
    const isInCache = !path.relative(cacheDir(), name).startsWith("..");
    const move = isInCache ? "; FERKIT_CACHE=FOLDER moves the cache to another disk" : "";
    console.error(`waiting for a disk that has not answered for ${silentMs / 1000} seconds: ${name}${move}`);
  };
  // A program that computed all the time takes the answers that have come meanwhile before it says anything.
  const timer = setTimeout(() => setImmediate(say), silentMs).unref();
  return () => {
    hasAnswered = true;
    clearTimeout(timer);
  };
}

function openFile(descriptor: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return "an open file";
  }
}

/** Waits until the disk of the cache answers, before calls to it that nothing can interrupt. */
export async function reachCache(): Promise<void> {
  const end = noteSilence(cacheDir());
  await stat(cacheDir()).catch(() => {}); // it may not be there yet
  end();
}

/**
 * Writes a whole file or none: to a temporary file beside it, then renamed.
 *
 * @throws InputError when the disk is full or the folder cannot be written; nothing is left behind.
 */
export async function writeFileAtomically(
  file: string,
  data: string | Uint8Array | Uint8Array[],
): Promise<void> {
  await replaceFile(file, async (temporary) => {
    const handle = await open(temporary, "w");
    try {
      for (const part of Array.isArray(data) ? data : [data]) await handle.writeFile(part);
      await syncFile(handle);
    } finally {
      await handle.close();
    }
    return { isKept: true, result: undefined };
  });
}

/** Waits until what was written is on the disk. Some disks of networks and of user space cannot tell. */
export async function syncFile(handle: FileHandle): Promise<void> {
  await handle.sync().catch((error) => {
    if (!["EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"].includes(error.code)) throw error;
  });
}

/**
 * Replaces a file by a new one that is complete.
 *
 * @param write - Writes the temporary file beside it and returns whether to keep it.
 * @throws InputError when the disk is full or the folder cannot be written; nothing is left behind.
 */
export async function replaceFile<Result>(
  file: string,
  write: (temporary: string) => Promise<{ isKept: boolean; result: Result }>,
): Promise<Result> {
  const temporary = `${file}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    makeFolder(path.dirname(file));
    const { isKept, result } = await write(temporary);
    await (isKept ? rename(temporary, file) : rm(temporary));
    return result;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // the folder may be missing
    throw writeError(file, error);
  }
}

/**
 * Makes a folder and those above it that are missing. Node.js' own `recursive` tries forever in a folder of the system that takes no
 * others, such as `/proc`: there the system says that what is above the new folder is missing, though it is there.
 */
export function makeFolder(dir: string): void {
  if (isFolder(dir)) return;
  const above = path.dirname(dir);
  makeFolder(above);
  try {
    mkdirSync(dir);
  } catch (error) {
    if (isFolder(dir)) return; // another process was faster
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || !isFolder(above)) throw error;
    const found = "a folder of the system, which takes no others";
    throw new DiskError({ expected: "to write", where: dir, found, fix: "Choose another folder." });
  }
}

/** Tells whether a path leads to a folder; false if that cannot be told, as for a link to itself. */
export function isFolder(dir: string): boolean {
  try {
    return statSync(dir).isDirectory();
  } catch {
    return false;
  }
}

/** Renames a file or folder to the first free name of `NAME.1`, `NAME.2` and so on, which it returns. */
export async function moveAside(file: string): Promise<string> {
  let number = 1;
  while (existsSync(`${file}.${number}`)) number++;
  const to = `${file}.${number}`;
  await rename(file, to).catch((error) => {
    throw writeError(to, error);
  });
  return to;
}

/** Name of a temporary file of `replaceFile`. */
export const TEMPORARY = /\.[0-9a-f]{8}\.tmp$/;

/** Removes the temporary files that killed processes left in a folder, which no other process may write to. */
export async function removeTemporaryFiles(dir: string): Promise<void> {
  const names = await readdir(dir).catch((): string[] => []); // the folder may be missing
  for (const name of names) if (TEMPORARY.test(name)) await rm(path.join(dir, name), { force: true });
}

/** A process that has not written to its temporary file for this long was killed; into a folder, it may write far below. */
const [ABANDONED_FILE_MS, ABANDONED_FOLDER_MS] = [3_600_000, 24 * 3_600_000];

/**
 * Removes what killed processes left in a folder that other processes may write to.
 *
 * @param pattern - Of the names; by default, of all that the cache has.
 */
export async function removeAbandoned(dir: string, pattern = /\.tmp$/): Promise<void> {
  for (const name of await readdir(dir).catch((): string[] => [])) {
    if (!pattern.test(name)) continue;
    const file = path.join(dir, name);
    const found = await stat(file).catch(() => null);
    if (!found) continue;
    const limit = found.isDirectory() ? ABANDONED_FOLDER_MS : ABANDONED_FILE_MS;
    if (Date.now() - found.mtimeMs > limit) await rm(file, { recursive: true, force: true });
  }
}

/** What to say of a file that cannot be read. */
export interface ReadProblem {
  /** What should be there: "a file of weights". */
  expected: string;
  /** What to do, as a sentence. */
  fix: string;
}

/** Bytes that one string or buffer of Node.js can hold, a little less. */
const MAX_READ_BYTES = 2 ** 31 - 2 ** 12;

/**
 * Reads a whole file. Only a regular file is opened: a named pipe would wait for its writer, and a device may never end.
 *
 * @param maxBytes - A larger file is refused before it is read.
 * @returns Null if there is no such file.
 * @throws InputError if it is something else, too large, or cannot be read.
 */
export async function readRegularFile(
  file: string,
  problem: ReadProblem,
  maxBytes = MAX_READ_BYTES,
): Promise<Buffer | null> {
  const handle = await openRegularFile(file, problem);
  if (handle === null) return null;
  try {
    const { size } = await handle.stat();
    if (size > maxBytes) throw unreadable(file, problem, `${size} bytes, more than ${maxBytes}`);
    return await handle.readFile();
  } catch (error) {
    throw readError(file, problem, error);
  } finally {
    await handle.close();
  }
}

/** Opens a regular file; null if there is none. */
export async function openRegularFile(file: string, problem: ReadProblem): Promise<FileHandle | null> {
  try {
    const kind = kindOf(await stat(file)); // before it is opened, which a device may notice
    if (kind !== null) throw unreadable(file, problem, kind);
    return await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isMissing(error)) return null;
    throw readError(file, problem, error);
  }
}

/** Names what is not a regular file; null for a regular file. */
export function kindOf(found: Stats): string | null {
  if (found.isFile()) return null;
  if (found.isDirectory()) return "a folder";
  if (found.isFIFO()) return "a named pipe";
  return found.isSocket() ? "a socket" : "a device";
}

export function unreadable(where: string, { expected, fix }: ReadProblem, found: string): InputError {
  return new InputError({ expected, where, found, fix });
}

/** Tells whether an error says that there is no such file. */
function isMissing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");
}

/**
 * Returns what is at a path; null if nothing is.
 *
 * @throws DiskError if that cannot be told.
 */
export async function statIfThere(file: string): Promise<Stats | null> {
  try {
    return await stat(file);
  } catch (error) {
    if (isMissing(error)) return null;
    throw readError(file, { expected: "to read", fix: "Fix the path." }, error);
  }
}

/** What a disk answers that fails or refuses. */
const DISK_FAILURES: Readonly<Record<string, string>> = {
  EIO: "a disk that fails",
  EREMOTEIO: "a disk that fails",
  ENXIO: "a disk that was taken away",
  ENODEV: "a disk that was taken away",
  ESTALE: "a network disk that was taken away",
  ENOTCONN: "a network disk that was taken away",
  EHOSTDOWN: "a network disk that does not answer",
  ETIMEDOUT: "a network disk that does not answer",
  EMFILE: "too many open files",
  ENFILE: "too many open files",
};

/** Tells whether the system failed at a file, rather than what was in it. */
export function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

/** Turns the error of a failed read into one that says whether the disk failed or the file is wrong; returns an InputError unchanged. */
export function readError(file: string, problem: ReadProblem, error: unknown): InputError {
  if (error instanceof InputError) return error;
  const { code = "", message } = error as NodeJS.ErrnoException;
  const { expected } = problem;
  const found = DISK_FAILURES[code];
  if (found)
    return new DiskError({ expected, where: file, found, fix: "Run again when the disk can be read." });
  if (code === "EACCES" || code === "EPERM")
    return new DiskError({
      expected,
      where: file,
      found: "no permission to read",
      fix: "Fix its permissions.",
    });
  if (code === "ELOOP") return unreadable(file, problem, "a link to itself");
  return unreadable(file, problem, code ? `the error ${code}` : message);
}

/** As some shares of a network and cloud drives. */
const NO_REPLACING = "a disk that does not let files replace others";

/** Turns the error of a failed write into an InputError if the user can fix it; returns other errors unchanged. */
export function writeError(file: string, error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  const found = {
    ...DISK_FAILURES,
    ENOSPC: "a full disk",
    EDQUOT: "an exhausted disk quota",
    EACCES: "no permission to write",
    EPERM: "no permission to write",
    EROFS: "a read-only disk",
    ENOTDIR: "a file instead of a folder",
    EEXIST: syscall === "rename" ? NO_REPLACING : "a file instead of a folder",
    EISDIR: "a folder instead of a file",
    ENOTEMPTY: "a folder instead of a file",
    ENOENT: "a folder that was removed meanwhile",
    ENAMETOOLONG: "a name that is too long for the disk",
    EFBIG: "a file that is too large for the disk",
  }[code ?? ""];
  if (!found) return error;
  const first = found.includes("instead of") ? "Rename it or" : "Make room or";
  const fix = `${found === NO_REPLACING ? "Run again, but" : first} choose another folder; what was there is kept.`;
  return new DiskError({ expected: "to write", where: file, found, fix });
}
