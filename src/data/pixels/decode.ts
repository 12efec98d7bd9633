// Decodes image files to the pixels that the network takes.
//
// sharp decodes and converts colours; large images it also reduces, to no less than four times the wanted size. The last resize
// is ours (`resize.ts`), so that each format, size and side gives the same pixels.
import { readFile, stat } from "node:fs";
import { promisify } from "node:util";
import type Sharp from "sharp";
import type { Sharp as SharpImage, SharpOptions } from "sharp";
import { checkChoice, checkNumber, InputError, ParameterError } from "../../errors.js";
import { kindOf, readError } from "../../files.js";
import { DEFAULT_DECODING, type Decoding, FITS, type Fit } from "../../model/preprocessing.js";
import { fitToSquare, reducedSize, type Size } from "./fit.js";
import {
  CAMERA_RAW,
  contentOf,
  endsInZeros,
  type FileTraits,
  headerOf,
  type ImageHeader,
  plainJpegHeader,
  unreadFormat,
} from "./header.js";
import { isGrey, isOpaque, onWhite, repeatChannel, turnUpright } from "./pixels.js";
import type { Raster } from "./resize.js";
import { needsRange, readRanged, type SampleRange, UnusableImage } from "./sample-range.js";
import { YCBCR } from "./tiff.js";

/** An image as the network takes it. */
export interface DecodedImage {
  /** uint8 `[imageSize, imageSize, 3]`, RGB. */
  pixels: Uint8Array;
  /** Whether the three channels are equal everywhere. */
  isGrey: boolean;
  /** Width of the upright image in the file, in pixels. */
  width: number;
  /** Its height. */
  height: number;
  /** How its numbers became 0–255, if they are not 8 bits. */
  range?: SampleRange;
}

/** A decoded image without redundant channels, and what its file says. */
export interface PackedImage extends Omit<DecodedImage, "isGrey"> {
  /** uint8 `[imageSize, imageSize, numChannels]`, RGB or grey. */
  pixels: Uint8Array;
  numChannels: 1 | 3;
  traits: FileTraits;
}

/** Limit above any photograph: an image that claims more is a mistake, or an attempt to exhaust memory. */
export const MAX_PIXELS = 50_000_000;
/** The same for all frames of an animation, of which only the first is used. */
const MAX_FRAME_PIXELS = 20 * MAX_PIXELS;
/** Seconds that sharp may take for an image; the largest photographs take two. */
const MAX_SECONDS = 30;
/** Reason that a busy machine may be to blame for. */
export const TOO_SLOW = `an image that takes more than ${MAX_SECONDS} s to decode`;
const CUT_SHORT = "a file that was cut short";
/** Bytes of an image file. */
const MAX_FILE_BYTES = 2 ** 30;

/**
 * Decodes an image of any size, colour and format to a square: upright by its EXIF tag, in sRGB by its profile, on white where
 * transparent, the first frame of an animation. It is resized by antialiased bicubic interpolation, as Pillow does.
 *
 * @param source - A path, or a file's bytes.
 * @param imageSize - Side of the result, in pixels.
 * @param name - Names the image in errors if `source` is not a path.
 * @param decoding - How the image becomes square. Default: its central square.
 * @throws InputError if there is no such file, it is no readable image, or has over 50 million pixels; ParameterError for bad arguments.
 * @example
 * ```ts
 * import { decodeImage } from "ferkit";
 *
 * const { pixels, width, height } = await decodeImage("photo.jpg", 48);
 * console.log(`${width} × ${height} pixels in the file, ${pixels.length} values here`); // 48 · 48 · 3 values
 * ```
 */
export async function decodeImage(
  source: ImageSource,
  imageSize: number,
  name = "the buffer",
  decoding: Decoding = DEFAULT_DECODING,
): Promise<DecodedImage> {
  checkNumber("imageSize", imageSize, { min: 1, max: 1024, integer: true });
  checkChoice("fit", decoding.fit, FITS);
  const where = typeof source === "string" ? source : name;
  const bytes = await bytesOf(source);
  const { pixels, numChannels, width, height, range } = await decodePacked(bytes, imageSize, where, decoding);
  const isGrey = numChannels === 1;
  return { pixels: isGrey ? repeatChannel(pixels) : pixels, isGrey, width, height, ...(range && { range }) };
}

