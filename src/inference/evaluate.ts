// Scores of a network on labelled images.
import type { NearDuplicates } from "../data/audit/near-duplicates.js";
import { seenInTrain } from "../data/audit/report.js";
import { batches } from "../data/batches.js";
import {
  checkClassesFor,
  checkDecodingFor,
  checkImages,
  type Dataset,
  type PackedImages,
} from "../data/dataset.js";
import type { SplitName } from "../data/split.js";
import { type Tensor, tf } from "../engine/tf.js";
import { checkNames, InputError } from "../errors.js";
import { bootstrapIntervals, countGroups, effectiveSize, type ScoreIntervals } from "../metrics/bootstrap.js";
import { calibrationError, reliability, withTemperature } from "../metrics/calibration.js";
import {
  argMax,
  type ClassificationScores,
  type ClassScores,
  checkProbs,
  classScores,
  confusionMatrix,
  type LargestClass,
  largestClass,
  scores,
} from "../metrics/classification.js";
import { type RiskCoverage, riskCoverage, type SetScores, setScores } from "../metrics/conformal.js";
import { checkNetwork, type ModelConfig, type Network } from "../model/network.js";
import { printedNumbers } from "../printed.js";
import type { OnProgress } from "../progress.js";
import { counted } from "../text.js";
import { meanOf, noteUnseenViews, numViews, probsOfViews, type Views } from "./views.js";

/**
 * A network's predictions for labelled images, and their scores.
 *
 * @example
 * ```ts
 * import { type Evaluation, evaluate, loadDataset, loadModel } from "ferkit";
 *
 * // Returns the share of images that are correct among those with a confident prediction.
 * function confidentAccuracy({ predicted, probs }: Evaluation, labels: Int32Array, minProb: number): number {
 *   const numClasses = probs.length / labels.length;
 *   const confident = [...labels.keys()].filter((i) => probs[i * numClasses + predicted[i]] >= minProb);
 *   return confident.filter((i) => predicted[i] === labels[i]).length / confident.length;
 * }
 *
 * const network = await loadModel("runs/pets/best");
 * const { validation } = await loadDataset({ data: "data/pets", imageSize: network.config.imageSize });
 * console.log(confidentAccuracy(await evaluate(network, validation), validation.labels, 0.5));
 * network.dispose();
 * ```
 */
export interface Evaluation extends ClassificationScores {
  /** Mean cross-entropy against the labels, in nats; a probability below 1e-12 counts as that. */
  loss: number;
  /** int32 `[numImages]`: index of the most probable class. */
  predicted: Int32Array;
  /** float32 `[numImages, numClasses]`, row after row, [0, 1]. */
  probs: Float32Array;
}

/** Keeps the engine busy, while activations at 224 pixels still fit into memory. */
const BATCH_SIZE = 128;

export interface ClassifyOptions {
  /** Parameters to use in place of the network's own, such as an EMA; the caller keeps them. */
  values?: ReadonlyMap<string, Tensor>;
  /**
   * What the probabilities are the mean over: the image alone, by default; with `flip` the image and its mirror image; with `crops`
   * 12 views, the image, five crops of a 12% larger one, and their mirror images.
   */
  views?: Views;
  /** Called after each batch. */
  onProgress?: OnProgress;
  /** Stops after the current batch with the signal's error; in a notebook, `interruptSignal` follows the stop button. */
  signal?: AbortSignal;
}

/**
 * Classifies every image, in order, and scores the result.
 *
 * @param images - Labelled images, of the network's size and with its classes.
 * @returns The scores, and the predicted class and probabilities of each image, in the order of the images.
 * @throws InputError if there are no images, when they have other classes than the network or were decoded otherwise, and when a
 * probability is not finite.
 * @example
 * ```ts
 * import { evaluate, loadClassifier, loadEvaluationData } from "ferkit";
 *
 * const classifier = await loadClassifier("runs/pets/best");
 * const { dataset } = await loadEvaluationData("runs/pets/best", { data: "data/pets" });
 * const { accuracy, macroF1, perClassRecall } = await evaluate(classifier.network, dataset.validation);
 * console.log(accuracy, macroF1, perClassRecall);
 * classifier.dispose();
 * ```
 */
