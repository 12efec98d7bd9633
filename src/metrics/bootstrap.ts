import { checkNumber, ParameterError } from "../errors.js";
import { Random } from "../random.js";

/** Bounds of a 95% interval. */
export type Interval = [low: number, high: number];

/** How much scores would vary on other images of the same kind. */
export interface ScoreIntervals {
  accuracy: Interval;
  macroF1: Interval;
}

/** Quantile of the normal distribution for 95% intervals. */
export const Z = 1.96;

/** Seeds the intervals of `train` and `npx ferkit evaluate`, which are equal then. */
export const INTERVAL_SEED = 0;

const NUM_RESAMPLES = 1000;
const TAIL = 0.025;

/**
 * Computes 95% intervals by percentile bootstrap: from 1000 draws of as many images, with replacement.
 *
 * With `groups`, whole groups are drawn, as many as there are (cluster bootstrap): copies of a picture are right or wrong together, and
 * tell no more than one. Without, copies make the intervals too narrow.
 *
 * If all draws are alike, as when all predictions are correct, the bootstrap has no width. The interval of the accuracy is then Wilson's
 * for as many images as there are groups; that of macro-F1 stays without width.
 *
 * A class without images and predictions in a draw keeps its F1 over all images. Otherwise, a draw without the images of a rare class that
 * the model gets wrong would have a macro-F1 of the other classes alone. A class of few images makes the interval of macro-F1 too narrow.
 *
 * @param labels - int32 `[numImages]`, each in `[0, numClasses)`; at least one.
 * @param predicted - Predicted classes, likewise.
 * @param groups - int32 `[numImages]`: a number for each image's group. By default, each image is a group.
 * @see Efron and Tibshirani 1993, An Introduction to the Bootstrap, ch. 13; Field and Welsh 2007, Bootstrapping clustered data
 */
export function bootstrapIntervals(
  labels: Int32Array,
  predicted: Int32Array,
  numClasses: number,
  seed: number,
  groups?: Int32Array,
): ScoreIntervals {
  const numImages = checkNumber("the number of images", labels.length, { min: 1 });
  for (const [name, { length }] of [
    ["predictions", predicted],
    ["groups", groups ?? labels],
  ] as const)
    if (length !== numImages) throw new ParameterError(`the number of ${name}`, String(numImages), length);
  const members = groups && membersOf(groups);
  const numGroups = members?.length ?? numImages;
  const random = new Random(seed, "bootstrap");
  const [accuracy, macroF1] = [new Float64Array(NUM_RESAMPLES), new Float64Array(NUM_RESAMPLES)];
  const own = f1OfClasses(labels, predicted, numClasses);
  for (let resample = 0; resample < NUM_RESAMPLES; resample++) {
    const counts = new Int32Array(numClasses); // images plus predictions of each class
    const hits = new Int32Array(numClasses);
    let [numHits, numDrawn] = [0, 0];
    const count = (image: number) => {
      const label = labels[image];
      counts[label]++;
      counts[predicted[image]]++;
      numDrawn++;
      if (label !== predicted[image]) return;
      hits[label]++;
      numHits++;
    };
    for (let drawn = 0; drawn < numGroups; drawn++) {
      const group = random.integer(numGroups);
      if (members) members[group].forEach(count);
      else count(group);
    }
    accuracy[resample] = numHits / numDrawn;
    macroF1[resample] = meanF1(hits, counts, own);
  }
  const numCorrect = labels.filter((label, i) => label === predicted[i]).length;
  const isVaried = accuracy.some((share) => share !== accuracy[0]);
  return {
    accuracy: isVaried ? middle(accuracy) : wilson((numCorrect / numImages) * numGroups, numGroups),
    macroF1: middle(macroF1),
  };
}

/** Lists the images of each group, in the order of their first ones. */
function membersOf(groups: Int32Array): number[][] {
  const members = new Map<number, number[]>();
  groups.forEach((group, image) => {
    const own = members.get(group);
    if (own) own.push(image);
    else members.set(group, [image]);
  });
  return [...members.values()];
}

/** Counts the different groups. */
export function countGroups(groups: Int32Array): number {
  return new Set(groups).size;
}

/**
 * Returns the variance of a mean over images of which those of a group are alike.
 *
 * @param values - One for each image.
 * @param groups - As for `bootstrapIntervals`.
 * @returns The sum over the groups of the squared sum of their deviations, over the squared number of images.
 * @see Liang and Zeger 1986, https://doi.org/10.1093/biomet/73.1.13
 */
export function varianceOfMean(values: ArrayLike<number>, groups?: Int32Array): number {
  const mean = Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
  const sums = new Map<number, number>();
  Array.from(values).forEach((value, image) => {
    const group = groups?.[image] ?? image;
    sums.set(group, (sums.get(group) ?? 0) + value - mean);
  });
  return [...sums.values()].reduce((sum, own) => sum + own ** 2, 0) / values.length ** 2;
}

/**
 * Returns how many independent images tell as much about a share as these do: all of them if each is a group of its own, the number of
 * groups if all are copies that are right or wrong together.
 *
 * @param isHit - Whether each image counts for the share.
 * @see Kish 1965, Survey Sampling, on the design effect
 */
export function effectiveSize(isHit: readonly boolean[], groups?: Int32Array): number {
  if (!groups) return isHit.length;
  const values = isHit.map(Number);
  const [grouped, plain] = [varianceOfMean(values, groups), varianceOfMean(values)];
  const isSameInAll = grouped <= 1e-9 * plain; // by rounding not always 0
  return isSameInAll ? countGroups(groups) : Math.min(isHit.length, (isHit.length * plain) / grouped);
}

/** Returns 2 · hits / (images + predictions) of each class; NaN for one that has neither. */
function f1OfClasses(labels: Int32Array, predicted: Int32Array, numClasses: number): Float64Array {
  const [hits, counts] = [new Float64Array(numClasses), new Float64Array(numClasses)];
  labels.forEach((label, i) => {
    counts[label]++;
    counts[predicted[i]]++;
    if (label === predicted[i]) hits[label]++;
  });
  return hits.map((count, c) => (2 * count) / counts[c]);
}

/** Averages F1 over the classes. One that a draw lacks has that over all images, so that draws average the same classes. */
function meanF1(hits: Int32Array, counts: Int32Array, own: Float64Array): number {
  let [sum, numClasses] = [0, 0];
  for (let c = 0; c < hits.length; c++) {
    if (Number.isNaN(own[c])) continue;
    sum += counts[c] === 0 ? own[c] : (2 * hits[c]) / counts[c];
    numClasses++;
  }
  return sum / numClasses;
}

function middle(values: Float64Array): Interval {
  const sorted = values.sort();
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))];
  return [at(TAIL), at(1 - TAIL)];
}

/**
 * Returns 95% bounds of a share.
 *
 * @see Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953
 */
export function wilson(hits: number, total: number): Interval {
  const share = hits / total;
  const middle = share + Z ** 2 / (2 * total);
  const margin = Z * Math.sqrt((share * (1 - share)) / total + Z ** 2 / (4 * total ** 2));
  const scale = 1 + Z ** 2 / total;
  // 0 and 1 are the bounds of these shares; rounding would miss them
  return [hits === 0 ? 0 : (middle - margin) / scale, hits === total ? 1 : (middle + margin) / scale];
}
