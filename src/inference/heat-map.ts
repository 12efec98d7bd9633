// What the ways to find out where an image speaks for a class have in common.
import { type Tensor, type Tensor4D, tf } from "../engine/tf.js";
import { checkNumber } from "../errors.js";
import type { Network } from "../model/network.js";

/**
 * Where an image speaks for a class of a network.
 *
 * @param pixels - uint8 `[imageSize, imageSize, 3]`, as the network takes them.
 * @returns float32 `[imageSize, imageSize]`, from 0 = not at all to 1 = most.
 */
export type HeatMapMethod = (
  network: Network,
  pixels: Uint8Array,
  className: string,
) => Promise<Float32Array>;

/** Pixels as a batch of one, `[1, imageSize, imageSize, 3]`; the caller disposes it. */
export function toBatch(pixels: Uint8Array, imageSize: number): Tensor4D {
  const length = 3 * imageSize ** 2;
  checkNumber(`the number of pixel values of ${imageSize} × ${imageSize} × 3`, pixels.length, {
    min: length,
    max: length,
  });
  return tf.tensor4d(Float32Array.from(pixels), [1, imageSize, imageSize, 3]);
}

/** What is positive in a map, as shares of the greatest; all 0 where nothing is. The caller disposes it. */
export function positiveShare(map: Tensor): Tensor {
  return tf.tidy(() => {
    const positive = tf.relu(map);
    return tf.divNoNan(positive, positive.max());
  });
}
