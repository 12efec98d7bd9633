import type { TrainConfig } from "../config.js";
import { batches } from "../data/batches.js";
import type { Dataset } from "../data/dataset.js";
import { tf } from "../engine/tf.js";
import { InputError } from "../errors.js";
import { argMax } from "../metrics/classification.js";
import type { BatchEvent, Scores } from "./events.js";
import type { StepOutput, Trainer } from "./trainer.js";

/** One pass over the training images; each batch's figures are read after the next one was given to the engine. */
export async function* trainEpoch(
  trainer: Trainer,
  { train }: Dataset,
  config: TrainConfig,
  epoch: number,
  signal?: AbortSignal,
): AsyncGenerator<BatchEvent> {
  const { batchSize, seed } = config;
  const numBatches = trainer.stepsPerEpoch;
  const dropLast = train.numImages >= batchSize; // batch norm wants full batches
  let batchNumber = 0;
  let since = performance.now();
  let pending: Pending | null = null;
  try {
    for await (const batch of batches(train, { batchSize, shuffle: true, seed, epoch, dropLast })) {
      batchNumber++;
      const step = (epoch - 1) * numBatches + batchNumber;
      const result = trainer.step(batch, epoch, step);
      const now = performance.now();
      const numImages = batch.labels.length;
      const imagesPerSecond = (1000 * numImages) / (now - since);
      since = now;
      const previous: Pending | null = pending;
      const position = {
        phase: trainer.phaseOf(epoch),
        epoch,
        batch: batchNumber,
        numBatches,
        numImages,
        step,
      };
      pending = { result, event: { ...position, learningRate: trainer.learningRate(step), imagesPerSecond } };
      if (previous) yield await finish(previous);
      await new Promise(setImmediate); // lets an interrupt, and whoever reads the events, in
      if (signal?.aborted) break;
    }
    const last = pending;
    pending = null;
    if (last) yield await finish(last);
  } finally {
    if (pending) tf.dispose(Object.values(pending.result));
  }
}

/** A batch whose figures are still in the engine. */
interface Pending {
  result: StepOutput;
  event: Omit<BatchEvent, "type" | keyof Scores>;
}

async function finish({ result, event }: Pending): Promise<BatchEvent> {
  return { type: "batch", ...event, ...(await readScores(result, event.step)) };
}

/** Copies a step's loss and accuracy out of the engine and disposes it. */
async function readScores({ loss, logits, targets }: StepOutput, step: number): Promise<Scores> {
  const numClasses = logits.shape[1];
  const [lossValue] = await loss.data();
  const predicted = argMax((await logits.data()) as Float32Array, numClasses);
  const actual = argMax((await targets.data()) as Float32Array, numClasses);
  tf.dispose([loss, logits, targets]);
  if (!Number.isFinite(lossValue))
    throw new InputError({
      expected: "a finite loss",
      where: `step ${step}`,
      found: String(lossValue),
      fix: "Train with a lower learningRate; the best model so far is kept.",
    });
  return {
    loss: lossValue,
    accuracy: predicted.filter((label, i) => label === actual[i]).length / actual.length,
  };
}

/** Means over the batches of an epoch. */
export class RunningScores {
  numImages = 0;
  private readonly sum: Scores = { loss: 0, accuracy: 0 };

  add({ loss, accuracy, numImages }: BatchEvent): void {
    this.numImages += numImages;
    this.sum.loss += loss * numImages;
    this.sum.accuracy += accuracy * numImages;
  }

  mean(): Scores {
    return { loss: this.sum.loss / this.numImages, accuracy: this.sum.accuracy / this.numImages };
  }
}
