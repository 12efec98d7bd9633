// Decoded pixels: in the cache's file for a data set, in memory for other images.
import { close } from "node:fs";
import { crc32 } from "node:zlib";
import { InputError } from "../../errors.js";
import { readError } from "../../files.js";
import { LUMA } from "../../model/preprocessing.js";
import { readBytes } from "./file-bytes.js";
import type { Raster } from "./resize.js";

/** Pixels of images, read by index. */
export interface Pixels {
  /**
   * Copies images.
   *
   * @param indices - int32 `[batchSize]`, in any order.
   * @returns uint8 `[batchSize, imageSize, imageSize, numChannels]`, NHWC; the caller may change it.
   */
  read(indices: Int32Array): Promise<Uint8Array>;
}

/**
 * Pixels in memory, for images that come from no file.
 *
 * @example
 * ```ts
 * import { loadDataset, type PackedImages, PixelArray, saveChart, samplesChart } from "ferkit";
 *
 * const { train, classNames } = await loadDataset({ data: "data/pets", imageSize: 48 });
 * const pixels = await train.pixels.read(Int32Array.of(0, 1));
 * const darker: PackedImages = {
 *   imageSize: train.imageSize,
 *   numChannels: train.numChannels,
 *   numImages: 2,
 *   pixels: new PixelArray(pixels.map((value) => value / 2), pixels.length / 2),
 *   labels: train.labels.slice(0, 2),
 *   paths: ["darker-0", "darker-1"],
 * };
 * await saveChart(await samplesChart(darker, { classNames, perClass: 2, seed: 0 }), "darker.png");
 * ```
 */
export class PixelArray implements Pixels {
  /**
   * @param bytes - uint8 `[numImages, imageSize, imageSize, numChannels]`; must not change afterwards.
   * @param imageBytes - Length of an image, `imageSize² · numChannels`.
   */
  constructor(
    private readonly bytes: Uint8Array,
    private readonly imageBytes: number,
  ) {}

  async read(indices: Int32Array): Promise<Uint8Array> {
    const { bytes, imageBytes } = this;
    const copy = new Uint8Array(indices.length * imageBytes);
    indices.forEach((index, i) => {
      copy.set(bytes.subarray(index * imageBytes, (index + 1) * imageBytes), i * imageBytes);
    });
    return copy;
  }
}

/** Closes a file when its pixels are no longer used. */
const unused = new FinalizationRegistry<number>((descriptor) => close(descriptor));

/** Pixels at the start of a file, read outside JavaScript's thread. */
export class PixelFile implements Pixels {
  /**
   * @param descriptor - An open file, closed when this object is collected. The file may be renamed or removed before.
   * @param imageBytes - Length of an image, `imageSize² · numChannels`.
   * @param checksums - CRC-32 of each image, which is compared at each read.
   * @param file - The file's path, for errors.
   */
  constructor(
    private readonly descriptor: number,
    private readonly imageBytes: number,
    private readonly checksums: Uint32Array,
    private readonly file: string,
  ) {
    unused.register(this, descriptor);
  }

  /** @throws InputError if the file was damaged since it was written. */
  async read(indices: Int32Array): Promise<Uint8Array> {
    const { descriptor, imageBytes, checksums } = this;
    const bytes = new Uint8Array(indices.length * imageBytes);
    const parts: Promise<void>[] = [];
    for (let start = 0, end = 0; start < indices.length; start = end) {
      do end++;
      while (end < indices.length && indices[end] === indices[end - 1] + 1); // one read for neighbours
      const part = bytes.subarray(start * imageBytes, end * imageBytes);
      parts.push(readBytes(descriptor, part, indices[start] * imageBytes));
    }
    await Promise.all(parts).catch((error) => {
      if (!("code" in error)) throw this.damaged("a file that was cut short");
      throw readError(this.file, { expected: "the decoded images", fix: "Run again." }, error);
    });
    indices.forEach((index, i) => {
      if (crc32(bytes.subarray(i * imageBytes, (i + 1) * imageBytes)) !== checksums[index])
        throw this.damaged(`other bytes in image ${index + 1}`);
    });
    return bytes;
  }

