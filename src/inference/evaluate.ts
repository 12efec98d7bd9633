import { batches } from "../data/batches.js";
import type { PackedImages } from "../data/dataset.js";
import { type Tensor, type Tensor4D, tf } from "../engine/tf.js";
import { argMax, type ClassificationScores, confusionMatrix, scores } from "../metrics/classification.js";
import { type Network, resizeToInput } from "../model/network.js";

/** What a network says of labelled images. */
export interface Evaluation extends ClassificationScores {
  /** Mean cross-entropy against the labels, in nats. */
  loss: number;
  /** Class index of the greatest probability, `[numImages]`. */
  predicted: Int32Array;
  /** `[numImages, numClasses]`, row after row. */
  probs: Float32Array;
}

/** Large enough to fill the engine, small enough that activations stay in memory at 224 pixels. */
const BATCH_SIZE = 128;

/**
 * Classifies every image, in order, the last batch kept, and scores the result.
 *
 * @param values - Other parameters than the network's own, as those of an average; they stay the caller's.
 */
export async function evaluate(
  network: Network,
  images: PackedImages,
  values?: ReadonlyMap<string, Tensor>,
): Promise<Evaluation> {
  return score(await classify(network, images, { values }), images.labels, network.config.classNames);
}

/**
 * Probabilities of every image, in order.
 *
 * @param options.isMirrored - Of the images as a mirror shows them.
 * @returns float32 `[numImages, numClasses]`, row after row.
 */
export async function classify(
  network: Network,
  images: PackedImages,
  { values, isMirrored = false }: { values?: ReadonlyMap<string, Tensor>; isMirrored?: boolean } = {},
): Promise<Float32Array> {
  const numClasses = network.config.classNames.length;
  const own = values ?? network.read();
  const probs = new Float32Array(images.numImages * numClasses);
  let offset = 0;
  for await (const batch of batches(images, {
    batchSize: BATCH_SIZE,
    shuffle: false,
    seed: 0,
    epoch: 0,
    dropLast: false,
  })) {
    const output = tf.tidy(() => {
      const pixels = isMirrored ? (tf.reverse(batch.images, 2) as Tensor4D) : batch.images;
      return tf.softmax(network.logits(resizeToInput(pixels, network.config), own));
    });
    batch.images.dispose();
    probs.set((await output.data()) as Float32Array, offset);
    output.dispose();
    offset += batch.labels.length * numClasses;
  }
  if (!values) tf.dispose([...own.values()]);
  return probs;
}

/**
 * Scores probabilities against labels.
 *
 * @param probs - float32 `[numImages, numClasses]`, row after row.
 */
export function score(probs: Float32Array, labels: Int32Array, classNames: string[]): Evaluation {
  const numClasses = classNames.length;
  const predicted = argMax(probs, numClasses);
  const matrix = confusionMatrix(labels, predicted, numClasses);
  return {
    ...scores(matrix, classNames),
    loss: crossEntropy(probs, labels, numClasses),
    predicted,
    probs,
  };
}

function crossEntropy(probs: Float32Array, labels: Int32Array, numClasses: number): number {
  let total = 0;
  labels.forEach((label, i) => {
    total -= Math.log(Math.max(probs[i * numClasses + label], 1e-12));
  });
  return total / labels.length;
}
