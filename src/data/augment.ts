// Random changes to training images: drawn here image by image, applied to the whole batch by the engine.
import type { Tensor4D } from "../engine/tf.js";
import { checkChoice, checkNumber, ParameterError } from "../errors.js";
import type { Random } from "../random.js";
import { applyDraws, type Draw } from "./augment-pixels.js";

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
export const BASELINE_AUGMENTATION: AugmentOptions = {
  ...NO_AUGMENTATION,
  horizontalFlip: 0.5,
  rotation: 20,
};

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
  const changesLight = options.brightness > 0 || options.contrast > 0;
  return applyDraws(images, draws, changesLight, outputSize);
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
