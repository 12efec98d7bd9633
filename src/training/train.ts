import { checkTrainConfig, type Monitor, type TrainConfig } from "../config.js";
import { augmentBatch } from "../data/augment.js";
import { type Batch, batches } from "../data/batches.js";
import { checkDecoding, type Dataset } from "../data/dataset.js";
import { tf } from "../engine/tf.js";
import { environment } from "../environment.js";
import { checkPath, InputError } from "../errors.js";
import type { Evaluation } from "../inference/evaluate.js";
import { trainableBlocks } from "../model/parameters.js";
import type { OnProgress } from "../progress.js";
import { Random } from "../random.js";
import {
  type BestEpoch,
  bestEpoch,
  bestModelDir,
  calibratedModel,
  isBetter,
  saveBestModel,
  validate,
} from "./best-model.js";
import { setAside, temperatureNotes } from "./calibration.js";
import { saveCheckpoint } from "./checkpoint.js";
import {
  type BatchEvent,
  type DoneEvent,
  type EpochEvent,
  meanScores,
  ofType,
  type Phase,
  type Scores,
  type TrainEvent,
} from "./events.js";
import { lockRun, type RunLock } from "./lock.js";
import { loadMetrics, MetricsLog } from "./metrics-log.js";
import { earlierTrainingNote, imageNotes, targetsInWords, trainingNotes } from "./notes.js";
import { describeRun } from "./run-config.js";
import { batchOrder, runLearningRate } from "./schedule.js";
import { knownConventions, resumeRun, startClock } from "./session.js";
import { recordSession } from "./sessions.js";
import {
  buildTrainState,
  disposeTrainState,
  readScores,
  type StepResult,
  type TrainState,
  trainStep,
} from "./step.js";
import { exampleWeights, mix, smoothedOneHot, teach } from "./targets.js";

/** Where a run is kept, and what stops it. */
export interface TrainOptions {
  /** Folder of the run. The same run that is there resumes. */
  runDir: string;
  /** What the data set was loaded from, for the record. */
  data: string;
  /** Stops after the current batch; the best model is kept. */
  signal?: AbortSignal;
  /** Called while pre-trained weights are downloaded that are not in the cache. */
  onProgress?: OnProgress;
}

/** A step whose scores are still in the engine. */
interface PendingStep {
  result: StepResult;
  event: Omit<BatchEvent, keyof Scores>;
}

/**
 * Trains a network on a data set and yields what happens: notes, batches, epochs, files written, the end.
 *
 * The run's folder gets the configuration, the metrics, the best model by `config.monitor`, and a checkpoint after each epoch. A
 * run that is killed resumes after its last whole epoch, and one that is interrupted after its last batch: to the same weights
 * as if it had never stopped. `config.maxMinutes` interrupts it too. While a run trains, no other process can train it.
 *
 * @param dataset - Loaded with the configuration's `imageSize`, `fit` and `grey`.
 * @param config - The configuration, from `trainConfig`. It is copied: later changes have no effect.
 * @param options - The run's folder, and what stops the run.
 * @throws InputError when there are no images to train or validate on, loss or scores are not finite, the folder holds another
 * run, or another process trains it. A configuration that is refused leaves no folder.
 * @example
 * ```ts
 * import { loadDataset, train, trainConfig } from "ferkit";
 *
 * const data = "data/pets";
 * const config = trainConfig("tutorial");
 * const dataset = await loadDataset({ data, imageSize: config.imageSize, seed: config.seed });
 * for await (const event of train(dataset, config, { runDir: "runs/first", data }))
 *   if (event.type === "epoch") console.log(event.epoch, event.validation.accuracy);
 * ```
 */
