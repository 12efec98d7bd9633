// What a batch is trained on: target probabilities, the weight of each image, mixed images, teachers.
import { type Tensor, type Tensor1D, type Tensor2D, type Tensor4D, tf } from "../engine/tf.js";
import { checkChoice, checkNumber, InputError, ParameterError, suggestion } from "../errors.js";
import { type Network, resizeToInput } from "../model/network.js";
import { loadModel } from "../model/weights/model-folder.js";
import { areSameClasses, nameOf } from "../names.js";
import type { Random } from "../random.js";

/**
 * `none`, `balanced` (inverse to each class's number of training images), or weights > 0: by class name, where other classes
 * have the weight 1, or one for each class in the order of the class names.
 */
export type ClassWeights = "none" | "balanced" | number[] | Record<string, number>;

const CLASS_WEIGHTS = ["none", "balanced"];

/**
 * Builds the probabilities to train on: the label's, with some mass spread over all classes.
 *
 * @param labels - int32 `[batchSize]`, each in `[0, numClasses)`.
 * @param options.labelSmoothing - Mass that is spread, `[0, 1)`.
 * @param options.labelShares - float32 `[batchSize, numClasses]`, each row summing to 1, in place of the labels.
 * @returns float32 `[batchSize, numClasses]`, each row summing to 1; the caller disposes it.
 * @throws ParameterError "Expected a number in [0, 1) for labelSmoothing but received 1 of type number"
 * @see Szegedy et al. 2016, §7, https://arxiv.org/abs/1512.00567
 */
export function smoothedOneHot(
  labels: Int32Array,
  {
    numClasses,
    labelSmoothing,
    labelShares,
  }: { numClasses: number; labelSmoothing: number; labelShares?: Float32Array },
): Tensor2D {
  checkNumber("numClasses", numClasses, { min: 1, integer: true });
  checkNumber("labelSmoothing", labelSmoothing, { min: 0, max: 1, exclusiveMax: true });
  const targets = new Float32Array(labels.length * numClasses).fill(labelSmoothing / numClasses);
  labels.forEach((label, i) => {
    checkNumber(`labels[${i}]`, label, { min: 0, max: numClasses, integer: true, exclusiveMax: true });
    if (!labelShares) targets[i * numClasses + label] += 1 - labelSmoothing;
  });
  labelShares?.forEach((share, i) => {
    targets[i] += share * (1 - labelSmoothing);
  });
  return tf.tensor2d(targets, [labels.length, numClasses]);
}

/** Larger and smaller weights leave nothing of other classes in the float32 sums of a batch. */
const MAX_WEIGHT = 1e6;

/**
 * Returns `classWeights` if it is a known word or numbers > 0 within bounds; `weightPerClass` checks their count and names.
 *
 * @throws ParameterError "Expected none, balanced or weights by class name, as in …, for classWeights but received even of type string"
 */
export function checkClassWeights(classWeights: ClassWeights): ClassWeights {
  if (typeof classWeights !== "object" || classWeights === null) {
    if (CLASS_WEIGHTS.some((known) => known === classWeights)) return classWeights;
    const nearest = suggestion(String(classWeights), CLASS_WEIGHTS);
    throw new ParameterError(
      "classWeights",
      `none, balanced or weights by class name, as in --set 'classWeights={"happy":2,"sad":0.5}',`,
      classWeights,
      nearest && `Did you mean ${nearest}?`,
    );
  }
  for (const [key, weight] of Object.entries(classWeights)) {
    const name = `classWeights[${Array.isArray(classWeights) ? key : JSON.stringify(key)}]`;
    if (checkNumber(name, weight) <= 0) throw new ParameterError(name, "a number > 0", weight);
    checkNumber(name, weight, { min: 1 / MAX_WEIGHT, max: MAX_WEIGHT });
  }
  return classWeights;
}

/**
 * Returns the weight of each class. `balanced` gives n / (numClasses · count), so that all classes weigh the same in total.
 *
 * @param trainLabels - Labels of the whole training set.
 * @throws ParameterError when weights are given for other classes.
 */
export function weightPerClass(
  trainLabels: Int32Array,
  classNames: readonly string[],
  classWeights: ClassWeights,
): number[] {
  const numClasses = classNames.length;
  const given = checkClassWeights(classWeights);
  if (Array.isArray(given)) {
    if (given.length !== numClasses)
      throw new ParameterError("classWeights", `${numClasses} numbers (${classNames.join(", ")})`, given);
    return given;
  }
  if (typeof given === "object") {
    const weights = new Map(Object.entries(given).map(([name, weight]) => [nameOf(name), weight]));
    for (const name of weights.keys()) checkChoice("the names in classWeights", name, classNames);
    return classNames.map((name) => weights.get(name) ?? 1);
  }
  const counts = new Array<number>(numClasses).fill(0);
  for (const label of trainLabels) counts[label]++;
  return counts.map((count) =>
    given === "balanced" ? trainLabels.length / (numClasses * Math.max(1, count)) : 1,
  );
}

