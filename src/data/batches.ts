import { type Tensor4D, tf } from "../engine/tf.js";
import { checkNumber } from "../errors.js";
import { Random } from "../random.js";
import type { PackedImages } from "./packed.js";

/** Images to train on or to classify; whoever takes a batch disposes `images`. */
export interface Batch {
  /** float32 `[batchSize, imageSize, imageSize, 3]`, RGB, 0–255. */
  images: Tensor4D;
  /** int32 `[batchSize]`. */
  labels: Int32Array;
  /** Places in the packed images. */
  indices: Int32Array;
}

export interface BatchOptions {
  batchSize: number;
  /** In an order that depends on `seed` and `epoch` alone; else in the order of the files. */
  shuffle: boolean;
  seed: number;
  epoch: number;
  /** Leave out a last batch that is not full. */
  dropLast: boolean;
}

/** Number of batches that a pass over the images gives. */
export function numBatches(numImages: number, { batchSize, dropLast }: { batchSize: number; dropLast: boolean }): number {
  return dropLast ? Math.floor(numImages / batchSize) : Math.ceil(numImages / batchSize);
}

/** One pass over packed images, as batches in the engine. */
export function* batches(images: PackedImages, options: BatchOptions): Generator<Batch, void, undefined> {
  const { shuffle, seed, epoch } = options;
  const batchSize = checkNumber("batchSize", options.batchSize, { min: 1, integer: true });
  const order = shuffle ? new Random(seed, "shuffle", epoch).permutation(images.numImages) : null;
  for (let batch = 0; batch < numBatches(images.numImages, options); batch++) {
    const start = batch * batchSize;
    const length = Math.min(batchSize, images.numImages - start);
    const indices = order?.slice(start, start + length) ?? Int32Array.from({ length }, (_, i) => start + i);
    yield gather(images, indices);
  }
}

/** Brings the images at `indices` into the engine. */
export function gather(images: PackedImages, indices: Int32Array): Batch {
  const { imageSize, numChannels, pixels } = images;
  const length = imageSize * imageSize * numChannels;
  const values = new Float32Array(indices.length * length);
  indices.forEach((index, i) => {
    values.set(pixels.subarray(index * length, (index + 1) * length), i * length);
  });
  const tensor = tf.tensor4d(values, [indices.length, imageSize, imageSize, numChannels]);
  return {
    images: numChannels === 3 ? tensor : asRgb(tensor),
    labels: Int32Array.from(indices, (index) => images.labels[index]),
    indices,
  };
}

function asRgb(grey: Tensor4D): Tensor4D {
  const rgb = tf.tile(grey, [1, 1, 1, 3]);
  grey.dispose();
  return rgb;
}
