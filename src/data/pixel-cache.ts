// Images decoded once: a file of bytes per data set and image size, in the user's cache.
import { createHash } from "node:crypto";
import { open, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { cacheDir } from "../cache-dir.js";
import { writeFileAtomically } from "../files.js";
import { decodeImage } from "./decode.js";
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
  unreadable: { path: string; reason: string }[];
}

/** Changes when the same files would give other pixels. */
const FORMAT_VERSION = 1;
/** sharp decodes each image on one thread; this many at a time keep all cores busy while files are read. */
const NUM_IN_FLIGHT = 8;

/** The decoded images, from the cache where the files are the same as then. */
export async function loadDecoded(
  folders: ClassFolders,
  imageSize: number,
  onProgress?: OnProgress,
): Promise<DecodedImages> {
  const files = folders.samples.map(({ path, size, changed }) => [path, size, changed]);
  const identity = JSON.stringify([FORMAT_VERSION, imageSize, path.resolve(folders.root), files]);
  const key = createHash("sha256").update(identity).digest("hex").slice(0, 16);
  const file = path.join(cacheDir(), "pixels", `${key}-${imageSize}.bin`);
  const cached = await readCache(file, imageSize);
  if (cached) return cached;
  const decoded = await decodeAll(folders, imageSize, onProgress);
  await writeCache(file, decoded);
  return decoded;
}

async function decodeAll({ root, samples }: ClassFolders, imageSize: number, onProgress?: OnProgress) {
  const { default: sharp } = await import("sharp");
  sharp.concurrency(1);
  const length = imageSize * imageSize * 3;
  const pixels = new Uint8Array(samples.length * length);
  const results: (DecodedSample | { path: string; reason: string })[] = new Array(samples.length);
  let [next, done, isGrey] = [0, 0, true];
  const work = async () => {
    for (let i = next++; i < samples.length; i = next++) {
      const sample = samples[i];
      try {
        const bytes = await readFile(path.join(root, sample.path));
        const image = await decodeImage(bytes, imageSize, sample.path);
        pixels.set(image.pixels, i * length);
        isGrey &&= image.isGrey;
        const digest = createHash("sha256").update(bytes).digest("hex");
        results[i] = { ...sample, digest, width: image.width, height: image.height };
      } catch (error) {
        results[i] = { path: sample.path, reason: reasonOf(error) };
      }
      done++;
      if (done % 100 === 0 || done === samples.length)
        onProgress?.({ stage: "decode", done, total: samples.length, unit: "images" });
    }
  };
  await Promise.all(Array.from({ length: NUM_IN_FLIGHT }, work));
  return compact(pixels, results, isGrey, length);
}

function reasonOf(error: unknown): string {
  const { problem, message } = error as { problem?: { found: string }; message: string };
  return problem?.found ?? message;
}

/** Closes the gaps of unreadable images, and keeps one channel where all images are grey; in place. */
function compact(
  pixels: Uint8Array,
  results: (DecodedSample | { path: string; reason: string })[],
  isGrey: boolean,
  length: number,
): DecodedImages {
  const samples: DecodedSample[] = [];
  const unreadable: { path: string; reason: string }[] = [];
  const ownLength = isGrey ? length / 3 : length;
  results.forEach((result, i) => {
    if ("reason" in result) {
      unreadable.push(result);
      return;
    }
    const start = samples.length * ownLength;
    if (isGrey) for (let p = 0; p < ownLength; p++) pixels[start + p] = pixels[i * length + 3 * p];
    else pixels.copyWithin(start, i * length, (i + 1) * length);
    samples.push(result);
  });
  return {
    pixels: pixels.subarray(0, samples.length * ownLength),
    numChannels: isGrey ? 1 : 3,
    samples,
    unreadable,
  };
}

/** Layout: the header's length (uint32), the header (JSON), the pixels. */
async function writeCache(file: string, { pixels, ...header }: DecodedImages): Promise<void> {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  await writeFileAtomically(file, [length, json, pixels]);
}

/** Null where there is no cache, or one that is not whole, which is removed. */
async function readCache(file: string, imageSize: number): Promise<DecodedImages | null> {
  const handle = await open(file).catch(() => null);
  if (!handle) return null;
  try {
    const { size } = await handle.stat();
    const length = await readBytes(handle, 4, 0);
    const headerLength = Buffer.from(length).readUInt32LE();
    const header = JSON.parse(
      Buffer.from(await readBytes(handle, Math.min(headerLength, size), 4)).toString(),
    );
    const pixels = await readBytes(handle, size - 4 - headerLength, 4 + headerLength);
    const { samples, numChannels } = header as DecodedImages;
    if (pixels.length !== samples.length * imageSize * imageSize * numChannels) throw new Error("cut short");
    return { ...header, pixels };
  } catch {
    await rm(file, { force: true });
    return null;
  } finally {
    await handle.close();
  }
}

async function readBytes(handle: Awaited<ReturnType<typeof open>>, length: number, position: number) {
  const bytes = new Uint8Array(length);
  await handle.read(bytes, 0, length, position);
  return bytes;
}