/**
 * Decodes an image like `decodeImage`, to one channel if it is grey.
 *
 * @param where - Names the image in errors.
 * @throws InputError if it is not a readable image, or is larger than `MAX_PIXELS`.
 */
export async function decodePacked(
  bytes: Buffer,
  imageSize: number,
  where: string,
  decoding: Decoding = DEFAULT_DECODING,
): Promise<PackedImage> {
  return readImage(bytes, where, async (open) => {
    const header = await readHeader(open, bytes);
    const reduced = reducedSize(header, imageSize, decoding.fit);
    const { raster, range, isOpaque } = await readRaster(open, header, decoding, reduced);
    const size = uprightSize(header);
    const upright = turnUpright(raster, header.orientation);
    const { pixels, numChannels } = withoutRepeats(fitToSquare(upright, size, imageSize, decoding.fit));
    const traits = {
      ...header.traits,
      ...(isOpaque && { isOpaque: true as const }),
      ...(range && range.highest > range.white && { isCut: true as const }),
    };
    return { pixels, numChannels, ...size, traits, ...(range && { range }) };
  });
}

/** Path of an image file, or its bytes, as `readFile` or `fetch` gives them. */
export type ImageSource = string | Uint8Array | ArrayBuffer;

/** @throws ParameterError for anything else. */
export function checkSource(source: unknown): ImageSource {
  if (typeof source === "string" || source instanceof Uint8Array || source instanceof ArrayBuffer)
    return source;
  throw new ParameterError(
    "an image",
    "a path, or the bytes of an image file (Uint8Array or ArrayBuffer)",
    source,
  );
}

async function bytesOf(given: ImageSource): Promise<Buffer> {
  const source = checkSource(given);
  if (typeof source === "string") return readImageFile(source);
  return source instanceof ArrayBuffer
    ? Buffer.from(source)
    : Buffer.from(source.buffer, source.byteOffset, source.byteLength);
}

/** A whole image, not cropped. */
export interface WholeImage {
  /** uint8 `[height, width, 3]`, RGB. */
  pixels: Buffer;
  /** Width of the upright image, in pixels. */
  width: number;
  /** Its height. */
  height: number;
  /** How its numbers became 0–255, if they are not 8 bits. */
  range?: SampleRange;
}

/**
 * Decodes a whole image of any size, colour and format, like `decodeImage` but without resizing it.
 *
 * @param name - Names the image in errors if `source` is not a path.
 * @param decoding - Gives the numbers that are white.
 * @throws InputError in the same cases as `decodeImage`.
 */
export async function decodeWhole(
  source: ImageSource,
  name = "the buffer",
  decoding: Decoding = DEFAULT_DECODING,
): Promise<WholeImage> {
  const bytes = await bytesOf(source);
  return readImage(bytes, typeof source === "string" ? source : name, async (open) => {
    const header = await readHeader(open, bytes);
    const { raster, range } = await readRaster(open, header, decoding, null);
    const { pixels, numChannels, width, height } = turnUpright(raster, header.orientation);
    const colours = Buffer.from(numChannels === 1 ? repeatChannel(pixels) : pixels);
    return { pixels: colours, width, height, ...(range && { range }) };
  });
}

/** Reads what an image is, and counts its pixels before any of them is decoded. */
async function readHeader(open: OpenImage, bytes: Buffer): Promise<ImageHeader> {
  const header = plainJpegHeader(bytes) ?? headerOf(await open().metadata(), bytes);
  const { width, height, traits } = header;
  if (header.isCutShort || endsInZeros(bytes)) throw new UnusableImage(CUT_SHORT);
  if (width * height > MAX_PIXELS) throw tooLarge();
  if (width * height * traits.numFrames > MAX_FRAME_PIXELS)
    throw new UnusableImage(
      `more than ${MAX_FRAME_PIXELS / 1e6} million pixels in ${traits.numFrames} frames`,
    );
  return header;
}

function tooLarge(): UnusableImage {
  return new UnusableImage(`more than ${MAX_PIXELS / 1e6} million pixels`);
}

/** Reads the width and height of an image file, upright, without its pixels. */
export async function readImageSize(file: string): Promise<{ width: number; height: number }> {
  const bytes = await readImageFile(file);
  return readImage(bytes, file, async (open) => uprightSize(await readHeader(open, bytes)));
}

