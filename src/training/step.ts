// One training step: forward, backward, update.
import type { TrainConfig } from "../config.js";
import type { PackedImages } from "../data/dataset.js";
import type { TrainingPlan } from "../engine/backend.js";
import { backend } from "../engine/device.js";
import * as kernels from "../engine/kernels.js";
import { Tape } from "../engine/tape.js";
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "../engine/tf.js";
import type { Variable } from "../engine/variable.js";
import { InputError } from "../errors.js";
import { argMax } from "../metrics/classification.js";
import type { Conventions } from "../model/conventions.js";
import { createBlankNetwork, createNetwork } from "../model/create.js";
import { forward, type TrainingOptions } from "../model/forward.js";
import type { Network } from "../model/network.js";
import { blockNames, blockOf, isTrainable, type ParameterSpec } from "../model/parameters.js";
import type { OnProgress } from "../progress.js";
import type { Scores } from "./events.js";
import { ADAM_DEFAULTS, Adam, Ema } from "./optimizer.js";
import { type EpochPlan, planEpoch } from "./schedule.js";
import { loadTeachers, weightPerClass } from "./targets.js";

/** Everything that a step reads or changes. Dispose it with `disposeTrainState`. */
export interface TrainState {
  readonly config: TrainConfig;
  readonly network: Network;
  /** Why the weights to start from cannot be read, which a run that resumes does not need; null if they were read. */
  readonly lostWeights: InputError | null;
  readonly optimizer: Adam;
  /** Null when `emaDecay` is 0. */
  readonly ema: Ema | null;
  readonly teachers: readonly Network[];
  /** Weight of each class in the loss. */
  readonly classWeights: readonly number[];
  /** How each epoch divides the images into batches. */
  readonly plan: EpochPlan;
  /** Whether the images have shares of votes to train on, in place of labels. */
  readonly hasShares: boolean;
  /** How the current blocks are trained by one call a step; null before the first step, and if the backend cannot. */
  planned: PlannedTraining | null;
}

interface PlannedTraining {
  plan: TrainingPlan;
  trained: ParameterSpec[];
  firstTrained: number;
}

/**
 * Loads the network and its teachers, and sets up the optimizer.
 *
 * @param train - Labels of the training images, whether they are grey, and how they were decoded.
 * @param onProgress - Called while weights are downloaded that are not in the cache.
 * @param known - Conventions of a run that resumes from its own weights, so that others need not be read.
 * @throws InputError or ParameterError when the configuration does not fit the data.
 */
export async function buildTrainState(
  config: TrainConfig,
  train: Pick<PackedImages, "labels" | "labelShares" | "numChannels" | "decoding">,
  classNames: string[],
  onProgress?: OnProgress,
  known: Conventions | null = null,
): Promise<TrainState> {
  if (config.activations === "bfloat16" && !backend().buildTrainingPlan)
    throw new InputError({
      expected: "ferkit's own ops for activations bfloat16",
      found: "TensorFlow's kernels, which keep float32",
      fix: "Choose float32.",
    });
  const classWeights = weightPerClass(train.labels, classNames, config.classWeights);
  const teachers = await loadTeachers(config.teachers, classNames);
  const { numChannels, decoding } = train;
  const options = { ...config, classNames, grey: numChannels === 1, decoding, onProgress };
  let lostWeights: InputError | null = null;
  const network = await createNetwork(options).catch((error) => {
    if (known && error instanceof InputError) {
      lostWeights = error;
      return createBlankNetwork(options, known);
    }
    for (const teacher of teachers) teacher.dispose();
    throw error;
  });
  return {
    config,
    network,
    lostWeights,
    optimizer: new Adam({ ...ADAM_DEFAULTS, weightDecay: config.weightDecay }),
    ema: config.emaDecay > 0 ? new Ema(network.variables, config.emaDecay) : null,
    teachers,
    classWeights,
    plan: planEpoch(train.labels.length, config.batchSize),
    hasShares: train.labelShares !== undefined,
    planned: null,
  };
}

