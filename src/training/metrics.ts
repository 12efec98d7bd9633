import { checkNumber } from "../errors.js";

/** How well a classification agrees with the labels. */
export interface ClassificationSummary {
  /** Top-1, [0, 1]. */
  accuracy: number;
  /** Mean over the classes of the harmonic mean of precision and recall; 0 for a class without hits. */
  macroF1: number;
  /** Share of each class's images that were recognised; null for a class without images. */
  perClassRecall: Record<string, number | null>;
  /** `[actual][predicted]`, in images. */
  confusionMatrix: number[][];
  numImages: number;
}

/** Counts images by actual and predicted class: `[numClasses][numClasses]`, rows are actual. */
export function confusionMatrix(labels: Int32Array, predicted: Int32Array, numClasses: number): number[][] {
  checkNumber("the number of predictions", predicted.length, { min: labels.length, max: labels.length });
  const matrix = Array.from({ length: numClasses }, () => new Array<number>(numClasses).fill(0));
  labels.forEach((label, i) => {
    matrix[label][predicted[i]]++;
  });
  return matrix;
}

/** Scores a confusion matrix; the mean of F1 goes over the classes that have images or predictions. */
export function summarize(matrix: number[][], classNames: string[]): ClassificationSummary {
  const rows = matrix.map((row) => row.reduce((a, b) => a + b, 0));
  const columns = matrix.map((_, c) => matrix.reduce((total, row) => total + row[c], 0));
  const hits = matrix.map((row, c) => row[c]);
  const numImages = rows.reduce((a, b) => a + b, 0);
  // 2·precision·recall / (precision + recall) = 2·hits / (actual + predicted)
  const present = classNames.map((_, c) => c).filter((c) => rows[c] + columns[c] > 0);
  const f1 = present.map((c) => (2 * hits[c]) / (rows[c] + columns[c]));
  return {
    accuracy: numImages ? hits.reduce((a, b) => a + b, 0) / numImages : 0,
    macroF1: f1.length ? f1.reduce((a, b) => a + b, 0) / f1.length : 0,
    perClassRecall: Object.fromEntries(
      classNames.map((name, c) => [name, rows[c] ? hits[c] / rows[c] : null]),
    ),
    confusionMatrix: matrix,
    numImages,
  };
}
