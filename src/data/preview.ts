import { type Tensor4D, tf } from "../engine/tf.js";
import { checkNumber } from "../errors.js";
import { Random } from "../random.js";
import { type AugmentOptions, augmentBatch } from "./augment.js";
import { gather } from "./batches.js";
import type { PackedImages } from "./dataset.js";

/**
 * Returns images and random augmented versions of them, to look at before training.
 *
 * @param indices - Indices in the packed images.
 * @returns For each index, the image itself and `numVersions` augmented versions, each uint8 RGB `[imageSize, imageSize, 3]`.
 * A smaller `numVersions` gives the same first versions.
 * @throws ParameterError "Expected an integer in [0, 4) for indices[0] but received 4 of type number"
 */
export async function augmentPreview(
  images: PackedImages,
  indices: readonly number[],
  numVersions: number,
  options: AugmentOptions,
  seed: number,
): Promise<Uint8Array[][]> {
  checkNumber("numVersions", numVersions, { min: 0, integer: true });
  checkNumber("seed", seed, { min: 0, integer: true });
  indices.forEach((index, i) => {
    checkNumber(`indices[${i}]`, index, { min: 0, max: images.numImages, integer: true, exclusiveMax: true });
  });
  if (indices.length === 0) return [];
  const { images: originals } = await gather(images, Int32Array.from(indices));
  try {
    const versions = [await pixelsOf(originals)];
    for (let version = 1; version <= numVersions; version++) {
      const augmented = augmentBatch(originals, options, new Random(seed, "preview", version));
      versions.push(await pixelsOf(augmented).finally(() => augmented.dispose()));
    }
    return indices.map((_, i) => versions.map((pixels) => pixels[i]));
  } finally {
    tf.dispose(originals);
  }
}

/** Returns the rounded pixels of each image of a batch. */
async function pixelsOf(images: Tensor4D): Promise<Uint8Array[]> {
  const [batchSize, height, width, channels] = images.shape;
  const length = height * width * channels;
  const values = Uint8Array.from(await images.data(), Math.round);
  return Array.from({ length: batchSize }, (_, i) => values.slice(i * length, (i + 1) * length));
}
