import type { Monitor } from "../config.js";
import { checkList } from "../errors.js";
import type { ScoreIntervals } from "../metrics/bootstrap.js";

/** `head` while the last layer trains alone, then `full`. */
export type Phase = "head" | "full";

/** Something that the user should know before training starts, such as a guess and the option to set if it is wrong. */
export interface NoteEvent {
  type: "note";
  text: string;
}

/**
 * A training step was done.
 *
 * @example
 * ```ts
 * import { type BatchEvent, loadMetrics, ofType } from "ferkit";
 *
 * const seconds = ({ numImages, imagesPerSecond }: BatchEvent) => numImages / imagesPerSecond;
 * const batches = ofType(await loadMetrics("runs/pets"), "batch");
 * console.log(batches.map(seconds));
 * ```
 */
export interface BatchEvent {
  type: "batch";
  /** Whether the last layer trains alone. */
  phase: Phase;
  /** From 1. */
  epoch: number;
  /** Number of the batch in its epoch, from 1. */
  batch: number;
  /** Batches in the epoch. */
  numBatches: number;
  /** Images in this batch. */
  numImages: number;
  /** Number of the step in its run, from 1. */
  step: number;
  /** Mean cross-entropy in nats, against the targets that were trained on. */
  loss: number;
  /** Share of images that are classified as labelled, [0, 1], before the update. A mixed image has the label of its larger part. */
  accuracy: number;
  /** Rate of this step. */
  learningRate: number;
  /** For this batch, including loading and augmentation. */
  imagesPerSecond: number;
}

export interface Scores {
  /** Mean cross-entropy in nats; on validation images against the plain labels. */
  loss: number;
  /** Top-1, [0, 1]. */
  accuracy: number;
}

/**
 * An epoch ended and the validation images were classified.
 *
 * @example
 * ```ts
 * import { type EpochEvent, loadMetrics, ofType } from "ferkit";
 *
 * const overfitting = ({ train, validation }: EpochEvent) => train.accuracy - validation.accuracy;
 * const epochs = ofType(await loadMetrics("runs/pets"), "epoch");
 * console.log(epochs.map(overfitting));
 * ```
 */
export interface EpochEvent {
  type: "epoch";
  /** Whether the last layer trained alone. */
  phase: Phase;
  /** From 1. */
  epoch: number;
  /** Epochs of the whole run. */
  numEpochs: number;
  /** Last step of the epoch. */
  step: number;
  /** Rate of the epoch's last step. */
  learningRate: number;
  /** Training and validation. */
  durationMs: number;
  /** During training. */
  imagesPerSecond: number;
  /** Means over the training batches. */
  train: Scores;
  /** What the training loss is measured against, if not the plain labels: "smoothed labels". */
  trainTargets?: string;
  /** Scores on the validation images; recall and confusion matrix as in `Evaluation`. */
  validation: Scores & {
    /** The classes, in the order of the confusion matrix; absent before version 0.3. */
    classNames?: string[];
    macroF1: number;
    perClassRecall: Record<string, number | null>;
    confusionMatrix: number[][];
    /** 95% intervals, as `npx ferkit evaluate` computes them; only of epochs that are the best so far. Absent before version 0.3. */
    intervals?: ScoreIntervals;
    /** Groups of images that tell no more than one, such as copies of a picture; beside the intervals. */
    numGroups?: number;
  };
  /** Whether the epoch is the run's best so far, by `monitor`. */
  isBest: boolean;
  /** Tensors in the engine. */
  numTensors: number;
  /** Memory of the process, in bytes. */
  residentBytes: number;
}

/** Files of the run were written. */
export interface CheckpointEvent {
  type: "checkpoint";
  /** The best model so far, or the state that the run resumes from. */
  kind: "best" | "last";
  /** Last epoch of the state. */
  epoch: number;
  /** Folder that was written. */
  path: string;
}

