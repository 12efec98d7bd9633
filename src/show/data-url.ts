// Pixels as data URLs, in which charts hold their pictures.
import type { PackedImages } from "../data/dataset.js";
import { loadSharp, type WholeImage } from "../data/pixels/decode.js";
import { checkNumber } from "../errors.js";
import { LUMA } from "../model/preprocessing.js";

/** Sides between which pictures for charts are kept, in pixels. */
const MIN_SIDE = 96;
const MAX_SIDE = 192;

/**
 * Encodes pixels as a PNG data URL, smoothly enlarged or reduced to a side that charts show well.
 *
 * @param pixels - uint8 `[height, width, channels]`.
 */
export async function pngDataUrl(
  pixels: Uint8Array,
  width: number,
  height: number,
  channels: 1 | 3,
): Promise<string> {
  checkNumber("width", width, { min: 1, integer: true });
  checkNumber("height", height, { min: 1, integer: true });
  checkLength(
    `the number of pixel values of ${width} × ${height} × ${channels}`,
    pixels,
    width * height * channels,
  );
  const sharp = await loadSharp();
  const side = Math.max(width, height);
  const scale = Math.min(1, MAX_SIDE / side) * Math.max(1, MIN_SIDE / side);
  const image = sharp(pixels, { raw: { width, height, channels } });
  if (scale !== 1)
    image.resize(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)), {
      fit: "fill",
      kernel: "cubic",
    });
  const png = await image
    .toColourspace(channels === 1 ? "b-w" : "srgb")
    .png({ compressionLevel: 9 })
    .toBuffer();
  return `data:image/png;base64,${png.toString("base64")}`;
}

/** Encodes an image of a split as a PNG data URL. */
export async function pictureOf(
  { pixels, imageSize, numChannels }: PackedImages,
  index: number,
): Promise<string> {
  return pngDataUrl(await pixels.read(Int32Array.of(index)), imageSize, imageSize, numChannels);
}

/** Lightness rises evenly with the value, so the map is readable in grey and by colour-blind people. */
const PALETTE = "inferno";
/** Opacity of the palette over the image: readable on a dark face, and a light face stays visible. */
const OPACITY = 0.55;

/**
 * Draws a saliency map over an image and encodes it as a PNG data URL. The image is grey, so that all colour is the map's.
 *
 * @param pixels - uint8 `[imageSize, imageSize, 3]`.
 * @param saliency - `[imageSize, imageSize]`, from 0 = dark to 1 = bright.
 */
export async function saliencyDataUrl(
  pixels: Uint8Array,
  saliency: Float32Array,
  imageSize: number,
): Promise<string> {
  const length = imageSize ** 2;
  checkLength(`the number of values of a map of ${imageSize} × ${imageSize}`, saliency, length);
  const palette = await loadPalette();
  const blended = new Uint8Array(3 * length);
  for (let i = 0; i < length; i++) {
    const lightness = LUMA.reduce((sum, share, c) => sum + share * pixels[3 * i + c], 0);
    const color = palette[Math.round(255 * saliency[i])];
    for (let c = 0; c < 3; c++) blended[3 * i + c] = (1 - OPACITY) * lightness + OPACITY * color[c];
  }
  return pngDataUrl(blended, imageSize, imageSize, 3);
}

function checkLength(name: string, { length }: ArrayLike<number>, expected: number): void {
  checkNumber(name, length, { min: expected, max: expected });
}

/** Returns 256 colours, RGB of 0–255. */
async function loadPalette(): Promise<number[][]> {
  const { scheme } = await import("vega");
  const colorAt: (share: number) => string = scheme(PALETTE);
  return Array.from({ length: 256 }, (_, i) => (colorAt(i / 255).match(/\d+/g) as string[]).map(Number));
}

/** Longer side of a photograph in a chart, in pixels: about twice as many as the chart shows. */
const MAX_PHOTO_SIDE = 1600;

/** Encodes a photograph as a JPEG data URL, reduced to a side that charts show well. */
export async function jpegDataUrl({ pixels, width, height }: WholeImage): Promise<string> {
  const sharp = await loadSharp();
  const jpeg = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .resize(MAX_PHOTO_SIDE, MAX_PHOTO_SIDE, { fit: "inside", withoutEnlargement: true })
    .jpeg({ quality: 85 })
    .toBuffer();
  return `data:image/jpeg;base64,${jpeg.toString("base64")}`;
}