/** Makes a whole image square: uint8 `[imageSize, imageSize, 3]`. */
export function fitWhole({ pixels, width, height }: WholeImage, imageSize: number, fit: Fit): Uint8Array {
  return fitToSquare({ pixels, width, height, numChannels: 3 }, { width, height }, imageSize, fit).pixels;
}

/** Decodes an image as it is stored, to 8-bit grey or sRGB. */
async function readRaster(
  open: OpenImage,
  header: ImageHeader,
  { whiteLevels = {} }: Decoding,
  reduced: Size | null,
): Promise<{ raster: Raster; range?: SampleRange; isOpaque?: boolean }> {
  const { width, height, numChannels, space, traits } = header;
  let range: SampleRange | undefined;
  if (["b-w", "grey16"].includes(space) && [3, 4].includes(numChannels))
    throw new UnusableImage(`${numChannels} channels of grey, which may be colours: save it in RGB`);
  let hidesNothing = false;
  if (needsRange(header)) {
    const ranged = await oneAtATime(() =>
      readRanged(open({ ignoreIcc: true }), header, whiteLevels[traits.numbers]),
    );
    range = ranged.range;
    if (range.white !== 65535 || space !== "rgb16" || !traits.hasProfile) return ranged; // otherwise sharp applies the profile
  }
  if (traits.colours === YCBCR)
    throw new UnusableImage("a TIFF of YCbCr colours outside JPEG: save it in RGB");
  if (numChannels > 4) throw new UnusableImage(`${numChannels} channels`);
  const isPlainGrey = space === "b-w" && !traits.hasProfile && numChannels === 1;
  let pipeline = open().toColourspace(isPlainGrey ? "b-w" : "srgb");
  if (range) pipeline = pipeline.withIccProfile("srgb"); // sharp leaves 16 bits with a profile in Display P3
  if (traits.hasAlpha || traits.hasOther) {
    const flatten = () => flattened(pipeline, traits.hasAlpha);
    const flat = await (width * height > LARGE ? oneAtATime(flatten) : flatten());
    pipeline = flat.image;
    hidesNothing = flat.isOpaque;
  }
  if (reduced) {
    // A JPEG may be reduced while it is loaded if that drops no part of an 8 × 8 block. An extract prevents it.
    const mayShrinkOnLoad = traits.format === "jpeg" && width % 8 === 0 && height % 8 === 0;
    if (!mayShrinkOnLoad) pipeline = pipeline.extract({ left: 0, top: 0, width, height });
    pipeline = pipeline.resize(...reduced, { fit: "fill", kernel: "cubic", fastShrinkOnLoad: true });
  }
  const { data, info } = await pipeline.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  if (info.channels !== 1 && info.channels !== 3) throw new UnusableImage(`${info.channels} channels`);
  return {
    raster: { pixels: data, width: info.width, height: info.height, numChannels: info.channels },
    isOpaque: hidesNothing,
    ...(range && { range }),
  };
}

/**
 * Removes the fourth channel: puts an image with transparency on white, and drops other channels. sharp's own `flatten` rounds down,
 * by half a level on average.
 */
async function flattened(
  image: SharpImage,
  hasAlpha: boolean,
): Promise<{ image: SharpImage; isOpaque: boolean }> {
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  const raw = { width: info.width, height: info.height, channels: 3 as const };
  const pixels = hasAlpha ? onWhite(data) : data.filter((_, i) => i % 4 < 3);
  return { image: (await loadSharp())(pixels, { raw }), isOpaque: hasAlpha && isOpaque(data) };
}

/** Pixels from which on images with transparency are put on white one after the other, to save memory. */
const LARGE = 2 ** 22;

let last: Promise<unknown> = Promise.resolve();

/** Runs a task after those before it, since whole images of large numbers would fill the memory together. */
function oneAtATime<T>(task: () => Promise<T>): Promise<T> {
  const result = last.then(task, task);
  last = result.catch(() => {});
  return result;
}

function uprightSize({ width, height, orientation }: ImageHeader): { width: number; height: number } {
  return orientation >= 5 ? { width: height, height: width } : { width, height };
}

type OpenImage = (options?: SharpOptions) => SharpImage;

/** Programs that convert images of formats that are not read. */
const CONVERTERS: Record<string, string> = {
  HEIC: "heif-convert",
  HEIF: "heif-convert",
  "JPEG XL": "djxl",
  JXL: "djxl",
  "camera raw": "darktable or the camera's own program",
};

