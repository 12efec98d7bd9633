// Images decoded once: a file of bytes per data set and image size, in the user's cache.
import { createHash } from "node:crypto";
import { open, rm } from "node:fs/promises";
import path from "node:path";
import { cacheDir } from "../cache-dir.js";
import { InputError } from "../errors.js";
import { writeFileAtomically } from "../files.js";
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

/** Changes when the same files would give other pixels. */
const FORMAT_VERSION = 1;
/** sharp decodes each image on one thread; this many at a time keep all cores busy while files are read. */
const NUM_IN_FLIGHT = 8;
/** The longest Uint8Array that Node.js 20 makes. */
const MAX_BYTES = 2 ** 32 - 1;
/** A file is read in parts, since one read is limited to 2³¹ - 1 bytes. */
const READ_BYTES = 2 ** 30;

/**
 * The decoded images, from the cache where the files are the same as then.
 *
 * @throws InputError when the pixels are more than an array can hold, or the cache cannot be written.
 */
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

async function decodeAll(
  { root, samples }: ClassFolders,
  imageSize: number,
  onProgress?: OnProgress,
): Promise<DecodedImages> {
  const { default: sharp } = await import("sharp");
  sharp.concurrency(1);
  const numValues = imageSize * imageSize;
  let numChannels: 1 | 3 = 1;
  let pixels = allocate(root, samples.length * numValues);
  const results: Result[] = new Array(samples.length);
  let [next, done] = [0, 0];
  const work = async () => {
    try {
      for (let i = next++; i < samples.length; i = next++) {
        const [image, result] = await decodeSample(root, samples[i], imageSize);
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
  return compact(pixels, results, numChannels, numValues * numChannels);
}

async function decodeSample(
  root: string,
  sample: Sample,
  imageSize: number,
): Promise<[DecodedImage | null, Result]> {
  try {
    const bytes = await readImageFile(path.join(root, sample.path));
    const image = await decodeImage(bytes, imageSize, sample.path);
    const digest = createHash("sha256").update(bytes).digest("hex");
    return [image, { ...sample, digest, width: image.width, height: image.height }];
  } catch (error) {
    return [null, { path: sample.path, reason: reasonOf(error) }];
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
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(
      bytes,
      done,
      Math.min(length - done, READ_BYTES),
      position + done,
    );
    if (bytesRead === 0) throw new Error("cut short");
    done += bytesRead;
  }
  return bytes;
}