export async function evaluate(
  network: Network,
  images: PackedImages,
  options: ClassifyOptions = {},
): Promise<Evaluation> {
  checkNetwork(network);
  checkImages("images", images);
  checkNames<keyof ClassifyOptions>(options, { values: true, views: true, onProgress: true, signal: true });
  checkClassesFor(network.config, images);
  return score(await classify(network, images, options), images.labels, network.config.classNames);
}

/**
 * Computes the probabilities of every image, in order.
 *
 * @returns float32 `[numImages, numClasses]`, row after row.
 */
export async function classify(
  network: Network,
  images: PackedImages,
  options: ClassifyOptions = {},
): Promise<Float32Array> {
  return meanOf(await classifyViews(network, images, options));
}

/**
 * Computes the probabilities of every view of every image, in order.
 *
 * @returns float32 `[numImages, numClasses]` for each view: of the image, of its mirror image, of its crops.
 */
export async function classifyViews(
  network: Network,
  images: PackedImages,
  { values, views = "image", onProgress, signal }: ClassifyOptions = {},
): Promise<Float32Array[]> {
  checkDecodingFor(network.config, images);
  noteUnseenViews(network.config, views);
  const numClasses = network.config.classNames.length;
  const own = values ?? network.read();
  const ofViews = Array.from(
    { length: numViews(views) },
    () => new Float32Array(images.numImages * numClasses),
  );
  let [offset, numSeen] = [0, 0];
  try {
    for await (const batch of batches(images, {
      batchSize: BATCH_SIZE,
      shuffle: false,
      seed: 0,
      epoch: 0,
      dropLast: false,
    })) {
      try {
        let view = 0;
        for await (const probs of probsOfViews(network, batch.images, views, own)) {
          ofViews[view++].set(probs, offset);
          numSeen += batch.labels.length;
          const done = Math.floor(numSeen / ofViews.length);
          onProgress?.({ stage: "classify", done, total: images.numImages, unit: "images" });
          await new Promise(setImmediate); // lets interrupts run
          signal?.throwIfAborted();
        }
      } finally {
        batch.images.dispose();
      }
      offset += batch.labels.length * numClasses;
    }
  } finally {
    if (!values) tf.dispose([...own.values()]);
  }
  return ofViews;
}

/**
 * Scores probabilities against labels.
 *
 * @param probs - float32 `[numImages, numClasses]`, row after row.
 * @throws InputError if there are no images, or when a probability is not finite.
 */
export function score(probs: Float32Array, labels: Int32Array, classNames: string[]): Evaluation {
  const numClasses = classNames.length;
  if (labels.length === 0)
    throw new InputError({
      expected: "images to score",
      found: "none",
      fix: "Choose images of the model's classes.",
    });
  checkProbs(probs, labels, numClasses);
  const predicted = argMax(probs, numClasses);
  const matrix = confusionMatrix(labels, predicted, numClasses);
  return {
    ...scores(matrix, classNames),
    loss: crossEntropy(probs, labels, numClasses),
    predicted: printedNumbers(predicted),
    probs: printedNumbers(probs),
  };
}

function crossEntropy(probs: Float32Array, labels: Int32Array, numClasses: number): number {
  let total = 0;
  labels.forEach((label, i) => {
    total -= Math.log(Math.max(probs[i * numClasses + label], 1e-12));
  });
  return total / labels.length;
}

/** Scores of some images, with their 95% intervals. */
export interface Scores {
  accuracy: number;
  macroF1: number;
  intervals: ScoreIntervals;
  numImages: number;
  /** Groups of images that tell no more than one, such as copies of a picture; as many as images if there are none. */
  numGroups: number;
}