function howToConvert(format: string): string {
  const converter = CONVERTERS[format];
  return `${format}, which is not read: convert it to JPEG or PNG${converter ? `, for example with ${converter}` : ""}`;
}

/** Reads an image with `read`; any failure becomes an `InputError` that names the image. */
async function readImage<T>(bytes: Buffer, where: string, read: (open: OpenImage) => Promise<T>): Promise<T> {
  const sharp = await loadSharp();
  try {
    if (bytes.length === 0) throw new UnusableImage("an empty file");
    const content = contentOf(bytes);
    // sharp would draw vectors at any size that they ask for, and follow what they refer to.
    if (content === "vector") throw new UnusableImage("a vector image, which has no pixels of its own");
    const format = content !== "image" || CAMERA_RAW.test(where) ? unreadFormat(bytes, where) : null;
    if (format !== null) throw new UnusableImage(howToConvert(format));
    if (content !== "image") throw new UnusableImage("no image that can be read");
    // Damage in a GIF is a warning of libvips. Other warnings are harmless, such as those of tags that libtiff does not know.
    const failOn = bytes.toString("latin1", 0, 3) === "GIF" ? "warning" : "error";
    return await read((options) =>
      sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn, ...options }).timeout({ seconds: MAX_SECONDS }),
    );
  } catch (error) {
    throw new InputError({
      expected: "an image",
      where,
      found: failureInWords(error, bytes),
      fix: "Remove or replace it.",
    });
  }
}

let loading: Promise<typeof Sharp> | undefined;

/** Loads sharp once: to import a loaded package again takes almost as long as to decode a small image. */
export function loadSharp(): Promise<typeof Sharp> {
  loading ??= import("sharp").then(({ default: sharp }) => sharp);
  return loading;
}

/** These take half the time of the promise API's for a small file, since they make no file handle. */
const [readWhole, statOf] = [promisify(readFile), promisify(stat)];

/**
 * Reads the bytes of an image file.
 *
 * @throws InputError if there is no such file, it is no regular one, or larger than any image.
 */
export async function readImageFile(file: string): Promise<Buffer> {
  const refuse = (found: string) =>
    new InputError({ expected: "an image", where: file, found, fix: "Check the path." });
  try {
    const found = await statOf(file);
    const kind = kindOf(found);
    if (kind !== null) throw refuse(kind);
    if (found.size > MAX_FILE_BYTES) throw refuse(`${found.size} bytes`);
    return await readWhole(file);
  } catch (error) {
    if (error instanceof InputError) throw error;
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw refuse("no such file");
    throw readError(file, { expected: "an image", fix: "Check the path." }, error);
  }
}

/** Says in plain words why an image cannot be used; what libvips said is at the end. */
export function failureInWords(error: unknown, bytes: Buffer): string {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UnusableImage) return message;
  if (/pixel limit/.test(message)) return tooLarge().message;
  if (/timeout/.test(message)) return TOO_SLOW;
  if (/premature end of JPEG/.test(message)) return CUT_SHORT;
  if (/unsupported image format/.test(message))
    return bytes.toString("latin1", 4, 12) === "ftypavis"
      ? "an AVIF animation, which cannot be decoded"
      : "a damaged image, perhaps a file that was cut short";
  if (/bad labq? format/.test(message))
    return "a TIFF of Lab colours, which cannot be decoded: save it in RGB";
  if (/samples out of range/.test(message)) return "numbers of 64 bits, or complex ones";
  const [first] = message.replace(/^Input buffer has corrupt header: ?/, "").split("\n");
  const words = first.replace(/\.$/, "");
  const what = /not been built in|unsupported|not supported|not configured|no decod/i.test(words)
    ? "an image of a kind that cannot be decoded"
    : "a damaged image, perhaps a file that was cut short";
  return words && words !== "Unknown error" ? `${what} (${words})` : what;
}

/** Keeps one channel of an image that has no colour. */
function withoutRepeats(raster: Raster): Raster {
  const { pixels, numChannels } = raster;
  if (numChannels === 1 || !isGrey(pixels)) return raster;
  return {
    ...raster,
    pixels: Uint8Array.from({ length: pixels.length / 3 }, (_, i) => pixels[3 * i]),
    numChannels: 1,
  };
}
