import { type Tensor, type Tensor2D, type Tensor4D, tf } from "../engine/tf.js";
import { lastFeatures } from "../model/forward.js";
import type { Network } from "../model/network.js";
import { readHeatMap, toBatch } from "./heat-map.js";

/** Pixels between neighbouring places of the last feature map: five of the network's layers halve its input. */
const STRIDE = 32;
/** The same between the values that shifted copies of the image give. */
const STEP = 8;
const SHIFTS = Array.from({ length: STRIDE / STEP }, (_, i) => (i + 0.5) * STEP - STRIDE / 2);

/**
 * What each place of the last feature map adds to each class's logit: its mean over the places, plus the class's bias, is the
 * logit.
 *
 * @param images - Pixels of 0–255 `[batchSize, imageSize, imageSize, 3]`.
 * @returns `[batchSize, height, width, numClasses]`, a place for each 32 pixels of a side; the caller disposes it.
 */
export function classMaps(network: Network, images: Tensor4D): Tensor4D {
  return tf.tidy(() => {
    const values = network.read();
    const features = lastFeatures(network, images, values);
    const [batchSize, height, width, channels] = features.shape;
    const kernel = values.get("predictions/kernel") as Tensor2D;
    const places = features.reshape<Tensor2D>([-1, channels]);
    return tf.matMul(places, kernel).reshape([batchSize, height, width, network.config.classNames.length]);
  });
}

/**
 * Where an image speaks for a class, by Grad-CAM over the last convolution.
 *
 * Grad-CAM weighs each channel of a feature map by the mean of the logit's gradient over its places. Here one dense layer follows
 * the map's mean, so these gradients are its weights (up to a factor), and Grad-CAM is the older class activation map: no gradient
 * has to be computed.
 *
 * The map has a value for each 32 pixels only. So it is computed for copies of the image shifted by less than that, whose values
 * are interlaced and smoothed. Of 48 pixels it has 2 × 2, each of which sees the whole image: there `occlusionMap` tells more.
 *
 * @param pixels - uint8 `[imageSize, imageSize, 3]`, as the network takes them.
 * @returns float32 `[imageSize, imageSize]`; 1 where the image speaks most for the class, 0 where it does not or speaks against it.
 * @throws ParameterError when `className` is none of the network's.
 * @see Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391; Zhou et al. 2016, https://arxiv.org/abs/1512.04150; for the
 * shifts Long et al. 2015, §3.2, https://arxiv.org/abs/1411.4038.
 */
export async function gradCam(
  network: Network,
  pixels: Uint8Array,
  className: string,
): Promise<Float32Array> {
  const { imageSize } = network.config;
  return readHeatMap(network, className, (label) => {
    const image = toBatch(pixels, imageSize);
    const copies = SHIFTS.flatMap((down) => SHIFTS.map((right) => shifted(image, down, right)));
    const maps = classMaps(network, tf.concat(copies)).gather([label], 3);
    const stitched = tf.avgPool(stitch(maps), 3, 1, "same");
    return enlarge(stitched.squeeze([0, 3]), imageSize);
  });
}

/** The image as seen from a place further down and to the right; its last pixels go on beyond its border. */
function shifted(image: Tensor4D, down: number, right: number): Tensor4D {
  const [, size] = image.shape;
  const places = (shift: number) =>
    tf.tensor1d(
      Array.from({ length: size }, (_, i) => Math.min(size - 1, Math.max(0, i + shift))),
      "int32",
    );
  return tf.gather(tf.gather(image, places(down), 1), places(right), 2);
}

/** Interlaces the maps of all shifts, `[numShifts², height, width, 1]`, to one, `[1, height · numShifts, width · numShifts, 1]`. */
function stitch(maps: Tensor): Tensor4D {
  const [, height, width] = maps.shape;
  const perSide = SHIFTS.length;
  return maps
    .reshape([perSide, perSide, height, width])
    .transpose([2, 0, 3, 1])
    .reshape([1, height * perSide, width * perSide, 1]);
}

/**
 * A map with a value for each `STEP` pixels, centred on the image, as one with a value for each pixel. By the convolutions' padding
 * alone its places would lie up to 16 pixels further down and to the right, but a trained network makes up for that.
 */
function enlarge(map: Tensor, imageSize: number): Tensor {
  const [length] = map.shape;
  const weights = Array.from({ length: imageSize }, (_, pixel) => {
    const place = (pixel - (imageSize - 1) / 2) / STEP + (length - 1) / 2;
    const within = Math.min(length - 1, Math.max(0, place));
    return Array.from({ length }, (_, i) => Math.max(0, 1 - Math.abs(within - i)));
  });
  const matrix = tf.tensor2d(weights);
  return tf.matMul(tf.matMul(matrix, map as Tensor2D), matrix, false, true);
}