/** Says how many images were scored, and of how many groups, if that is fewer: "40 images in 8 groups". */
export function imagesInGroups({ numImages, numGroups }: Pick<Scores, "numImages" | "numGroups">): string {
  return counted(numImages, "image") + (numGroups < numImages ? ` in ${counted(numGroups, "group")}` : "");
}

/** Scores of mean probabilities over several views of each image. */
export interface ViewScores extends Scores {
  /** Mean cross-entropy, in nats. */
  loss: number;
  /** Expected calibration error, [0, 1]. */
  ece: number;
  /** Scores without duplicates of training images; null without training images, or if no image is left. */
  withoutDuplicates: Scores | null;
  /** The same without near-duplicates. */
  withoutNearDuplicates: Scores | null;
}

/** What `npx ferkit evaluate --json` prints. */
export interface EvaluationReport extends ClassificationScores {
  /** In the order of the confusion matrix. */
  classNames: string[];
  /** How the validation images were chosen. */
  split: SplitName | null;
  /** For `folders`, what has the split: "the folder val", "the column part of labels.csv"; null if that is not known. */
  splitBy: string | null;
  /** Mean cross-entropy, in nats. */
  loss: number;
  perClass: Record<string, ClassScores>;
  /** What always answering the most frequent class scores; null if the images are of one class. */
  largestClass: LargestClass | null;
  /** 95%, by a bootstrap that draws whole groups; Wilson's for an accuracy of 0 or 1. */
  intervals: ScoreIntervals;
  /** Groups of images that tell no more than one, such as copies of a picture; as many as images if there are none. */
  numGroups: number;
  /** Expected calibration error of the model's probabilities, [0, 1]. */
  ece: number;
  /** The same before calibration; null for a model that was not calibrated. */
  eceUncalibrated: number | null;
  /** What the model's logits are divided by; null for a model that was not calibrated. */
  temperature: number | null;
  /** How the prediction sets do on these images, for each coverage; null for a model without. */
  predictionSets: SetScores[] | null;
  /** Error over the share of images that get an answer, the most probable first. */
  riskCoverage: RiskCoverage;
  /** Scores of the mean over each image and its mirror image; null if not requested. */
  flip: ViewScores | null;
  /** Scores of the mean over 12 views: each image, five crops, and their mirror images; null if not requested. */
  crops: ViewScores | null;
  /** Scores without duplicates of training images; null without training images, or if no image is left. */
  withoutDuplicates: Scores | null;
  /** The same without near-duplicates. */
  withoutNearDuplicates: Scores | null;
  /** How many images have a duplicate, and how many a near-duplicate or duplicate, among the training images; null without training images. */
  likeTraining: { duplicates: number; nearDuplicates: number } | null;
  /**
   * Images that the model, its starting weights or its teachers were trained on, and the scores without them; null if that is not known,
   * or the model's run held all of them out and had no such models.
   */
  trainedOn: { numImages: number; without: Scores | null } | null;
}

export interface ReportInput {
  dataset: Dataset;
  config: ModelConfig;
  /** For the validation images. */
  evaluation: Evaluation;
  /** Their probabilities over more views, if requested: float32 `[numImages, numClasses]`. */
  viewProbs?: Partial<Record<Exclude<Views, "image">, Float32Array>>;
  /** Null without training images. */
  nearDuplicates: NearDuplicates | null;
  /** int32 `[numImages]`: a number for the group of each validation image, as `groupImages` finds it; by default each is one. */
  groups?: Int32Array;
  /** Whether the model was trained on each image; null if that is not known. */
  isTrainedOn?: boolean[] | null;
  /** Determines the intervals. */
  seed: number;
}

