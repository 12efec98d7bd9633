import type { TrainConfig } from "../config.js";
import { checkChoice, checkKind, checkNumber } from "../errors.js";

export interface Schedule {
  /** Peak, > 0. */
  learningRate: number;
  /** What follows the warm-up: half a cosine down to 0, or the peak to the end. */
  schedule: "cosine" | "constant";
  /** Steps that rise linearly to the peak. */
  warmupSteps: number;
  /** All steps, including `warmupSteps`. */
  totalSteps: number;
}

/**
 * Returns the learning rate of a step: a linear rise, then constant or half a cosine.
 *
 * No step has a rate of 0: the rise starts above it, and the cosine reaches it one step after the last.
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

/** How an epoch divides the training images into batches. */
export interface EpochPlan {
  numBatches: number;
  /** Images that each epoch leaves out, others in each. */
  numLeftOut: number;
  /** Whether the batches are of nearly equal size, at most `batchSize`, instead of exactly that. */
  isEven: boolean;
}

/** An epoch leaves out at most this share of the images. */
const MAX_LEFT_OUT_SHARE = 0.02;

/**
 * Plans an epoch's batches. Batch norm needs full batches, so a last one that is not full is left out if that costs at most
 * 2% of the images. Otherwise all images are divided into batches of nearly equal size.
 */
export function planEpoch(numImages: number, batchSize: number): EpochPlan {
  const numFull = Math.floor(numImages / batchSize);
  const numLeftOut = numImages - numFull * batchSize;
  if (numFull > 0 && numLeftOut <= MAX_LEFT_OUT_SHARE * numImages)
    return { numBatches: numFull, numLeftOut, isEven: false };
  return { numBatches: Math.ceil(numImages / batchSize), numLeftOut: 0, isEven: true };
}

/** Returns what `batches` needs to divide an epoch as planned, in the order of `seed`. */
export function batchOrder({ batchSize, seed }: TrainConfig, { numBatches, isEven }: EpochPlan) {
  return { batchSize, seed, shuffle: true, dropLast: true, ...(isEven && { numEvenBatches: numBatches }) };
}

/**
 * Returns the learning rate of a step of a run: `headLearningRate` while the last layer trains alone, then the schedule's.
 *
 * @param step - Number in the run, from 1.
 */
export function runLearningRate(config: TrainConfig, stepsPerEpoch: number, step: number): number {
  const { headEpochs, epochs, headLearningRate, learningRate, schedule, warmupShare } = config;
  const headSteps = headEpochs * stepsPerEpoch;
  if (step <= headSteps) return headLearningRate;
  const totalSteps = (epochs - headEpochs) * stepsPerEpoch;
  const warmupSteps = Math.round(warmupShare * totalSteps);
  return learningRateAt(step - headSteps - 1, { learningRate, schedule, warmupSteps, totalSteps });
}

/**
 * Returns the learning rate of every step of a run, for a chart before it starts.
 *
 * @param numImages - Training images.
 * @returns For each step, numbered from 1, its rate.
 * @example
 * ```ts
 * import { learningRateChart, learningRates, saveChart, trainConfig } from "ferkit";
 *
 * const rates = learningRates(trainConfig("tutorial"), 1000);
 * console.log(rates.length, rates[0]); // 248 steps, of which the first is in the warm-up
 * await saveChart(learningRateChart(rates), "learning-rate.svg");
 * ```
 */
export function learningRates(
  config: TrainConfig,
  numImages: number,
): { step: number; learningRate: number }[] {
  checkKind("config", "a configuration, as trainConfig returns it", config, ["batchSize", "epochs"]);
  checkNumber("numImages", numImages, { min: 1, integer: true });
  const numSteps = planEpoch(numImages, config.batchSize).numBatches;
  return Array.from({ length: config.epochs * numSteps }, (_, i) => ({
    step: i + 1,
    learningRate: runLearningRate(config, numSteps, i + 1),
  }));
}
