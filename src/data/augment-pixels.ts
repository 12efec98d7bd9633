// What was drawn for a batch of images, done to their pixels.
import { execute, floatType, int, string } from "../engine/execute.js";
import { resizeBilinear } from "../engine/kernels.js";
import { hasNativeOps } from "../engine/native.js";
import { type Tensor4D, tf } from "../engine/tf.js";

/** What happens to one image, in this order. */
export interface Draw {
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

/**
 * Resizes each image, then moves it, changes its light and erases of it as drawn: by one call where native ops are.
 *
 * @param changesLight - Whether brightness and contrast are applied, and results cut to 0–255 after them.
 * @param outputSize - Side of the square result in pixels; as the input unless told.
 * @returns The caller disposes it.
 */
export function applyDraws(
  images: Tensor4D,
  draws: Draw[],
  changesLight: boolean,
  outputSize?: number,
): Tensor4D {
  const [, inputHeight, inputWidth, numChannels] = images.shape;
  const [height, width] = [outputSize ?? inputHeight, outputSize ?? inputWidth];
  const moves = draws.some(isMoved);
  const erases = draws.some(({ erased }) => erased);
  return tf.tidy(() => {
    // Scaled apart from the move, so that the border is not blended with the black beyond it.
    const resize = () =>
      height === inputHeight && width === inputWidth ? images.clone() : resizeBilinear(images, height);
    if (!moves && !changesLight && !erases) return resize();
    if (hasNativeOps() && (numChannels === 1 || numChannels === 3)) {
      const perImage = (values: (one: Draw) => number[], isUsed = true) =>
        tf.tensor1d(isUsed ? draws.flatMap(values) : [], "float32");
      return execute(
        "FerkitAugment",
        [int("height", height), int("width", width)],
        images,
        perImage((one) => sourceOf(one, height, width)),
        perImage(({ contrast, brightness }) => [contrast, brightness], changesLight),
        perImage((one) => erasedPixels(one, height, width), erases),
      ) as Tensor4D;
    }
    let result = resize();
    if (moves) result = move(result, draws);
    if (changesLight) result = adjustLight(result, draws);
    if (erases) result = erase(result, draws);
    return result;
  });
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
    tf.tensor2d(draws.map((one) => [...sourceOf(one, height, width), 0, 0])),
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
  return [a, b, centerX - a * x - b * y, d, e, centerY - d * x - e * y];
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
  draws.forEach((one, i) => {
    const [left, top, right, bottom] = erasedPixels(one, height, width);
    for (let y = top; y < bottom; y++) {
      const row = (i * height + y) * width;
      keep.fill(0, row + left, row + right);
    }
  });
  const mask = tf.tensor4d(keep, [batchSize, height, width, 1]);
  const means = images.mean([1, 2, 3], true);
  return images.mul(mask).add(means.mul(tf.sub(1, mask))) as Tensor4D;
}

/** The erased rectangle in pixels, `[left, top, right, bottom]`; zeros where there is none. */
function erasedPixels({ erased }: Draw, height: number, width: number): number[] {
  if (!erased) return [0, 0, 0, 0];
  const { left, top } = erased;
  const [right, bottom] = [left + erased.width, top + erased.height];
  return [left * width, top * height, right * width, bottom * height].map(Math.round);
}
