// Speeds are comparable only if the same weights and batch give the same loss and gradients in every engine.
import path from "node:path";
import type { BenchVariant, Engine } from "./suite.js";
import type { RecordedStep } from "./workers/recorded-step.js";
import type { Workers } from "./workers.js";

/** Relative errors of the loss and, by parameter name, of each gradient: the norm of the difference over the norm. */
export interface StepErrors {
  loss: number;
  gradients: Record<string, number>;
}

/** How well ferkit's step agrees with another engine's. */
export interface Parity {
  variant: BenchVariant;
  engine: Engine;
  batchSize: number;
  /** Batches that were tried; the last one agreed. */
  numTries: number;
  lossError: number;
  /** Largest relative error of a gradient. */
  gradientError: number;
  /** Parameter of that gradient. */
  parameter: string;
  numGradients: number;
}

/** Single precision leaves an error of 10⁻⁷ in each operation; a hundred layers and batch norm amplify it. */
export const MAX_ERROR = 1e-3;

interface Check {
  variant: BenchVariant;
  engines: readonly Engine[];
  batchSize: number;
  /** Number of batches; one of them must agree. */
  maxTries: number;
}

/**
 * ReLU6 has a kink at 0 and at 6. Among millions of activations, a few are so close to a kink that rounding puts them on
 * either side. Each of them changes gradients by a hundredth, also between PyTorch's single and double precision. About half
 * of all small batches have no such activation, while an engine that is wrong is wrong on every batch. Swish is smooth.
 */
const CHECKS: readonly Check[] = [
  { variant: "lite0", engines: ["pytorch"], batchSize: 4, maxTries: 16 },
  { variant: "b0", engines: ["pytorch", "keras"], batchSize: 32, maxTries: 1 },
];

/**
 * Lets the engines repeat a training step of ferkit.
 *
 * @param dir - Folder for the files that describe the step.
 * @throws Error if they disagree.
 */
export async function checkParity(workers: Workers, dir: string): Promise<Parity[]> {
  const parities: Parity[] = [];
  for (const check of CHECKS)
    for (const engine of check.engines)
      parities.push(requireAgreement(await compare(workers, check, engine, dir)));
  return parities;
}

/** Returns the first agreement that is close enough, or otherwise the best of all batches. */
async function compare(workers: Workers, check: Check, engine: Engine, dir: string): Promise<Parity> {
  const { variant, batchSize, maxTries } = check;
  const [ferkit, other] = [await workers.of("ferkit"), await workers.of(engine)];
  const file = path.join(dir, `${variant}.safetensors`);
  let best: Parity | undefined;
  for (let seed = 0; seed < maxTries && !(best && agrees(best)); seed++) {
    const step = { variant, batchSize, seed, file };
    const { names } = await ferkit.request<RecordedStep>("recordStep", step);
    const errors = await other.request<StepErrors>("parity", { variant, file, names });
    const parity = { variant, engine, batchSize, numTries: seed + 1, ...largestErrors(errors) };
    if (!best || parity.gradientError < best.gradientError) best = parity;
  }
  return best as Parity;
}

/** Returns the error of the loss and the largest error of a gradient. */
export function largestErrors({ loss, gradients }: StepErrors) {
  const entries = Object.entries(gradients);
  const [parameter, gradientError] = entries.reduce((worst, one) => (one[1] > worst[1] ? one : worst));
  return { lossError: loss, gradientError, parameter, numGradients: entries.length };
}

export function agrees({ lossError, gradientError }: Parity): boolean {
  return lossError <= MAX_ERROR && gradientError <= MAX_ERROR;
}

/**
 * Returns `parity` if the engines agree.
 *
 * @throws Error that names the gradient with the largest error.
 */
export function requireAgreement(parity: Parity): Parity {
  if (agrees(parity)) return parity;
  const { variant, engine, lossError, gradientError, parameter } = parity;
  throw new Error(
    `Expected ferkit and ${engine} to agree on ${variant} within ${MAX_ERROR} but found a loss that differs by ` +
      `${lossError.toExponential(1)} and a gradient, ${parameter}, that differs by ${gradientError.toExponential(1)}. ` +
      "Nothing was timed because the engines do not compute the same.",
  );
}
