// Random changes to training images: drawn here for each image, applied to the whole batch by the engine.
import type { Border, ImageChanges } from "../engine/backend.js";
import { backend } from "../engine/device.js";
import { type Tensor4D, tf } from "../engine/tf.js";
import { checkChoice, checkNumber, ParameterError } from "../errors.js";
import { LUMA } from "../model/preprocessing.js";
import { Random } from "../random.js";
import { gather } from "./batches.js";
import type { PackedImages } from "./dataset.js";
import { type Corruption, corrupt } from "./noise-and-blur.js";

/**
 * Random changes to training images, each drawn again for every image.
 *
 * @example
 * ```ts
 * import { type AugmentOptions, NO_AUGMENTATION, trainConfig } from "ferkit";
 *
 * const augment: AugmentOptions = { ...NO_AUGMENTATION, horizontalFlip: 0.5, rotation: 10, fill: "edge" };
 * console.log(trainConfig("baseline", { augment }).augment);
 * ```
 */
export interface AugmentOptions {
  /** Probability of mirroring left to right, [0, 1]. */
  horizontalFlip: number;
  /** Maximum angle in either direction, in degrees, [0, 180]. */
  rotation: number;
  /** Maximum shift in either direction along each side, as a share of it, [0, 1]. */
  translation: number;
  /** Range of the scale about the centre; 1 = unchanged, above 1 = larger; each in [0.1, 10]. */
  zoom: [number, number];
  /** Maximum change in either direction, as a share of 255, [0, 1]. */
  brightness: number;
  /** Maximum change in either direction of the distance from the image's mean, as a share, [0, 1]. */
  contrast: number;
  /** Probability of filling a rectangle of 2–20% of the area with the image's mean (Zhong et al. 2020, https://arxiv.org/abs/1708.04896). */
  erasing: number;
  /** Largest deviation of normal noise, as a share of 255, [0, 1]. It is the same in all channels. */
  noise: number;
  /** Largest deviation of a Gaussian blur, as a share of the side, [0, 1]. */
  blur: number;
  /** Probability of `noise` or `blur`, if they are on, [0, 1]. If both are, an image gets one of them. */
  corruptionShare: number;
  /**
   * What rotation, translation and zoom show outside the image: `edge` repeats its edge pixels, `reflect` mirrors it, a number
   * or `[red, green, blue]` is a colour of 0–255.
   */
  fill: "edge" | "reflect" | number | [red: number, green: number, blue: number];
}

/**
 * Options that change nothing, to start from.
 *
 * @example
 * ```ts
 * import { NO_AUGMENTATION, trainConfig } from "ferkit";
 *
 * const config = trainConfig("tutorial", { augment: NO_AUGMENTATION }); // the preset without its augmentation
 * console.log(config.augment.horizontalFlip); // 0
 * ```
 */
export const NO_AUGMENTATION: AugmentOptions = {
  horizontalFlip: 0,
  rotation: 0,
  translation: 0,
  zoom: [1, 1],
  brightness: 0,
  contrast: 0,
  erasing: 0,
  noise: 0,
  blur: 0,
  corruptionShare: 0.5,
  fill: 0,
};

/** The `baseline` preset's augmentation: half of the images mirrored, rotation by up to 20°. */
export const BASELINE_AUGMENTATION: AugmentOptions = {
  ...NO_AUGMENTATION,
  horizontalFlip: 0.5,
  rotation: 20,
};

/** Erased rectangles: share of the area, width over height. As in the paper, except for the area, which is up to 0.4 there. */
const ERASED_AREA = [0.02, 0.2] as const;
const ERASED_ASPECT = [0.3, 1 / 0.3] as const;

/** What numbers in [0, 1] are, and the number that stands for 1 where they are not shares. */
const SHARES = {
  horizontalFlip: ["a probability", 100],
  translation: ["a share of the side", 100],
  brightness: ["a share of 255", 255],
  contrast: ["a share", 100],
  erasing: ["a probability", 100],
  noise: ["a share of 255", 255],
  blur: ["a share of the side", 100],
  corruptionShare: ["a probability", 100],
} as const satisfies Partial<Record<keyof AugmentOptions, [what: string, whole: number]>>;

/** From this number on, it was rather meant of the whole: 30 percent, or 30 of 255. */
const MIN_WHOLE = 5;

/** @throws ParameterError "Did you mean 0.12? Expected a share of 255 in [0, 1] for noise but received 30 of type number" */
function checkShare(name: keyof typeof SHARES, value: unknown): void {
  if (typeof value === "number" && value >= 0 && value <= 1) return;
  const [what, whole] = SHARES[name];
  const isWhole = typeof value === "number" && value >= MIN_WHOLE && value <= whole;
  const hint = isWhole ? `Did you mean ${Number((value / whole).toFixed(2))}?` : undefined;
  throw new ParameterError(name, `${what} in [0, 1]`, value, hint);
}

