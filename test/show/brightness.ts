// Images that a picture shows recognisably, by their brightness.
import assert from "node:assert/strict";
import sharp from "sharp";
import type { PackedImages } from "../../src/data/dataset.js";
import { PixelArray } from "../../src/data/pixels/pixels.js";

export const CLASS_NAMES = ["a", "b", "c"];
export const IMAGE_SIZE = 4;

/** The brightness of all pixels of the image at an index. */
export const brightness = (index: number) => 10 + 15 * index;

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

/** The index of the image that a picture shows. */
export async function indexOf(dataUrl: string): Promise<number> {
  const [head, base64] = dataUrl.split(",");
  assert.equal(head, "data:image/png;base64");
  const { data } = await sharp(Buffer.from(base64, "base64"))
    .greyscale()
    .raw()
    .toBuffer({ resolveWithObject: true });
  assert.ok(
    data.every((value: number) => Math.abs(value - data[0]) <= 1),
    "one brightness",
  );
  return (data[0] - 10) / 15;
}
