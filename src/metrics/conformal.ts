// Sets of classes that hold the right one with a chosen probability, and what it gains to leave doubtful images open.
import { checkNumber } from "../errors.js";
import type { SetThreshold } from "../model/network.js";
import { countGroups, effectiveSize, type Interval, varianceOfMean, wilson, Z } from "./bootstrap.js";
import { argMax, checkProbs } from "./classification.js";

/** Coverages that a calibrated model has a threshold for: how often the right class is to be in an image's set. */
const COVERAGES = [0.9, 0.95] as const;

/**
 * Finds for each coverage the probability from which on a class is in an image's set (split conformal prediction with the score
 * LAC, one minus the probability of the right class).
 *
 * The sets of new images of the same kind hold the right class with at least that probability, on average over the images. It is
 * no promise for each class, nor for images of another kind.
 *
 * @param probs - float32 `[numImages, numClasses]`, row after row, for images that the network was not trained on.
 * @param labels - int32 `[numImages]`.
 * @see Sadinle, Lei and Wasserman 2019, https://arxiv.org/abs/1609.00451; Angelopoulos and Bates 2021,
 * https://arxiv.org/abs/2107.07511
 */
export function fitThresholds(probs: Float32Array, labels: Int32Array, numClasses: number): SetThreshold[] {
  checkProbs(probs, labels, numClasses);
  const ofLabels = Array.from(labels, (label, i) => probs[i * numClasses + label]).sort((a, b) => b - a);
  return COVERAGES.map((coverage) => {
    const rank = Math.ceil((labels.length + 1) * coverage - 1e-9); // 1e-9: 0.95 · 20 is not exactly 19
    return { coverage, minProb: rank > labels.length ? 0 : ofLabels[rank - 1] };
  });
}

/**
 * Returns the classes of an image's set, most probable first. The most probable class is always in it, so that no set is empty.
 *
 * @param probs - `[numClasses]`.
 */
export function predictionSet(probs: ArrayLike<number>, minProb: number): number[] {
  const ranked = Array.from(probs, (_, c) => c).sort((a, b) => probs[b] - probs[a]);
  return ranked.filter((c, i) => i === 0 || probs[c] >= minProb);
}

/** How the sets of one threshold do on labelled images. */
export interface SetScores extends SetThreshold {
  /** Share of images whose set holds the right class, [0, 1]. */
  covered: number;
  /** Mean number of classes in a set. */
  meanSize: number;
  /** 95% bounds: Wilson's for the share, normal ones for the mean. */
  intervals: { covered: Interval; meanSize: Interval };
  /** Number of images whose set has 1, 2, … classes. */
  sizes: number[];
  /** Class name → share of its images whose set holds it; null for a class without images. */
  perClass: Record<string, number | null>;
  /** Images whose set has one class, which `--abstain` answers: their share of all, and the share of them that are correct. */
  answered: { share: number; accuracy: number | null };
}

/**
 * Scores the sets of a threshold on labelled images.
 *
 * @param probs - float32 `[numImages, numClasses]`, row after row; at least one image.
 * @param groups - int32 `[numImages]`: a number for each image's group, such as copies of a picture, which tell no more than one image.
 * By default, each image is a group.
 */
export function setScores(
  probs: Float32Array,
  labels: Int32Array,
  classNames: readonly string[],
  { coverage, minProb }: SetThreshold,
  groups?: Int32Array,
): SetScores {
  const numClasses = classNames.length;
  checkProbs(probs, labels, numClasses);
  const numImages = checkNumber("the number of images", labels.length, { min: 1 });
  const sizes = new Array<number>(numClasses).fill(0);
  const [ownSizes, isCovered] = [new Float64Array(numImages), new Array<boolean>(numImages)];
  const [counts, covered] = [new Array<number>(numClasses).fill(0), new Array<number>(numClasses).fill(0)];
  let correctSingles = 0;
  labels.forEach((label, i) => {
    const set = predictionSet(probs.subarray(i * numClasses, (i + 1) * numClasses), minProb);
    sizes[set.length - 1]++;
    counts[label]++;
    ownSizes[i] = set.length;
    isCovered[i] = set.includes(label);
    if (!isCovered[i]) return;
    covered[label]++;
    if (set.length === 1) correctSingles++;
  });
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
  const meanSize = sum(sizes.map((count, i) => count * (i + 1))) / numImages;
  const numGroups = groups ? countGroups(groups) : numImages;
  const correction = numGroups / Math.max(1, numGroups - 1);
  const margin = Z * Math.sqrt(correction * varianceOfMean(ownSizes, groups));
  const size = effectiveSize(isCovered, groups);
  return {
    coverage,
    minProb,
    covered: sum(covered) / numImages,
    meanSize,
    intervals: {
      covered: wilson((sum(covered) / numImages) * size, size),
      meanSize: [meanSize - margin, meanSize + margin],
    },
    sizes,
    perClass: Object.fromEntries(
      classNames.map((name, c) => [name, counts[c] > 0 ? covered[c] / counts[c] : null]),
    ),
    answered: { share: sizes[0] / numImages, accuracy: sizes[0] > 0 ? correctSingles / sizes[0] : null },
  };
}

/** The images with the largest probabilities, and how many of them are wrong. */
export interface RiskPoint {
  /** Share of images that get an answer, (0, 1]. */
  answered: number;
  /** Share of these that are wrong, [0, 1]. */
  risk: number;
  /** Smallest of their largest probabilities: answer from this one on. */
  minProb: number;
}

/** Error over the share of images that get an answer, if those of the largest probabilities get one first. */
export interface RiskCoverage {
  /** Area under the curve: the mean risk over all shares, [0, 1]; lower is better. */
  aurc: number;
  /** At most 100, by rising share. */
  points: RiskPoint[];
}

const NUM_POINTS = 100;

/**
 * Computes the risk–coverage curve by the largest probability. Images of equal probability share their errors, so that their
 * order does not matter.
 *
 * @param probs - float32 `[numImages, numClasses]`, row after row; at least one image.
 * @see Geifman and El-Yaniv 2017, https://arxiv.org/abs/1705.08500; Geifman, Uziel and El-Yaniv 2019,
 * https://arxiv.org/abs/1805.08206
 */
export function riskCoverage(probs: Float32Array, labels: Int32Array, numClasses: number): RiskCoverage {
  checkProbs(probs, labels, numClasses);
  const numImages = checkNumber("the number of images", labels.length, { min: 1 });
  const images = [...argMax(probs, numClasses)]
    .map((top, i) => ({ prob: probs[i * numClasses + top], isWrong: top !== labels[i] }))
    .sort((a, b) => b.prob - a.prob);
  const risks: number[] = [];
  let before = 0;
  for (let start = 0, end = 0; start < numImages; start = end) {
    while (end < numImages && images[end].prob === images[start].prob) end++;
    const errors = images.slice(start, end).filter(({ isWrong }) => isWrong).length;
    for (let i = start; i < end; i++)
      risks.push((before + (errors * (i + 1 - start)) / (end - start)) / (i + 1));
    before += errors;
  }
  const numPoints = Math.min(NUM_POINTS, numImages);
  const points = Array.from({ length: numPoints }, (_, k) => {
    const i = Math.ceil(((k + 1) * numImages) / numPoints) - 1;
    return { answered: (i + 1) / numImages, risk: risks[i], minProb: images[i].prob };
  });
  return { aurc: risks.reduce((a, b) => a + b, 0) / numImages, points };
}
