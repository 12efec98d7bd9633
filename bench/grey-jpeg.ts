import sharp from "sharp";
import { Random } from "../src/random.js";

/** A JPEG file of grey noise, smoothed so that its size is a photograph's. */
export async function greyJpeg(imageSize: number, seed: number): Promise<Buffer> {
  const random = new Random(seed, "jpeg");
  const pixels = Uint8Array.from({ length: imageSize ** 2 }, () => random.uint32() & 255);
  const raw = { width: imageSize, height: imageSize, channels: 1 } as const;
  return sharp(pixels, { raw }).blur(1).toColourspace("b-w").jpeg({ quality: 90 }).toBuffer();
}
