// Decodes image files to the pixels that the network takes.
import { readFile } from "node:fs";
import { promisify } from "node:util";
import type Sharp from "sharp";
import { InputError } from "../../errors.js";
import { LUMA } from "../../model/preprocessing.js";

/** An image as the network takes it. */
export interface DecodedImage {
  /** uint8 `[imageSize, imageSize, 3]`, RGB. */
  pixels: Uint8Array;
  /** Whether the three channels are equal everywhere. */
  isGrey: boolean;
  /** Size of the upright image in the file, in pixels. */
  width: number;
  height: number;
}

/** A decoded image without redundant channels. */
export interface PackedImage extends Omit<DecodedImage, "isGrey"> {
  /** uint8 `[imageSize, imageSize, numChannels]`, RGB or grey. */
  pixels: Uint8Array;
  numChannels: 1 | 3;
}

const IMAGE_FILE = /\.(jpe?g|png|webp|gif|tiff?|avif)$/i;

/** Returns whether a file's name is that of an image; hidden files are not images. */
export function isImageFile(name: string): boolean {
  return IMAGE_FILE.test(name) && !name.startsWith(".");
}

/** Limit above any photograph: an image that claims more is a mistake, or an attempt to exhaust memory. */
export const MAX_PIXELS = 50_000_000;

/**
 * Decodes an image of any size, colour and format: upright by its EXIF tag, on white where transparent, the first frame of an
 * animation. Its central square is scaled by cubic interpolation.
 *
 * @param source - A path, or a file's bytes.
 * @param name - Names the image in errors if `source` is not a path.
 * @throws InputError if there is no such file, it is not a readable image, or it is larger than `MAX_PIXELS`.
 */
export async function decodeImage(
  source: string | Buffer,
  imageSize: number,
  name = "the buffer",
): Promise<DecodedImage> {
  const where = typeof source === "string" ? source : name;
  const bytes = typeof source === "string" ? await readImageFile(source) : source;
  const { pixels, numChannels, width, height } = await decodePacked(bytes, imageSize, where);
  const isGrey = numChannels === 1;
  return { pixels: isGrey ? repeatChannel(pixels) : pixels, isGrey, width, height };
}

/**
 * Decodes an image like `decodeImage`, to one channel if it is grey.
 *
 * @param where - Names the image in errors.
 * @throws InputError if it is not a readable image, or is larger than `MAX_PIXELS`.
 */
export async function decodePacked(bytes: Buffer, imageSize: number, where: string): Promise<PackedImage> {
  return readImage(bytes, where, async (image) => {
    // A plain JPEG skips the steps that it does not need, and a grey one needs one channel: two thirds of the time.
    const plain = jpegHeader(bytes);
    const { width, height } = plain ?? (await uprightSize(image));
    const { data } = await (plain ? image : image.autoOrient().flatten({ background: "white" }))
      .toColourspace(plain?.isGrey ? "b-w" : "srgb")
      .resize(imageSize, imageSize, { fit: "cover", kernel: "cubic", fastShrinkOnLoad: true })
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (data.length === imageSize ** 2) return { pixels: data, numChannels: 1, width, height };
    if (isGrey(data)) return { pixels: firstChannel(data), numChannels: 1, width, height };
    return { pixels: data, numChannels: 3, width, height };
  });
}

/** A whole image, not cropped. */
export interface WholeImage {
  /** uint8 `[height, width, 3]`, RGB. */
  pixels: Buffer;
  /** Size of the upright image, in pixels. */
  width: number;
  height: number;
}

/**
 * Decodes a whole image of any size, colour and format: upright by its EXIF tag, on white where transparent.
 *
 * @param name - Names the image in errors if `source` is not a path.
 * @throws InputError in the same cases as `decodeImage`.
 */
export async function decodeWhole(source: string | Buffer, name = "the buffer"): Promise<WholeImage> {
  const bytes = typeof source === "string" ? await readImageFile(source) : source;
  return readImage(bytes, typeof source === "string" ? source : name, async (image) => {
    const upright = image.autoOrient().flatten({ background: "white" }).toColourspace("srgb").removeAlpha();
    const { data, info } = await upright.raw().toBuffer({ resolveWithObject: true });
    return { pixels: data, width: info.width, height: info.height };
  });
}

