import type { NearDuplicates } from "../data/audit/near-duplicates.js";
import { seenInTrain } from "../data/audit/report.js";
import type { Dataset } from "../data/dataset.js";
import type { SplitName } from "../data/split.js";
import { bootstrapIntervals, type ScoreIntervals } from "../metrics/bootstrap.js";
import { calibrationError, reliability, withTemperature } from "../metrics/calibration.js";
import {
  type ClassificationScores,
  type ClassScores,
  classScores,
  confusionMatrix,
  scores,
} from "../metrics/classification.js";
import type { ModelConfig } from "../model/network.js";
import { type Evaluation, score } from "./evaluate.js";

/** Scores of some images, with the bounds of their 95 % intervals. */
export interface Scores {
  accuracy: number;
  macroF1: number;
  intervals: ScoreIntervals;
  numImages: number;
}

/** What `npx ferkit evaluate --json` prints. */
export interface EvaluationReport extends ClassificationScores {
  /** What the validation images are. */
  split: SplitName | null;
  /** Mean cross-entropy, in nats. */
  loss: number;
  perClass: Record<string, ClassScores>;
  /** 95 %, by bootstrap. */
  intervals: ScoreIntervals;
  /** Expected calibration error of the probabilities as the model gives them, [0, 1]. */
  ece: number;
  /** The same as it was before the model was calibrated; null for one that was not. */
  eceUncalibrated: number | null;
  /** What the model's logits are divided by; null for a model that was not calibrated. */
  temperature: number | null;
  /** By the mean of the probabilities of an image and its mirror image; null where that was not asked for. */
  flip: (Scores & { loss: number; ece: number }) | null;
  /** Without the images whose pixels also stand in train; null without training images, or where no image is left. */
  withoutDuplicates: Scores | null;
  /** Nor those that are near-identical to one in train. */
  withoutNearDuplicates: Scores | null;
}

export interface ReportInput {
  dataset: Dataset;
  config: ModelConfig;
  /** Of the validation images. */
  evaluation: Evaluation;
  /** Probabilities of their mirror images, where asked for. */
  mirroredProbs?: Float32Array;
  /** Null without training images. */
  nearIdentical: NearDuplicates | null;
  /** Governs the intervals. */
  seed: number;
}

/** All that is to be said of a model on a data set's validation images. */
export function evaluationReport(input: ReportInput): EvaluationReport {
  const { dataset, config, evaluation, mirroredProbs, nearIdentical, seed } = input;
  const { classNames, calibration } = config;
  const { labels } = dataset.validation;
  const { accuracy, macroF1, perClassRecall, numImages, loss, predicted, probs } = evaluation;
  const numClasses = classNames.length;
  const eceOf = (some: Float32Array) => calibrationError(reliability(some, labels, numClasses));
  const unseenBy = (first: Int32Array | undefined) =>
    first
      ? scoresOf(
          labels,
          predicted,
          classNames,
          seed,
          seenInTrain(first, dataset).map((isSeen) => !isSeen),
        )
      : null;
  return {
    split: dataset.split ?? null,
    accuracy,
    macroF1,
    numImages,
    loss,
    intervals: bootstrapIntervals(labels, predicted, numClasses, seed),
    ece: eceOf(probs),
    eceUncalibrated: calibration
      ? eceOf(withTemperature(probs, numClasses, 1 / calibration.temperature))
      : null,
    temperature: calibration?.temperature ?? null,
    perClass: classScores(evaluation.confusionMatrix, classNames),
    perClassRecall,
    confusionMatrix: evaluation.confusionMatrix,
    flip: mirroredProbs ? flipScores(meanOf(probs, mirroredProbs), labels, classNames, seed) : null,
    withoutDuplicates: unseenBy(nearIdentical?.duplicates),
    withoutNearDuplicates: unseenBy(nearIdentical?.groups),
  };
}

function flipScores(probs: Float32Array, labels: Int32Array, classNames: string[], seed: number) {
  const { loss, predicted } = score(probs, labels, classNames);
  const scores = scoresOf(labels, predicted, classNames, seed) as Scores;
  return { ...scores, loss, ece: calibrationError(reliability(probs, labels, classNames.length)) };
}

/** Scores of the images that `isCounted` says; null where it says none. */
function scoresOf(
  labels: Int32Array,
  predicted: Int32Array,
  classNames: string[],
  seed: number,
  isCounted?: boolean[],
): Scores | null {
  const counted = (values: Int32Array) => values.filter((_, i) => isCounted?.[i] ?? true);
  const [ofLabels, ofPredicted] = [counted(labels), counted(predicted)];
  if (ofLabels.length === 0) return null;
  const numClasses = classNames.length;
  const { accuracy, macroF1, numImages } = scores(
    confusionMatrix(ofLabels, ofPredicted, numClasses),
    classNames,
  );
  return {
    accuracy,
    macroF1,
    intervals: bootstrapIntervals(ofLabels, ofPredicted, numClasses, seed),
    numImages,
  };
}

function meanOf(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, i) => (value + b[i]) / 2);
}
