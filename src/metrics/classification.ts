import { checkIndices, checkNumber, InputError, ParameterError } from "../errors.js";
import { wilson } from "./bootstrap.js";

/** How well predictions agree with labels. */
export interface ClassificationScores {
  /** Top-1, [0, 1]; 0 without images. */
  accuracy: number;
  /** Mean over the classes of the harmonic mean of precision and recall, [0, 1]. */
  macroF1: number;
  /** Share of each class's images that are correct, [0, 1]; null for a class without images. */
  perClassRecall: Record<string, number | null>;
  /** `[actual][predicted]`, in images. */
  confusionMatrix: number[][];
  /** Images that were scored. */
  numImages: number;
}

/**
 * Counts images by actual and predicted class: `[numClasses][numClasses]`, rows are actual.
 *
 * @param labels - int32 `[numImages]`, each in `[0, numClasses)`.
 * @param predicted - Predicted classes, likewise.
 * @throws ParameterError "Expected an integer in [0, 3) for predicted[5] but received -1 of type number"
 */
export function confusionMatrix(labels: Int32Array, predicted: Int32Array, numClasses: number): number[][] {
  checkNumber("numClasses", numClasses, { min: 1, integer: true });
  if (predicted.length !== labels.length)
    throw new ParameterError("the number of predictions", String(labels.length), predicted.length);
  const matrix = Array.from({ length: numClasses }, () => new Array<number>(numClasses).fill(0));
  checkIndices("labels", labels, numClasses);
  checkIndices("predicted", predicted, numClasses);
  labels.forEach((label, i) => {
    matrix[label][predicted[i]]++;
  });
  return matrix;
}

/**
 * Scores a confusion matrix.
 *
 * As in scikit-learn's `f1_score(average="macro")`, a class with images or predictions but no hit counts as 0 in the mean of
 * F1. A class with neither does not count.
 *
 * @param matrix - `[actual][predicted]`, in images, from `confusionMatrix`.
 */
export function scores(matrix: number[][], classNames: readonly string[]): ClassificationScores {
  if (matrix.length !== classNames.length)
    throw new ParameterError("the rows of the confusion matrix", String(classNames.length), matrix.length);
  const rows = matrix.map(sum);
  const columns = matrix.map((_, c) => sum(matrix.map((row) => row[c])));
  const hits = matrix.map((row, c) => row[c]);
  const numImages = sum(rows);
  // 2·precision·recall / (precision + recall) = 2·hits / (actual + predicted)
  const f1 = hits
    .map((count, c) => (2 * count) / (rows[c] + columns[c]))
    .filter((value) => !Number.isNaN(value));
  return {
    accuracy: numImages ? sum(hits) / numImages : 0,
    macroF1: f1.length ? sum(f1) / f1.length : 0,
    perClassRecall: Object.fromEntries(
      classNames.map((name, c) => [name, rows[c] ? hits[c] / rows[c] : null]),
    ),
    confusionMatrix: matrix,
    numImages,
  };
}

/** What it scores to answer the most frequent class, whatever the image. */
export interface LargestClass {
  className: string;
  /** Share of the images that are of this class, [0, 1]. */
  accuracy: number;
  /** Whether the 95% interval of the model's accuracy (Wilson's) is above it. */
  isBeaten: boolean;
}

/**
 * Compares predictions with always answering the class with the most images.
 *
 * @param matrix - `[actual][predicted]`, in images.
 * @param effectiveSize - How many independent images tell as much; fewer than the images if some are copies. Default: all.
 * @returns Null if the images are of fewer than two classes.
 */
export function largestClass(
  matrix: number[][],
  classNames: readonly string[],
  effectiveSize = sum(matrix.map(sum)),
): LargestClass | null {
  const counts = matrix.map(sum);
  if (counts.filter((count) => count > 0).length < 2) return null;
  const [numImages, most] = [sum(counts), Math.max(...counts)];
  const accuracy = most / numImages;
  const share = sum(matrix.map((row, c) => row[c])) / numImages;
  const [low] = wilson(share * effectiveSize, effectiveSize);
  return { className: classNames[counts.indexOf(most)], accuracy, isBeaten: low > accuracy };
}

/** Scores of one class, each in [0, 1]. */
export interface ClassScores {
  /** Share of correct images among those predicted as the class; null if there are none. */
  precision: number | null;
  /** Share of correct images among those of the class; null if there are none. */
  recall: number | null;
  /** Harmonic mean of both; null without images and predictions. */
  f1: number | null;
  /** Images of the class. */
  count: number;
}

/**
 * Scores each class, by name.
 *
 * @param matrix - `[actual][predicted]`, in images.
 */
export function classScores(matrix: number[][], classNames: readonly string[]): Record<string, ClassScores> {
  const ratio = (part: number, whole: number) => (whole ? part / whole : null);
  return Object.fromEntries(
    classNames.map((name, c) => {
      const [hits, count, predicted] = [matrix[c][c], sum(matrix[c]), sum(matrix.map((row) => row[c]))];
      const [precision, recall] = [ratio(hits, predicted), ratio(hits, count)];
      return [name, { precision, recall, f1: ratio(2 * hits, count + predicted), count }];
    }),
  );
}

/**
 * Checks probabilities and labels before they are scored.
 *
 * @param probs - float32 `[numImages, numClasses]`, row after row.
 * @param labels - int32 `[numImages]`, each in `[0, numClasses)`.
 * @throws ParameterError for another number of probabilities, or a label of no class; InputError for NaN and infinity.
 */
export function checkProbs(probs: Float32Array, labels: Int32Array, numClasses: number): void {
  const length = labels.length * numClasses;
  if (probs.length !== length)
    throw new ParameterError("the number of probabilities", String(length), probs.length);
  checkIndices("labels", labels, numClasses);
  const broken = probs.findIndex((prob) => !Number.isFinite(prob));
  if (broken >= 0)
    throw new InputError({
      expected: "finite probabilities",
      found: `${probs[broken]} for image ${Math.floor(broken / numClasses) + 1} of ${labels.length}`,
      fix: "Choose another model: the weights of this one are broken.",
    });
}

/**
 * Returns the index of the largest value of each row, the first of equal ones.
 *
 * @param values - `[numRows, numClasses]`, row after row: logits or probabilities.
 * @returns int32 `[numRows]`; 0 for a row whose first value is NaN.
 */
export function argMax(values: Float32Array, numClasses: number): Int32Array {
  return Int32Array.from({ length: values.length / numClasses }, (_, row) => {
    const start = row * numClasses;
    let top = 0;
    for (let c = 1; c < numClasses; c++) if (values[start + c] > values[start + top]) top = c;
    return top;
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
