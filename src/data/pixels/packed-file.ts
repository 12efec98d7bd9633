// The cache's file of decoded images: uint8 pixels `[numImages, imageSize, imageSize, numChannels]`, a record of each image,
// the rest as JSON, and a tail of six numbers with the lengths of these parts.
import { closeSync, fstatSync, openSync } from "node:fs";
import { open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { syncFile } from "../../files.js";
import type { Sample } from "../sources/listing.js";
import type { PackedImage } from "./decode.js";
import { readBytes, writeBytes } from "./file-bytes.js";
import type { FileTraits } from "./header.js";
import { PixelFile, type Pixels, repeatChannel } from "./pixels.js";
import type { SampleRange, WhiteLevels } from "./sample-range.js";

/** A sample that was decoded. */
export interface DecodedSample extends Sample {
  /** SHA-256 of the file's bytes, in hexadecimal. */
  digest: string;
  /** Size of the image in the file, in pixels. */
  width: number;
  height: number;
  /** Whether the decoded image has no colour. */
  isGrey: boolean;
  /** Values, 0–255, that 1% of the decoded ones are below, and above. */
  dark: number;
  light: number;
  traits: FileTraits;
}

/** All readable images of class folders, in the order of the samples. */
export interface DecodedImages {
  pixels: Pixels;
  numChannels: 1 | 3;
  samples: DecodedSample[];
  unreadable: { path: string; reason: string }[];
  /** For each number format other than 8 bits, the number that is white. */
  whiteLevels: WhiteLevels;
}

/** A readable image. */
export interface Decoded extends PackedImage {
  /** SHA-256 of the file's bytes. */
  digest: Uint8Array;
}

/** An unreadable image. */
export interface Undecoded {
  reason: string;
  /** Whether the same file would fail again. It would not after a lack of permission or memory. */
  isLasting: boolean;
}

/** Index of the sample, reason. */
type UnreadableRecord = [number, string];

/** What the file holds as JSON. */
interface Details {
  unreadable: UnreadableRecord[];
  /** Each different one, as the records number them. */
  traits: FileTraits[];
  whiteLevels: WhiteLevels;
}

/** Where the record of an image has what, and its length. */
const RECORD = {
  digest: 0,
  width: 32,
  height: 36,
  traits: 40,
  isGrey: 42,
  dark: 43,
  light: 44,
  checksum: 45,
  length: 49,
};
/** Six numbers of 32 bits: magic number, CRC-32 of records and JSON, image size, channels, images, length of the JSON. */
const TAIL_BYTES = 24;
const MAGIC = 0x66_6b_70_33;

/** @param traits - The number of its traits. */
function writeRecord(record: Buffer, image: Decoded, traits: number): void {
  const { dark, light } = tonesOf(image.pixels);
  record.set(image.digest, RECORD.digest);
  record.writeUInt32LE(image.width, RECORD.width);
  record.writeUInt32LE(image.height, RECORD.height);
  record.writeUInt16LE(traits, RECORD.traits);
  record.writeUInt8(Number(image.numChannels === 1), RECORD.isGrey);
  record.writeUInt8(dark, RECORD.dark);
  record.writeUInt8(light, RECORD.light);
  record.writeUInt32LE(crc32(image.pixels), RECORD.checksum);
}

/** @param traits - Each different one, as the records number them. */
function readRecord(record: Buffer, traits: FileTraits[]): Omit<DecodedSample, keyof Sample> {
  return {
    digest: record.toString("hex", RECORD.digest, RECORD.width),
    width: record.readUInt32LE(RECORD.width),
    height: record.readUInt32LE(RECORD.height),
    isGrey: record.readUInt8(RECORD.isGrey) === 1,
    dark: record.readUInt8(RECORD.dark),
    light: record.readUInt8(RECORD.light),
    traits: traits[record.readUInt16LE(RECORD.traits)],
  };
}

function recordAt(records: Buffer, index: number): Buffer {
  return records.subarray(index * RECORD.length, (index + 1) * RECORD.length);
}

/** What was written. */
export interface Written {
  /** Whether the same files would give the same outcomes again. */
  isLasting: boolean;
  /** Largest number that was white, by number format. */
  whiteLevels: WhiteLevels;
  /** Whether that number was the same in all files of a format. */
  isUniform: boolean;
}

/**
 * Writes the outcomes as they come.
 *
 * @param outcomes - One for each sample, in order.
 */
export async function writePackedFile(
  file: string,
  imageSize: number,
  numSamples: number,
  outcomes: AsyncIterable<Decoded | Undecoded>,
): Promise<Written> {
  const records = Buffer.alloc(numSamples * RECORD.length);
  const unreadable: UnreadableRecord[] = [];
  const traits = new Map<string, number>();
  const widened = new Uint32Array(numSamples); // checksums if all images get three channels
  const levels = new WhiteLevelTally();
  let isLasting = true;
  const handle = await open(file, "wx+");
  try {
    const writer = new PixelWriter(handle.fd, imageSize);
    for await (const outcome of outcomes)
      if ("reason" in outcome) {
        unreadable.push([writer.numImages + unreadable.length, outcome.reason]);
        isLasting &&= outcome.isLasting;
      } else {
        const key = JSON.stringify(outcome.traits);
        if (!traits.has(key)) traits.set(key, traits.size);
        writeRecord(recordAt(records, writer.numImages), outcome, traits.get(key) as number);
        if (outcome.numChannels === 1) widened[writer.numImages] = crc32(repeatChannel(outcome.pixels));
        if (outcome.range) levels.add(outcome.range);
        await writer.append(outcome.pixels, outcome.numChannels);
      }
    const { numChannels, numImages } = writer;
    for (let i = 0; numChannels === 3 && i < numImages; i++) {
      const record = recordAt(records, i);
      if (record.readUInt8(RECORD.isGrey) === 1) record.writeUInt32LE(widened[i], RECORD.checksum);
    }
    const { whiteLevels, isUniform } = levels;
    const allTraits = [...traits.keys()].map((key) => JSON.parse(key));
    const json = Buffer.from(
      JSON.stringify({ unreadable, traits: allTraits, whiteLevels } satisfies Details),
    );
    const described = Buffer.concat([records.subarray(0, numImages * RECORD.length), json]);
    const tail = Buffer.alloc(TAIL_BYTES);
    [MAGIC, crc32(described), imageSize, numChannels, numImages, json.length].forEach((value, i) => {
      tail.writeUInt32LE(value, 4 * i);
    });
    const end = await writer.flush();
    await writeBytes(handle.fd, Buffer.concat([described, tail]), end);
    await syncFile(handle);
    return { isLasting, whiteLevels, isUniform };
  } finally {
    await handle.close();
  }
}

/** Finds the values that 1% of an image's are below, and above. */
function tonesOf(pixels: Uint8Array): { dark: number; light: number } {
  const counts = new Uint32Array(256);
  for (const value of pixels) counts[value]++;
  const rest = Math.floor(pixels.length / 100);
  const beyond = (values: Iterable<number>) => {
    let sum = 0;
    for (const value of values) {
      sum += counts[value];
      if (sum > rest) return value;
    }
    return 0;
  };
  const rising = [...counts.keys()];
  return { dark: beyond(rising), light: beyond(rising.reverse()) };
}

/** Pixels are written in blocks of this size. */
const BLOCK_BYTES = 2 ** 22;

/** Appends images to a file, with one channel as long as all of them are grey. */
export class PixelWriter {
  numImages = 0;
  numChannels: 1 | 3 = 1;
  private readonly block: Uint8Array;
  private blockLength = 0;
  /** Bytes that are in the file. */
  private written = 0;

  /** @param descriptor - An empty file, open for reading and writing; the caller closes it. */
  constructor(
    private readonly descriptor: number,
    imageSize: number,
  ) {
    this.block = new Uint8Array(Math.max(BLOCK_BYTES, imageSize ** 2 * 3));
  }

  /** @param pixels - uint8 `[imageSize, imageSize, numChannels]`. */
  async append(pixels: Uint8Array, numChannels: 1 | 3): Promise<void> {
    if (numChannels > this.numChannels) await this.widen();
    const image = numChannels < this.numChannels ? repeatChannel(pixels) : pixels;
    if (this.blockLength + image.length > this.block.length) await this.flush();
    this.block.set(image, this.blockLength);
    this.blockLength += image.length;
    this.numImages++;
  }

  /** Writes the rest, and returns the length of the file. */
  async flush(): Promise<number> {
    await writeBytes(this.descriptor, this.block.subarray(0, this.blockLength), this.written);
    this.written += this.blockLength;
    this.blockLength = 0;
    return this.written;
  }

  /** Makes three channels of one, from the end of the file to its start, so that it reads each block before it overwrites it. */
  private async widen(): Promise<void> {
    const length = await this.flush();
    for (let end = length; end > 0; ) {
      const start = Math.max(0, end - BLOCK_BYTES);
      const grey = new Uint8Array(end - start);
      await readBytes(this.descriptor, grey, start);
      await writeBytes(this.descriptor, repeatChannel(grey), 3 * start);
      end = start;
    }
    this.written = 3 * length;
    this.numChannels = 3;
  }
}

/**
 * Opens a file that `writePackedFile` wrote; the pixels stay in it.
 *
 * @param samples - The samples that it was written for.
 * @param name - What the file is called in errors, if it will be renamed.
 * @throws Error if there is no such file, or it is incomplete or damaged; damaged pixels are found when they are read.
 */
export async function readPackedFile(
  file: string,
  imageSize: number,
  samples: Sample[],
  name = file,
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
    const [magic, checksum, side, numChannels, numImages, jsonLength] = numbers;
    const imageBytes = imageSize ** 2 * numChannels;
    const [pixelBytes, recordBytes] = [numImages * imageBytes, numImages * RECORD.length];
    if (
      magic !== MAGIC ||
      side !== imageSize ||
      pixelBytes + recordBytes + jsonLength + TAIL_BYTES !== size ||
      numImages > samples.length
    )
      throw new Error("incomplete");
    const described = await bytesAt(pixelBytes, recordBytes + jsonLength);
    if (crc32(described) !== checksum) throw new Error("damaged");
    const [records, json] = [described.subarray(0, recordBytes), described.subarray(recordBytes)];
    const known = joinRecords(samples, records, JSON.parse(json.toString()) as Details);
    const checksums = Uint32Array.from({ length: numImages }, (_, i) =>
      recordAt(records, i).readUInt32LE(RECORD.checksum),
    );
    const pixels = new PixelFile(descriptor, imageBytes, checksums, name);
    return { pixels, numChannels: numChannels as 1 | 3, ...known };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Adds to each sample what its record says. */
function joinRecords(
  samples: Sample[],
  records: Buffer,
  { unreadable, traits, whiteLevels }: Details,
): Pick<DecodedImages, "samples" | "unreadable" | "whiteLevels"> {
  const reasons = new Map(unreadable);
  const decoded = samples.filter((_, index) => !reasons.has(index));
  if (decoded.length * RECORD.length !== records.length) throw new Error("incomplete");
  return {
    samples: decoded.map((sample, i) => ({ ...sample, ...readRecord(recordAt(records, i), traits) })),
    unreadable: unreadable.map(([index, reason]) => ({ path: samples[index].path, reason })),
    whiteLevels,
  };
}

/** The largest number that is white in the files of each number format. */
class WhiteLevelTally {
  readonly whiteLevels: WhiteLevels = {};
  isUniform = true;

  add({ numbers, white }: SampleRange): void {
    const before = this.whiteLevels[numbers] ?? white;
    if (before !== white) this.isUniform = false;
    this.whiteLevels[numbers] = Math.max(before, white);
  }
}
