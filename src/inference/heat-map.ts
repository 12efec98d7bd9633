// What the ways to find out where an image speaks for a class have in common.
import { type Tensor, type Tensor4D, tf } from "../engine/tf.js";
import { checkChoice, checkNumber } from "../errors.js";
import type { Network } from "../model/network.js";

/**
 * Where an image speaks for a class of a network.
 *
 * @param pixels - uint8 `[imageSize, imageSize, 3]`, as the network takes them.
 * @returns float32 `[imageSize, imageSize]`, from 0 = not at all to 1 = most.
 */
export type SaliencyMethod = (
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

/**
 * Computes the map of a class and reads it: what is positive in it, as shares of the greatest; all 0 where nothing is.
 *
 * @param mapOf - By the class's label, `[imageSize, imageSize]`; runs in a `tf.tidy`.
 * @throws ParameterError when `className` is none of the network's.
 */
export async function readHeatMap(
  { config: { classNames } }: Network,
  className: string,
  mapOf: (label: number) => Tensor,
): Promise<Float32Array> {
  const label = classNames.indexOf(checkChoice("className", className, classNames));
  const output = tf.tidy(() => {
    const positive = tf.relu(mapOf(label));
    return tf.divNoNan(positive, positive.max());
  });
  const heat = (await output.data()) as Float32Array;
  output.dispose();
  return heat;
}
