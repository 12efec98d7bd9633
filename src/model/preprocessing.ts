// How image files and pixels become a network's input.
import { checkKind, ParameterError } from "../errors.js";

/** How pixels of 0–255 become a network's input: `(x − mean) / std` for each channel, RGB. */
export interface Preprocessing {
  /** For each channel, on the scale of 0–255. */
  mean: number[];
  /** Standard deviation of each channel, on the same scale. */
  std: number[];
}

/**
 * Checks the pixels of one image, uint8 `[imageSize, imageSize, 3]`; programs without types may have other numbers.
 *
 * @throws ParameterError for another number of values, values out of 0–255, and values that were scaled to 0–1.
 */
export function checkPixels(name: string, pixels: ArrayLike<number>, imageSize: number): void {
  checkKind(name, "the pixels of an image, a Uint8Array", pixels, ["length"]);
  const length = 3 * imageSize ** 2;
  if (pixels.length !== length)
    throw new ParameterError(name, `${imageSize} × ${imageSize} × 3 = ${length} values`, pixels.length);
  if (pixels instanceof Uint8Array) return;
  const values = Array.from(pixels);
  const wrong = values.findIndex((value) => !(value >= 0 && value <= 255));
  if (wrong >= 0) throw new ParameterError(name, "numbers in [0, 255]", values[wrong]);
  const fraction = values.find((value) => value % 1 !== 0);
  if (fraction !== undefined && values.every((value) => value <= 1))
    throw new ParameterError(name, "numbers in [0, 255]", fraction, "Multiply by 255: all are in [0, 1].");
}

/** Weights of red, green and blue in the brightness that the eye sees, as in ITU-R BT.601 and JPEG. */
export const LUMA = [0.299, 0.587, 0.114];

/** Ways to make an image square: its central square, all of it between black bars, or all of it squeezed. */
export const FITS = ["crop", "pad", "squash"] as const;
export type Fit = (typeof FITS)[number];

/** How image files become square pixels. A model keeps it, so that prediction decodes like training. */
export interface Decoding {
  /** How an image becomes square. */
  fit: Fit;
  /** For each number format other than 8 bits, the number that is white, such as 4095; by default, each file's own range. */
  whiteLevels?: Record<string, number>;
}

export const DEFAULT_DECODING: Decoding = { fit: "crop" };

/** Returns whether a model need not keep it. */
export function isDefaultDecoding({ fit, whiteLevels }: Decoding = DEFAULT_DECODING): boolean {
  return fit === DEFAULT_DECODING.fit && Object.keys(whiteLevels ?? {}).length === 0;
}
