// Images decoded once: a file of pixels per data set and image size, in the user's cache.
import { createHash } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { cacheDir, replaceFile } from "../../files.js";
import type { OnProgress } from "../../progress.js";
import type { ClassFolders } from "../sources/class-folders.js";
import { decodeAll } from "./decode-all.js";
import { type DecodedImages, readPackedFile, writePackedFile } from "./packed-file.js";

/** Changes when the same files would give other pixels, or another file of them. */
const FORMAT_VERSION = 2;
/** Samples whose identity is digested at a time. */
const BLOCK = 4096;
/** A temporary file that nothing was written to for so long is of a process that was killed. */
const ABANDONED_MS = 3_600_000;

/**
 * The decoded images, from the cache where the files are the same as then.
 *
 * @throws InputError when the cache cannot be written.
 */
export async function loadDecoded(
  folders: ClassFolders,
  imageSize: number,
  onProgress?: OnProgress,
): Promise<DecodedImages> {
  const { samples } = folders;
  const file = pixelCacheFile(folders, imageSize);
  const readFile = (name: string) => readPackedFile(name, imageSize, samples);
  const cached = await readFile(file).catch(() => null); // one that is not whole is replaced
  if (cached) return cached;
  await removeAbandoned(path.dirname(file));
  return replaceFile(file, async (temporary) => {
    const outcomes = decodeAll(folders, imageSize, onProgress);
    const isKept = await writePackedFile(temporary, imageSize, samples.length, outcomes);
    return { isKept, result: await readFile(temporary) };
  });
}

/** Where the pixels of class folders are cached, by all that tells that they are the same. */
export function pixelCacheFile({ root, samples }: ClassFolders, imageSize: number): string {
  const identity = createHash("sha256").update(JSON.stringify([FORMAT_VERSION, path.resolve(root)]));
  for (let start = 0; start < samples.length; start += BLOCK) {
    const block = samples.slice(start, start + BLOCK);
    identity.update(JSON.stringify(block.map(({ path, size, changed }) => [path, size, changed])));
  }
  const key = identity.digest("hex").slice(0, 16);
  return path.join(cacheDir(), "pixels", `${key}-${imageSize}.bin`);
}

async function removeAbandoned(dir: string): Promise<void> {
  for (const name of await readdir(dir).catch(() => [])) {
    if (!name.endsWith(".tmp")) continue;
    const file = path.join(dir, name);
    const changed = (await stat(file).catch(() => null))?.mtimeMs ?? Number.POSITIVE_INFINITY;
    if (Date.now() - changed > ABANDONED_MS) await rm(file, { force: true });
  }
}
