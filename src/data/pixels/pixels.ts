// Decoded pixels: in the cache's file for a data set, in memory for other images.
import { close } from "node:fs";
import { readBytes } from "../../files.js";

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

/** Pixels in memory. */
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
  /** @param descriptor - An open file, closed when this object is collected. The file may be renamed or removed before. */
  constructor(
    private readonly descriptor: number,
    private readonly imageBytes: number,
  ) {
    unused.register(this, descriptor);
  }

  async read(indices: Int32Array): Promise<Uint8Array> {
    const { descriptor, imageBytes } = this;
    const bytes = new Uint8Array(indices.length * imageBytes);
    const parts: Promise<void>[] = [];
    for (let start = 0, end = 0; start < indices.length; start = end) {
      do end++;
      while (end < indices.length && indices[end] === indices[end - 1] + 1); // one read for neighbours
      const part = bytes.subarray(start * imageBytes, end * imageBytes);
      parts.push(readBytes(descriptor, part, indices[start] * imageBytes));
    }
    await Promise.all(parts);
    return bytes;
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
