// Images whose pixels are not numbers of 8 bits: which number is white.
//
// Black is 0. White is the largest number of the fewest bits that hold the file's largest number: 8, 10, 12, 14, 16, 20, 24 or
// 32 bits; 1 for floating-point numbers below 2, which are fractions. So 12 bits stored in 16 use the range of 12. A data set uses the
// largest range among its files of a number format, so that its images stay comparable, and a model keeps that range for prediction.
import type { Sharp } from "sharp";
import type { ImageHeader } from "./header.js";
import type { Raster } from "./resize.js";

/** Number that is white, by the number format: `{ "16-bit": 4095 }`. */
export type WhiteLevels = Record<string, number>;

/** How numbers that are not 8 bits became 0–255. */
export interface SampleRange {
  /** Number format: `16-bit`, `float`, … */
  numbers: string;
  /** Number that is white. Larger ones are cut to it. */
  white: number;
  /** Largest number in the image. */
  highest: number;
  /** Whether `white` is the top of the smallest range that holds this image: the model has no white level for the format. */
  isGuess: boolean;
}

const ARRAYS = {
  char: Int8Array,
  ushort: Uint16Array,
  short: Int16Array,
  uint: Uint32Array,
  int: Int32Array,
  float: Float32Array,
} as const;
/** Largest number of each format. */
const LARGEST = {
  char: 2 ** 7,
  ushort: 2 ** 16,
  short: 2 ** 15,
  uint: 2 ** 32,
  int: 2 ** 31,
  float: 2 ** 24,
};
const BITS = [8, 10, 12, 14, 16, 20, 24];

type Depth = keyof typeof ARRAYS;

/** Says why ferkit takes no image of some kind, in words for the user; other errors of an image are its decoder's. */
export class UnusableImage extends Error {}

/** Returns whether an image's numbers need a range: they are not 8 bits, and no colour space defines them. */
export function needsRange({ depth, space }: ImageHeader): boolean {
  return depth !== "uchar" && !["cmyk", "lab", "labs", "lch", "xyz"].includes(space);
}

/**
 * Reads a whole image as it is stored, and brings its numbers to 0–255.
 *
 * @param white - The number that is white; by default, that of the file.
 * @returns The image, on white where transparent, and the range of its numbers.
 * @throws UnusableImage with the reason if there is no rule for its numbers.
 */
export async function readRanged(
  image: Sharp,
  { depth, space, traits, numChannels }: ImageHeader,
  white?: number,
): Promise<{ raster: Raster; range: SampleRange }> {
  if (!isDepth(depth)) throw new UnusableImage(`pixels of ${traits.numbers} numbers, which cannot be read`);
  const numColours = numChannels - Number(traits.hasAlpha || traits.hasOther === true);
  if (numColours !== 1 && numColours !== 3) throw new UnusableImage(`${numChannels} channels`);
  if (traits.hasAlpha && depth !== "ushort")
    throw new UnusableImage(`transparency in ${traits.numbers} numbers`);
  if (depth === "float" && space === "grey16") throw new UnusableImage("floating-point numbers of 16 bits");
  if (depth === "short") {
    // libvips takes signed numbers for unsigned ones when it gives raw pixels, so that negative ones would become 0.
    const { channels } = await image.clone().stats();
    const lowest = Math.min(...channels.map(({ min }) => min));
    if (lowest < 0) throw negative(lowest);
  }
  const { data, info } = await image
    .clone()
    .pipelineColourspace(space)
    .toColourspace(space)
    .raw({ depth })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels: stride } = info;
  const values = new ARRAYS[depth](
    data.buffer,
    data.byteOffset,
    data.length / ARRAYS[depth].BYTES_PER_ELEMENT,
  );
  const { highest, isExpanded } = scan(values, stride, numColours);
  const used = white ?? ownWhite(depth, highest, isExpanded);
  const isWhole = used === (depth === "float" ? 1 : LARGEST[depth] - 1);
  const alphaScale = traits.hasAlpha && stride > numColours ? 1 / 65535 : 0;
  const pixels = new Uint8ClampedArray(width * height * numColours);
  for (let i = 0, from = 0, to = 0; i < width * height; i++, from += stride)
    for (let c = 0; c < numColours; c++) {
      const value = (255 * values[from + c]) / used;
      const alpha = alphaScale ? values[from + numColours] * alphaScale : 1;
      pixels[to++] = Math.min(255, value) * alpha + 255 * (1 - alpha); // rounds
    }
  return {
    raster: { pixels: new Uint8Array(pixels.buffer), width, height, numChannels: numColours },
    range: { numbers: traits.numbers, white: used, highest, isGuess: white === undefined && !isWhole },
  };
}

function isDepth(depth: string): depth is Depth {
  return Object.hasOwn(ARRAYS, depth);
}

/**
 * Returns the largest number, and whether all numbers are 8 bits that were expanded to 16 by repeating them.
 *
 * @throws UnusableImage for numbers below 0, and those that are not finite.
 */
function scan(values: ArrayLike<number>, stride: number, numColours: number) {
  let [lowest, highest, isExpanded] = [0, 0, true];
  for (let from = 0; from < values.length; from += stride)
    for (let c = 0; c < numColours; c++) {
      const value = values[from + c];
      if (value < lowest) lowest = value;
      if (value > highest) highest = value;
      if (!Number.isFinite(value)) throw new UnusableImage(`numbers that are not finite (${value})`);
      isExpanded &&= value % 257 === 0;
    }
  if (lowest < 0) throw negative(lowest);
  return { highest, isExpanded };
}

/** Returns the top of the smallest range that holds an image. */
function ownWhite(depth: Depth, highest: number, isExpanded: boolean): number {
  if (depth === "float" && highest < 2) return 1;
  if (depth === "ushort" && isExpanded && highest > 0) return 65535;
  const sizes = [...BITS.map((bits) => 2 ** bits).filter((size) => size < LARGEST[depth]), LARGEST[depth]];
  const size = sizes.find((one) => highest < one);
  if (size === undefined) throw new UnusableImage(`floating-point numbers up to ${highest}`);
  return size - 1;
}

function negative(lowest: number): UnusableImage {
  return new UnusableImage(
    `numbers below 0 (down to ${Number(lowest.toPrecision(3))}), for which there is no black`,
  );
}
