import type { PackedImages } from "../../src/index.js";
import { PixelArray, Random } from "../../src/index.js";
import { CLASS_NAMES } from "../workload.js";

/** Grey noise, as FER-2013 is grey; the classes follow one another. */
export function noise(imageSize: number, numImages: number, seed = 0): PackedImages {
  const random = new Random(seed, "noise");
  const bytes = Uint8Array.from({ length: numImages * imageSize ** 2 }, () => random.uint32() & 255);
  const labels = Int32Array.from({ length: numImages }, (_, i) => i % CLASS_NAMES.length);
  const paths = Array.from(labels, (label, i) => `${CLASS_NAMES[label]}/${i}.png`);
  const pixels = new PixelArray(bytes, imageSize ** 2);
  return { pixels, labels, numImages, imageSize, numChannels: 1, paths };
}
