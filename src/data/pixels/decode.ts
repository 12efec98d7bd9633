import { readFile } from "node:fs";
import { promisify } from "node:util";
import type Sharp from "sharp";
import { InputError } from "../../errors.js";
import { firstChannel, isGrey, repeatChannel } from "./grey.js";
import { jpegHeader } from "./jpeg-header.js";

/** An image as the network takes it. */
export interface DecodedImage {
  /** uint8 `[imageSize, imageSize, 3]`, RGB. */
  pixels: Uint8Array;
  /** All three channels are the same everywhere. */
  isGrey: boolean;
  /** Of the file, in pixels, upright. */
  width: number;
  height: number;
}

/** The same with no more channels than it needs. */
export interface PackedImage extends Omit<DecodedImage, "isGrey"> {
  /** uint8 `[imageSize, imageSize, numChannels]`, RGB or grey. */
  pixels: Uint8Array;
  numChannels: 1 | 3;
}

const IMAGE_FILE = /\.(jpe?g|png|webp|gif|tiff?|avif)$/i;

/** Whether a file's name is that of an image to be read; hidden ones are not. */
export function isImageFile(name: string): boolean {
  return IMAGE_FILE.test(name) && !name.startsWith(".");
}

/** More than any photograph; an image that claims more is a mistake, or meant to exhaust the memory. */
export const MAX_PIXELS = 50_000_000;

/**
 * Decodes an image of any size, colour and format: upright by its EXIF tag, on white where transparent, the first frame of
 * several, its centre cut to a square, cubic interpolation.
 *
 * @param source - A path, or a file's bytes.
 * @param name - Names the image in errors, where it has no path.
 * @throws InputError when there is no such file, it cannot be read as an image, or it is larger than `MAX_PIXELS`.
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
 * Decodes an image as `decodeImage` does, to one channel where it is grey.
 *
 * @param where - Names the image in errors.
 * @throws InputError when it cannot be read as an image, or is larger than `MAX_PIXELS`.
 */
export async function decodePacked(bytes: Buffer, imageSize: number, where: string): Promise<PackedImage> {
  return readImage(bytes, where, async (image) => {
    // What a header rules out is not asked for, and grey needs one channel only: the same pixels in two thirds of the time.
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

/** All of an image, uncut. */
export interface WholeImage {
  /** uint8 `[height, width, 3]`, RGB. */
  pixels: Buffer;
  /** In pixels, upright. */
  width: number;
  height: number;
}

/**
 * Decodes an image of any size, colour and format, whole: upright by its EXIF tag, on white where transparent.
 *
 * @param name - Names the image in errors, where it has no path.
 * @throws InputError as `decodeImage` does.
 */
export async function decodeWhole(source: string | Buffer, name = "the buffer"): Promise<WholeImage> {
  const bytes = typeof source === "string" ? await readImageFile(source) : source;
  return readImage(bytes, typeof source === "string" ? source : name, async (image) => {
    const upright = image.autoOrient().flatten({ background: "white" }).toColourspace("srgb").removeAlpha();
    const { data, info } = await upright.raw().toBuffer({ resolveWithObject: true });
    return { pixels: data, width: info.width, height: info.height };
  });
}

/** Opens an image for `read`; what goes wrong becomes an `InputError` that names the image. */
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

/** Once: to ask for a package anew, though it is there, takes almost as long as to decode a small image. */
export function loadSharp(): Promise<typeof Sharp> {
  loading ??= import("sharp").then(({ default: sharp }) => sharp);
  return loading;
}

async function uprightSize(image: ReturnType<typeof Sharp>): Promise<{ width: number; height: number }> {
  const { width, height, autoOrient } = await image.metadata();
  return { width: autoOrient.width ?? width, height: autoOrient.height ?? height };
}

/** Half the time of the promises' own `readFile` for a small file, since no file handle is made. */
const readWhole = promisify(readFile);

/**
 * The bytes of an image file.
 *
 * @throws InputError when there is no such file.
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
