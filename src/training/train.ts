import { checkTrainConfig, type TrainConfig } from "../config.js";
import { augmentBatch } from "../data/augment.js";
import { type Batch, batches } from "../data/batches.js";
import type { Dataset } from "../data/dataset.js";
import { tf } from "../engine/tf.js";
import { environment } from "../environment.js";
import { InputError } from "../errors.js";
import { evaluate } from "../inference/evaluate.js";
import type { ClassificationScores } from "../metrics/classification.js";
import { download } from "../model/network.js";
import { trainableBlocks } from "../model/parameters.js";
import type { OnProgress } from "../progress.js";
import { Random } from "../random.js";
import { bestModelDir, loadCheckpoint, restore, saveBestModel, saveCheckpoint } from "./checkpoint.js";
import {
  type BatchEvent,
  type DoneEvent,
  type EpochEvent,
  meanScores,
  type Phase,
  type Scores,
  type TrainEvent,
} from "./events.js";
import { MetricsLog, openRun, type RunConfig, recordSession } from "./run.js";
import { runLearningRate } from "./schedule.js";
import {
  applyGradients,
  buildTrainState,
  computeGradients,
  disposeTrainState,
  readScores,
  type StepResult,
  type TrainState,
} from "./step.js";
import { exampleWeights, mix, smoothedOneHot, teach } from "./targets.js";

export interface TrainOptions {
  /** Folder of the run. A run of the same configuration that is there resumes. */
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
  event: Omit<BatchEvent, "type" | keyof Scores>;
}

/**
 * Trains a network on a data set and yields what happens: batches, epochs, files written, the end.
 *
 * The run's folder gets the configuration, the metrics, the model of best validation accuracy, and a checkpoint after each
 * epoch. A run killed at any moment resumes after its last whole epoch, to the same weights as if it had never stopped.
 *
 * @throws InputError when there are no images to train or validate on, the loss is not finite, or the folder holds
 * another run.
 */
export async function* train(
  dataset: Dataset,
  config: TrainConfig,
  { runDir, data, signal, onProgress }: TrainOptions,
): AsyncGenerator<TrainEvent, void, undefined> {
  checkTrainConfig(config);
  checkNotEmpty(dataset);
  checkDecoding(dataset, config);
  const { train: images, validation, classNames } = dataset;
  const { batchSize, seed } = config;
  const dropLast = images.numImages >= batchSize; // batch norm needs full batches

  // Load, before the folder is made: a configuration or weights that do not fit must leave no run.
  const state = await buildTrainState(config, images, classNames, onProgress);
  const { network, stepsPerEpoch: numBatches } = state;
  let pending: PendingStep | null = null;
  try {
    // Resume.
    await openRun(runDir, runConfigOf(dataset, config, data));
    const log = new MetricsLog(runDir);
    const checkpoint = await loadCheckpoint(runDir);
    if (checkpoint) restore(state, checkpoint);
    await log.rewind(checkpoint?.progress.step ?? 0);
    let { bestEpoch, bestAccuracy } = checkpoint?.progress ?? { bestEpoch: 0, bestAccuracy: 0 };
    let reason: DoneEvent["reason"] = "completed";
    const firstEpoch = (checkpoint?.progress.epoch ?? 0) + 1;

    for (let epoch = firstEpoch; epoch <= config.epochs; epoch++) {
      if (config.patience > 0 && bestEpoch > 0 && epoch - 1 - bestEpoch >= config.patience) {
        reason = "stopped early";
        break;
      }
      if (epoch === firstEpoch)
        await recordSession(runDir, { epoch, started: new Date().toISOString(), ...(await environment()) });
      const start = performance.now();
      const phase = phaseOf(config, epoch);
      const trained: BatchEvent[] = [];
      const finish = async (step: PendingStep): Promise<BatchEvent> => {
        const event: BatchEvent = {
          type: "batch",
          ...step.event,
          ...(await readScores(step.result, step.event.step)),
        };
        trained.push(event);
        log.add(event);
        return event;
      };

      // Train. Each step's scores are read after the next step was given to the engine, which is then never idle.
      let [batchNumber, since] = [0, start];
      for await (const batch of batches(images, { batchSize, seed, epoch, shuffle: true, dropLast })) {
        const step = (epoch - 1) * numBatches + ++batchNumber;
        const result = trainBatch(state, batch, step);
        const [now, numImages] = [performance.now(), batch.labels.length];
        const position = { phase, epoch, batch: batchNumber, numBatches, numImages, step };
        const learningRate = runLearningRate(config, numBatches, step);
        const imagesPerSecond = (1000 * numImages) / (now - since);
        since = now;
        const previous: PendingStep | null = pending;
        pending = { result, event: { ...position, learningRate, imagesPerSecond } };
        if (previous) yield await finish(previous);
        await new Promise(setImmediate); // lets interrupts and the events' reader run
        if (signal?.aborted) break;
      }
      if (pending) yield await finish(pending);
      pending = null;
      const trainMs = performance.now() - start;

      // Validate. An interrupted epoch is trained again when the run resumes; its model counts only if there is no other.
      if (signal?.aborted) reason = "interrupted";
      if (reason === "interrupted" && bestEpoch > 0) break;
      const values = (state.ema ?? network).read();
      const scores = await evaluate(network, validation, values);
      const isBest = bestEpoch === 0 || scores.accuracy > bestAccuracy;
      if (isBest) {
        [bestEpoch, bestAccuracy] = [epoch, scores.accuracy];
        const path = bestModelDir(runDir);
        await saveBestModel(path, network.config, await download(values), scores, validation.labels);
        yield { type: "checkpoint", kind: "best", epoch, path };
      } else tf.dispose([...values.values()]);
      if (reason === "interrupted") break;

      // Log and save a checkpoint.
      const event = epochEvent(state, { epoch, start, trainMs, trained, scores, isBest });
      log.add(event);
      await log.flush();
      yield event;
      const progress = { epoch, step: event.step, bestEpoch, bestAccuracy };
      const path = await saveCheckpoint(runDir, progress, state);
      yield { type: "checkpoint", kind: "last", epoch, path };
    }

    const done: TrainEvent = { type: "done", reason, bestEpoch, bestAccuracy, runDir };
    log.add(done);
    await log.flush();
    yield done;
  } finally {
    if (pending) tf.dispose(Object.values(pending.result));
    disposeTrainState(state);
  }
}

