// Decoded pixels, wherever they are: those of a data set in the cache's file, others in memory.
import { close } from "node:fs";
import { readBytes } from "../../files.js";

/** Pixels of images, read by their places. */
export interface Pixels {
  /**
   * Copies images.
   *
   * @param places - int32 `[batchSize]`, in any order.
   * @returns uint8 `[batchSize, imageSize, imageSize, numChannels]`, NHWC; the caller's own.
   */
  read(places: Int32Array): Promise<Uint8Array>;
}

/** Pixels in memory. */
export class PixelArray implements Pixels {
  /**
   * @param bytes - uint8 `[numImages, imageSize, imageSize, numChannels]`; stays the caller's, who does not write to it.
   * @param imageBytes - Length of an image, `imageSize² · numChannels`.
   */
  constructor(
    private readonly bytes: Uint8Array,
    private readonly imageBytes: number,
  ) {}

  async read(places: Int32Array): Promise<Uint8Array> {
    const { bytes, imageBytes } = this;
    const copy = new Uint8Array(places.length * imageBytes);
    places.forEach((place, i) => {
      copy.set(bytes.subarray(place * imageBytes, (place + 1) * imageBytes), i * imageBytes);
    });
    return copy;
  }
}

/** Closes a file when the pixels that are read from it are no longer used. */
const unused = new FinalizationRegistry<number>((descriptor) => close(descriptor));

/** Pixels at the start of a file, which is read in other threads than JavaScript's. */
export class PixelFile implements Pixels {
  /** @param descriptor - Of the open file, which is closed when this is collected; it may be renamed or removed before. */
  constructor(
    private readonly descriptor: number,
    private readonly imageBytes: number,
  ) {
    unused.register(this, descriptor);
  }

  async read(places: Int32Array): Promise<Uint8Array> {
    const { descriptor, imageBytes } = this;
    const bytes = new Uint8Array(places.length * imageBytes);
    const parts: Promise<void>[] = [];
    for (let start = 0, end = 0; start < places.length; start = end) {
      do end++;
      while (end < places.length && places[end] === places[end - 1] + 1); // neighbours are read at once
      const part = bytes.subarray(start * imageBytes, end * imageBytes);
      parts.push(readBytes(descriptor, part, places[start] * imageBytes));
    }
    await Promise.all(parts);
    return bytes;
  }
}

/** Some of the images, in an order of their own. */
export class PixelSelection implements Pixels {
  /** @param selected - int32 `[numImages]`, the place in `pixels` of each image. */
  constructor(
    private readonly pixels: Pixels,
    private readonly selected: Int32Array,
  ) {}

  read(places: Int32Array): Promise<Uint8Array> {
    return this.pixels.read(places.map((place) => this.selected[place]));
  }
}
