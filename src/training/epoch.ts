// One epoch of a run: its batches, its validation, and what is saved after it.
import type { TrainConfig } from "../config.js";
import { type AugmentOptions, augmentBatch, withGreyFill } from "../data/augment.js";
import { type Batch, batches } from "../data/batches.js";
import type { PackedImages } from "../data/dataset.js";
import { tf } from "../engine/tf.js";
import type { Evaluation } from "../inference/evaluate.js";
import { trainableBlocks } from "../model/parameters.js";
import { Random } from "../random.js";
import { bestEpoch, bestModelDir, calibratedModel, isBetter, saveBestModel, validate } from "./best-model.js";
import { temperatureNotes } from "./calibration.js";
import { type Progress, saveCheckpoint } from "./checkpoint.js";
import {
  type BatchEvent,
  type EpochEvent,
  meanScores,
  ofType,
  type Phase,
  type Scores,
  type TrainEvent,
} from "./events.js";
import { loadMetrics, type MetricsLog } from "./metrics-log.js";
import { targetsInWords } from "./notes.js";
import type { PreparedRun } from "./resume.js";
import { batchOrder, runLearningRate } from "./schedule.js";
import { readScores, type StepResult, type TrainState, trainStep } from "./step.js";
import { exampleWeights, mix, smoothedOneHot, teach } from "./targets.js";

/** A run while a process trains it. */
export interface RunInTraining extends PreparedRun {
  /** Images to train on. */
  images: PackedImages;
  /** Changes with each epoch. */
  progress: Progress;
  log: MetricsLog;
  signal?: AbortSignal;
  /** Whether the time limit is over. */
  isOver: () => boolean;
}

/** Returns the steps that were trained since the last epoch ended. */
export function numExtraSteps({ state, progress: { epoch, step } }: RunInTraining): number {
  return step - epoch * state.plan.numBatches;
}

/** Trains the next epoch, or the rest of it, and validates; returns whether it was trained to its end. */
export async function* trainEpoch(run: RunInTraining): AsyncGenerator<TrainEvent, boolean, undefined> {
  const { state, progress, log, signal, isOver } = run;
  const { config, plan } = state;
  const epoch = progress.epoch + 1;
  const start = performance.now();
  const startBatch = numExtraSteps(run);
  const earlier = startBatch > 0 ? await batchesOf(run.runDir, epoch) : [];
  const trained: BatchEvent[] = [];
  const stream = batches(run.images, { ...batchOrder(config, plan), epoch, startBatch });
  const isStopped = () => (signal?.aborted ?? false) || isOver();
  for await (const event of trainBatches(state, stream, progress.step, isStopped)) {
    trained.push(log.add(event));
    yield event;
    run.lock.check();
  }
  progress.step += trained.length;
  await log.flush();
  if (signal?.aborted || progress.step < epoch * plan.numBatches) return false;
  yield* validateEpoch(run, { epoch, start, trainMs: performance.now() - start, earlier, trained });
  return true;
}

/** Validates after an epoch, and saves: the log, then a checkpoint, which says what the best model is, then that model. */
async function* validateEpoch(
  run: RunInTraining,
  trained: TrainedEpoch,
): AsyncGenerator<TrainEvent, void, undefined> {
  const { runDir, state, progress, log } = run;
  const { monitor } = state.config;
  const { epoch } = trained;
  const validated = await validate(state, run.validation, epoch, progress.best);
  const { scores } = validated;
  const isBest = isBetter(monitor, scores, progress.best);
  const model = isBest ? await calibratedModel(state.network.config, validated, run) : null;
  if (model) progress.best = bestEpoch(epoch, scores, model, { best: progress.best, monitor });
  progress.epoch = epoch;
  run.lock.check();

  const event = log.add(epochEvent(state, trained, scores, isBest));
  await log.flush();
  const path = await saveCheckpoint(runDir, progress, state, run.config);
  if (model) await saveBestModel(runDir, model, run.list);
  yield event;
  yield { type: "checkpoint", kind: "last", epoch, path };
  if (!model) return;
  for (const text of temperatureNotes(model)) yield log.add({ type: "note", text });
  yield { type: "checkpoint", kind: "best", epoch, path: bestModelDir(runDir) };
}

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
async function* trainBatches(
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

/** Returns the logged batches of an epoch that was interrupted. */
async function batchesOf(runDir: string, epoch: number): Promise<BatchEvent[]> {
  return ofType(await loadMetrics(runDir), "batch").filter((event) => event.epoch === epoch);
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

/** An epoch before its validation. */
interface TrainedEpoch {
  epoch: number;
  /** Time at its start and duration of its training, in milliseconds. */
  start: number;
  trainMs: number;
  /** Batches from before an interruption, and from after it. */
  earlier: BatchEvent[];
  trained: BatchEvent[];
}

function epochEvent(
  { config, network, plan: { numBatches }, hasShares }: TrainState,
  { epoch, start, trainMs, earlier, trained }: TrainedEpoch,
  { loss, accuracy, macroF1, perClassRecall, confusionMatrix }: Evaluation,
  isBest: boolean,
): EpochEvent {
  const step = epoch * numBatches;
  const all = [...earlier, ...trained];
  const numImages = all.reduce((total, batch) => total + batch.numImages, 0);
  const earlierMs = earlier.reduce(
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
    durationMs: performance.now() - start + earlierMs,
    imagesPerSecond: (1000 * numImages) / (trainMs + earlierMs),
    train: meanScores(all),
    ...(trainTargets !== null && { trainTargets }),
    validation: { loss, accuracy, macroF1, classNames, perClassRecall, confusionMatrix },
    isBest,
    numTensors: tf.memory().numTensors,
    residentBytes: process.memoryUsage.rss(),
  };
}

function phaseOf({ headEpochs }: TrainConfig, epoch: number): Phase {
  return epoch <= headEpochs ? "head" : "full";
}