/** How a run ended; an interrupted run can resume. The user interrupts it, or its time limit. */
export type EndReason = "completed" | "interrupted" | "stopped early";

/** The last event. */
export interface DoneEvent {
  type: "done";
  /** Why the run ended. */
  reason: EndReason;
  /** Epoch of the kept model, and its scores on the validation images; null before the first epoch has ended. */
  bestEpoch: number | null;
  /** [0, 1]. */
  bestAccuracy: number | null;
  /** [0, 1]; absent for runs that did not log it. */
  bestMacroF1?: number | null;
  /** In nats; absent for runs that did not log it. */
  bestLoss?: number | null;
  /** What "best" means; version 0.1 knew only accuracy. */
  monitor?: Monitor;
  /** The time limit that interrupted the run, in minutes; absent if the user did. */
  maxMinutes?: number;
  /** Where an interrupted run resumes: this epoch, after this batch. */
  resumesAt?: { epoch: number; batch: number; numBatches: number };
  /** The run's folder. */
  runDir: string;
}

/**
 * What `train` yields and `loadMetrics` reads; `type` tells the kinds apart.
 *
 * @example
 * ```ts
 * import { loadMetrics, type TrainEvent } from "ferkit";
 *
 * function describe(event: TrainEvent): string {
 *   if (event.type === "epoch") return `epoch ${event.epoch}: accuracy ${event.validation.accuracy}`;
 *   if (event.type === "done") return `${event.reason}; the best epoch is ${event.bestEpoch}`;
 *   return event.type;
 * }
 *
 * for (const event of await loadMetrics("runs/pets")) console.log(describe(event));
 * ```
 */
export type TrainEvent = NoteEvent | BatchEvent | EpochEvent | CheckpointEvent | DoneEvent;

/** Says how a run ended: "interrupted by the time limit of 5 minutes in epoch 2, after batch 8 of 20". */
export function endInWords({ reason, maxMinutes, resumesAt }: DoneEvent): string {
  const limit = maxMinutes ? ` by the time limit of ${minutes(maxMinutes)}` : "";
  if (!resumesAt?.batch) return reason + limit;
  const { epoch, batch, numBatches } = resumesAt;
  return `${reason}${limit} in epoch ${epoch}, after batch ${batch} of ${numBatches}`;
}

/** Writes a number of minutes, which may be tiny: "1 minute", "0.0001 minutes". */
export function minutes(count: number): string {
  return `${count} minute${count === 1 ? "" : "s"}`;
}

/** Returns the epoch whose model is kept: the last best one; undefined before the first epoch has ended. */
export function keptEpoch(events: readonly EpochEvent[]): EpochEvent | undefined {
  return [...events].reverse().find(({ isBest }) => isBest);
}

/**
 * Returns the events of one type, in order.
 *
 * @example
 * ```ts
 * import { loadMetrics, ofType } from "ferkit";
 *
 * for (const { epoch, validation } of ofType(await loadMetrics("runs/pets"), "epoch"))
 *   console.log(epoch, validation.accuracy);
 * ```
 */
export function ofType<T extends TrainEvent["type"]>(
  events: TrainEvent[],
  type: T,
): Extract<TrainEvent, { type: T }>[] {
  checkList("events", "the events of a run, as loadMetrics returns them", events, ["type"]);
  return events.filter((event): event is Extract<TrainEvent, { type: T }> => event.type === type);
}

/** What charts and tables of epochs take, for messages. */
export const EPOCHS = 'the epochs of a run, as ofType(events, "epoch") returns them';

/** Averages the scores of batches, weighted by their images. */
export function meanScores(batches: BatchEvent[]): Scores {
  let [loss, accuracy, numImages] = [0, 0, 0];
  for (const batch of batches) {
    numImages += batch.numImages;
    loss += batch.loss * batch.numImages;
    accuracy += batch.accuracy * batch.numImages;
  }
  return { loss: loss / numImages, accuracy: accuracy / numImages };
}