export async function* train(
  dataset: Dataset,
  config: TrainConfig,
  { runDir, data, signal, onProgress }: TrainOptions,
): AsyncGenerator<TrainEvent, void, undefined> {
  checkPath("runDir", runDir);
  checkPath("data", data);
  config = structuredClone(checkTrainConfig(config)); // the run records it, so it must not change
  checkNotEmpty(dataset);
  checkDecoding(dataset, config);
  const { validation, classNames } = dataset;
  const { kept: images, aside, notes: asideNotes } = await setAside(dataset, config);
  const modelImages = { validation, aside };
  const { epochs, patience, monitor, maxMinutes } = config;

  // Load.
  const known = await knownConventions(runDir, config);
  const state = await buildTrainState(config, images, classNames, onProgress, known);
  const { numBatches } = state.plan;
  const order = batchOrder(config, state.plan);
  const log = new MetricsLog(runDir);
  let lock: RunLock | null = null;
  try {
    // Resume.
    const run = await describeRun(dataset, config, data, aside);
    lock = lockRun(runDir);
    const present = await environment();
    const resumed = await resumeRun(runDir, run, { state, ...modelImages }, lock, present);
    const { progress, notes, repairs } = resumed;
    notes.push(...asideNotes);
    let { epoch: numDone, step, best } = progress;
    const firstEpoch = numDone + 1;
    await log.rewind(resumed.config, step, best?.epoch ?? 0);
    for (const text of repairs) yield log.add({ type: "note", text });
    if (numDone < epochs) {
      notes.unshift(
        ...(await trainingNotes(state, images.numImages)),
        ...(await imageNotes(dataset, config)),
        ...earlierTrainingNote(run.images, config),
      );
      for (const text of notes) yield log.add({ type: "note", text });
    }

    let reason: DoneEvent["reason"] = "completed";
    const isOver = startClock(maxMinutes);
    const isStopped = () => (signal?.aborted ?? false) || isOver();
    for (let epoch = firstEpoch; epoch <= epochs; epoch++) {
      if (signal?.aborted || (epoch > firstEpoch && isOver())) reason = "interrupted";
      else if (patience > 0 && best && epoch - 1 - best.reached >= patience) reason = "stopped early";
      if (reason !== "completed") break;
      const startBatch = step - numDone * numBatches;
      if (epoch === firstEpoch) {
        const position = { epoch, batch: startBatch + 1, epochs, started: new Date().toISOString() };
        const { id } = resumed.config;
        await recordSession(runDir, { ...(id !== undefined && { run: id }), ...position, ...present });
      }

      // Train.
      const start = performance.now();
      const earlier = startBatch > 0 ? await batchesOf(runDir, epoch) : [];
      const trained: BatchEvent[] = [];
      const stream = batches(images, { ...order, epoch, startBatch });
      for await (const event of trainBatches(state, stream, step, isStopped)) {
        trained.push(log.add(event));
        yield event;
        lock.check();
      }
      step += trained.length;
      await log.flush();
      if (signal?.aborted || step < epoch * numBatches) {
        reason = "interrupted";
        break;
      }

      // Validate.
      const trainMs = performance.now() - start;
      const validated = await validate(state, validation, epoch, best);
      const { scores } = validated;
      const isBest = isBetter(monitor, scores, best);
      const model = isBest ? await calibratedModel(state.network.config, validated, modelImages) : null;
      if (model) best = bestEpoch(epoch, scores, model, { best, monitor });
      lock.check();

      // Log, then save a checkpoint, which says what the best model is, then that model.
      numDone = epoch;
      const event = log.add(epochEvent(state, { epoch, start, trainMs, earlier, trained, scores, isBest }));
      await log.flush();
      const path = await saveCheckpoint(runDir, { epoch, step, best }, state, resumed.config);
      if (model) await saveBestModel(runDir, model, run.images);
      yield event;
      yield { type: "checkpoint", kind: "last", epoch, path };
      if (model) for (const text of temperatureNotes(model)) yield log.add({ type: "note", text });
      if (model) yield { type: "checkpoint", kind: "best", epoch, path: bestModelDir(runDir) };
    }

    const numExtra = step - numDone * numBatches;
    if (reason === "interrupted" && numExtra > 0) {
      const path = await saveCheckpoint(runDir, { epoch: numDone, step, best }, state, resumed.config);
      yield { type: "checkpoint", kind: "last", epoch: numDone + 1, path };
    }
    const done = doneEvent(reason, best, monitor, runDir);
    const resumesAt = { epoch: numDone + 1, batch: numExtra, numBatches };
    const limit = signal?.aborted ? {} : { maxMinutes };
    const last = log.add(reason === "interrupted" ? { ...done, ...limit, resumesAt } : done);
    await log.flush();
    yield last;
  } finally {
    disposeTrainState(state);
    lock?.release();
  }
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
  const random = new Random(seed, "augment", step);

  const augmented = augmentBatch(batch.images, augment, random, imageSize);
  const { labels, labelShares } = batch;
  const plain = smoothedOneHot(labels, { numClasses, labelSmoothing, labelShares });
  const mixed = mix(augmented, plain, config, random);
  const targets = teach(teachers, teacherShare, mixed.images, mixed.targets);
  const weights = exampleWeights(labels, state.classWeights);

  const isHead = phaseOf(config, Math.ceil(step / plan.numBatches)) === "head";
  const trainable = trainableBlocks(network.architecture, isHead ? "predictions" : config.trainableFrom);
  const input = { images: mixed.images, targets, exampleWeights: weights };
  const options = { ...config, seed: random.uint32() >>> 1 };
  const { loss, logits } = trainStep(state, input, trainable, options, learningRate);

  tf.dispose([batch.images, augmented, plain, mixed.images, targets, weights]);
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

/** What is known at the end of an epoch. */
interface EpochResult {
  epoch: number;
  /** Time at its start and duration of its training, in milliseconds. */
  start: number;
  trainMs: number;
  /** Batches from before an interruption, and from after it. */
  earlier: BatchEvent[];
  trained: BatchEvent[];
  scores: Evaluation;
  isBest: boolean;
}

function epochEvent(
  { config, plan: { numBatches }, hasShares }: TrainState,
  { epoch, start, trainMs, earlier, trained, scores, isBest }: EpochResult,
): EpochEvent {
  const step = epoch * numBatches;
  const all = [...earlier, ...trained];
  const numImages = all.reduce((total, batch) => total + batch.numImages, 0);
  const earlierMs = earlier.reduce(
    (total, batch) => total + (1000 * batch.numImages) / batch.imagesPerSecond,
    0,
  );
  const { loss, accuracy, macroF1, perClassRecall, confusionMatrix } = scores;
  const trainTargets = targetsInWords(config, hasShares);
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
    validation: { loss, accuracy, macroF1, perClassRecall, confusionMatrix },
    isBest,
    numTensors: tf.memory().numTensors,
    residentBytes: process.memoryUsage.rss(),
  };
}

function doneEvent(
  reason: DoneEvent["reason"],
  best: BestEpoch | null,
  monitor: Monitor,
  runDir: string,
): DoneEvent {
  const [bestEpoch, bestAccuracy] = [best?.epoch ?? null, best?.accuracy ?? null];
  const [bestMacroF1, bestLoss] = [best?.macroF1 ?? null, best?.loss ?? null];
  return { type: "done", reason, bestEpoch, bestAccuracy, bestMacroF1, bestLoss, monitor, runDir };
}

function phaseOf({ headEpochs }: TrainConfig, epoch: number): Phase {
  return epoch <= headEpochs ? "head" : "full";
}

function checkNotEmpty(dataset: Dataset): void {
  for (const split of ["train", "validation"] as const)
    if (dataset[split].numImages === 0)
      throw new InputError({
        expected: `images to ${split === "train" ? "train" : "validate"} on`,
        where: dataset.name,
        found: "none",
        fix: "Choose a --validation-share above 0 and below 1, or add images.",
      });
}