/** Opens an image for `read`; any failure becomes an `InputError` that names the image. */
async function readImage<T>(
  bytes: Buffer,
  where: string,
  read: (image: ReturnType<typeof Sharp>) => Promise<T>,
): Promise<T> {
  const sharp = await loadSharp();
  try {
    if (bytes.length === 0) throw new Error("an empty file");
    return await read(sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: "truncated" }));
  } catch (error) {
    throw new InputError({ expected: "an image", where, found: reason(error), fix: "Remove or replace it." });
  }
}

let loading: Promise<typeof Sharp> | undefined;

/** Loads sharp once: to import a loaded package again takes almost as long as to decode a small image. */
export function loadSharp(): Promise<typeof Sharp> {
  loading ??= import("sharp").then(({ default: sharp }) => sharp);
  return loading;
}

async function uprightSize(image: ReturnType<typeof Sharp>): Promise<{ width: number; height: number }> {
  const { width, height, autoOrient } = await image.metadata();
  return { width: autoOrient.width ?? width, height: autoOrient.height ?? height };
}

/** Takes half the time of the promise API's `readFile` for a small file, since it makes no file handle. */
const readWhole = promisify(readFile);

/**
 * Reads the bytes of an image file.
 *
 * @throws InputError if there is no such file.
 */
export async function readImageFile(file: string): Promise<Buffer> {
  try {
    return await readWhole(file);
  } catch (error) {
    const found = { ENOENT: "no such file", EISDIR: "a folder", EACCES: "no permission to read" }[
      (error as NodeJS.ErrnoException).code ?? ""
    ];
    if (!found) throw error;
    throw new InputError({ expected: "an image", where: file, found, fix: "Check the path." });
  }
}

function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (/pixel limit/.test(message)) return `more than ${MAX_PIXELS / 1e6} million pixels`;
  if (/unsupported image format/.test(message)) return "no image that can be read";
  return message.split("\n")[0].replace(/\.$/, "");
}

/** What the header of a plain JPEG says. */
export interface JpegHeader {
  /** In pixels. */
  width: number;
  height: number;
  isGrey: boolean;
}

/** Segments of ITU-T T.81, table B.1. APP1 may hold EXIF with an orientation, APP2 a colour profile. */
const [START_OF_SCAN, APP1, APP2, FILL] = [0xda, 0xe1, 0xe2, 0xff];
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/**
 * Reads the header of a JPEG that is stored upright, in grey or RGB, in a tenth of the time of sharp's `metadata`.
 *
 * @returns Null for other formats, for an incomplete header, and if EXIF, a profile or a fourth channel may turn the image
 * or change its colours.
 */
export function jpegHeader(bytes: Buffer): JpegHeader | null {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return null;
  let header: JpegHeader | null = null;
  for (let at = 2; at + 10 <= bytes.length && bytes[at] === 0xff; at += 2 + bytes.readUInt16BE(at + 2)) {
    const marker = bytes[at + 1];
    if (marker === START_OF_SCAN) return header;
    if (marker === APP1 || marker === APP2 || marker === FILL) return null;
    if (!isFrame(marker)) continue;
    const numChannels = bytes[at + 9];
    if (numChannels !== 1 && numChannels !== 3) return null;
    header = {
      width: bytes.readUInt16BE(at + 7),
      height: bytes.readUInt16BE(at + 5),
      isGrey: numChannels === 1,
    };
  }
  return null;
}

/** Returns RGB pixels for grey ones. */
export function repeatChannel(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(grey.length * 3);
  for (let i = 0; i < grey.length; i++) rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = grey[i];
  return rgb;
}

/** Returns RGB pixels without their colour, still in three channels. */
export function toGrey(rgb: Uint8Array): Uint8Array {
  const grey = new Uint8Array(rgb.length);
  for (let i = 0; i < rgb.length; i += 3)
    grey.fill(Math.round(LUMA[0] * rgb[i] + LUMA[1] * rgb[i + 1] + LUMA[2] * rgb[i + 2]), i, i + 3);
  return grey;
}

/** Returns one channel of grey RGB pixels. */
function firstChannel(rgb: Uint8Array): Uint8Array {
  const grey = new Uint8Array(rgb.length / 3);
  for (let i = 0; i < grey.length; i++) grey[i] = rgb[3 * i];
  return grey;
}

/** Returns whether RGB pixels have no colour. */
export function isGrey(pixels: Uint8Array): boolean {
  for (let i = 0; i < pixels.length; i += 3)
    if (pixels[i] !== pixels[i + 1] || pixels[i] !== pixels[i + 2]) return false;
  return true;
}
