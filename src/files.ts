import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { InputError } from "./errors.js";

/**
 * Writes a file as a whole or not at all: to a temporary one beside it, then renamed.
 *
 * @throws InputError when the disk is full or the folder cannot be written; nothing is left behind.
 */
export async function writeFileAtomically(
  file: string,
  data: string | Uint8Array | Uint8Array[],
): Promise<void> {
  const temporary = `${file}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    await mkdir(path.dirname(file), { recursive: true });
    const handle = await open(temporary, "w");
    try {
      for (const part of Array.isArray(data) ? data : [data]) await handle.writeFile(part);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // there may be no such folder
    throw writeError(file, error);
  }
}

/** The error that a failed write deserves, as an InputError where the user can mend it. */
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
