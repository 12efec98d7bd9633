import type { BatchEvent, EpochEvent } from "../../src/training/events.js";

/** One grey pixel. */
export const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";

/** Names that break careless charts: markup, field paths, quotes, escapes, length. */
export const ODD_NAMES = ["a<b>&", 'the "quoted"', "x.y[0]", "it's", "back\\slash", "été ★"];

export function batchEvent(step: number, values: Partial<BatchEvent> = {}): BatchEvent {
  return {
    type: "batch",
    phase: "full",
    epoch: 1,
    batch: step,
    numBatches: 100,
    numImages: 32,
    step,
    loss: 1,
    accuracy: 0.5,
    learningRate: 1e-3,
    imagesPerSecond: 100,
    ...values,
  };
}

/** An epoch with these accuracies, losses of 1 less the accuracy. */
export function epochEvent(
  epoch: number,
  train: number,
  validation: number,
  values: Partial<EpochEvent> = {},
): EpochEvent {
  return {
    type: "epoch",
    phase: "full",
    epoch,
    numEpochs: 10,
    step: 100 * epoch,
    learningRate: 1e-3,
    durationMs: 2500,
    imagesPerSecond: 123,
    train: { loss: 1 - train, accuracy: train },
    validation: {
      loss: 1 - validation,
      accuracy: validation,
      macroF1: 0.5,
      perClassRecall: {},
      confusionMatrix: [],
    },
    isBest: false,
    numTensors: 1,
    residentBytes: 1,
    ...values,
  };
}
