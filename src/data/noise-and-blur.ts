// Noise and blur, as cameras in poor light or out of focus have them.
import { type Tensor, type Tensor4D, tf } from "../engine/tf.js";
import type { Random } from "../random.js";

/** Noise or blur of one image. */
export interface Corruption {
  /** Deviation of normal noise, as a share of 255; 0 = none. */
  noise: number;
  /** Deviation of a Gaussian blur, as a share of the shorter side; 0 = none. */
  blur: number;
  /** Draws the noise. */
  random: Random;
}

/** Deviations of a Gaussian beyond which it is cut off. */
const CUT_OFF = 4;

/**
 * Adds noise to images, the same in all channels, and clips them to 0–255; blurs others, with their edge pixels repeated outside.
 *
 * @param images - `[batchSize, height, width, channels]`, 0–255; the caller keeps and disposes it.
 * @param corruptions - Of each image; null = unchanged.
 * @returns New images; the caller disposes them.
 */
export function corrupt(images: Tensor4D, corruptions: readonly (Corruption | null)[]): Tensor4D {
  return tf.tidy(() => addNoise(blurSome(images, corruptions), corruptions));
}

function addNoise(images: Tensor4D, corruptions: readonly (Corruption | null)[]): Tensor4D {
  if (!corruptions.some((one) => one && one.noise > 0)) return images.clone();
  const [batchSize, height, width] = images.shape;
  const length = height * width;
  const noise = new Float32Array(batchSize * length);
  corruptions.forEach((one, i) => {
    if (!one || one.noise === 0) return;
    for (let pixel = i * length; pixel < (i + 1) * length; pixel++)
      noise[pixel] = one.random.normal(0, 255 * one.noise);
  });
  return images.add(tf.tensor4d(noise, [batchSize, height, width, 1])).clipByValue(0, 255) as Tensor4D;
}

function blurSome(images: Tensor4D, corruptions: readonly (Corruption | null)[]): Tensor4D {
  const [, height, width, channels] = images.shape;
  const indices = corruptions.flatMap((one, i) => (one && one.blur > 0 ? [i] : []));
  if (indices.length === 0) return images;
  const deviations = indices.map((i) => (corruptions[i] as Corruption).blur * Math.min(height, width));
  const rows = gaussians(deviations, height);
  const columns = height === width ? rows : gaussians(deviations, width);
  const some = tf.gather(images, tf.tensor1d(indices, "int32"));
  const down = tf.matMul(rows, some.reshape([-1, height, width * channels]));
  const across = tf.matMul(columns, turned(down.reshape([-1, height, width, channels])));
  const blurred = turned(across.reshape([-1, width, height, channels])).reshape([
    -1,
    height,
    width,
    channels,
  ]);
  const targets = tf.tensor2d(indices, [indices.length, 1], "int32");
  return tf.tensorScatterUpdate(images, targets, blurred) as Tensor4D;
}

/** Swaps the sides of images: `[n, a, b, channels]` becomes `[n, b, a · channels]`. */
function turned(images: Tensor): Tensor {
  const [n, a, b, channels] = images.shape;
  return images.transpose([0, 2, 1, 3]).reshape([n, b, a * channels]);
}

/** Returns matrices that blur along a side, `[deviations.length, side, side]`: row i has the weights that pixel i is made of. */
function gaussians(deviations: readonly number[], side: number): Tensor {
  const matrices = new Float32Array(deviations.length * side * side);
  deviations.forEach((deviation, n) => {
    const radius = Math.ceil(CUT_OFF * deviation);
    const weights = Array.from({ length: 2 * radius + 1 }, (_, i) =>
      Math.exp(-0.5 * ((i - radius) / deviation) ** 2),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (let i = 0; i < side; i++)
      weights.forEach((weight, j) => {
        const source = Math.min(side - 1, Math.max(0, i + j - radius));
        matrices[(n * side + i) * side + source] += weight / total;
      });
  });
  return tf.tensor3d(matrices, [deviations.length, side, side]);
}
