// How an image of any shape becomes a square, and how much of it is left out.
import type { Fit } from "../../model/preprocessing.js";
import { type Box, type Raster, resize } from "./resize.js";

interface Extent {
  width: number;
  height: number;
}

/** A central square that leaves out this share of an image is worth a word. */
export const MUCH_CUT = 0.4;

/** Returns the share of an image that its central square leaves out. */
export function cutOff({ width, height }: Extent): number {
  return 1 - Math.min(width, height) / Math.max(width, height);
}

export type Size = [width: number, height: number];

/**
 * sharp reduces an image that is at least this many times larger than needed, to this many times: the result differs from that
 * of a single resize by a level or two, and takes a fraction of the time.
 */
const [MIN_REDUCTION, REMAINING] = [6, 4];

/** Returns the size that sharp reduces an image to; null if it keeps its size. */
export function reducedSize({ width, height }: Extent, imageSize: number, fit: Fit): Size | null {
  const along = (side: number) => {
    const needed = { crop: Math.min(width, height), pad: Math.max(width, height), squash: side }[fit];
    return Math.ceil((side * REMAINING * imageSize) / needed);
  };
  const size: Size = [along(width), along(height)];
  const reduction = Math.min(width / size[0], height / size[1]);
  return reduction >= MIN_REDUCTION / REMAINING ? size : null;
}

/**
 * Makes an image square.
 *
 * @param raster - An image of the given size, or a reduction of it.
 */
export function fitToSquare(raster: Raster, { width, height }: Extent, imageSize: number, fit: Fit): Raster {
  const { numChannels } = raster;
  const square = (pixels: Uint8Array): Raster => ({
    pixels,
    width: imageSize,
    height: imageSize,
    numChannels,
  });
  const whole: Box = { left: 0, top: 0, width: raster.width, height: raster.height };
  if (fit === "squash") return square(resize(raster, whole, imageSize, imageSize));
  if (fit === "crop") {
    const side = Math.min(width, height);
    const [scaleX, scaleY] = [raster.width / width, raster.height / height];
    const [left, top] = [((width - side) / 2) * scaleX, ((height - side) / 2) * scaleY];
    const box = { left, top, width: side * scaleX, height: side * scaleY };
    return square(resize(raster, box, imageSize, imageSize));
  }
  const [innerWidth, innerHeight] = [width, height].map((side) =>
    sameParity((side * imageSize) / Math.max(width, height), imageSize),
  );
  const inner = resize(raster, whole, innerWidth, innerHeight);
  const padded = new Uint8Array(imageSize ** 2 * numChannels);
  const [left, top] = [(imageSize - innerWidth) / 2, (imageSize - innerHeight) / 2];
  const rowLength = innerWidth * numChannels;
  for (let y = 0; y < innerHeight; y++)
    padded.set(
      inner.subarray(y * rowLength, (y + 1) * rowLength),
      ((top + y) * imageSize + left) * numChannels,
    );
  return square(padded);
}

/** Rounds to an integer ≥ 1 that is even or odd like `size`, so that the bars on both sides are equal. */
function sameParity(length: number, size: number): number {
  const offset = size % 2;
  return Math.max(2 - offset, 2 * Math.round((length - offset) / 2) + offset);
}
