// The part of sharp that `src/faces` calls, in a browser: raw RGB pixels are cut out, extended and resized.
import type { Raster } from "../src/data/pixels/resize.js";
import { resizeLikeLibvips } from "./libvips.js";

interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

interface Margins {
  left: number;
  top: number;
  right: number;
  bottom: number;
  /** Colour beyond the border. */
  background?: { r: number; g: number; b: number };
  extendWith?: "background" | "mirror";
}

/** Starts with raw pixels; each step is done in the order of the calls. */
export default function sharp(
  pixels: Uint8Array,
  { raw: { width, height } }: { raw: { width: number; height: number } },
): Pipeline {
  return new Pipeline({ pixels, width, height, numChannels: 3 });
}

class Pipeline {
  constructor(private image: Raster) {}

  extract({ left, top, width, height }: Box): this {
    const { pixels, width: sourceWidth } = this.image;
    const part = new Uint8Array(width * height * 3);
    for (let y = 0; y < height; y++) {
      const start = ((top + y) * sourceWidth + left) * 3;
      part.set(pixels.subarray(start, start + width * 3), y * width * 3);
    }
    return this.become(part, width, height);
  }

  extend({ left, top, right, bottom, background, extendWith = "background" }: Margins): this {
    const { pixels, width, height } = this.image;
    const [newWidth, newHeight] = [width + left + right, height + top + bottom];
    const result = new Uint8Array(newWidth * newHeight * 3);
    const { r, g, b } = background ?? { r: 0, g: 0, b: 0 };
    const isMirrored = extendWith === "mirror";
    for (let y = 0, to = 0; y < newHeight; y++)
      for (let x = 0; x < newWidth; x++, to += 3) {
        const [fromX, fromY] = [x - left, y - top];
        const isInside = fromX >= 0 && fromX < width && fromY >= 0 && fromY < height;
        if (isInside || isMirrored) {
          const from = (mirrored(fromY, height) * width + mirrored(fromX, width)) * 3;
          for (let c = 0; c < 3; c++) result[to + c] = pixels[from + c];
        } else result.set([r, g, b], to);
      }
    return this.become(result, newWidth, newHeight);
  }

  /** Fills the new size by bicubic interpolation; faces are resized in no other way. */
  resize(width: number, height: number): this {
    this.image = resizeLikeLibvips(this.image, width, height);
    return this;
  }

  raw(): this {
    return this;
  }

  async toBuffer(options?: { resolveWithObject: boolean }) {
    const { pixels, width, height } = this.image;
    return options?.resolveWithObject ? { data: pixels, info: { width, height, channels: 3 } } : pixels;
  }

  private become(pixels: Uint8Array, width: number, height: number): this {
    this.image = { pixels, width, height, numChannels: 3 };
    return this;
  }
}

/** Returns the index that is seen at one beyond the border, in a mirror at the border. */
function mirrored(index: number, length: number): number {
  const period = 2 * length;
  const inPeriod = ((index % period) + period) % period;
  return inPeriod < length ? inPeriod : period - 1 - inPeriod;
}