/**
 * Returns `options` if all of them are known and in range.
 *
 * @throws ParameterError "Expected a number in [0, 180] for rotation but received -20 of type number"
 */
export function checkAugment(options: AugmentOptions): AugmentOptions {
  for (const name of Object.keys(options))
    checkChoice("the name of an augmentation option", name, Object.keys(NO_AUGMENTATION));
  for (const name of Object.keys(SHARES) as (keyof typeof SHARES)[]) checkShare(name, options[name]);
  checkNumber("rotation", options.rotation, { min: 0, max: 180 });
  const { zoom } = options;
  if (!Array.isArray(zoom) || zoom.length !== 2)
    throw new ParameterError(
      "zoom",
      "two numbers, the smallest and the largest scale, as in --set 'zoom=[0.9,1.1]',",
      zoom,
    );
  checkNumber("zoom[1]", zoom[1], { min: 0.1, max: 10 });
  checkNumber("zoom[0]", zoom[0], { min: 0.1, max: zoom[1] });
  checkFill(options.fill);
  return options;
}

/**
 * Changes each image of a batch at random. It gets noise or blur; it is mirrored, rotated and scaled about the centre, and shifted,
 * in one bilinear interpolation; then its brightness and contrast change, and a rectangle is erased. The mean that contrast and erasing refer to
 * is that of the image, without what `fill` adds.
 *
 * @param images - `[batchSize, height, width, channels]`, 0–255; the caller keeps and disposes it.
 * @param options - What may change, and how much.
 * @param random - Draws the same count of numbers for each image, so that no option changes the numbers of another.
 * @param outputSize - Side of the square result in pixels, resized like images for inference; by default the input's size.
 * @returns float32, 0–255, of the same shape except for `outputSize`; the caller disposes it.
 * @throws ParameterError for an option out of range.
 * @example
 * ```ts
 * import { augmentBatch, batches, loadDataset, NO_AUGMENTATION, Random, tf } from "ferkit";
 *
 * const { train } = await loadDataset({ data: "data/pets", imageSize: 48 });
 * const order = { batchSize: 8, shuffle: false, seed: 0, epoch: 1, dropLast: false };
 * const options = { ...NO_AUGMENTATION, horizontalFlip: 0.5, rotation: 20 };
 * for await (const { images } of batches(train, order)) {
 *   const augmented = augmentBatch(images, options, new Random(0, "augment"));
 *   console.log(augmented.shape); // as that of images
 *   tf.dispose([images, augmented]);
 * }
 * ```
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
  const [, height, width] = images.shape;
  const size: [number, number] = outputSize === undefined ? [height, width] : [outputSize, outputSize];
  const changes: ImageChanges = {
    transforms: draws.map((one) => transformOf(one, size)),
    border: borderOf(options.fill, images.shape[3]),
    light: changesLight ? draws.map(({ contrast, brightness }) => [contrast, brightness]) : null,
    erased: draws.some(({ erased }) => erased) ? draws.map((one) => erasedPixels(one, size)) : null,
  };
  const corruptions = draws.map(({ corruption }) => corruption);
  if (corruptions.every((one) => one === null)) return backend().augment(images, size, changes);
  return tf.tidy(() => backend().augment(corrupt(images, corruptions), size, changes));
}

function checkFill(fill: AugmentOptions["fill"]): void {
  if (fill === "edge" || fill === "reflect") return;
  const isColour = Array.isArray(fill) && fill.length === 3;
  const values: unknown[] = isColour ? fill : [fill];
  if (values.every((value) => typeof value === "number" && value >= 0 && value <= 255)) return;
  throw new ParameterError(
    "fill",
    "edge, reflect, a number in [0, 255] or three of them, as in --set 'fill=[127,127,127]',",
    fill,
  );
}

/** Returns options whose border is as bright and grey, for networks of grey images. */
export function withGreyFill(options: AugmentOptions): AugmentOptions {
  return { ...options, fill: greyOf(options.fill) };
}

function greyOf(fill: AugmentOptions["fill"]): Exclude<AugmentOptions["fill"], number[]> {
  return Array.isArray(fill) ? LUMA.reduce((sum, weight, i) => sum + weight * fill[i], 0) : fill;
}

/** @returns A colour with a value for each channel; a grey one if there is one channel. */
function borderOf(fill: AugmentOptions["fill"], numChannels: number): Border {
  const colour = numChannels === 1 ? greyOf(fill) : fill;
  return typeof colour === "number" ? Array<number>(numChannels).fill(colour) : colour;
}

/** The changes to one image, in this order. */
interface Draw {
  corruption: Corruption | null;
  isFlipped: boolean;
  /** Radians, counter-clockwise. */
  angle: number;
  scale: number;
  /** Shares of the side, to the right and down. */
  shift: [x: number, y: number];
  /** Added to values of 0–255. */
  brightness: number;
  /** Factor of the distance from the image's mean. */
  contrast: number;
  /** Shares of the sides. */
  erased: { left: number; top: number; width: number; height: number } | null;
}