  private damaged(found: string): InputError {
    const fix = "Remove the file and run again: the images are then decoded again.";
    return new InputError({
      expected: "the decoded images as they were written",
      where: this.file,
      found,
      fix,
    });
  }
}

/** A selection of images, in its own order. */
export class PixelSelection implements Pixels {
  /** @param selected - int32 `[numImages]`, the index in `pixels` of each image. */
  constructor(
    private readonly pixels: Pixels,
    private readonly selected: Int32Array,
  ) {}

  read(indices: Int32Array): Promise<Uint8Array> {
    return this.pixels.read(indices.map((index) => this.selected[index]));
  }
}

/** Pixels with the wanted number of channels: brightness of colours, or a repeated grey channel. */
export class PixelChannels implements Pixels {
  /** @param wanted - Other than the number of channels of `pixels`. */
  constructor(
    private readonly pixels: Pixels,
    private readonly wanted: 1 | 3,
  ) {}

  async read(indices: Int32Array): Promise<Uint8Array> {
    const pixels = await this.pixels.read(indices);
    return this.wanted === 3 ? repeatChannel(pixels) : brightness(pixels);
  }
}

/** Returns RGB pixels for grey ones. */
export function repeatChannel(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(grey.length * 3);
  for (let i = 0; i < grey.length; i++) rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = grey[i];
  return rgb;
}

/** Returns one channel for RGB pixels. */
function brightness(rgb: Uint8Array): Uint8Array {
  const grey = new Uint8Array(rgb.length / 3);
  for (let i = 0; i < rgb.length; i += 3)
    grey[i / 3] = Math.round(LUMA[0] * rgb[i] + LUMA[1] * rgb[i + 1] + LUMA[2] * rgb[i + 2]);
  return grey;
}

/** Returns RGB pixels without their colour, still in three channels. */
export function toGrey(rgb: Uint8Array): Uint8Array {
  return repeatChannel(brightness(rgb));
}

/** Returns whether RGB pixels have no colour. */
export function isGrey(pixels: Uint8Array): boolean {
  for (let i = 0; i < pixels.length; i += 3)
    if (pixels[i] !== pixels[i + 1] || pixels[i] !== pixels[i + 2]) return false;
  return true;
}

/** Puts RGBA pixels on white, rounded to the nearest level, as Pillow's `alpha_composite` does. */
export function onWhite(rgba: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4)
    for (let c = 0; c < 3; c++) rgb[to++] = 255 - Math.round((rgba[from + 3] * (255 - rgba[from + c])) / 255);
  return rgb;
}

/** Returns whether RGBA pixels hide nothing. */
export function isOpaque(rgba: Uint8Array): boolean {
  for (let at = 3; at < rgba.length; at += 4) if (rgba[at] !== 255) return false;
  return true;
}

/** Turns an image by EXIF's orientation. */
export function turnUpright(raster: Raster, orientation: number): Raster {
  if (orientation <= 1 || orientation > 8) return raster;
  const { pixels, numChannels } = raster;
  const isTransposed = orientation >= 5;
  const [width, height] = isTransposed ? [raster.height, raster.width] : [raster.width, raster.height];
  // Whether the stored image is mirrored, before it is transposed.
  const isFlippedX = [2, 3, 7, 8].includes(orientation);
  const isFlippedY = [3, 4, 6, 7].includes(orientation);
  const turned = new Uint8Array(pixels.length);
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [storedX, storedY] = isTransposed ? [y, x] : [x, y];
      const fromX = isFlippedX ? raster.width - 1 - storedX : storedX;
      const fromY = isFlippedY ? raster.height - 1 - storedY : storedY;
      const from = (fromY * raster.width + fromX) * numChannels;
      for (let c = 0; c < numChannels; c++) turned[to++] = pixels[from + c];
    }
  return { pixels: turned, width, height, numChannels };
}