export function disposeTrainState({ network, optimizer, ema, teachers, planned }: TrainState): void {
  for (const one of [planned?.plan, network, optimizer, ema, ...teachers]) one?.dispose();
}

export interface StepInput {
  /** Pixels of 0–255 `[batchSize, imageSize, imageSize, 3]`. */
  images: Tensor4D;
  /** Probabilities `[batchSize, numClasses]`. */
  targets: Tensor2D;
  /** Weight of each example in the mean, `[batchSize]`; summing to 1. */
  exampleWeights: Tensor;
}

export interface Gradients {
  /** Mean cross-entropy in nats, of shape []. */
  loss: Tensor;
  logits: Tensor2D;
  /** For each trained parameter, by name. */
  gradients: Map<string, Tensor>;
  /** New values of the moving statistics, by parameter name. */
  movingStatistics: Map<string, Tensor>;
}

/**
 * Trains on a batch: parameters, moving statistics and EMA.
 *
 * @param trainable - The last blocks of the network, from some block on.
 * @returns Loss and logits from before the update; the caller disposes them.
 */
export function trainStep(
  state: TrainState,
  input: StepInput,
  trainable: ReadonlySet<string>,
  options: TrainingOptions,
  learningRate: number,
): Pick<Gradients, "loss" | "logits"> {
  const planned = planTraining(state, trainable, options);
  if (!planned) {
    const gradients = computeGradients(state.network, input, trainable, options);
    applyGradients(state, gradients, learningRate);
    return { loss: gradients.loss, logits: gradients.logits };
  }
  const { plan, trained } = planned;
  const updates = trained.map(({ name, kind }) =>
    state.optimizer.next({ name, decays: kind === "kernel" }, learningRate),
  );
  const [counts, decays] = [updates.map(({ count }) => count), updates.map(({ decay }) => decay)];
  const emaRate = state.ema?.nextRate() ?? 0;
  return plan.step({ ...input, seed: options.seed }, { learningRate, counts, decays, emaRate });
}

/** Returns the plan for training these blocks, if the backend makes plans; a new one when other blocks are trained. */
function planTraining(
  state: TrainState,
  trainable: ReadonlySet<string>,
  options: TrainingOptions,
): PlannedTraining | null {
  const { network, optimizer, ema } = state;
  const { buildTrainingPlan } = backend();
  if (!buildTrainingPlan) return null;
  const firstTrained = blockNames(network.architecture).findIndex((name) => trainable.has(name));
  if (state.planned?.firstTrained === firstTrained) return state.planned;
  state.planned?.plan.dispose();
  const trained = trainedSpecs(network, trainable);
  const moments = trained.map(({ name }) =>
    optimizer.momentsOf(name, network.variables.get(name) as Variable),
  );
  const variables = {
    values: [...network.variables.values()],
    first: moments.map(([first]) => first),
    second: moments.map(([, second]) => second),
    emas: [...(ema?.variables.values() ?? [])],
  };
  const { architecture, config } = network;
  const { activations } = state.config;
  const planOptions = { ...options, ...optimizer.options, firstTrained, activations };
  const plan = buildTrainingPlan(architecture, config.preprocessing, variables, planOptions);
  state.planned = { plan, trained, firstTrained };
  return state.planned;
}

/** Computes what `trainStep` updates by, in the same way, but changes nothing; the caller disposes all of it. */
export function stepGradients(
  state: TrainState,
  input: StepInput,
  trainable: ReadonlySet<string>,
  options: TrainingOptions,
): Gradients {
  const { network } = state;
  const planned = planTraining(state, trainable, options);
  if (!planned) return computeGradients(network, input, trainable, options);
  const { loss, logits, results } = planned.plan.gradients({ ...input, seed: options.seed });
  const computed = network.specs.map((spec, i) => ({ spec, result: results[i] }));
  tf.dispose(computed.filter(({ result }) => result.size === 0).map(({ result }) => result));
  const resultsOf = (isWanted: (spec: ParameterSpec) => boolean) =>
    new Map(
      computed
        .filter(({ spec, result }) => result.size > 0 && isWanted(spec))
        .map(({ spec, result }) => [spec.name, result]),
    );
  return {
    loss,
    logits,
    gradients: resultsOf(isTrainable),
    movingStatistics: resultsOf((spec) => !isTrainable(spec)),
  };
}

