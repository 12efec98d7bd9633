// Whether predictions of probability 0.8 are correct four times in five, and the temperature that makes them so.
import { checkNumber } from "../errors.js";
import { argMax, checkProbs } from "./classification.js";

/** Images whose largest probability is in one interval. */
export interface ReliabilityBin {
  /** Bounds of the largest probability: above `from`, up to `to`. */
  from: number;
  to: number;
  numImages: number;
  /** Share of correct images, [0, 1]; null without images. */
  accuracy: number | null;
  /** Mean of the largest probabilities, [0, 1]; null without images. */
  confidence: number | null;
}

/** As in Guo et al. 2017. */
const NUM_BINS = 15;
/**
 * Range of the search. If all images are correct, the lower a temperature is, the better it seems, so that the lower end is near. Only
 * a network whose probabilities say next to nothing is at the upper end.
 */
export const TEMPERATURES = { min: 0.25, max: 100 } as const;
/** Width of the last interval, in the logarithm of the temperature. */
const TOLERANCE = 1e-5;
const MIN_PROB = 1e-30;

/**
 * Sorts images by their largest probability into bins of equal width.
 *
 * @param probs - float32 `[numImages, numClasses]`, row after row.
 * @param labels - int32 `[numImages]`.
 */
export function reliability(
  probs: Float32Array,
  labels: Int32Array,
  numClasses: number,
  numBins = NUM_BINS,
): ReliabilityBin[] {
  checkProbs(probs, labels, numClasses);
  checkNumber("numBins", numBins, { min: 1, integer: true });
  const sums = Array.from({ length: numBins }, () => ({ numImages: 0, hits: 0, confidence: 0 }));
  argMax(probs, numClasses).forEach((top, i) => {
    const confidence = probs[i * numClasses + top];
    const bin = sums[Math.min(numBins - 1, Math.max(0, Math.ceil(confidence * numBins) - 1))];
    bin.numImages++;
    bin.hits += top === labels[i] ? 1 : 0;
    bin.confidence += confidence;
  });
  return sums.map(({ numImages, hits, confidence }, i) => ({
    from: i / numBins,
    to: (i + 1) / numBins,
    numImages,
    accuracy: numImages ? hits / numImages : null,
    confidence: numImages ? confidence / numImages : null,
  }));
}

/**
 * Computes the expected calibration error: the gap between confidence and accuracy, averaged over the bins, each weighted
 * by its images.
 *
 * @returns In [0, 1]; 0 without images.
 *
 * @see Guo et al. 2017, §2, https://arxiv.org/abs/1706.04599
 */
export function calibrationError(bins: ReliabilityBin[]): number {
  const numImages = bins.reduce((total, bin) => total + bin.numImages, 0);
  const gaps = bins.map((bin) => bin.numImages * Math.abs((bin.accuracy ?? 0) - (bin.confidence ?? 0)));
  return numImages ? gaps.reduce((total, gap) => total + gap, 0) / numImages : 0;
}

/**
 * Finds the temperature of lowest cross-entropy: what to divide the logits by. Above 1, the network was overconfident;
 * below 1, underconfident.
 *
 * @param probs - float32 `[numImages, numClasses]`, row after row, for images that the network was not trained on.
 * @param labels - int32 `[numImages]`; at least one.
 * @returns In [0.25, 100].
 * @see Guo et al. 2017, §4.2, https://arxiv.org/abs/1706.04599; golden-section search: Kiefer 1953
 */
export function fitTemperature(probs: Float32Array, labels: Int32Array, numClasses: number): number {
  checkProbs(probs, labels, numClasses);
  checkNumber("the number of images", labels.length, { min: 1 });
  const logs = Float64Array.from(probs, (prob) => Math.log(Math.max(prob, MIN_PROB)));
  const lossAt = (logTemperature: number) =>
    crossEntropy(logs, labels, numClasses, Math.exp(-logTemperature));
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [Math.log(TEMPERATURES.min), Math.log(TEMPERATURES.max)];
  let [left, right] = [high - ratio * (high - low), low + ratio * (high - low)];
  let [leftLoss, rightLoss] = [lossAt(left), lossAt(right)];
  while (high - low > TOLERANCE)
    if (leftLoss <= rightLoss) {
      [high, right, rightLoss] = [right, left, leftLoss];
      left = high - ratio * (high - low);
      leftLoss = lossAt(left);
    } else {
      [low, left, leftLoss] = [left, right, rightLoss];
      right = low + ratio * (high - low);
      rightLoss = lossAt(right);
    }
  return Math.exp((low + high) / 2);
}

/**
 * Returns the probabilities that logits divided by `temperature` would give. The inverse temperature undoes it.
 *
 * @param probs - float32 `[numImages, numClasses]`, row after row; not changed.
 */
export function withTemperature(probs: Float32Array, numClasses: number, temperature: number): Float32Array {
  checkNumber("temperature", temperature, { min: Number.MIN_VALUE });
  const changed = new Float32Array(probs.length);
  for (let start = 0; start < probs.length; start += numClasses) {
    const given = probs.subarray(start, start + numClasses);
    const most = Math.max(...given); // which becomes 1, so that not all powers are too small for a number
    const row = Array.from(given, (prob) => (prob / most) ** (1 / temperature));
    const sum = row.reduce((a, b) => a + b, 0);
    row.forEach((value, c) => {
      changed[start + c] = value / sum;
    });
  }
  return changed;
}

/** Computes the mean cross-entropy of the softmax of logarithms times `scale`. */
function crossEntropy(logs: Float64Array, labels: Int32Array, numClasses: number, scale: number): number {
  let total = 0;
  labels.forEach((label, i) => {
    const start = i * numClasses;
    let sum = 0; // no overflow: the logarithms are at most 0, and the largest of a row is no less than log(1 / numClasses)
    for (let c = 0; c < numClasses; c++) sum += Math.exp(scale * logs[start + c]);
    total += Math.log(sum) - scale * logs[start + label];
  });
  return total / labels.length;
}
