// The batches of an epoch: how each is trained on, and the events that describe it and the epoch.
import type { TrainConfig } from "../config.js";
import { type AugmentOptions, augmentBatch, withGreyFill } from "../data/augment.js";
import type { Batch } from "../data/batches.js";
import { tf } from "../engine/tf.js";
import type { Evaluation } from "../inference/evaluate.js";
import { trainableBlocks } from "../model/parameters.js";
import { Random } from "../random.js";
import { type BatchEvent, type EpochEvent, meanScores, type Phase, type Scores } from "./events.js";
import { targetsInWords } from "./notes.js";
import { runLearningRate } from "./schedule.js";
import { readScores, type StepResult, type TrainState, trainStep } from "./step.js";
import { exampleWeights, mix, smoothedOneHot, teach } from "./targets.js";

/** A step whose scores are still in the engine. */
interface PendingStep {
  result: StepResult;
  event: Omit<BatchEvent, keyof Scores>;
}

/**
 * Trains on batches until there are no more or `isStopped`, and yields each batch's scores. These are read after the next step
 * was given to the engine, which is then never idle.
 *
 * @param step - Steps of the run before these batches.
 */
export async function* trainBatches(
  state: TrainState,
  stream: AsyncIterable<Batch>,
  step: number,
  isStopped: () => boolean,
): AsyncGenerator<BatchEvent, void, undefined> {
  const finish = async ({ result, event }: PendingStep): Promise<BatchEvent> => ({
    ...event,
    ...(await readScores(result, event.step)),
  });
  let pending: PendingStep | null = null;
  let since = performance.now();
  try {
    for await (const batch of stream) {
      step++;
      const result = trainBatch(state, batch, step);
      const previous: PendingStep | null = pending;
      const now = performance.now();
      pending = { result, event: stepEvent(state, step, batch.labels.length, now - since) };
      since = now;
      if (previous) yield await finish(previous);
      await new Promise(setImmediate); // lets interrupts and the events' reader run
      if (isStopped()) break;
    }
    const last = pending;
    pending = null; // `readScores` disposes it
    if (last) yield await finish(last);
  } finally {
    if (pending) tf.dispose(Object.values(pending.result));
  }
}

/**
 * Trains on a batch, which it disposes: augment, forward, backward, update.
 *
 * @param step - Number in the run, from 1; with the seed it determines everything random.
 * @param learningRate - Default: that of the step in the run's schedule.
 * @returns Tensors to give to `readScores`, which disposes them.
 */
export function trainBatch(
  state: TrainState,
  batch: Batch,
  step: number,
  learningRate = runLearningRate(state.config, state.plan.numBatches, step),
): StepResult {
  const { config, network, teachers, plan } = state;
  const { seed, augment, imageSize, labelSmoothing, teacherShare } = config;
  const numClasses = network.config.classNames.length;

  const { labels, labelShares } = batch;
  const plain = smoothedOneHot(labels, { numClasses, labelSmoothing, labelShares });
  const changed = (options: AugmentOptions) => {
    const random = new Random(seed, "augment", step);
    const own = network.config.grey ? withGreyFill(options) : options;
    const augmented = augmentBatch(batch.images, own, random, imageSize);
    const mixed = mix(augmented, plain, config, random);
    augmented.dispose();
    return { ...mixed, random };
  };
  const { random, ...mixed } = changed(augment);
  const isCorrupted = augment.noise > 0 || augment.blur > 0;
  // Teachers may know neither noise nor blur, so they see the same images without.
  const seen = isCorrupted && teachers.length > 0 ? changed({ ...augment, noise: 0, blur: 0 }) : mixed;
  const targets = teach(teachers, teacherShare, seen.images, mixed.targets);
  const weights = exampleWeights(labels, state.classWeights);

  const isHead = phaseOf(config, Math.ceil(step / plan.numBatches)) === "head";
  const trainable = trainableBlocks(network.architecture, isHead ? "predictions" : config.trainableFrom);
  const input = { images: mixed.images, targets, exampleWeights: weights };
  const options = { ...config, seed: random.uint32() >>> 1 };
  const { loss, logits } = trainStep(state, input, trainable, options, learningRate);

  tf.dispose([batch.images, plain, mixed.images, targets, weights]);
  if (seen !== mixed) tf.dispose([seen.images, seen.targets]);
  return { loss, logits, labels: mixed.targets };
}

function stepEvent(
  { config, plan: { numBatches } }: TrainState,
  step: number,
  numImages: number,
  durationMs: number,
): PendingStep["event"] {
  const epoch = Math.ceil(step / numBatches);
  const batch = step - (epoch - 1) * numBatches;
  const position = { phase: phaseOf(config, epoch), epoch, batch, numBatches, numImages, step };
  const learningRate = runLearningRate(config, numBatches, step);
  return { type: "batch", ...position, learningRate, imagesPerSecond: (1000 * numImages) / durationMs };
}

/** What is known at the end of an epoch besides its scores. */
interface EndOfEpoch {
  epoch: number;
  isBest: boolean;
  precision: Pick<EpochEvent["validation"], "intervals" | "numGroups"> | null;
  validationMs: number;
}

/**
 * Describes an epoch that has ended.
 *
 * @param batches - All of its batches, also those from before an interruption.
 */
export function epochEvent(
  { config, network, plan: { numBatches }, hasShares }: TrainState,
  batches: BatchEvent[],
  { loss, accuracy, macroF1, perClassRecall, confusionMatrix }: Evaluation,
  { epoch, isBest, precision, validationMs }: EndOfEpoch,
): EpochEvent {
  const step = epoch * numBatches;
  const numImages = batches.reduce((total, batch) => total + batch.numImages, 0);
  const trainMs = batches.reduce(
    (total, batch) => total + (1000 * batch.numImages) / batch.imagesPerSecond,
    0,
  );
  const trainTargets = targetsInWords(config, hasShares);
  const classNames = [...network.config.classNames];
  return {
    type: "epoch",
    phase: phaseOf(config, epoch),
    epoch,
    numEpochs: config.epochs,
    step,
    learningRate: runLearningRate(config, numBatches, step),
    durationMs: trainMs + validationMs,
    imagesPerSecond: (1000 * numImages) / trainMs,
    train: meanScores(batches),
    ...(trainTargets !== null && { trainTargets }),
    validation: { loss, accuracy, macroF1, classNames, perClassRecall, confusionMatrix, ...precision },
    isBest,
    numTensors: tf.memory().numTensors,
    residentBytes: process.memoryUsage.rss(),
  };
}

function phaseOf({ headEpochs }: TrainConfig, epoch: number): Phase {
  return epoch <= headEpochs ? "head" : "full";
}
