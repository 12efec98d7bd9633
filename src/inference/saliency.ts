// Saliency maps: which parts of an image a class depends on.
import { loadSharp } from "../data/pixels/decode.js";
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "../engine/tf.js";
import { checkChoice } from "../errors.js";
import { checkNetwork, type Network } from "../model/network.js";
import { checkPixels } from "../model/preprocessing.js";

/**
 * Computes a saliency map.
 *
 * @param pixels - uint8 `[imageSize, imageSize, 3]`, as the network takes them.
 * @returns float32 `[imageSize, imageSize]`, from 0 = not important to 1 = most important for the class.
 */
export type SaliencyMethod = (
  network: Network,
  pixels: Uint8Array,
  className: string,
) => Promise<Float32Array>;

/** Pixels between neighbouring values of the last feature map: five layers halve the network's input. */
const STRIDE = 32;
/** The same with the values of shifted copies in between. */
const GRAD_CAM_STEP = 8;
const SHIFTS = Array.from(
  { length: STRIDE / GRAD_CAM_STEP },
  (_, i) => (i + 0.5) * GRAD_CAM_STEP - STRIDE / 2,
);

/**
 * Computes the saliency map of a class by Grad-CAM over the last convolution.
 *
 * Grad-CAM weights each channel of a feature map by the mean gradient of the logit. Here one dense layer follows the map's mean,
 * so these gradients are its weights (up to a factor), and Grad-CAM equals the older class activation map: no gradient has to be
 * computed.
 *
 * The feature map has one value for each 32 pixels. Therefore the map is computed for copies of the image shifted by less than
 * that, and their values are interlaced and smoothed. At 48 pixels the feature map is 2 × 2, and each value sees the whole image: a
 * trained network keeps its evidence in some of the four, wherever the image shows it, so that the map of a mirrored image is not
 * mirrored. There `occlusionMap` tells more.
 *
 * @param pixels - uint8 `[imageSize, imageSize, 3]`, RGB, as `ImagePrediction` has them.
 * @param className - The class to explain.
 * @returns float32 `[imageSize, imageSize]`; 1 at the most important pixel, 0 where the image has no effect or a negative one.
 * @throws ParameterError when `className` is not one of the network's.
 * @see Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391; Zhou et al. 2016, https://arxiv.org/abs/1512.04150; for the
 * shifts Long et al. 2015, §3.2, https://arxiv.org/abs/1411.4038.
 * @example
 * ```ts
 * import { gradCam, loadClassifier } from "ferkit";
 *
 * const classifier = await loadClassifier("runs/pets/best");
 * const [{ pixels, predictions }] = await classifier.predict("data/pets/cat/1.png");
 * const map = await gradCam(classifier.network, pixels, predictions[0].className);
 * console.log(map.length, Math.max(...map)); // imageSize · imageSize values
 * classifier.dispose();
 * ```
 */
export async function gradCam(
  network: Network,
  pixels: Uint8Array,
  className: string,
): Promise<Float32Array> {
  checkNetwork(network);
  const { imageSize } = network.config;
  checkPixels("pixels", pixels, imageSize);
  return readMap(network, className, (label) => {
    const image = toBatch(pixels, imageSize);
    const copies = SHIFTS.flatMap((down) => SHIFTS.map((right) => shifted(image, down, right)));
    const maps = classMaps(network, tf.concat(copies)).gather([label], 3);
    const stitched = tf.avgPool(stitch(maps), 3, 1, "same");
    return enlarge(stitched.squeeze([0, 3]), imageSize);
  });
}

/**
 * Computes what each position of the last feature map adds to each logit. The mean over the positions, plus the class's bias,
 * is the logit.
 *
 * @param images - Pixels of 0–255 `[batchSize, imageSize, imageSize, 3]`.
 * @returns `[batchSize, height, width, numClasses]`, a position for each 32 pixels of a side; the caller disposes it.
 */
export function classMaps(network: Network, images: Tensor4D): Tensor4D {
  return tf.tidy(() => {
    const features = network.features(images);
    const [batchSize, height, width, channels] = features.shape;
    const kernel = network.variables.get("predictions/kernel")?.read() as Tensor2D;
    const positions = features.reshape<Tensor2D>([-1, channels]);
    return tf.matMul(positions, kernel).reshape([batchSize, height, width, network.config.classNames.length]);
  });
}

