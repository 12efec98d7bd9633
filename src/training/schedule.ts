import { checkNumber } from "../errors.js";

export interface Schedule {
  /** Peak. */
  learningRate: number;
  schedule: "cosine" | "constant";
  /** Steps that rise linearly to the peak. */
  warmupSteps: number;
  totalSteps: number;
}

/**
 * The learning rate of a step: a linear rise, then constant or half a cosine down to 0.
 *
 * @param step - From 0.
 * @see Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983 (one cycle, without restarts)
 */
export function learningRateAt(
  step: number,
  { learningRate, schedule, warmupSteps, totalSteps }: Schedule,
): number {
  checkNumber("warmupSteps", warmupSteps, { min: 0, max: totalSteps, integer: true });
  if (step < warmupSteps) return (learningRate * (step + 1)) / warmupSteps;
  if (schedule === "constant") return learningRate;
  const share = (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
  return (learningRate * (1 + Math.cos(Math.PI * Math.min(1, share)))) / 2;
}
