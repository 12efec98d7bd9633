// Images to augment, and their values after augmentation.
import assert from "node:assert/strict";
import { type AugmentOptions, augmentBatch, NO_AUGMENTATION } from "../../src/data/augment.js";
import { type Tensor4D, tf } from "../../src/engine/tf.js";
import { Random } from "../../src/random.js";

/** Always draws the maximum, and true unless the probability is 0, so that the result is known. */
class Maximum extends Random {
  override uniform(_min = 0, max = 1): number {
    return max;
  }
  override chance(probability: number): boolean {
    return probability > 0;
  }
  override branch(): Random {
    return this;
  }
}
const maximum = () => new Maximum(0);

/** One image of one channel from its rows. */
export const image = (rows: number[][]) => tf.tensor4d([rows.map((row) => row.map((value) => [value]))]);

/** The rows of the first image's first channel. */
export const rowsOf = (images: Tensor4D) => images.arraySync()[0].map((row) => row.map(([value]) => value));

/** Augments one image by the maximum values of `options`, rounded to thousandths. */
export function augmented(
  rows: number[][],
  options: Partial<AugmentOptions>,
  outputSize?: number,
): number[][] {
  const input = image(rows);
  const output = augmentBatch(input, { ...NO_AUGMENTATION, ...options }, maximum(), outputSize);
  assert.deepEqual(rowsOf(input), rows, "the input is untouched");
  const result = rowsOf(output).map((row) => row.map((value) => Math.round(value * 1000) / 1000 + 0));
  tf.dispose([input, output]);
  return result;
}

/** A batch of noise, `[numImages, 12, 12, 3]`. */
export function noise(numImages: number): Tensor4D {
  const random = new Random(7);
  const values = Float32Array.from({ length: numImages * 12 * 12 * 3 }, () => random.integer(256));
  return tf.tensor4d(values, [numImages, 12, 12, 3]);
}

/** Everything on. */
export const ALL: AugmentOptions = {
  horizontalFlip: 0.5,
  rotation: 20,
  translation: 0.1,
  zoom: [0.8, 1.2],
  brightness: 0.2,
  contrast: 0.3,
  erasing: 0.5,
  noise: 0.3,
  blur: 0.1,
  corruptionShare: 0.7,
  fill: "reflect",
};

/** The values of a batch of noise after augmentation. */
export function augmentNoise(
  numImages: number,
  options: Partial<AugmentOptions>,
  seed: number,
): Float32Array {
  const input = noise(numImages);
  const output = augmentBatch(input, { ...NO_AUGMENTATION, ...options }, new Random(seed));
  const values = output.dataSync() as Float32Array;
  tf.dispose([input, output]);
  return values;
}

export const NINE = [
  [10, 20, 30],
  [40, 50, 60],
  [70, 80, 90],
];
export const SIXTEEN = [
  [10, 20, 30, 40],
  [50, 60, 70, 80],
  [90, 100, 110, 120],
  [130, 140, 150, 160],
];

/** The values of a batch of noise. */
export function noiseValues(numImages: number): Float32Array {
  const images = noise(numImages);
  const values = images.dataSync() as Float32Array;
  images.dispose();
  return values;
}
