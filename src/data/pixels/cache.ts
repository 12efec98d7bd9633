// Images are decoded once, into one file for each data set and image size in the user's cache.
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import path from "node:path";
import { ParameterError } from "../../errors.js";
import { cacheDir, removeAbandoned, replaceFile } from "../../files.js";
import { DEFAULT_DECODING, type Decoding } from "../../model/preprocessing.js";
import type { OnProgress } from "../../progress.js";
import type { Listing, Sample } from "../sources/listing.js";
import { decodePacked, loadSharp, readImageFile, TOO_SLOW } from "./decode.js";
import {
  type Decoded,
  type DecodedImages,
  readPackedFile,
  type Undecoded,
  writePackedFile,
} from "./packed-file.js";
import { PixelChannels } from "./pixels.js";

/** Images of a data set, before they are decoded. */
type Images = Pick<Listing, "root" | "samples">;

/** Changes when the same files would give other pixels or be refused, or with the layout of the file. */
const FORMAT_VERSION = 8;
/** Samples that go into the key at a time. */
const KEY_BLOCK = 4096;

/**
 * Loads the decoded images: from the cache if the files are unchanged, otherwise from the files.
 *
 * @throws InputError if the cache cannot be written.
 */
export async function loadDecoded(
  folders: Images,
  imageSize: number,
  decoding: Decoding = DEFAULT_DECODING,
  onProgress?: OnProgress,
): Promise<DecodedImages> {
  const { samples } = folders;
  const file = pixelCacheFile(folders, imageSize, decoding);
  const readFile = (name: string) => readPackedFile(name, imageSize, samples, file);
  const cached = await readFile(file).catch(() => null); // a damaged file is replaced
  if (cached) return cached;
  await removeAbandoned(path.dirname(file));
  return replaceFile(file, async (temporary) => {
    const write = (how: Decoding) =>
      writePackedFile(temporary, imageSize, samples.length, decodeAll(folders, imageSize, how, onProgress));
    let written = await write(decoding);
    if (!written.isUniform) {
      // Once more, with one range for all files of a number format.
      await rm(temporary);
      written = await write({ ...decoding, whiteLevels: written.whiteLevels });
    }
    return { isKept: written.isLasting, result: await readFile(temporary) };
  });
}

/** Returns the path of the cached pixels, which changes with everything that shows that the files changed. */
function pixelCacheFile({ root, samples }: Images, imageSize: number, decoding: Decoding): string {
  const common = [FORMAT_VERSION, path.resolve(root), decoding];
  const identity = createHash("sha256").update(JSON.stringify(common));
  for (let start = 0; start < samples.length; start += KEY_BLOCK) {
    const block = samples.slice(start, start + KEY_BLOCK);
    identity.update(JSON.stringify(block.map(({ path, size, changed }) => [path, size, changed])));
  }
  const key = identity.digest("hex").slice(0, 16);
  return path.join(cacheDir(), "pixels", `${key}-${imageSize}.bin`);
}

/**
 * Images decoded at a time. sharp decodes each on one thread; this many keep its threads busy while files are read and while
 * a large image delays those after it.
 */
const MAX_IN_FLIGHT = 32;
/** Pixels of the images decoded at a time, which are up to 6 × 6 times as large as wanted. */
const PIXELS_IN_FLIGHT = 2 ** 27;

/** Decodes all images of class folders on all cores, and yields the outcomes in the order of the samples. */
export async function* decodeAll(
  { root, samples }: Images,
  imageSize: number,
  decoding: Decoding,
  onProgress?: OnProgress,
): AsyncGenerator<Decoded | Undecoded, void, undefined> {
  const sharp = await loadSharp();
  const numThreads = sharp.concurrency();
  const { memory, files, items } = sharp.cache();
  sharp.concurrency(1);
  sharp.cache(false); // each image is decoded once
  const numInFlight = Math.max(
    2,
    Math.min(MAX_IN_FLIGHT, Math.floor(PIXELS_IN_FLIGHT / (6 * imageSize) ** 2)),
  );
  const inFlight: Promise<Decoded | Undecoded>[] = [];
  try {
    for (let done = 0, next = 0; done < samples.length; ) {
      while (next < samples.length && inFlight.length < numInFlight)
        inFlight.push(decodeSample(root, samples[next++], imageSize, decoding));
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

async function decodeSample(
  root: string,
  sample: Sample,
  imageSize: number,
  decoding: Decoding,
): Promise<Decoded | Undecoded> {
  let isLasting = sample.size === 0;
  try {
    const bytes = await readImageFile(path.join(root, sample.path));
    isLasting = true;
    const image = await decodePacked(bytes, imageSize, sample.path, decoding);
    return { ...image, digest: createHash("sha256").update(bytes).digest() };
  } catch (error) {
    const { problem, message } = error as { problem?: { found: string }; message: string };
    const reason = problem?.found ?? message;
    return { reason, isLasting: isLasting && reason !== TOO_SLOW };
  }
}

/**
 * Returns `grey` if it is a setting for it.
 *
 * @throws ParameterError "Expected auto, true or false for grey but received 1 of type number"
 */
export function checkGrey(grey: unknown): "auto" | boolean {
  if (grey === "auto" || typeof grey === "boolean") return grey;
  throw new ParameterError("grey", "auto, true or false", grey);
}

/** Returns the images with the channels that the setting asks for: `auto` is grey if most images are. */
export function withChannels(decoded: DecodedImages, grey: "auto" | boolean): DecodedImages {
  const numGrey = decoded.samples.filter(({ isGrey }) => isGrey).length;
  const isUsedGrey = grey === "auto" ? numGrey > decoded.samples.length / 2 : grey;
  const numChannels = isUsedGrey ? 1 : 3;
  if (numChannels === decoded.numChannels) return decoded;
  return { ...decoded, numChannels, pixels: new PixelChannels(decoded.pixels, numChannels) };
}
