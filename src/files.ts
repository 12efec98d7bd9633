import { randomBytes } from "node:crypto";
import { read, write } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { InputError } from "./errors.js";

/** Returns the user's cache folder, which all clones share. */
export function cacheDir(): string {
  const { FERKIT_CACHE, XDG_CACHE_HOME } = process.env;
  if (FERKIT_CACHE) return path.resolve(FERKIT_CACHE);
  // The XDG specification ignores empty and relative paths.
  const isUsable = XDG_CACHE_HOME !== undefined && path.isAbsolute(XDG_CACHE_HOME);
  return path.join(isUsable ? XDG_CACHE_HOME : path.join(os.homedir(), ".cache"), "ferkit");
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
      await handle.sync();
    } finally {
      await handle.close();
    }
    return { isKept: true, result: undefined };
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
    await mkdir(path.dirname(file), { recursive: true });
    const { isKept, result } = await write(temporary);
    await (isKept ? rename(temporary, file) : rm(temporary));
    return result;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // the folder may be missing
    throw writeError(file, error);
  }
}

/** Most bytes that one call reads or writes; the system's limit is a little below 2³¹. */
const CALL_BYTES = 2 ** 30;

/**
 * Fills `bytes` from a position of a file.
 *
 * @throws Error when the file ends too early.
 */
export function readBytes(descriptor: number, bytes: Uint8Array, position: number): Promise<void> {
  return transfer(read, descriptor, bytes, position);
}

/** Writes `bytes` at a position of a file. */
export function writeBytes(descriptor: number, bytes: Uint8Array, position: number): Promise<void> {
  return transfer(write, descriptor, bytes, position);
}

type Call = (
  descriptor: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
  callback: (error: Error | null, count: number) => void,
) => void;

/** Uses callbacks, which cost half of what promises do for a few thousand bytes. */
function transfer(call: Call, descriptor: number, bytes: Uint8Array, position: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const continueAt = (done: number): void => {
      if (done === bytes.length) {
        resolve();
        return;
      }
      const length = Math.min(bytes.length - done, CALL_BYTES);
      call(descriptor, bytes, done, length, position + done, (error, count) => {
        if (error) reject(error);
        else if (count === 0) reject(new Error("the file was cut short"));
        else continueAt(done + count);
      });
    };
    continueAt(0);
  });
}

/** Turns the error of a failed write into an InputError if the user can fix it; returns other errors unchanged. */
export function writeError(file: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  const found = {
    ENOSPC: "a full disk",
    EDQUOT: "an exhausted disk quota",
    EACCES: "no permission to write",
    EROFS: "a read-only disk",
    ENOTDIR: "a file in place of a folder",
    EEXIST: "a file in place of a folder",
  }[code ?? ""];
  if (!found) return error;
  return new InputError({
    expected: "to write",
    where: file,
    found,
    fix: "Make room or choose another folder; nothing was changed.",
  });
}
