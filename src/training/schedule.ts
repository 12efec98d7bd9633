import type { TrainConfig } from "../config.js";
import { checkChoice, checkNumber } from "../errors.js";

export interface Schedule {
  /** Peak, > 0. */
  learningRate: number;
  /** What follows the warm-up: half a cosine down to 0, or the peak to the end. */
  schedule: "cosine" | "constant";
  /** Steps that rise linearly to the peak. */
  warmupSteps: number;
  /** All steps, `warmupSteps` included. */
  totalSteps: number;
}

/**
 * The learning rate of a step: a linear rise, then constant or half a cosine.
 *
 * Neither end of the cosine is wasted: the first step of the rise is above 0, and 0 is reached one step after the last.
 *
 * @param step - From 0.
 * @throws ParameterError "Expected an integer in [0, 100] for warmupSteps but received -1 of type number"
 * @see Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983 (one cycle, without restarts)
 */
export function learningRateAt(
  step: number,
  { learningRate, schedule, warmupSteps, totalSteps }: Schedule,
): number {
  checkNumber("step", step, { min: 0, integer: true });
  checkNumber("learningRate", learningRate, { min: 0 });
  checkNumber("totalSteps", totalSteps, { min: 1, integer: true });
  checkNumber("warmupSteps", warmupSteps, { min: 0, max: totalSteps, integer: true });
  checkChoice("schedule", schedule, ["cosine", "constant"]);
  if (step < warmupSteps) return (learningRate * (step + 1)) / warmupSteps;
  if (schedule === "constant") return learningRate;
  const share = (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
  return (learningRate * (1 + Math.cos(Math.PI * Math.min(1, share)))) / 2;
}

/** Batches that an epoch trains on: the last one only where it is full, since batch norm wants full batches. */
export function stepsPerEpoch(numImages: number, batchSize: number): number {
  return Math.max(1, Math.floor(numImages / batchSize));
}

/**
 * The learning rate of a step of a run: that of the last layer while it trains alone, then the schedule's.
 *
 * @param step - Of the run, from 1.
 * @param numSteps - Of an epoch.
 */
export function runLearningRate(config: TrainConfig, numSteps: number, step: number): number {
  const { headEpochs, epochs, headLearningRate, learningRate, schedule, warmupShare } = config;
  const headSteps = headEpochs * numSteps;
  if (step <= headSteps) return headLearningRate;
  const totalSteps = (epochs - headEpochs) * numSteps;
  const warmupSteps = Math.round(warmupShare * totalSteps);
  return learningRateAt(step - headSteps - 1, { learningRate, schedule, warmupSteps, totalSteps });
}

/** The learning rate of every step of a run on `numImages` training images, to draw before it starts. */
export function learningRates(
  config: TrainConfig,
  numImages: number,
): { step: number; learningRate: number }[] {
  const numSteps = stepsPerEpoch(numImages, config.batchSize);
  return Array.from({ length: config.epochs * numSteps }, (_, i) => ({
    step: i + 1,
    learningRate: runLearningRate(config, numSteps, i + 1),
  }));
}
