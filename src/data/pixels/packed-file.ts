// The file that decoded images are kept in: uint8 pixels `[numImages, imageSize, imageSize, numChannels]`, a record of each
// image, the unreadable ones as JSON, and at the end what tells these apart.
import { closeSync, fstatSync, openSync } from "node:fs";
import { open } from "node:fs/promises";
import { readBytes, writeBytes } from "../../files.js";
import type { Sample } from "../sources/class-folders.js";
import type { Decoded, Undecoded } from "./decode-all.js";
import { PixelWriter } from "./pixel-writer.js";
import { PixelFile, type Pixels } from "./pixels.js";

/** A sample that was decoded. */
export interface DecodedSample extends Pick<Sample, "path" | "className" | "split"> {
  /** SHA-256 of the file's bytes, in hexadecimal: equal for byte-identical files. */
  digest: string;
  /** Of the file, in pixels. */
  width: number;
  height: number;
}

/** All images of class folders that could be read, in the order of the samples. */
export interface DecodedImages {
  pixels: Pixels;
  numChannels: 1 | 3;
  samples: DecodedSample[];
  unreadable: { path: string; reason: string }[];
}

/** Place among the samples, reason. */
type UnreadableRecord = [number, string];

/** SHA-256, width, height. */
const [DIGEST_BYTES, RECORD_BYTES] = [32, 40];
/** Five numbers of 32 bits: the mark, image size, channels, images, length of the JSON. */
const TAIL_BYTES = 20;
const MARK = 0x66_6b_70_32;

/**
 * Writes what became of the samples, as it comes.
 *
 * @param outcomes - One for each sample, in their order.
 * @returns Whether the same files would give the same another time.
 */
export async function writePackedFile(
  file: string,
  imageSize: number,
  numSamples: number,
  outcomes: AsyncIterable<Decoded | Undecoded>,
): Promise<boolean> {
  const records = Buffer.alloc(numSamples * RECORD_BYTES);
  const unreadable: UnreadableRecord[] = [];
  let isLasting = true;
  const handle = await open(file, "wx+");
  try {
    const writer = new PixelWriter(handle.fd, imageSize);
    for await (const outcome of outcomes)
      if ("reason" in outcome) {
        unreadable.push([writer.numImages + unreadable.length, outcome.reason]);
        isLasting &&= outcome.isLasting;
      } else {
        const at = writer.numImages * RECORD_BYTES;
        records.set(outcome.digest, at);
        records.writeUInt32LE(outcome.width, at + DIGEST_BYTES);
        records.writeUInt32LE(outcome.height, at + DIGEST_BYTES + 4);
        await writer.append(outcome.pixels, outcome.numChannels);
      }
    const { numChannels, numImages } = writer;
    const json = Buffer.from(JSON.stringify(unreadable));
    const tail = Buffer.alloc(TAIL_BYTES);
    [MARK, imageSize, numChannels, numImages, json.length].forEach((value, i) => {
      tail.writeUInt32LE(value, 4 * i);
    });
    const recordBytes = numImages * RECORD_BYTES;
    const end = await writer.flush();
    await writeBytes(handle.fd, records.subarray(0, recordBytes), end);
    await writeBytes(handle.fd, Buffer.concat([json, tail]), end + recordBytes);
    await handle.sync();
    return isLasting;
  } finally {
    await handle.close();
  }
}

/**
 * Opens what `writePackedFile` wrote; the pixels stay in it.
 *
 * @param samples - Those that the file was written for.
 * @throws Error when there is no such file, or it is not whole.
 */
export async function readPackedFile(
  file: string,
  imageSize: number,
  samples: Sample[],
): Promise<DecodedImages> {
  const descriptor = openSync(file, "r");
  try {
    const { size } = fstatSync(descriptor);
    const bytesAt = async (position: number, length: number) => {
      const bytes = Buffer.alloc(length);
      await readBytes(descriptor, bytes, position);
      return bytes;
    };
    const tail = await bytesAt(size - TAIL_BYTES, TAIL_BYTES);
    const numbers = Array.from({ length: TAIL_BYTES / 4 }, (_, i) => tail.readUInt32LE(4 * i));
    const [mark, side, numChannels, numImages, jsonLength] = numbers;
    const imageBytes = imageSize ** 2 * numChannels;
    const [pixelBytes, recordBytes] = [numImages * imageBytes, numImages * RECORD_BYTES];
    if (
      mark !== MARK ||
      side !== imageSize ||
      pixelBytes + recordBytes + jsonLength + TAIL_BYTES !== size ||
      numImages > samples.length
    )
      throw new Error("not whole");
    const records = await bytesAt(pixelBytes, recordBytes);
    const json = await bytesAt(pixelBytes + recordBytes, jsonLength);
    const unreadable: UnreadableRecord[] = JSON.parse(json.toString());
    const known = joined(samples, records, unreadable);
    return { pixels: new PixelFile(descriptor, imageBytes), numChannels: numChannels as 1 | 3, ...known };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** The samples with what is recorded of them. */
function joined(
  samples: Sample[],
  records: Buffer,
  unreadable: UnreadableRecord[],
): Pick<DecodedImages, "samples" | "unreadable"> {
  const reasons = new Map(unreadable);
  const decoded = samples.filter((_, place) => !reasons.has(place));
  if (decoded.length * RECORD_BYTES !== records.length) throw new Error("not whole");
  return {
    samples: decoded.map(({ path, className, split }, i) => {
      const at = i * RECORD_BYTES;
      return {
        path,
        className,
        split,
        digest: records.toString("hex", at, at + DIGEST_BYTES),
        width: records.readUInt32LE(at + DIGEST_BYTES),
        height: records.readUInt32LE(at + DIGEST_BYTES + 4),
      };
    }),
    unreadable: unreadable.map(([place, reason]) => ({ path: samples[place].path, reason })),
  };
}
