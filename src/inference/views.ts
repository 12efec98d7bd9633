// Views of an image, whose probabilities are averaged: test-time augmentation.
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "../engine/tf.js";
import { checkChoice } from "../errors.js";
import { type ModelConfig, type Network, resizeToInput } from "../model/network.js";

/** What an image is classified by: itself; also its mirror image; or also five crops, each with its mirror image. */
const VIEWS = ["image", "flip", "crops"] as const;
export type Views = (typeof VIEWS)[number];

/** Positions of the crops in the enlarged image, from the top and from the left, as shares of the room there. */
const CROPS: readonly (readonly [number, number])[] = [
  [0.5, 0.5],
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
];
/** Side of the image that the crops are cut out of, in sides of the network's input. */
const ENLARGED = 1.12;

/** Returns the number of views, of which the first is the image and the second its mirror image. */
export function numViews(views: Views): number {
  return { image: 1, flip: 2, crops: 2 + 2 * CROPS.length }[checkChoice("views", views, VIEWS)];
}

/**
 * Classifies one view of each image.
 *
 * @param images - `[batchSize, height, width, 3]`; stay the caller's.
 * @param view - From 0, less than `numViews`.
 * @param values - Parameters to use in place of the network's own.
 * @returns Probabilities `[batchSize, numClasses]`; the caller disposes them.
 */
export function probsOfView(
  network: Network,
  images: Tensor4D,
  view: number,
  values?: ReadonlyMap<string, Tensor>,
): Tensor2D {
  return tf.tidy(() => tf.softmax(network.logits(viewOf(images, view, network.config), values)) as Tensor2D);
}

/** Returns one view of each image in a network's size; the caller disposes the views. */
export function viewOf(images: Tensor4D, view: number, config: Pick<ModelConfig, "imageSize">): Tensor4D {
  return tf.tidy(() => {
    const seen =
      view < 2 ? resizeToInput(images, config) : cropOf(images, CROPS[Math.floor(view / 2) - 1], config);
    return view % 2 === 1 ? (tf.reverse(seen, 2) as Tensor4D) : seen;
  });
}

function cropOf(
  images: Tensor4D,
  position: readonly [number, number],
  { imageSize }: Pick<ModelConfig, "imageSize">,
): Tensor4D {
  const side = Math.round(ENLARGED * imageSize);
  const [top, left] = position.map((share) => Math.floor(share * (side - imageSize)));
  const enlarged = resizeToInput(images, { imageSize: side });
  return tf.slice4d(enlarged, [0, top, left, 0], [-1, imageSize, imageSize, 3]);
}

/** Returns the mean of arrays of equal length. */
export function meanOf(arrays: readonly Float32Array[]): Float32Array {
  return arrays[0].map((_, i) => arrays.reduce((sum, values) => sum + values[i], 0) / arrays.length);
}
