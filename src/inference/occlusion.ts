import { loadSharp } from "../data/pixels/decode.js";
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "../engine/tf.js";
import type { Network } from "../model/network.js";
import { readHeatMap, toBatch } from "./heat-map.js";

/** Side of the window that hides, and how far it moves at a time, as shares of the image's side. */
const WINDOW = 1 / 4;
const STEP = 1 / 8;
/** Deviation of the blur that hides, as a share of the side: shapes are gone, brightness stays. */
const BLUR = 1 / 8;

/**
 * What in an image a class rests on: how much less probable it becomes while a part is hidden.
 *
 * A square window moves over the image and blurs what it covers; the loss in log-probability counts for the pixels under it, most
 * for those in its middle. The map knows nothing of the network but its answers, and is as fine at 48 pixels as at 224, but takes
 * 81 of them.
 *
 * @param pixels - uint8 `[imageSize, imageSize, 3]`, as the network takes them.
 * @returns float32 `[imageSize, imageSize]`; 1 where the class needs the image most, 0 where it does not or is hindered by it.
 * @throws ParameterError when `className` is none of the network's.
 * @see Zeiler & Fergus 2014, §4.2, https://arxiv.org/abs/1311.2901.
 */
export async function occlusionMap(
  network: Network,
  pixels: Uint8Array,
  className: string,
): Promise<Float32Array> {
  const { imageSize } = network.config;
  const hidden = await blur(pixels, imageSize);
  return readHeatMap(network, className, (label) => {
    const [image, blurred] = [pixels, hidden].map((values) => toBatch(values, imageSize));
    const difference = blurred.sub(image);
    const logProb = (images: Tensor) =>
      tf
        .logSoftmax(network.logits(images as Tensor4D))
        .gather([label], 1)
        .squeeze([1]);
    const whole = logProb(image);
    const covers = windows(imageSize, (distance) => Number(distance < 1));
    const [numWindows] = covers.shape;
    const across = covers.reshape([numWindows, 1, imageSize, 1]);
    const losses = covers.unstack().map((rows) =>
      tf.tidy(() => {
        const cover = across.mul(rows.reshape([1, imageSize, 1, 1]));
        return whole.sub(logProb(image.add(difference.mul(cover))));
      }),
    );
    return spread(tf.stack(losses) as Tensor2D, imageSize);
  });
}

/**
 * Weights of the pixels of a side in each window that moves along it, `[numWindows, imageSize]`.
 *
 * @param weight - By the distance from the window's middle, 1 at its edge.
 */
function windows(imageSize: number, weight: (distance: number) => number): Tensor2D {
  const half = (WINDOW * imageSize) / 2;
  const middles = Array.from({ length: Math.round(1 / STEP) + 1 }, (_, i) => i * STEP * imageSize);
  return tf.tensor2d(
    middles.map((middle) =>
      Array.from({ length: imageSize }, (_, pixel) => weight(Math.abs(pixel + 0.5 - middle) / half)),
    ),
  );
}

/** A value for each window as one for each pixel: the mean of those that cover it, weighed by how near their middles are. */
function spread(values: Tensor2D, imageSize: number): Tensor {
  const near = windows(imageSize, (distance) => Math.max(0, 1 - distance));
  const weights = near.div<Tensor2D>(near.sum(0));
  return tf.matMul(tf.matMul(weights, values, true), weights);
}

async function blur(pixels: Uint8Array, imageSize: number): Promise<Uint8Array> {
  const sharp = await loadSharp();
  const raw = { width: imageSize, height: imageSize, channels: 3 } as const;
  return sharp(pixels, { raw })
    .blur(BLUR * imageSize)
    .raw()
    .toBuffer();
}
