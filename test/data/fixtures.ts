import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { crc32 } from "node:zlib";
import sharp from "sharp";
import { Header } from "tar";
import type { FileTraits } from "../../src/data/pixels/header.js";
import type { DecodedImages, DecodedSample } from "../../src/data/pixels/packed-file.js";
import type { Pixels } from "../../src/data/pixels/pixels.js";
import { walkFolder } from "../../src/data/sources/files.js";
import { type FolderChoice, findClassFolders } from "../../src/data/sources/folders/class-folders.js";
import { leaveFoldersOut } from "../../src/data/sources/folders/leave-out.js";
import { chooseParts } from "../../src/data/sources/listing.js";
import { InputError } from "../../src/errors.js";

/** Environment variables of data and caches. */
const VARIABLES = ["XDG_CACHE_HOME", "FERKIT_CACHE", "FERKIT_FER2013_URL"];

/**
 * Gives each test of a suite its own folder with a cache, and removes it afterwards. Call it inside `describe`.
 *
 * @returns A function that gives a path in the folder of the running test.
 */
export function temporaryFolder(): (...parts: string[]) => string {
  const before = VARIABLES.map((name) => process.env[name]);
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-data-"));
    for (const name of VARIABLES) delete process.env[name];
    process.env.XDG_CACHE_HOME = path.join(dir, "cache");
  });
  afterEach(() => {
    VARIABLES.forEach((name, i) => {
      if (before[i] === undefined) delete process.env[name];
      else process.env[name] = before[i];
    });
    rmSync(dir, { recursive: true });
  });
  return (...parts) => path.join(dir, ...parts);
}

/** Draws an image of one colour, in the format of the file's ending. */
export async function drawImage(file: string, colour: string, width = 8, height = width): Promise<void> {
  mkdirSync(path.dirname(file), { recursive: true });
  await sharp({ create: { width, height, channels: 3, background: colour } }).toFile(file);
}

/** Draws images of one colour, by path in the folder: `{ "train/happy/a.png": "red" }`. */
export async function drawImages(dir: string, colours: Record<string, string>): Promise<string> {
  await Promise.all(Object.entries(colours).map(([file, colour]) => drawImage(path.join(dir, file), colour)));
  return dir;
}

/** Writes files, by path in the folder. */
export function writeFiles(dir: string, files: Record<string, string | Uint8Array>): string {
  for (const [file, data] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
    writeFileSync(path.join(dir, file), data);
  }
  return dir;
}

/** Reads the values of the first images, `[numImages, imageSize, imageSize, numChannels]`. */
export async function valuesOf(pixels: Pixels, numImages: number): Promise<number[]> {
  return [...(await pixels.read(Int32Array.from({ length: numImages }, (_, i) => i)))];
}

/** Reads the pixels of decoded images, to compare them. */
export async function contentOf({ pixels, ...decoded }: DecodedImages) {
  return { ...decoded, values: await valuesOf(pixels, decoded.samples.length) };
}

/** How `sampleOf` says that its files store their images. */
export const TRAITS: FileTraits = {
  format: "png",
  colours: "rgb",
  numbers: "8-bit",
  hasAlpha: false,
  hasExif: false,
  hasProfile: false,
  numFrames: 1,
  quality: null,
};

/**
 * Returns a decoded sample with the split and class of its path, `train/happy/a.png` or `happy/a.png`.
 *
 * @param digest - Equal for duplicates. Default: the path.
 */
export function sampleOf(file: string, digest = file, width = 48, height = width): DecodedSample {
  const [className, split] = file.split("/").reverse().slice(1);
  const known = split === "train" || split === "validation" ? split : null;
  return {
    path: file,
    className,
    split: known,
    size: 100,
    changed: "0",
    digest,
    width,
    height,
    isGrey: false,
    dark: 0,
    light: 255,
    traits: TRAITS,
  };
}

/** Lists the images of class folders. */
export function listFolder(dir: string, choice: FolderChoice = {}) {
  const walk = walkFolder(dir);
  leaveFoldersOut(walk, choice);
  const found = findClassFolders(walk, choice);
  if ("refusal" in found) throw new InputError(found.refusal);
  return chooseParts(found.listing);
}

/** Files of an archive; an entry with a target is a link. */
export type Entries = Record<string, Uint8Array | { target: string; isHard?: boolean }>;

/** Packs a tar archive, also with hostile paths. */
export function tarOf(entries: Entries): Buffer {
  const blocks = Object.entries(entries).flatMap(([name, content]) => {
    const data = "target" in content ? new Uint8Array() : content;
    const block = Buffer.alloc(512);
    const link = "target" in content && {
      type: content.isHard ? ("Link" as const) : ("SymbolicLink" as const),
      linkpath: content.target,
    };
    new Header({ path: name, size: data.length, mode: 0o644, type: "File", ...link }).encode(block);
    return [block, data, Buffer.alloc(-data.length & 511)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** Packs a zip archive without compression, also with hostile paths. */
export function zipOf(entries: Entries): Buffer {
  const [local, central]: Buffer[][] = [[], []];
  for (const [name, content] of Object.entries(entries)) {
    const data = Buffer.from("target" in content ? content.target : content);
    const mode = "target" in content ? 0o120777 : 0o100644;
    const fields = Buffer.alloc(26); // version, flags, method, time, date, CRC, sizes, lengths of name and extra
    fields.writeUInt16LE(20, 0);
    fields.writeUInt32LE(crc32(data), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(data.length, 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const rest = Buffer.alloc(14); // lengths of comments, disk, attributes, offset
    rest.writeUInt32LE((mode << 16) >>> 0, 6);
    rest.writeUInt32LE(Buffer.concat(local).length, 10);
    const madeOnUnix = Buffer.of(20, 3);
    local.push(signature(0x04034b50), fields, Buffer.from(name), data);
    central.push(signature(0x02014b50), madeOnUnix, fields, rest, Buffer.from(name));
  }
  const [files, directory] = [Buffer.concat(local), Buffer.concat(central)];
  const end = Buffer.alloc(18);
  for (const position of [4, 6]) end.writeUInt16LE(Object.keys(entries).length, position);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(files.length, 12);
  return Buffer.concat([files, directory, signature(0x06054b50), end]);
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function latin(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

/** Writes other bytes, as many, in place of each occurrence of a name in an archive, and corrects the checksums of tar's headers. */
export function renamed(archive: Buffer, from: string, to: Buffer): Buffer {
  const packed = Buffer.from(archive);
  for (let at = packed.indexOf(from); at >= 0; at = packed.indexOf(from, at + to.length)) {
    to.copy(packed, at);
    const header = packed.subarray(at - (at % 512), at - (at % 512) + 512);
    if (header.toString("latin1", 257, 262) !== "ustar") continue;
    header.fill(" ", 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  }
  return packed;
}

/** The flag of a zip archive's entry whose name is UTF-8. */
export const UTF8_FLAG = 0x800;

/** Sets flags on each entry of a zip archive. */
export function withFlags(archive: Buffer, flags: number): Buffer {
  const packed = Buffer.from(archive);
  for (const [mark, position] of [
    ["PK\x03\x04", 6],
    ["PK\x01\x02", 8],
  ] as const)
    for (let at = packed.indexOf(mark); at >= 0; at = packed.indexOf(mark, at + 1))
      packed.writeUInt16LE(flags, at + position);
  return packed;
}
