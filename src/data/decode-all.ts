import { createHash } from "node:crypto";
import path from "node:path";
import { InputError } from "../errors.js";
import { type DecodedImage, decodeImage, readImageFile } from "./decode.js";
import type { ClassFolders, Sample } from "./folder.js";
import type { OnProgress } from "./packed.js";

/** A sample that was decoded. */
export interface DecodedSample extends Sample {
  /** SHA-256 of the file's bytes: equal for byte-identical files. */
  digest: string;
  /** Of the file, in pixels. */
  width: number;
  height: number;
}

/** All images of class folders that could be read, in the order of the samples. */
export interface DecodedImages {
  /** uint8 `[numImages, imageSize, imageSize, numChannels]`. */
  pixels: Uint8Array;
  numChannels: 1 | 3;
  samples: DecodedSample[];
  unreadable: Unreadable[];
}

interface Unreadable {
  path: string;
  reason: string;
}
type Result = DecodedSample | Unreadable;

/** sharp decodes each image on one thread; this many at a time keep all cores busy while files are read. */
const NUM_IN_FLIGHT = 8;
/** The longest Uint8Array that Node.js 20 makes. */
const MAX_BYTES = 2 ** 32 - 1;

/**
 * Decodes all images of class folders that can be read.
 *
 * @returns Also whether the same files would give the same another time: not where one could not be read for lack of a
 * permission or memory.
 * @throws InputError when the pixels are more than an array can hold.
 */
export async function decodeAll(
  folders: ClassFolders,
  imageSize: number,
  onProgress?: OnProgress,
): Promise<DecodedImages & { isLasting: boolean }> {
  const { default: sharp } = await import("sharp");
  const numThreads = sharp.concurrency();
  const { memory, files, items } = sharp.cache();
  sharp.concurrency(1);
  sharp.cache(false); // no image comes twice
  try {
    return await decodeSamples(folders, imageSize, onProgress);
  } finally {
    sharp.concurrency(numThreads);
    sharp.cache({ memory: memory.max, files: files.max, items: items.max });
  }
}

async function decodeSamples(
  { root, samples }: ClassFolders,
  imageSize: number,
  onProgress?: OnProgress,
): Promise<DecodedImages & { isLasting: boolean }> {
  const numValues = imageSize * imageSize;
  let numChannels: 1 | 3 = 1;
  let pixels = allocate(root, samples.length * numValues);
  const results: Result[] = new Array(samples.length);
  let [next, done, isLasting] = [0, 0, true];
  const work = async () => {
    try {
      for (let i = next++; i < samples.length; i = next++) {
        const { image, result, ...outcome } = await decodeSample(root, samples[i], imageSize);
        isLasting &&= outcome.isLasting;
        if (image && !image.isGrey && numChannels === 1) {
          pixels = repeatChannel(pixels, allocate(root, pixels.length * 3));
          numChannels = 3;
        }
        if (image && numChannels === 3) pixels.set(image.pixels, i * numValues * 3);
        else if (image) for (let p = 0; p < numValues; p++) pixels[i * numValues + p] = image.pixels[3 * p];
        results[i] = result;
        done++;
        if (done % 100 === 0 || done === samples.length)
          onProgress?.({ stage: "decode", done, total: samples.length, unit: "images" });
      }
    } finally {
      next = samples.length; // when one fails, the others stop
    }
  };
  await Promise.all(Array.from({ length: NUM_IN_FLIGHT }, work));
  return { ...compact(pixels, results, numChannels, numValues * numChannels), isLasting };
}

interface Outcome {
  image: DecodedImage | null;
  result: Result;
  /** The same file would give the same another time. */
  isLasting: boolean;
}

async function decodeSample(root: string, sample: Sample, imageSize: number): Promise<Outcome> {
  let isLasting = sample.size === 0;
  try {
    const bytes = await readImageFile(path.join(root, sample.path));
    isLasting = true;
    const image = await decodeImage(bytes, imageSize, sample.path);
    const digest = createHash("sha256").update(bytes).digest("hex");
    return { image, result: { ...sample, digest, width: image.width, height: image.height }, isLasting };
  } catch (error) {
    return { image: null, result: { path: sample.path, reason: reasonOf(error) }, isLasting };
  }
}

/** @throws InputError for more than an array can hold. */
function allocate(root: string, length: number): Uint8Array {
  if (length <= MAX_BYTES) return new Uint8Array(length);
  throw new InputError({
    expected: `at most ${MAX_BYTES} bytes of decoded images`,
    where: root,
    found: `${length}`,
    fix: "Choose a smaller image size or fewer images.",
  });
}

function repeatChannel(grey: Uint8Array, rgb: Uint8Array): Uint8Array {
  for (let i = 0; i < grey.length; i++) rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = grey[i];
  return rgb;
}

function reasonOf(error: unknown): string {
  const { problem, message } = error as { problem?: { found: string }; message: string };
  return problem?.found ?? message;
}

/** Closes the gaps of unreadable images, in place. */
function compact(pixels: Uint8Array, results: Result[], numChannels: 1 | 3, length: number): DecodedImages {
  const samples: DecodedSample[] = [];
  const unreadable: Unreadable[] = [];
  results.forEach((result, i) => {
    if ("reason" in result) {
      unreadable.push(result);
      return;
    }
    pixels.copyWithin(samples.length * length, i * length, (i + 1) * length);
    samples.push(result);
  });
  return { pixels: pixels.subarray(0, samples.length * length), numChannels, samples, unreadable };
}
