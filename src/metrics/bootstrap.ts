import { checkNumber, ParameterError } from "../errors.js";
import { Random } from "../random.js";

/** Bounds of a 95 % interval. */
export type Interval = [low: number, high: number];

/** How much scores would vary on other images of the same kind. */
export interface ScoreIntervals {
  accuracy: Interval;
  macroF1: Interval;
}

/** Quantile of the normal distribution for 95 % intervals. */
export const Z = 1.96;

const NUM_RESAMPLES = 1000;
const TAIL = 0.025;

/**
 * Computes 95 % intervals by percentile bootstrap: from 1000 draws of as many images, with replacement.
 *
 * If all or no predictions are correct, all draws are alike and the bootstrap has no width. The interval of the accuracy is then
 * Wilson's; that of macro-F1 stays without width.
 *
 * A class without images and predictions in a draw keeps its F1 over all images. Otherwise, a draw without the images of a rare class that
 * the model gets wrong would have a macro-F1 of the other classes alone. A class of few images makes the interval of macro-F1 too narrow.
 *
 * It treats the images as independent, so near-duplicates make the interval too narrow.
 *
 * @param labels - int32 `[numImages]`, each in `[0, numClasses)`; at least one.
 * @param predicted - Predicted classes, likewise.
 * @see Efron and Tibshirani 1993, An Introduction to the Bootstrap, ch. 13
 */
export function bootstrapIntervals(
  labels: Int32Array,
  predicted: Int32Array,
  numClasses: number,
  seed: number,
): ScoreIntervals {
  const numImages = checkNumber("the number of images", labels.length, { min: 1 });
  if (predicted.length !== numImages)
    throw new ParameterError("the number of predictions", String(numImages), predicted.length);
  const random = new Random(seed, "bootstrap");
  const [accuracy, macroF1] = [new Float64Array(NUM_RESAMPLES), new Float64Array(NUM_RESAMPLES)];
  const own = f1OfClasses(labels, predicted, numClasses);
  for (let resample = 0; resample < NUM_RESAMPLES; resample++) {
    const counts = new Int32Array(numClasses); // images plus predictions of each class
    const hits = new Int32Array(numClasses);
    let numHits = 0;
    for (let drawn = 0; drawn < numImages; drawn++) {
      const image = random.integer(numImages);
      const label = labels[image];
      counts[label]++;
      counts[predicted[image]]++;
      if (label !== predicted[image]) continue;
      hits[label]++;
      numHits++;
    }
    accuracy[resample] = numHits / numImages;
    macroF1[resample] = meanF1(hits, counts, own);
  }
  const numCorrect = labels.filter((label, i) => label === predicted[i]).length;
  const isVaried = numCorrect > 0 && numCorrect < numImages;
  return {
    accuracy: isVaried ? middle(accuracy) : wilson(numCorrect, numImages),
    macroF1: middle(macroF1),
  };
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
 * Returns 95 % bounds of a share.
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
