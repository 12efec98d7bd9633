// Images are decoded once, into one file for each data set and image size in the user's cache.
import { createHash } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { cacheDir, replaceFile } from "../../files.js";
import type { OnProgress } from "../../progress.js";
import type { ClassFolders, Sample } from "../sources/class-folders.js";
import { decodePacked, loadSharp, readImageFile } from "./decode.js";
import {
  type Decoded,
  type DecodedImages,
  readPackedFile,
  type Undecoded,
  writePackedFile,
} from "./packed-file.js";

/** Changes when the same files would give other pixels, or another layout of the file. */
const FORMAT_VERSION = 2;
/** Samples that go into the key at a time. */
const KEY_BLOCK = 4096;
/** A process that has not written to its temporary file for this long was killed. */
const ABANDONED_MS = 3_600_000;

/**
 * Loads the decoded images: from the cache if the files are unchanged, otherwise from the files.
 *
 * @throws InputError if the cache cannot be written.
 */
export async function loadDecoded(
  folders: ClassFolders,
  imageSize: number,
  onProgress?: OnProgress,
): Promise<DecodedImages> {
  const { samples } = folders;
  const file = pixelCacheFile(folders, imageSize);
  const readFile = (name: string) => readPackedFile(name, imageSize, samples);
  const cached = await readFile(file).catch(() => null); // a damaged file is replaced
  if (cached) return cached;
  await removeAbandoned(path.dirname(file));
  return replaceFile(file, async (temporary) => {
    const outcomes = decodeAll(folders, imageSize, onProgress);
    const isKept = await writePackedFile(temporary, imageSize, samples.length, outcomes);
    return { isKept, result: await readFile(temporary) };
  });
}

/** Returns the path of the cached pixels, which changes with everything that shows that the files changed. */
function pixelCacheFile({ root, samples }: ClassFolders, imageSize: number): string {
  const identity = createHash("sha256").update(JSON.stringify([FORMAT_VERSION, path.resolve(root)]));
  for (let start = 0; start < samples.length; start += KEY_BLOCK) {
    const block = samples.slice(start, start + KEY_BLOCK);
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

/**
 * Images decoded at a time. sharp decodes each on one thread; this many keep its threads busy while files are read and while
 * a large image delays those after it.
 */
const NUM_IN_FLIGHT = 32;

/** Decodes all images of class folders on all cores, and yields the outcomes in the order of the samples. */
export async function* decodeAll(
  { root, samples }: ClassFolders,
  imageSize: number,
  onProgress?: OnProgress,
): AsyncGenerator<Decoded | Undecoded, void, undefined> {
  const sharp = await loadSharp();
  const numThreads = sharp.concurrency();
  const { memory, files, items } = sharp.cache();
  sharp.concurrency(1);
  sharp.cache(false); // each image is decoded once
  const inFlight: Promise<Decoded | Undecoded>[] = [];
  try {
    for (let done = 0, next = 0; done < samples.length; ) {
      while (next < samples.length && inFlight.length < NUM_IN_FLIGHT)
        inFlight.push(decodeSample(root, samples[next++], imageSize));
      yield (await inFlight.shift()) as Decoded | Undecoded;
      done++;
      if (done % 100 === 0 || done === samples.length)
        onProgress?.({ stage: "decode", done, total: samples.length, unit: "images" });
    }
  } finally {
    await Promise.all(inFlight); // if the consumer stops early
    sharp.concurrency(numThreads);
    sharp.cache({ memory: memory.max, files: files.max, items: items.max });
  }
}

async function decodeSample(root: string, sample: Sample, imageSize: number): Promise<Decoded | Undecoded> {
  let isLasting = sample.size === 0;
  try {
    const bytes = await readImageFile(path.join(root, sample.path));
    isLasting = true;
    const image = await decodePacked(bytes, imageSize, sample.path);
    return { ...image, digest: createHash("sha256").update(bytes).digest() };
  } catch (error) {
    const { problem, message } = error as { problem?: { found: string }; message: string };
    return { reason: problem?.found ?? message, isLasting };
  }
}
