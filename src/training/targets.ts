// What a batch is trained on: its target probabilities, the weight of each image, and mixtures of images.
import { type Tensor, type Tensor1D, type Tensor2D, type Tensor4D, tf } from "../engine/tf.js";
import { checkChoice, checkNumber, ParameterError } from "../errors.js";
import type { Random } from "../random.js";

/** `none`, `balanced` (inverse to each class's count of training images), or one weight > 0 per class. */
export type ClassWeights = "none" | "balanced" | number[];

/**
 * Probabilities to train on: the label's, with some mass spread over all classes.
 *
 * @param labels - int32 `[batchSize]`, each in `[0, numClasses)`.
 * @param options.labelSmoothing - The mass that is spread, `[0, 1)`.
 * @returns float32 `[batchSize, numClasses]`, each row summing to 1; the caller disposes it.
 * @throws ParameterError "Expected a number in [0, 1) for labelSmoothing but received 1 of type number"
 * @see Szegedy et al. 2016, §7, https://arxiv.org/abs/1512.00567
 */
export function smoothedOneHot(
  labels: Int32Array,
  { numClasses, labelSmoothing }: { numClasses: number; labelSmoothing: number },
): Tensor2D {
  checkNumber("numClasses", numClasses, { min: 1, integer: true });
  checkNumber("labelSmoothing", labelSmoothing, { min: 0, max: 1, exclusiveMax: true });
  const targets = new Float32Array(labels.length * numClasses).fill(labelSmoothing / numClasses);
  labels.forEach((label, i) => {
    checkNumber(`labels[${i}]`, label, { min: 0, max: numClasses, integer: true, exclusiveMax: true });
    targets[i * numClasses + label] += 1 - labelSmoothing;
  });
  return tf.tensor2d(targets, [labels.length, numClasses]);
}

/**
 * Weight of each image in the batch's mean loss: that of its class, over the sum of the batch, as PyTorch's
 * `CrossEntropyLoss(weight)` weighs plain labels. A mixed image keeps the weight of its own label.
 *
 * @param labels - int32 `[batchSize]`, each in `[0, numClasses)`.
 * @param trainLabels - Of the whole training set, whose counts `balanced` inverts.
 * @returns float32 `[batchSize]`, summing to 1; the caller disposes it.
 */
export function exampleWeights(
  labels: Int32Array,
  trainLabels: Int32Array,
  { numClasses, classWeights }: { numClasses: number; classWeights: ClassWeights },
): Tensor1D {
  const ofClass = weightPerClass(trainLabels, numClasses, checkClassWeights(classWeights));
  const weights = Float32Array.from(labels, (label) => ofClass[label]);
  const sum = weights.reduce((a, b) => a + b, 0);
  return tf.tensor1d(weights.map((weight) => weight / sum));
}

/**
 * Returns `classWeights` when it is a known word or a list of numbers > 0; their count is checked where it is known.
 *
 * @throws ParameterError "Expected one of none, balanced for classWeights but received even of type string"
 */
export function checkClassWeights(classWeights: ClassWeights): ClassWeights {
  if (!Array.isArray(classWeights))
    return checkChoice<"none" | "balanced">("classWeights", classWeights, ["none", "balanced"]);
  classWeights.forEach((weight, c) => {
    if (!(checkNumber(`classWeights[${c}]`, weight) > 0))
      throw new ParameterError(`classWeights[${c}]`, "a number > 0", weight);
  });
  return classWeights;
}

/** `balanced`: n / (numClasses · count), so that each class weighs the same in all; a class without images is never asked for. */
function weightPerClass(trainLabels: Int32Array, numClasses: number, classWeights: ClassWeights): number[] {
  if (Array.isArray(classWeights)) {
    if (classWeights.length !== numClasses)
      throw new ParameterError("classWeights", `${numClasses} numbers`, classWeights);
    return classWeights;
  }
  const counts = new Array<number>(numClasses).fill(0);
  for (const label of trainLabels) counts[label]++;
  return counts.map((count) =>
    classWeights === "none" ? 1 : trainLabels.length / (numClasses * Math.max(1, count)),
  );
}

export interface MixOptions {
  /** Parameter of the Beta distribution that a mixture's share is drawn from; 0 = off. */
  mixup: number;
  /** The same for CutMix. */
  cutmix: number;
  /** Share of the batches that are mixed, [0, 1]. */
  mixShare: number;
}

/**
 * Returns `options` when each parameter is 0 or in [0.01, 10]: smaller ones are as good as off, and take ever longer to draw from.
 *
 * @throws ParameterError "Expected 0 or a number in [0.01, 10] for mixup but received -1 of type number"
 */
export function checkMix(options: MixOptions): MixOptions {
  for (const name of ["mixup", "cutmix"] as const) {
    const alpha = options[name];
    if (alpha !== 0 && !(typeof alpha === "number" && alpha >= 0.01 && alpha <= 10))
      throw new ParameterError(name, "0 or a number in [0.01, 10]", alpha);
  }
  checkNumber("mixShare", options.mixShare, { min: 0, max: 1 });
  return options;
}

/**
 * Mixes each image of a batch, and its target, with that of another: blended (mixup), or with a rectangle of it (CutMix).
 * Where both are on, each batch takes one of them; all images of a batch are mixed alike.
 *
 * @param images - `[batchSize, height, width, channels]`; stays the caller's.
 * @param targets - Probabilities `[batchSize, numClasses]`; stays the caller's.
 * @returns Both in new tensors; the caller disposes them.
 * @see Zhang et al. 2018, https://arxiv.org/abs/1710.09412; Yun et al. 2019, https://arxiv.org/abs/1905.04899
 */
export function mix(
  images: Tensor4D,
  targets: Tensor2D,
  options: MixOptions,
  random: Random,
): { images: Tensor4D; targets: Tensor2D } {
  const { mixup, cutmix, mixShare } = checkMix(options);
  if ((mixup === 0 && cutmix === 0) || !random.chance(mixShare))
    return { images: images.clone(), targets: targets.clone() };
  const cuts = cutmix > 0 && (mixup === 0 || random.chance(0.5));
  const [batchSize, height, width] = images.shape;
  const order = random.permutation(batchSize);
  const share = random.beta(cuts ? cutmix : mixup);
  return tf.tidy(() => {
    const others = tf.tensor1d(order, "int32");
    // The weight is 1 where the image itself stays; CutMix's targets take the share that the rectangle really leaves.
    const weight = cuts ? rectangleMask(height, width, 1 - share, random) : tf.scalar(share);
    const kept = cuts ? (weight.mean() as Tensor) : weight;
    const blend = <T extends Tensor>(own: T, ownWeight: Tensor) =>
      own.mul(ownWeight).add(own.gather(others).mul(tf.sub(1, ownWeight))) as T;
    return { images: blend(images, weight), targets: blend(targets, kept) };
  });
}

/** `[1, height, width, 1]`: 0 in a rectangle around a random place, of the given share of the area before the border cuts it; 1 elsewhere. */
function rectangleMask(height: number, width: number, share: number, random: Random): Tensor4D {
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
