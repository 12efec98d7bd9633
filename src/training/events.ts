/** `head` while the last layer trains alone, then `full`. */
export type Phase = "head" | "full";

/** A training step was done. */
export interface BatchEvent {
  type: "batch";
  phase: Phase;
  /** From 1. */
  epoch: number;
  /** Number of the batch in its epoch, from 1. */
  batch: number;
  numBatches: number;
  /** Images in this batch. */
  numImages: number;
  /** Number of the step in its run, from 1. */
  step: number;
  /** Mean cross-entropy in nats, against the targets that were trained on. */
  loss: number;
  /** Share of the batch's images, [0, 1], before the update. */
  accuracy: number;
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

/** An epoch ended and the validation images were classified. */
export interface EpochEvent {
  type: "epoch";
  phase: Phase;
  epoch: number;
  numEpochs: number;
  /** Last step of the epoch. */
  step: number;
  learningRate: number;
  /** Training and validation. */
  durationMs: number;
  /** During training. */
  imagesPerSecond: number;
  train: Scores;
  validation: Scores & {
    macroF1: number;
    perClassRecall: Record<string, number | null>;
    confusionMatrix: number[][];
  };
  /** Whether the validation accuracy is the run's best so far. */
  isBest: boolean;
  /** Tensors in the engine, and their size. */
  numTensors: number;
  numBytes: number;
  /** Memory of the process. */
  residentBytes: number;
}

/** Files of the run were written. */
export interface CheckpointEvent {
  type: "checkpoint";
  /** The best model so far, or the state that the run resumes from. */
  kind: "best" | "last";
  epoch: number;
  path: string;
}

/** How a run ended; an interrupted run can resume. */
export type EndReason = "completed" | "interrupted" | "stopped early";

/** The last event. */
export interface DoneEvent {
  type: "done";
  reason: EndReason;
  bestEpoch: number;
  /** Validation accuracy of the kept model, [0, 1]. */
  bestAccuracy: number;
  runDir: string;
}

export type TrainEvent = BatchEvent | EpochEvent | CheckpointEvent | DoneEvent;

/** Returns the epoch whose model is kept: the last best one; undefined before the first epoch has ended. */
export function keptEpoch(events: readonly EpochEvent[]): EpochEvent | undefined {
  return [...events].reverse().find(({ isBest }) => isBest);
}

/** Returns the events of one type, in order. */
export function ofType<T extends TrainEvent["type"]>(
  events: TrainEvent[],
  type: T,
): Extract<TrainEvent, { type: T }>[] {
  return events.filter((event): event is Extract<TrainEvent, { type: T }> => event.type === type);
}

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