/** Computes the loss and the gradients of the parameters in `trainable` blocks on a tape; the caller disposes all of it. */
export function computeGradients(
  network: Network,
  { images, targets, exampleWeights }: StepInput,
  trainable: ReadonlySet<string>,
  options: TrainingOptions,
): Gradients {
  const results: Partial<Gradients> = {};
  tf.tidy(() => {
    const values = network.read();
    const trained = trainedSpecs(network, trainable).map(({ name }) => name);
    const tape = new Tape(trained.map((name) => values.get(name) as Tensor));
    const { logits, movingStatistics } = forward(network, images, { tape, values, options });
    const [losses, dLosses] = kernels.softmaxCrossEntropy(logits, targets);
    results.loss = tf.keep(kernels.sum(kernels.multiply(losses, exampleWeights), [0], false));
    results.logits = tf.keep(logits.clone() as Tensor2D);
    const gradients = tape.backward(logits, kernels.multiply(dLosses, exampleWeights.expandDims(1)));
    results.gradients = new Map(
      trained.map((name) => [name, tf.keep(gradients.get((values.get(name) as Tensor).id) as Tensor)]),
    );
    results.movingStatistics = movingStatistics;
    for (const statistic of movingStatistics.values()) tf.keep(statistic);
  });
  return results as Gradients;
}

/** Updates parameters, moving statistics and EMA; disposes the gradients and statistics. */
function applyGradients(
  { network, optimizer, ema }: TrainState,
  { gradients, movingStatistics }: Gradients,
  learningRate: number,
): void {
  const updates = network.specs
    .filter(({ name }) => gradients.has(name))
    .map(({ name, kind }) => ({
      name,
      variable: network.variables.get(name) as Variable,
      gradient: gradients.get(name) as Tensor,
      decays: kind === "kernel",
    }));
  optimizer.update(updates, learningRate);
  backend().assignVariables(network.variables, movingStatistics);
  ema?.update(network.variables);
  tf.dispose([...gradients.values(), ...movingStatistics.values()]);
}

/** Tensors that a step leaves in the engine until its scores are read. */
export interface StepResult extends Pick<Gradients, "loss" | "logits"> {
  /** Labels as probabilities, `[batchSize, numClasses]`: mixed as the images are, without the teachers' part. */
  labels: Tensor2D;
}

/**
 * Copies a step's loss and accuracy out of the engine; disposes the result. Accuracy is against the labels, whatever targets the
 * loss is against.
 *
 * @throws InputError when the loss is not finite.
 */
export async function readScores({ loss, logits, labels }: StepResult, step: number): Promise<Scores> {
  const numClasses = logits.shape[1];
  const [lossValue] = await loss.data();
  const predicted = argMax((await logits.data()) as Float32Array, numClasses);
  const actual = argMax((await labels.data()) as Float32Array, numClasses);
  tf.dispose([loss, logits, labels]);
  if (!Number.isFinite(lossValue))
    throw new InputError({
      expected: "a finite loss",
      where: `step ${step}`,
      found: String(lossValue),
      fix: "Choose a lower learningRate for a new run (--run); a model that is in best/ already is kept.",
    });
  const numCorrect = predicted.filter((label, i) => label === actual[i]).length;
  return { loss: lossValue, accuracy: numCorrect / actual.length };
}

function trainedSpecs(network: Network, trainable: ReadonlySet<string>): ParameterSpec[] {
  return network.specs.filter((spec) => isTrainable(spec) && trainable.has(blockOf(spec.name)));
}
