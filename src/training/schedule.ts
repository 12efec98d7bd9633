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
