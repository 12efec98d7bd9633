import { checkNumber } from "../errors.js";
import { toPngDataUrl } from "./image.js";

/** Its lightness rises evenly with the value, so that it is read in grey, and by the colour-blind, too. */
const PALETTE = "inferno";
/** Of the palette over the image: enough to be read on a dark face, not so much that a light one is lost. */
const OPACITY = 0.55;
/** Of red, green and blue in lightness, by Rec. 601. */
const LUMA = [0.299, 0.587, 0.114];

/**
 * A heat map over an image, as a PNG data URL. The image is grey under it, so that all colour is the map's.
 *
 * @param pixels - uint8 `[imageSize, imageSize, 3]`.
 * @param heat - `[imageSize, imageSize]`, from 0 = dark to 1 = bright.
 */
export async function heatMapDataUrl(
  pixels: Uint8Array,
  heat: Float32Array,
  imageSize: number,
): Promise<string> {
  const length = imageSize ** 2;
  checkNumber(`the number of values of a map of ${imageSize} × ${imageSize}`, heat.length, {
    min: length,
    max: length,
  });
  const palette = await loadPalette();
  const blended = new Uint8Array(3 * length);
  for (let i = 0; i < length; i++) {
    const lightness = LUMA.reduce((sum, share, c) => sum + share * pixels[3 * i + c], 0);
    const color = palette[Math.round(255 * heat[i])];
    for (let c = 0; c < 3; c++) blended[3 * i + c] = (1 - OPACITY) * lightness + OPACITY * color[c];
  }
  return toPngDataUrl(blended, imageSize, imageSize, 3);
}

/** 256 colours, RGB of 0–255. */
async function loadPalette(): Promise<number[][]> {
  const { scheme } = await import("vega");
  const colorAt: (share: number) => string = scheme(PALETTE);
  return Array.from({ length: 256 }, (_, i) => (colorAt(i / 255).match(/\d+/g) as string[]).map(Number));
}
