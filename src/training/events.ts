/** While the last layer trains alone, or all that is not frozen. */
export type Phase = "head" | "full";

/** A batch was trained on. */
export interface BatchEvent {
  type: "batch";
  phase: Phase;
  /** From 1. */
  epoch: number;
  /** Of the epoch, from 1. */
  batch: number;
  numBatches: number;
  /** Of the batch. */
  numImages: number;
  /** Of the run, from 1. */
  step: number;
  /** Mean cross-entropy in nats, against the targets trained on. */
  loss: number;
  /** Share of the batch's images, [0, 1], before the update. */
  accuracy: number;
  learningRate: number;
  /** Of this batch, loading and augmentation included. */
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
  /** The last one of the epoch. */
  step: number;
  learningRate: number;
  /** Training and validation. */
  durationMs: number;
  /** Of the training part. */
  imagesPerSecond: number;
  train: Scores;
  validation: Scores & {
    macroF1: number;
    perClassRecall: Record<string, number | null>;
    confusionMatrix: number[][];
  };
  /** The validation accuracy is the run's best so far. */
  isBest: boolean;
  /** Tensors alive in the engine, and their size in bytes. */
  numTensors: number;
  numBytes: number;
  /** Memory of the process in bytes. */
  residentBytes: number;
}

/** A file of the run was written. */
export interface CheckpointEvent {
  type: "checkpoint";
  /** The best model so far, or the state that a killed run goes on from. */
  kind: "best" | "last";
  epoch: number;
  path: string;
}

/** Nothing more will come. */
export interface DoneEvent {
  type: "done";
  reason: "completed" | "interrupted" | "earlyStopping";
  bestEpoch: number;
  /** Validation accuracy of the kept model, [0, 1]. */
  bestAccuracy: number;
  runDir: string;
}

export type TrainEvent = BatchEvent | EpochEvent | CheckpointEvent | DoneEvent;

/** The epoch whose model is kept: the last best one; undefined where none has ended. */
export function keptEpoch(events: readonly EpochEvent[]): EpochEvent | undefined {
  return [...events].reverse().find(({ isBest }) => isBest);
}

/** The events of one type, in order. */
export function ofType<T extends TrainEvent["type"]>(
  events: TrainEvent[],
  type: T,
): Extract<TrainEvent, { type: T }>[] {
  return events.filter((event): event is Extract<TrainEvent, { type: T }> => event.type === type);
}
