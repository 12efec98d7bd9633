import { createHash } from "node:crypto";
import path from "node:path";
import type { OnProgress } from "../../progress.js";
import type { ClassFolders, Sample } from "../sources/class-folders.js";
import { decodePacked, loadSharp, type PackedImage, readImageFile } from "./decode.js";

/** An image that could be read, as it is packed. */
export interface Decoded extends PackedImage {
  /** SHA-256 of the file's bytes. */
  digest: Uint8Array;
}

/** An image that could not be read. */
export interface Undecoded {
  reason: string;
  /** The same file would give the same another time: not where a permission or memory lacked. */
  isLasting: boolean;
}

/**
 * Images under way at a time: sharp decodes each on one thread, so this many keep its threads busy while files are read and
 * while a large image holds up those after it.
 */
const NUM_IN_FLIGHT = 32;

/** Decodes all images of class folders on all cores, and gives what became of each in the order of the samples. */
export async function* decodeAll(
  { root, samples }: ClassFolders,
  imageSize: number,
  onProgress?: OnProgress,
): AsyncGenerator<Decoded | Undecoded, void, undefined> {
  const sharp = await loadSharp();
  const numThreads = sharp.concurrency();
  const { memory, files, items } = sharp.cache();
  sharp.concurrency(1);
  sharp.cache(false); // no image comes twice
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
    await Promise.all(inFlight); // where whoever takes them stops before the end
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
