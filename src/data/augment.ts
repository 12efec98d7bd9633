// Random changes to training images, drawn per image and applied to the whole batch by the engine.
import { execute, floatType, string } from "../engine/kernels.js";
import { type Tensor, type Tensor4D, tf } from "../engine/tf.js";
import { checkNumber, ParameterError } from "../errors.js";
import type { Random } from "../random.js";

export interface AugmentOptions {
  /** Probability to mirror left and right. */
  horizontalFlip: number;
  /** Greatest angle either way, in degrees. */
  rotation: number;
  /** Greatest shift either way, as a share of the side. */
  translation: number;
  /** Range of the scale; 1 = as it is, above = larger. */
  zoom: [number, number];
  /** Greatest change either way, as a share of 255. */
  brightness: number;
  /** Greatest change either way of the distance from the image's mean, as a share. */
  contrast: number;
  /** Probability to grey out a rectangle of 2–20 % of the area (Zhong et al. 2020, https://arxiv.org/abs/1708.04896). */
  erasing: number;
}

export const NO_AUGMENTATION: AugmentOptions = {
  horizontalFlip: 0,
  rotation: 0,
  translation: 0,
  zoom: [1, 1],
  brightness: 0,
  contrast: 0,
  erasing: 0,
};

/** The recipe that results are compared with: mirrored every other time, rotated by up to 20°. */
export const SEED_AUGMENTATION: AugmentOptions = { ...NO_AUGMENTATION, horizontalFlip: 0.5, rotation: 20 };

/** Returns `options` when every value is in range. */
export function checkAugment(options: AugmentOptions): AugmentOptions {
  for (const name of ["horizontalFlip", "brightness", "contrast", "erasing", "translation"] as const)
    checkNumber(name, options[name], { min: 0, max: 1 });
  checkNumber("rotation", options.rotation, { min: 0, max: 180 });
  const { zoom } = options;
  if (!Array.isArray(zoom) || zoom.length !== 2 || !(zoom[0] > 0 && zoom[0] <= zoom[1] && zoom[1] <= 10))
    throw new ParameterError("zoom", "two numbers [least, greatest] in (0, 10]", zoom);
  return options;
}

/**
 * Changes each image of a batch at random. What a shift or rotation uncovers is black.
 *
 * @param images - `[batchSize, height, width, channels]`, 0–255; stays the caller's.
 * @param random - Draws a fixed number of times per image, whatever is on.
 * @returns Images of the same shape, 0–255; the caller disposes them.
 */
export function augmentBatch(images: Tensor4D, options: AugmentOptions, random: Random): Tensor4D {
  const [batchSize, height, width] = images.shape;
  const draws = Array.from({ length: batchSize }, () => draw(options, random));
  return tf.tidy(() => {
    let result: Tensor4D = images.clone();
    if (draws.some(isMoved)) result = transform(result, draws.map((one) => inverseTransform(one, height, width)));
    if (options.brightness > 0 || options.contrast > 0) result = adjustLight(result, draws);
    if (draws.some(({ erased }) => erased)) result = erase(result, draws);
    return result;
  });
}

interface Draw {
  isFlipped: boolean;
  /** Radians, counter-clockwise. */
  angle: number;
  scale: number;
  /** Shares of the side, to the right and down. */
  shift: [x: number, y: number];
  /** Added, 0–255. */
  brightness: number;
  contrast: number;
  /** Shares of the side. */
  erased: { left: number; top: number; width: number; height: number } | null;
}

function draw(options: AugmentOptions, random: Random): Draw {
  const { rotation, translation, zoom, brightness, contrast } = options;
  const isFlipped = random.chance(options.horizontalFlip);
  const angle = (random.uniform(-rotation, rotation) * Math.PI) / 180;
  const scale = random.uniform(...zoom);
  const shift: [number, number] = [random.uniform(-translation, translation), random.uniform(-translation, translation)];
  const light = { brightness: 255 * random.uniform(-brightness, brightness), contrast: 1 + random.uniform(-contrast, contrast) };
  const isErased = random.chance(options.erasing);
  const area = random.uniform(0.02, 0.2);
  const aspect = Math.exp(random.uniform(Math.log(0.3), Math.log(1 / 0.3)));
  const [width, height] = [Math.min(1, Math.sqrt(area * aspect)), Math.min(1, Math.sqrt(area / aspect))];
  const [left, top] = [random.uniform(0, 1 - width), random.uniform(0, 1 - height)];
  return { isFlipped, angle, scale, shift, ...light, erased: isErased ? { left, top, width, height } : null };
}

function isMoved({ isFlipped, angle, scale, shift }: Draw): boolean {
  return isFlipped || angle !== 0 || scale !== 1 || shift[0] !== 0 || shift[1] !== 0;
}

/** The first six of the eight numbers that give, for a place in the result, the place in the image: x' = a·x + b·y + c. */
function inverseTransform({ isFlipped, angle, scale, shift }: Draw, height: number, width: number): number[] {
  const [cos, sin] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
  const mirror = isFlipped ? -1 : 1;
  const [a, b, d, e] = [mirror * cos, -mirror * sin, sin, cos];
  // About the centre of the pixel grid, after undoing the shift.
  const [centerX, centerY] = [(width - 1) / 2, (height - 1) / 2];
  const [x, y] = [centerX + shift[0] * width, centerY + shift[1] * height];
  return [a, b, centerX - a * x - b * y, d, e, centerY - d * x - e * y, 0, 0];
}

/** One call for the whole batch: flip, rotation, scale and shift with bilinear interpolation. */
function transform(images: Tensor4D, transforms: number[][]): Tensor4D {
  const [, height, width] = images.shape;
  return execute(
    "ImageProjectiveTransformV3",
    [floatType("dtype"), string("interpolation", "BILINEAR"), string("fill_mode", "CONSTANT")],
    images,
    tf.tensor2d(transforms),
    tf.tensor1d([height, width], "int32"),
    tf.scalar(0),
  ) as Tensor4D;
}

function adjustLight(images: Tensor4D, draws: Draw[]): Tensor4D {
  const perImage = (values: number[]) => tf.tensor4d(values, [values.length, 1, 1, 1]);
  const contrast = perImage(draws.map((one) => one.contrast));
  const means = images.mean([1, 2, 3], true);
  // mean + contrast·(x − mean) + brightness
  const offset = means.mul(tf.sub(1, contrast)).add(perImage(draws.map((one) => one.brightness)));
  return images.mul(contrast).add(offset).clipByValue(0, 255) as Tensor4D;
}

function erase(images: Tensor4D, draws: Draw[]): Tensor4D {
  const [batchSize, height, width] = images.shape;
  const keep = new Float32Array(batchSize * height * width).fill(1);
  draws.forEach(({ erased }, i) => {
    if (!erased) return;
    const [left, right] = [Math.round(erased.left * width), Math.round((erased.left + erased.width) * width)];
    const [top, bottom] = [Math.round(erased.top * height), Math.round((erased.top + erased.height) * height)];
    for (let y = top; y < bottom; y++) keep.fill(0, (i * height + y) * width + left, (i * height + y) * width + right);
  });
  const mask: Tensor = tf.tensor4d(keep, [batchSize, height, width, 1]);
  const grey = images.mean([1, 2, 3], true);
  return images.mul(mask).add(grey.mul(tf.sub(1, mask))) as Tensor4D;
}
