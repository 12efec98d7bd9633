import { type Tensor, type Tensor1D, type Tensor2D, type Tensor4D, tf } from "../engine/tf.js";
import { checkNumber, ParameterError } from "../errors.js";
import type { Random } from "../random.js";

/** `none`, `balanced` (inverse to each class's count of training images), or one weight per class. */
export type ClassWeights = "none" | "balanced" | number[];

/**
 * Probabilities to train on: the label's, with some mass spread over all classes.
 *
 * @param labels - int32 `[batchSize]`, each in `[0, numClasses)`.
 * @returns `[batchSize, numClasses]`; the caller disposes it.
 * @see Szegedy et al. 2016, §7, https://arxiv.org/abs/1512.00567
 */
export function targetsFor(
  labels: Int32Array,
  { numClasses, labelSmoothing }: { numClasses: number; labelSmoothing: number },
): Tensor2D {
  checkNumber("labelSmoothing", labelSmoothing, { min: 0, max: 1, exclusiveMax: true });
  const targets = new Float32Array(labels.length * numClasses).fill(labelSmoothing / numClasses);
  labels.forEach((label, i) => {
    targets[i * numClasses + label] += 1 - labelSmoothing;
  });
  return tf.tensor2d(targets, [labels.length, numClasses]);
}

/**
 * Weight of each example in the batch's mean loss, summing to 1.
 *
 * @param trainLabels - Of the whole training set, whose counts `balanced` inverts: n / (numClasses · count).
 * @returns `[batchSize]`; the caller disposes it.
 */
export function exampleWeights(
  labels: Int32Array,
  trainLabels: Int32Array,
  { numClasses, classWeights }: { numClasses: number; classWeights: ClassWeights },
): Tensor1D {
  const ofClass = weightsOfClasses(trainLabels, numClasses, classWeights);
  const weights = Float32Array.from(labels, (label) => ofClass[label]);
  const sum = weights.reduce((a, b) => a + b, 0);
  return tf.tensor1d(weights.map((weight) => weight / sum));
}

const balanced = new WeakMap<Int32Array, number[]>();

function weightsOfClasses(trainLabels: Int32Array, numClasses: number, classWeights: ClassWeights): number[] {
  if (classWeights === "none") return new Array<number>(numClasses).fill(1);
  if (Array.isArray(classWeights)) {
    if (classWeights.length !== numClasses || !classWeights.every((weight) => weight > 0))
      throw new ParameterError("classWeights", `${numClasses} numbers > 0`, classWeights);
    return classWeights;
  }
  let weights = balanced.get(trainLabels);
  if (!weights) {
    const counts = new Array<number>(numClasses).fill(0);
    for (const label of trainLabels) counts[label]++;
    weights = counts.map((count) => trainLabels.length / (numClasses * Math.max(1, count)));
    balanced.set(trainLabels, weights);
  }
  return weights;
}

/**
 * Mixes each image of a batch, and its target, with that of another: blended (mixup), or with a rectangle of it (CutMix).
 * Where both are on, each batch takes one of them.
 *
 * @returns New tensors; the caller disposes them, and the ones given.
 * @see Zhang et al. 2018, https://arxiv.org/abs/1710.09412; Yun et al. 2019, https://arxiv.org/abs/1905.04899
 */
export function mix(
  images: Tensor4D,
  targets: Tensor2D,
  { mixup, cutmix }: { mixup: number; cutmix: number },
  random: Random,
): { images: Tensor4D; targets: Tensor2D } {
  if (mixup === 0 && cutmix === 0) return { images: images.clone(), targets: targets.clone() };
  const cuts = cutmix > 0 && (mixup === 0 || random.chance(0.5));
  const [batchSize, height, width] = images.shape;
  const order = tf.tensor1d([...random.permutation(batchSize)], "int32");
  const share = random.beta(cuts ? cutmix : mixup);
  const result = tf.tidy(() => {
    // The mask is 1 where the image itself stays; CutMix's target share is what the rectangle really leaves.
    const mask = cuts ? rectangleMask(height, width, 1 - share, random) : tf.scalar(share);
    const kept = cuts ? (mask.mean() as Tensor) : mask;
    const blend = <T extends Tensor>(own: T, weight: Tensor) =>
      own.mul(weight).add(own.gather(order).mul(tf.sub(1, weight))) as T;
    return { images: blend(images, mask), targets: blend(targets, kept) };
  });
  order.dispose();
  return result;
}

/** `[1, height, width, 1]`: 0 in a rectangle of about the given share of the area, 1 elsewhere. */
function rectangleMask(height: number, width: number, share: number, random: Random): Tensor {
  const [boxHeight, boxWidth] = [height * Math.sqrt(share), width * Math.sqrt(share)];
  const [centerY, centerX] = [random.uniform(0, height), random.uniform(0, width)];
  const mask = new Float32Array(height * width);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const isInside =
        Math.abs(y + 0.5 - centerY) < boxHeight / 2 && Math.abs(x + 0.5 - centerX) < boxWidth / 2;
      mask[y * width + x] = isInside ? 0 : 1;
    }
  return tf.tensor4d(mask, [1, height, width, 1]);
}