/** Collects the scores of a model on a data set's validation images. */
export function evaluationReport(input: ReportInput): EvaluationReport {
  const { dataset, config, evaluation, viewProbs = {}, nearDuplicates, isTrainedOn = null, seed } = input;
  const { classNames, calibration, predictionSets } = config;
  const { labels } = dataset.validation;
  const groups = input.groups ?? labels.map((_, i) => i);
  const { accuracy, macroF1, perClassRecall, numImages, loss, predicted, probs } = evaluation;
  const numClasses = classNames.length;
  const isCorrect = Array.from(labels, (label, i) => label === predicted[i]);
  const eceOf = (some: Float32Array) => calibrationError(reliability(some, labels, numClasses));
  const scoresWithout = (isSeen: boolean[], ofImages = predicted) =>
    scoresOf(
      { labels, predicted: ofImages, groups },
      classNames,
      seed,
      isSeen.map((seen) => !seen),
    );
  const isLikeTraining = nearDuplicates && {
    duplicates: seenInTrain(nearDuplicates.duplicates, dataset),
    nearDuplicates: seenInTrain(nearDuplicates.groups, dataset),
  };
  const unseenScores = (ofImages = predicted) => ({
    withoutDuplicates: isLikeTraining && scoresWithout(isLikeTraining.duplicates, ofImages),
    withoutNearDuplicates: isLikeTraining && scoresWithout(isLikeTraining.nearDuplicates, ofImages),
  });
  const viewScores = (ofViews: Float32Array | undefined): ViewScores | null => {
    if (!ofViews) return null;
    const mean = score(ofViews, labels, classNames);
    const all = scoresOf({ labels, predicted: mean.predicted, groups }, classNames, seed) as Scores;
    return { ...all, loss: mean.loss, ece: eceOf(ofViews), ...unseenScores(mean.predicted) };
  };
  return {
    classNames,
    split: dataset.split ?? null,
    splitBy: (dataset.split === "folders" && dataset.splitBy) || null,
    accuracy,
    macroF1,
    numImages,
    loss,
    largestClass: largestClass(evaluation.confusionMatrix, classNames, effectiveSize(isCorrect, groups)),
    intervals: bootstrapIntervals(labels, predicted, numClasses, seed, groups),
    numGroups: countGroups(groups),
    ece: eceOf(probs),
    eceUncalibrated: calibration
      ? eceOf(withTemperature(probs, numClasses, 1 / calibration.temperature))
      : null,
    temperature: calibration?.temperature ?? null,
    perClass: classScores(evaluation.confusionMatrix, classNames),
    perClassRecall,
    confusionMatrix: evaluation.confusionMatrix,
    predictionSets:
      predictionSets?.thresholds.map((threshold) =>
        setScores(probs, labels, classNames, threshold, groups),
      ) ?? null,
    riskCoverage: riskCoverage(probs, labels, numClasses),
    flip: viewScores(viewProbs.flip),
    crops: viewScores(viewProbs.crops),
    ...unseenScores(),
    likeTraining: isLikeTraining && {
      duplicates: isLikeTraining.duplicates.filter(Boolean).length,
      nearDuplicates: isLikeTraining.nearDuplicates.filter(Boolean).length,
    },
    trainedOn: isTrainedOn && {
      numImages: isTrainedOn.filter(Boolean).length,
      without: scoresWithout(isTrainedOn),
    },
  };
}

/** What is scored of each image, each int32 `[numImages]`. */
interface Outcomes {
  labels: Int32Array;
  predicted: Int32Array;
  groups: Int32Array;
}

/** Scores the images that `isCounted` marks; null if there are none. */
function scoresOf(all: Outcomes, classNames: string[], seed: number, isCounted?: boolean[]): Scores | null {
  const counted = (values: Int32Array) => values.filter((_, i) => isCounted?.[i] ?? true);
  const [labels, predicted, groups] = [counted(all.labels), counted(all.predicted), counted(all.groups)];
  if (labels.length === 0) return null;
  const numClasses = classNames.length;
  const { accuracy, macroF1, numImages } = scores(confusionMatrix(labels, predicted, numClasses), classNames);
  const intervals = bootstrapIntervals(labels, predicted, numClasses, seed, groups);
  return { accuracy, macroF1, intervals, numImages, numGroups: countGroups(groups) };
}
