// One training step: all that runs per batch, in one place.
import * as kernels from "../engine/kernels.js";
import { Tape } from "../engine/tape.js";
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "../engine/tf.js";
import { assignVariables, type Variable } from "../engine/variable.js";
import type { Network } from "../model/network.js";
import { blockOf, isTrainable, type ParameterSpec } from "../model/parameters.js";
import type { TrainingOptions } from "../model/recorded-dense.js";
import { forward } from "../model/training.js";
import type { Adam } from "./optimizer.js";

export interface StepInput {
  /** Pixels of 0–255 `[batchSize, imageSize, imageSize, 3]`. */
  images: Tensor4D;
  /** Probabilities `[batchSize, numClasses]`. */
  targets: Tensor2D;
  /** Weight of each example in the mean, `[batchSize]`; summing to 1. */
  exampleWeights: Tensor;
}

/** Results that stay in the engine until they are read; the caller disposes them. */
export interface StepResult {
  /** Mean cross-entropy in nats, of shape []. */
  loss: Tensor;
  logits: Tensor2D;
}

export interface Gradients extends StepResult {
  /** By parameter name, for each trained parameter. */
  gradients: Map<string, Tensor>;
  /** New values of the moving statistics, by parameter name. */
  movingStatistics: Map<string, Tensor>;
}

/** Loss and gradients of a batch for the parameters of `trainable` blocks; the caller disposes all of it. */
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

/** Trains on one batch and returns its loss and logits, from before the update. */
export function trainStep(
  network: Network,
  optimizer: Adam,
  input: StepInput,
  trainable: ReadonlySet<string>,
  learningRate: number,
  options: TrainingOptions,
): StepResult {
  const { loss, logits, gradients, movingStatistics } = computeGradients(network, input, trainable, options);
  const updates = trainedSpecs(network, trainable).map(({ name, kind }) => ({
    name,
    variable: network.variables.get(name) as Variable,
    gradient: gradients.get(name) as Tensor,
    decays: kind === "kernel",
  }));
  optimizer.update(updates, learningRate);
  assignVariables(network.variables, movingStatistics);
  tf.dispose([...gradients.values(), ...movingStatistics.values()]);
  return { loss, logits };
}

function trainedSpecs(network: Network, trainable: ReadonlySet<string>): ParameterSpec[] {
  return network.specs.filter((spec) => isTrainable(spec) && trainable.has(blockOf(spec.name)));
}