function draw(options: AugmentOptions, random: Random): Draw {
  const corruption = drawCorruption(options, random.branch("corruption"));
  const upTo = (max: number) => random.uniform(-max, max);
  const isFlipped = random.chance(options.horizontalFlip);
  const angle = (upTo(options.rotation) * Math.PI) / 180;
  const scale = random.uniform(...options.zoom);
  const shift: [number, number] = [upTo(options.translation), upTo(options.translation)];
  const [brightness, contrast] = [255 * upTo(options.brightness), 1 + upTo(options.contrast)];
  const isErased = random.chance(options.erasing);
  const area = random.uniform(...ERASED_AREA);
  const aspect = Math.exp(random.uniform(Math.log(ERASED_ASPECT[0]), Math.log(ERASED_ASPECT[1])));
  const [width, height] = [Math.sqrt(area * aspect), Math.sqrt(area / aspect)];
  const [left, top] = [random.uniform(0, 1 - width), random.uniform(0, 1 - height)];
  const erased = isErased ? { left, top, width, height } : null;
  return { corruption, isFlipped, angle, scale, shift, brightness, contrast, erased };
}

/** @param random - Of this image alone: noise takes more numbers the larger the image is. */
function drawCorruption({ noise, blur, corruptionShare }: AugmentOptions, random: Random): Corruption | null {
  if (noise === 0 && blur === 0) return null;
  if (!random.chance(corruptionShare)) return null;
  const isBlurred = noise === 0 || (blur > 0 && random.chance(0.5));
  const deviation = random.uniform(0, isBlurred ? blur : noise);
  return isBlurred ? { noise: 0, blur: deviation, random } : { noise: deviation, blur: 0, random };
}

/** Returns the affine map from a pixel (x, y) of the result to its source, (a·x + b·y + c, d·x + e·y + f). */
function transformOf({ isFlipped, angle, scale, shift }: Draw, [height, width]: [number, number]): number[] {
  const [cos, sin] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
  const sign = isFlipped ? -1 : 1;
  const [a, b, d, e] = [sign * cos, -sign * sin, sin, cos];
  // Coordinates are those of pixel centres, so the middle of the image is half a pixel before half the side.
  const [centerX, centerY] = [(width - 1) / 2, (height - 1) / 2];
  const [x, y] = [centerX + shift[0] * width, centerY + shift[1] * height];
  return [a, b, centerX - a * x - b * y, d, e, centerY - d * x - e * y];
}

/** Returns the erased rectangle in pixels, `[left, top, right, bottom]`; zeros if there is none. */
function erasedPixels({ erased }: Draw, [height, width]: [number, number]): number[] {
  if (!erased) return [0, 0, 0, 0];
  const { left, top } = erased;
  const [right, bottom] = [left + erased.width, top + erased.height];
  return [left * width, top * height, right * width, bottom * height].map(Math.round);
}

/**
 * Returns images and random augmented versions of them, to look at before training.
 *
 * @param indices - Indices in the packed images.
 * @returns For each index, the image itself and `numVersions` augmented versions, each uint8 RGB `[imageSize, imageSize, 3]`.
 * A smaller `numVersions` gives the same first versions.
 * @throws ParameterError "Expected an integer in [0, 4) for indices[0] but received 4 of type number"
 */
export async function augmentPreview(
  images: PackedImages,
  indices: readonly number[],
  numVersions: number,
  options: AugmentOptions,
  seed: number,
): Promise<Uint8Array[][]> {
  checkNumber("numVersions", numVersions, { min: 0, integer: true });
  checkNumber("seed", seed, { min: 0, integer: true });
  indices.forEach((index, i) => {
    checkNumber(`indices[${i}]`, index, { min: 0, max: images.numImages, integer: true, exclusiveMax: true });
  });
  if (indices.length === 0) return [];
  const own = images.numChannels === 1 ? withGreyFill(options) : options;
  const { images: originals } = await gather(images, Int32Array.from(indices));
  try {
    const versions = [await pixelsOf(originals)];
    for (let version = 1; version <= numVersions; version++) {
      const augmented = augmentBatch(originals, own, new Random(seed, "preview", version));
      versions.push(await pixelsOf(augmented).finally(() => augmented.dispose()));
    }
    return indices.map((_, i) => versions.map((pixels) => pixels[i]));
  } finally {
    originals.dispose();
  }
}

/** Returns the rounded pixels of each image of a batch. */
async function pixelsOf(images: Tensor4D): Promise<Uint8Array[]> {
  const [batchSize, height, width, channels] = images.shape;
  const length = height * width * channels;
  const values = Uint8Array.from(await images.data(), Math.round);
  return Array.from({ length: batchSize }, (_, i) => values.slice(i * length, (i + 1) * length));
}
