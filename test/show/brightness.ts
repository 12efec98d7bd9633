// Images that are known again in a picture by their brightness.
import assert from "node:assert/strict";
import sharp from "sharp";
import type { PackedImages } from "../../src/data/dataset.js";
import { PixelArray } from "../../src/data/pixels/pixels.js";

export const CLASS_NAMES = ["a", "b", "c"];
export const IMAGE_SIZE = 4;
/** Image `i` is of one brightness, by which a picture of it is known again. */
export const brightness = (place: number) => 10 + 15 * place;

export function images(labels: number[], numChannels: 1 | 3 = 1): PackedImages {
  const length = IMAGE_SIZE * IMAGE_SIZE * numChannels;
  const bytes = Buffer.concat(labels.map((_, i) => Buffer.alloc(length, brightness(i))));
  return {
    pixels: new PixelArray(bytes, length),
    labels: Int32Array.from(labels),
    numImages: labels.length,
    imageSize: IMAGE_SIZE,
    numChannels,
    paths: labels.map((label, i) => `${CLASS_NAMES[label]}/${i}.png`),
  };
}

/** Which image of `images` a picture shows, by its brightness. */
export async function placeOf(dataUrl: string): Promise<number> {
  const [head, base64] = dataUrl.split(",");
  assert.equal(head, "data:image/png;base64");
  const { dominant } = await sharp(Buffer.from(base64, "base64")).toColourspace("srgb").stats();
  const { data } = await sharp(Buffer.from(base64, "base64"))
    .greyscale()
    .raw()
    .toBuffer({ resolveWithObject: true });
  assert.ok(Math.abs(dominant.r - data[0]) <= 8, "one brightness");
  return (data[0] - 10) / 15;
}
export const placesOf = (pictures: { image: string }[]) =>
  Promise.all(pictures.map(({ image }) => placeOf(image)));
