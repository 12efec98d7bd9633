// Random images: what they show does not matter for speed.
import sharp from "sharp";
import { type PackedImages, PixelArray, Random } from "../../src/index.js";
import { CLASS_NAMES } from "../suite.js";

/** Returns grey noise, grey like FER-2013. The classes alternate. */
export function noise(imageSize: number, numImages: number, seed = 0): PackedImages {
  const random = new Random(seed, "noise");
  const bytes = Uint8Array.from({ length: numImages * imageSize ** 2 }, () => random.uint32() & 255);
  const labels = Int32Array.from({ length: numImages }, (_, i) => i % CLASS_NAMES.length);
  const paths = Array.from(labels, (label, i) => `${CLASS_NAMES[label]}/${i}.png`);
  const pixels = new PixelArray(bytes, imageSize ** 2);
  return { pixels, labels, numImages, imageSize, numChannels: 1, paths };
}

/** Returns a JPEG file of grey noise, smoothed so that it is as large as a photograph's. */
export async function greyJpeg(imageSize: number, seed: number): Promise<Buffer> {
  const random = new Random(seed, "jpeg");
  const pixels = Uint8Array.from({ length: imageSize ** 2 }, () => random.uint32() & 255);
  const raw = { width: imageSize, height: imageSize, channels: 1 } as const;
  return sharp(pixels, { raw }).blur(1).toColourspace("b-w").jpeg({ quality: 90 }).toBuffer();
}
