// Random changes to training images: drawn here image by image, applied to the whole batch by the engine.
import { execute, floatType, string } from "../engine/execute.js";
import { resizeBilinear } from "../engine/kernels.js";
import { type Tensor4D, tf } from "../engine/tf.js";
import { checkChoice, checkNumber, ParameterError } from "../errors.js";
import type { Random } from "../random.js";

export interface AugmentOptions {
  /** Probability to mirror left and right. */
  horizontalFlip: number;
  /** Greatest angle either way, in degrees. */
  rotation: number;
  /** Greatest shift either way, along each side, as a share of it. */
  translation: number;
  /** Range of the scale about the centre; 1 = as it is, above = larger. */
  zoom: [number, number];
  /** Greatest change either way, as a share of 255. */
  brightness: number;
  /** Greatest change either way of the distance from the image's mean, as a share. */
  contrast: number;
  /** Probability to fill a rectangle of 2–20 % of the area with the image's mean (Zhong et al. 2020, https://arxiv.org/abs/1708.04896). */
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

/** Rectangles that erasing fills: share of the area, width over height; as in the paper but for the area, there up to 0.4. */
const ERASED_AREA = [0.02, 0.2] as const;
const ERASED_ASPECT = [0.3, 1 / 0.3] as const;

/**
 * Returns `options` when all of them are known and in range.
 *
 * @throws ParameterError "Expected a number in [0, 180] for rotation but received -20 of type number"
 */
export function checkAugment(options: AugmentOptions): AugmentOptions {
  for (const name of Object.keys(options))
    checkChoice("the name of an augmentation option", name, Object.keys(NO_AUGMENTATION));
  for (const name of ["horizontalFlip", "translation", "brightness", "contrast", "erasing"] as const)
    checkNumber(name, options[name], { min: 0, max: 1 });
  checkNumber("rotation", options.rotation, { min: 0, max: 180 });
  const { zoom } = options;
  if (!Array.isArray(zoom) || zoom.length !== 2)
    throw new ParameterError("zoom", "two numbers, the least and the greatest scale", zoom);
  checkNumber("zoom[1]", zoom[1], { min: 0.1, max: 10 });
  checkNumber("zoom[0]", zoom[0], { min: 0.1, max: zoom[1] });
  return options;
}

/**
 * Changes each image of a batch at random: mirrored, then turned and scaled about the centre, then shifted, by one bilinear
 * interpolation, black where nothing of the image comes to lie; then light, then erasing.
 *
 * @param images - `[batchSize, height, width, channels]`, 0–255; stays the caller's.
 * @param random - Draws the same number of times for each image, whatever is on, so that no option shifts another's numbers.
 * @param outputSize - Side of the square result in pixels, scaled to as images for inference are; as the input unless told.
 * @returns float32, 0–255, of the same shape but for `outputSize`; the caller disposes it.
 */
export function augmentBatch(
  images: Tensor4D,
  options: AugmentOptions,
  random: Random,
  outputSize?: number,
): Tensor4D {
  checkAugment(options);
  if (outputSize !== undefined) checkNumber("outputSize", outputSize, { min: 1, integer: true });
  const draws = Array.from({ length: images.shape[0] }, () => draw(options, random));
  return tf.tidy(() => {
    // Scaled apart from the move, so that the border is not blended with the black beyond it.
    let result = isOfSize(images, outputSize) ? images.clone() : resizeBilinear(images, outputSize as number);
    if (draws.some(isMoved)) result = move(result, draws);
    if (options.brightness > 0 || options.contrast > 0) result = adjustLight(result, draws);
    if (draws.some(({ erased }) => erased)) result = erase(result, draws);
    return result;
  });
}

function isOfSize({ shape: [, height, width] }: Tensor4D, size: number | undefined): boolean {
  return size === undefined || (height === size && width === size);
}

interface Draw {
  isFlipped: boolean;
  /** Radians, counter-clockwise. */
  angle: number;
  scale: number;
  /** Shares of the side, to the right and down. */
  shift: [x: number, y: number];
  /** Added, of 255. */
  brightness: number;
  /** Factor of the distance from the image's mean. */
  contrast: number;
  /** Shares of the sides. */
  erased: { left: number; top: number; width: number; height: number } | null;
}

function draw(options: AugmentOptions, random: Random): Draw {
  const either = (greatest: number) => random.uniform(-greatest, greatest);
  const isFlipped = random.chance(options.horizontalFlip);
  const angle = (either(options.rotation) * Math.PI) / 180;
  const scale = random.uniform(...options.zoom);
  const shift: [number, number] = [either(options.translation), either(options.translation)];
  const [brightness, contrast] = [255 * either(options.brightness), 1 + either(options.contrast)];
  const isErased = random.chance(options.erasing);
  const area = random.uniform(...ERASED_AREA);
  const aspect = Math.exp(random.uniform(Math.log(ERASED_ASPECT[0]), Math.log(ERASED_ASPECT[1])));
  const [width, height] = [Math.sqrt(area * aspect), Math.sqrt(area / aspect)];
  const [left, top] = [random.uniform(0, 1 - width), random.uniform(0, 1 - height)];
  const erased = isErased ? { left, top, width, height } : null;
  return { isFlipped, angle, scale, shift, brightness, contrast, erased };
}

function isMoved({ isFlipped, angle, scale, shift }: Draw): boolean {
  return isFlipped || angle !== 0 || scale !== 1 || shift[0] !== 0 || shift[1] !== 0;
}

/** Flip, turn, scale and shift of every image in one call. */
function move(images: Tensor4D, draws: Draw[]): Tensor4D {
  const [, height, width] = images.shape;
  return execute(
    "ImageProjectiveTransformV3",
    [floatType("dtype"), string("interpolation", "BILINEAR"), string("fill_mode", "CONSTANT")],
    images,
    tf.tensor2d(draws.map((one) => sourceOf(one, height, width))),
    tf.tensor1d([height, width], "int32"),
    tf.scalar(0),
  ) as Tensor4D;
}

/** Where in the image the pixel (x, y) of the result comes from, (a·x + b·y + c, d·x + e·y + f): the move undone, last part first. */
function sourceOf({ isFlipped, angle, scale, shift }: Draw, height: number, width: number): number[] {
  const [cos, sin] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
  const mirror = isFlipped ? -1 : 1;
  const [a, b, d, e] = [mirror * cos, -mirror * sin, sin, cos];
  // Pixels are numbered by their centres, so that the middle of the image is half a pixel before half the side.
  const [centerX, centerY] = [(width - 1) / 2, (height - 1) / 2];
  const [x, y] = [centerX + shift[0] * width, centerY + shift[1] * height];
  return [a, b, centerX - a * x - b * y, d, e, centerY - d * x - e * y, 0, 0];
}

/** mean + contrast·(x − mean) + brightness, as one factor and one offset for each image. */
function adjustLight(images: Tensor4D, draws: Draw[]): Tensor4D {
  const perImage = (values: number[]) => tf.tensor4d(values, [values.length, 1, 1, 1]);
  const factor = perImage(draws.map(({ contrast }) => contrast));
  const brightness = perImage(draws.map((one) => one.brightness));
  const offset = images.mean([1, 2, 3], true).mul(tf.sub(1, factor)).add(brightness);
  return images.mul(factor).add(offset).clipByValue(0, 255) as Tensor4D;
}

function erase(images: Tensor4D, draws: Draw[]): Tensor4D {
  const [batchSize, height, width] = images.shape;
  const keep = new Float32Array(batchSize * height * width).fill(1);
  draws.forEach(({ erased }, i) => {
    if (!erased) return;
    const left = Math.round(erased.left * width);
    const right = Math.round((erased.left + erased.width) * width);
    const bottom = Math.round((erased.top + erased.height) * height);
    for (let y = Math.round(erased.top * height); y < bottom; y++) {
      const row = (i * height + y) * width;
      keep.fill(0, row + left, row + right);
    }
  });
  const mask = tf.tensor4d(keep, [batchSize, height, width, 1]);
  const means = images.mean([1, 2, 3], true);
  return images.mul(mask).add(means.mul(tf.sub(1, mask))) as Tensor4D;
}
