import { type Tensor4D, tf } from "../engine/tf.js";
import { checkKind, checkNumber } from "../errors.js";
import { Random } from "../random.js";
import { checkImages, type PackedImages } from "./dataset.js";

/**
 * Images to train on or to classify. The receiver disposes `images`.
 *
 * @example
 * ```ts
 * import { type Batch, batches, loadDataset } from "ferkit";
 *
 * const count = ({ labels }: Batch, label: number) => labels.filter((one) => one === label).length;
 *
 * const { train } = await loadDataset({ data: "data/pets", imageSize: 48 });
 * const order = { batchSize: 8, shuffle: true, seed: 0, epoch: 1, dropLast: false };
 * for await (const batch of batches(train, order)) {
 *   console.log(count(batch, 0), "of", batch.labels.length);
 *   batch.images.dispose();
 * }
 * ```
 */
export interface Batch {
  /** float32 `[batchSize, imageSize, imageSize, 3]`, RGB, 0–255. */
  images: Tensor4D;
  /** int32 `[batchSize]`, each in `[0, numClasses)`. */
  labels: Int32Array;
  /** float32 `[batchSize, numClasses]`: share of each class in the labels; absent if these are certain. */
  labelShares?: Float32Array;
  /** Indices in the packed images, int32 `[batchSize]`. */
  indices: Int32Array;
}

/** How a pass over images is divided into batches. */
export interface BatchOptions {
  /** Images in a batch, ≥ 1; the last one may have fewer. */
  batchSize: number;
  /** Shuffle the images, by `seed` and `epoch` alone. Otherwise they keep their order. */
  shuffle: boolean;
  /** Seed of the order, if `shuffle`. */
  seed: number;
  /** Number of the pass; each has an order of its own, if `shuffle`. */
  epoch: number;
  /** Leave out a last batch that is not full. */
  dropLast: boolean;
  /** Divide the images into this many batches of nearly equal size, whatever `batchSize` and `dropLast` are. */
  numEvenBatches?: number;
  /** First batch, for a run that resumes within an epoch. Default: 0. */
  startBatch?: number;
}

/** Returns the number of batches in a pass over `numImages` images. */
export function numBatches(numImages: number, batchSize: number, dropLast: boolean): number {
  checkNumber("batchSize", batchSize, { min: 1, integer: true });
  return dropLast ? Math.floor(numImages / batchSize) : Math.ceil(numImages / batchSize);
}

/**
 * Yields one pass over packed images as batches in the engine. The pixels of the next batch are read while the caller works on a
 * batch; its tensor is made when the caller asks for it.
 *
 * @param options - A training configuration has `batchSize` and `seed`; its other settings have no effect.
 * @throws ParameterError "Expected an integer ≥ 1 for batchSize but received 0 of type number"
 * @example
 * ```ts
 * import { batches, loadDataset } from "ferkit";
 *
 * const { train } = await loadDataset({ data: "data/pets", imageSize: 48 });
 * const order = { batchSize: 8, shuffle: true, seed: 0, epoch: 1, dropLast: false };
 * for await (const { images, labels } of batches(train, order)) {
 *   console.log(images.shape, labels); // [8, 48, 48, 3] and eight labels
 *   images.dispose();
 * }
 * ```
 */
export function batches(images: PackedImages, options: BatchOptions): AsyncGenerator<Batch, void, undefined> {
  checkImages("images", images);
  checkKind("options", "options such as { batchSize: 32, shuffle: true, seed: 0, epoch: 0 }", options, [
    "batchSize",
  ]);
  const { batchSize, dropLast, numEvenBatches, startBatch = 0 } = options;
  if (numEvenBatches !== undefined) checkNumber("numEvenBatches", numEvenBatches, { min: 1, integer: true });
  const endBatch = numEvenBatches ?? numBatches(images.numImages, batchSize, dropLast);
  checkNumber("startBatch", startBatch, { min: 0, max: endBatch, integer: true });
  for (const name of ["seed", "epoch"] as const) checkNumber(name, options[name], { min: 0, integer: true });
  return gatherAll(images, options, startBatch, endBatch);
}

/** Separate from `batches`, which checks its options when it is called, not at the first batch. */
async function* gatherAll(
  images: PackedImages,
  { batchSize, numEvenBatches, shuffle, seed, epoch }: BatchOptions,
  startBatch: number,
  endBatch: number,
): AsyncGenerator<Batch, void, undefined> {
  const { numImages } = images;
  const order = shuffle
    ? new Random(seed, "shuffle", epoch).permutation(numImages)
    : Int32Array.from({ length: numImages }, (_, i) => i);
  const startOf = (batch: number) =>
    numEvenBatches ? Math.floor((batch * numImages) / numEvenBatches) : batch * batchSize;
  const indicesOf = (batch: number) => order.slice(startOf(batch), startOf(batch + 1));
  const read = (batch: number) => {
    const pixels =
      batch < endBatch ? images.pixels.read(indicesOf(batch)) : Promise.resolve(new Uint8Array());
    pixels.catch(() => {}); // thrown when the caller asks for the batch
    return pixels;
  };
  for (let batch = startBatch, next = read(batch); batch < endBatch; batch++) {
    const pixels = await next;
    next = read(batch + 1);
    yield batchOf(images, indicesOf(batch), pixels);
  }
}

/**
 * Copies the images at `indices` into the engine. The caller disposes them.
 *
 * @param indices - int32 `[batchSize]`, each in `[0, numImages)`.
 */
export async function gather(images: PackedImages, indices: Int32Array): Promise<Batch> {
  return batchOf(images, indices, await images.pixels.read(indices));
}

/** @param pixels - uint8 `[batchSize, imageSize, imageSize, numChannels]`. */
function batchOf(
  { labels, labelShares, numImages, imageSize, numChannels }: PackedImages,
  indices: Int32Array,
  pixels: Uint8Array,
): Batch {
  const numClasses = (labelShares?.length ?? 0) / numImages;
  const sharesOf = (index: number) =>
    labelShares?.subarray(index * numClasses, (index + 1) * numClasses) ?? [];
  const shape: [number, number, number, number] = [indices.length, imageSize, imageSize, numChannels];
  const tensor = tf.tensor4d(new Float32Array(pixels), shape);
  return {
    images: numChannels === 3 ? tensor : asRgb(tensor),
    labels: Int32Array.from(indices, (index) => labels[index]),
    ...(labelShares && {
      labelShares: Float32Array.from([...indices].flatMap((index) => [...sharesOf(index)])),
    }),
    indices,
  };
}

/** Repeats the channel inside the engine, which is faster than uploading it three times. */
function asRgb(grey: Tensor4D): Tensor4D {
  const rgb = tf.tile(grey, [1, 1, 1, 3]);
  grey.dispose();
  return rgb;
}