/** Moves the image's content up and to the left; its last pixels are repeated beyond the border. */
function shifted(image: Tensor4D, down: number, right: number): Tensor4D {
  const [, size] = image.shape;
  const indices = (shift: number) =>
    tf.tensor1d(
      Array.from({ length: size }, (_, i) => Math.min(size - 1, Math.max(0, i + shift))),
      "int32",
    );
  return tf.gather(tf.gather(image, indices(down), 1), indices(right), 2);
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
 * Enlarges a map with a value for each `GRAD_CAM_STEP` pixels to one with a value for each pixel, centred on the image. The
 * convolutions' padding alone would put its values up to 16 pixels further down and to the right, but training compensates that.
 */
function enlarge(map: Tensor, imageSize: number): Tensor {
  const [length] = map.shape;
  const weights = Array.from({ length: imageSize }, (_, pixel) => {
    const position = (pixel - (imageSize - 1) / 2) / GRAD_CAM_STEP + (length - 1) / 2;
    const inside = Math.min(length - 1, Math.max(0, position));
    return Array.from({ length }, (_, i) => Math.max(0, 1 - Math.abs(inside - i)));
  });
  const matrix = tf.tensor2d(weights);
  return tf.matMul(tf.matMul(matrix, map as Tensor2D), matrix, false, true);
}

/** Side of the window that hides, and the distance that it moves, as shares of the image's side. */
const WINDOW = 1 / 4;
const OCCLUSION_STEP = 1 / 8;
/** Standard deviation of the blur that hides, as a share of the side: shapes disappear, brightness stays. */
const BLUR = 1 / 8;

/**
 * Computes the saliency map of a class by occlusion: how much less probable the class becomes while a part is hidden.
 *
 * A square window moves over the image and blurs what it covers. The loss in log-probability counts for the pixels under it, most
 * for those in its middle. The map depends only on the network's answers and is as fine at 48 pixels as at 224, but needs 81
 * forward passes.
 *
 * @param pixels - uint8 `[imageSize, imageSize, 3]`, RGB, as `ImagePrediction` has them.
 * @param className - The class to explain.
 * @returns float32 `[imageSize, imageSize]`; 1 at the most important pixel, 0 where the image has no effect or a negative one.
 * @throws ParameterError when `className` is not one of the network's.
 * @see Zeiler & Fergus 2014, §4.2, https://arxiv.org/abs/1311.2901.
 * @example
 * ```ts
 * import { loadClassifier, occlusionMap } from "ferkit";
 *
 * const classifier = await loadClassifier("runs/pets/best");
 * const [{ pixels, predictions }] = await classifier.predict("data/pets/cat/1.png");
 * const map = await occlusionMap(classifier.network, pixels, predictions[0].className);
 * console.log(map.length, Math.max(...map)); // imageSize · imageSize values
 * classifier.dispose();
 * ```
 */
export async function occlusionMap(
  network: Network,
  pixels: Uint8Array,
  className: string,
): Promise<Float32Array> {
  checkNetwork(network);
  const { imageSize } = network.config;
  checkPixels("pixels", pixels, imageSize);
  const hidden = await blur(pixels, imageSize);
  return readMap(network, className, (label) => {
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
 * Computes the weights of the pixels of a side in each window that moves along it, `[numWindows, imageSize]`.
 *
 * @param weight - Weight at a distance from the window's middle; the distance is 1 at its edge.
 */
function windows(imageSize: number, weight: (distance: number) => number): Tensor2D {
  const half = (WINDOW * imageSize) / 2;
  const middles = Array.from(
    { length: Math.round(1 / OCCLUSION_STEP) + 1 },
    (_, i) => i * OCCLUSION_STEP * imageSize,
  );
  return tf.tensor2d(
    middles.map((middle) =>
      Array.from({ length: imageSize }, (_, pixel) => weight(Math.abs(pixel + 0.5 - middle) / half)),
    ),
  );
}

/** Turns a value per window into a value per pixel: the mean of the windows that cover it, weighted by how near they are. */
function spread(values: Tensor2D, imageSize: number): Tensor {
  const near = windows(imageSize, (distance) => Math.max(0, 1 - distance));
  const weights = near.div<Tensor2D>(near.sum(0));
  return tf.matMul(tf.matMul(weights, values, true), weights);
}

async function blur(pixels: Uint8Array, imageSize: number): Promise<Uint8Array> {
  const sharp = await loadSharp();
  const raw = { width: imageSize, height: imageSize, channels: 3 } as const;
  return sharp(Uint8Array.from(pixels, Math.round), { raw })
    .blur(BLUR * imageSize)
    .raw()
    .toBuffer();
}

/** Makes a batch of one image, `[1, imageSize, imageSize, 3]`; the caller disposes it. */
function toBatch(pixels: Uint8Array, imageSize: number): Tensor4D {
  return tf.tensor4d(Float32Array.from(pixels), [1, imageSize, imageSize, 3]);
}

/**
 * Computes a class's map and reads its positive values as shares of the largest; all 0 if none is positive.
 *
 * @param mapOf - Returns the map of a label, `[imageSize, imageSize]`; runs in a `tf.tidy`.
 */
async function readMap(
  { config: { classNames } }: Network,
  className: string,
  mapOf: (label: number) => Tensor,
): Promise<Float32Array> {
  const label = classNames.indexOf(checkChoice("className", className, classNames));
  const output = tf.tidy(() => {
    const positive = tf.relu(mapOf(label));
    return tf.divNoNan(positive, positive.max());
  });
  const map = (await output.data()) as Float32Array;
  output.dispose();
  return map;
}
