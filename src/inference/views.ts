// Views of an image, whose probabilities are averaged: test-time augmentation.
import { type Tensor, type Tensor4D, tf } from "../engine/tf.js";
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

/** Prints a note if the mean is to be over mirror images, which the model has not seen in its training. */
export function noteUnseenViews({ horizontalFlip }: Pick<ModelConfig, "horizontalFlip">, views: Views): void {
  if (numViews(views) > 1 && horizontalFlip === 0)
    console.warn(
      `note: no image was mirrored in the model's training (horizontalFlip=0), so its answers for mirror images may be wrong. ` +
        `Remove --${views}, or in a program views: "${views}".`,
    );
}

/**
 * Classifies images by one view after the other.
 *
 * @param images - `[batchSize, height, width, 3]`; stay the caller's.
 * @param values - Parameters to use in place of the network's own.
 * @returns For each view, probabilities `[batchSize, numClasses]`.
 */
export async function* probsOfViews(
  network: Network,
  images: Tensor4D,
  views: Views,
  values?: ReadonlyMap<string, Tensor>,
): AsyncGenerator<Float32Array, void, undefined> {
  const { config } = network;
  const enlarged = views === "crops" ? enlarge(images, config) : undefined;
  try {
    for (let view = 0; view < numViews(views); view++) {
      const output = tf.tidy(() =>
        tf.softmax(network.logits(viewOf(images, view, config, enlarged), values)),
      );
      const probs = (await output.data()) as Float32Array;
      output.dispose();
      yield probs;
    }
  } finally {
    enlarged?.dispose();
  }
}

/**
 * Returns one view of each image in a network's size; the caller disposes the views.
 *
 * @param enlarged - What crops are cut out of, to make it once for all of them.
 */
export function viewOf(
  images: Tensor4D,
  view: number,
  config: Pick<ModelConfig, "imageSize">,
  enlarged?: Tensor4D,
): Tensor4D {
  return tf.tidy(() => {
    const seen =
      view < 2
        ? resizeToInput(images, config)
        : cropOf(enlarged ?? enlarge(images, config), CROPS[Math.floor(view / 2) - 1], config);
    return view % 2 === 1 ? (tf.reverse(seen, 2) as Tensor4D) : seen;
  });
}

/** Returns the images that crops are cut out of; the caller disposes them. */
function enlarge(images: Tensor4D, { imageSize }: Pick<ModelConfig, "imageSize">): Tensor4D {
  const side = Math.round(ENLARGED * imageSize);
  return tf.tidy(() => tf.clone(resizeToInput(images, { imageSize: side }))); // images of this size are the caller's
}

function cropOf(
  enlarged: Tensor4D,
  position: readonly [number, number],
  { imageSize }: Pick<ModelConfig, "imageSize">,
): Tensor4D {
  const [top, left] = position.map((share) => Math.floor(share * (enlarged.shape[1] - imageSize)));
  return tf.slice4d(enlarged, [0, top, left, 0], [-1, imageSize, imageSize, 3]);
}

/** Returns the mean of arrays of equal length. */
export function meanOf(arrays: readonly Float32Array[]): Float32Array {
  return arrays[0].map((_, i) => arrays.reduce((sum, values) => sum + values[i], 0) / arrays.length);
}
