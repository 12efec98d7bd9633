import { readFile } from "node:fs";
import { promisify } from "node:util";
import type { Sharp } from "sharp";
import { InputError } from "../errors.js";
import { jpegSize } from "./jpeg-size.js";

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
  const { default: sharp } = await import("sharp");
  try {
    if (bytes.length === 0) throw new Error("an empty file");
    const image: Sharp = sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: "truncated" });
    const { width, height } = jpegSize(bytes) ?? (await uprightSize(image));
    const { data } = await image
      .autoOrient()
      .flatten({ background: "white" })
      .toColourspace("srgb")
      .resize(imageSize, imageSize, { fit: "cover", kernel: "cubic", fastShrinkOnLoad: true })
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const pixels = data.length === imageSize * imageSize ? asRgb(data) : data;
    return { pixels, isGrey: isGrey(pixels), width, height };
  } catch (error) {
    throw new InputError({ expected: "an image", where, found: reason(error), fix: "Remove or replace it." });
  }
}

async function uprightSize(image: Sharp): Promise<{ width: number; height: number }> {
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

function asRgb(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(grey.length * 3);
  for (let i = 0; i < grey.length; i++) rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = grey[i];
  return rgb;
}

function isGrey(pixels: Uint8Array): boolean {
  for (let i = 0; i < pixels.length; i += 3)
    if (pixels[i] !== pixels[i + 1] || pixels[i] !== pixels[i + 2]) return false;
  return true;
}