/**
 * Trains on a batch, which it disposes: augment, forward, backward, update.
 *
 * @param step - Number in the run, from 1; with the seed it determines everything random.
 * @returns Tensors to give to `readScores`, which disposes them.
 */
export function trainBatch(state: TrainState, batch: Batch, step: number): StepResult {
  const { config, network, teachers, stepsPerEpoch } = state;
  const { seed, augment, imageSize, labelSmoothing, teacherShare } = config;
  const numClasses = network.config.classNames.length;
  const random = new Random(seed, "augment", step);

  const augmented = augmentBatch(batch.images, augment, random, imageSize);
  const plain = smoothedOneHot(batch.labels, { numClasses, labelSmoothing });
  const mixed = mix(augmented, plain, config, random);
  const targets = teach(teachers, teacherShare, mixed.images, mixed.targets);
  const weights = exampleWeights(batch.labels, state.classWeights);

  const isHead = phaseOf(config, Math.ceil(step / stepsPerEpoch)) === "head";
  const trainable = trainableBlocks(network.architecture, isHead ? "predictions" : config.trainableFrom);
  const input = { images: mixed.images, targets, exampleWeights: weights };
  const gradients = computeGradients(network, input, trainable, { ...config, seed: random.uint32() >>> 1 });
  applyGradients(state, gradients, runLearningRate(config, stepsPerEpoch, step));

  tf.dispose([batch.images, augmented, plain, mixed.images, mixed.targets, weights]);
  return { loss: gradients.loss, logits: gradients.logits, targets };
}

/** What is known at the end of an epoch. */
interface EpochResult {
  epoch: number;
  /** Time at its start and duration of its training, in milliseconds. */
  start: number;
  trainMs: number;
  trained: BatchEvent[];
  scores: ClassificationScores & Scores;
  isBest: boolean;
}

function epochEvent(
  { config, stepsPerEpoch }: TrainState,
  { epoch, start, trainMs, trained, scores, isBest }: EpochResult,
): EpochEvent {
  const step = epoch * stepsPerEpoch;
  const numImages = trained.reduce((total, batch) => total + batch.numImages, 0);
  const { loss, accuracy, macroF1, perClassRecall, confusionMatrix } = scores;
  const { numTensors, numBytes } = tf.memory();
  return {
    type: "epoch",
    phase: phaseOf(config, epoch),
    epoch,
    numEpochs: config.epochs,
    step,
    learningRate: runLearningRate(config, stepsPerEpoch, step),
    durationMs: performance.now() - start,
    imagesPerSecond: (1000 * numImages) / trainMs,
    train: meanScores(trained),
    validation: { loss, accuracy, macroF1, perClassRecall, confusionMatrix },
    isBest,
    numTensors,
    numBytes,
    residentBytes: process.memoryUsage.rss(),
  };
}

function phaseOf({ headEpochs }: TrainConfig, epoch: number): Phase {
  return epoch <= headEpochs ? "head" : "full";
}

function runConfigOf(dataset: Dataset, train: TrainConfig, data: string): RunConfig {
  const { classNames, split } = dataset;
  const numImages = { train: dataset.train.numImages, validation: dataset.validation.numImages };
  const isOfficial = split === "official" || split === "official-test"; // other splits follow from data and seed
  return { train, classNames, data, ...(isOfficial && { split }), numImages };
}

/** Checks that the images were loaded as the configuration says, since it is what the run records. */
function checkDecoding(
  { name, train: { decoding, numChannels } }: Dataset,
  { fit, grey }: TrainConfig,
): void {
  const problem = (setting: "fit" | "grey", expected: unknown, found: unknown) =>
    new InputError({
      expected: `images loaded with ${setting} ${expected}, as the configuration says`,
      where: name,
      found: `${setting} ${found}`,
      fix: `Add ${setting}: config.${setting} to the options of loadDataset.`,
    });
  if (decoding && decoding.fit !== fit) throw problem("fit", fit, decoding.fit);
  if (grey !== "auto" && grey !== (numChannels === 1)) throw problem("grey", grey, numChannels === 1);
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