/**
 * Returns the weight of each image in the batch's mean loss: its class's weight over the batch's sum, as PyTorch's
 * `CrossEntropyLoss(weight)` does with plain labels. A mixed image keeps the weight of its own label.
 *
 * @param labels - int32 `[batchSize]`, each in `[0, numClasses)`.
 * @param classWeights - Weight of each class.
 * @returns float32 `[batchSize]`, summing to 1; the caller disposes it.
 */
export function exampleWeights(labels: Int32Array, classWeights: readonly number[]): Tensor1D {
  const weights = Float32Array.from(labels, (label) => classWeights[label]);
  const sum = weights.reduce((a, b) => a + b, 0);
  return tf.tensor1d(weights.map((weight) => weight / sum));
}

export interface MixOptions {
  /** Parameter of the Beta distribution that draws how much of each image is kept; 0 = off. */
  mixup: number;
  /** The same for CutMix. */
  cutmix: number;
  /** Share of the batches that are mixed, [0, 1]. */
  mixShare: number;
}

/**
 * Returns `options` if both parameters are 0 or in [0.01, 10]. Smaller ones hardly mix and take ever longer to draw from.
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
 * Mixes each image and target of a batch with another's: blended (mixup) or with a rectangle of it (CutMix). If both are
 * on, each batch uses one of them. All images of a batch are mixed by the same share.
 *
 * @param images - `[batchSize, height, width, channels]`; the caller keeps them.
 * @param targets - Probabilities `[batchSize, numClasses]`; the caller keeps them.
 * @returns New tensors; the caller disposes them.
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
    // The weight is 1 where the image itself stays. CutMix's targets use the share that the rectangle really leaves.
    const weight = cuts ? rectangleMask(height, width, 1 - share, random) : tf.scalar(share);
    const kept = cuts ? (weight.mean() as Tensor) : weight;
    const blend = <T extends Tensor>(own: T, ownWeight: Tensor) =>
      own.mul(ownWeight).add(own.gather(others).mul(tf.sub(1, ownWeight))) as T;
    return { images: blend(images, weight), targets: blend(targets, kept) };
  });
}

/**
 * Returns a mask `[1, height, width, 1]`: 0 in a rectangle around a random point, 1 elsewhere. The rectangle covers `share`
 * of the area, less what the border cuts off.
 */
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

/**
 * Loads the model folders to learn from. The caller disposes the networks.
 *
 * @throws InputError when one is missing or has other classes.
 */
export async function loadTeachers(dirs: string[], classNames: string[]): Promise<Network[]> {
  const teachers: Network[] = [];
  try {
    for (const dir of dirs) {
      const network = await loadModel(dir);
      teachers.push(network);
      const found = network.config.classNames;
      if (!areSameClasses(found, classNames))
        throw new InputError({
          expected: `a teacher of the classes ${classNames.join(", ")}`,
          where: dir,
          found: found.join(", "),
          fix: "Choose another model folder for `teachers`.",
        });
    }
  } catch (error) {
    for (const network of teachers) network.dispose();
    throw error;
  }
  return teachers;
}

/**
 * Mixes the teachers' mean probabilities into targets; without teachers, copies the targets.
 *
 * @param share - Share of the teachers in the targets, [0, 1].
 * @param images - Augmented and mixed, but without noise and blur, `[batchSize, imageSize, imageSize, 3]`; the caller keeps them.
 * @param targets - From the labels, `[batchSize, numClasses]`; the caller keeps them.
 * @returns `[batchSize, numClasses]`; the caller disposes it.
 * @see Hinton et al. 2015, https://arxiv.org/abs/1503.02531; Beyer et al. 2022, https://arxiv.org/abs/2106.05237
 */
export function teach(
  teachers: readonly Network[],
  share: number,
  images: Tensor4D,
  targets: Tensor2D,
): Tensor2D {
  if (teachers.length === 0) return targets.clone();
  return tf.tidy(() => {
    const probs = teachers.map((network) =>
      tf.softmax(network.logits(resizeToInput(images, network.config))),
    );
    const mean = tf.addN(probs).div(probs.length);
    return targets.mul(1 - share).add(mean.mul(share)) as Tensor2D;
  });
}
