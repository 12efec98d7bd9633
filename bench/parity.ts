// The same weights and the same batch must give the same loss and gradients, or speeds would compare different things.
import path from "node:path";
import type { Engine } from "./contenders.js";
import type { RecordedStep } from "./workers/recorded-step.js";
import type { Workers } from "./workers.js";
import type { BenchVariant } from "./workload.js";

/** Error of the loss, and of each gradient by the parameter's name: the norm of the difference over the norm. */
export interface StepErrors {
  loss: number;
  gradients: Record<string, number>;
}

/** How well ferkit's step agrees with another engine's. */
export interface Parity {
  variant: BenchVariant;
  engine: Engine;
  batchSize: number;
  /** Batches that were tried, of which the last one agreed. */
  numTries: number;
  lossError: number;
  /** Of the gradient that agrees least. */
  gradientError: number;
  /** That gradient's parameter. */
  parameter: string;
  numGradients: number;
}

/** Single precision leaves 10⁻⁷ an operation, which a hundred layers and batch norm make more. */
export const MAX_ERROR = 1e-3;

interface Check {
  variant: BenchVariant;
  engines: readonly Engine[];
  batchSize: number;
  /** Batches of which one must agree. */
  maxTries: number;
}

/**
 * ReLU6 has a kink at 0 and at 6. Among millions of activations a few lie so near to one that rounding puts them on either
 * side, and each moves gradients by a hundredth, PyTorch's in single precision against its own in double as well. A small
 * batch has every other time no such activation; an engine that is wrong is wrong every time. Swish is smooth.
 */
const CHECKS: readonly Check[] = [
  { variant: "lite0", engines: ["pytorch"], batchSize: 4, maxTries: 16 },
  { variant: "b0", engines: ["pytorch", "keras"], batchSize: 32, maxTries: 1 },
];

/**
 * Lets the engines repeat a training step of ferkit's.
 *
 * @param dir - Where the step is written for them.
 * @throws Error when they disagree.
 */
export async function checkParity(workers: Workers, dir: string): Promise<Parity[]> {
  const parities: Parity[] = [];
  for (const check of CHECKS)
    for (const engine of check.engines)
      parities.push(requireAgreement(await compare(workers, check, engine, dir)));
  return parities;
}

/** The best agreement of some batches, or the first that is good enough. */
async function compare(workers: Workers, check: Check, engine: Engine, dir: string): Promise<Parity> {
  const { variant, batchSize, maxTries } = check;
  const [ferkit, other] = [await workers.of("ferkit"), await workers.of(engine)];
  const file = path.join(dir, `${variant}.safetensors`);
  let best: Parity | undefined;
  for (let seed = 0; seed < maxTries && !(best && agrees(best)); seed++) {
    const step = { variant, batchSize, seed, file };
    const { timmNames } = await ferkit.request<RecordedStep>("recordStep", step);
    const names = engine === "pytorch" ? { timmNames } : {};
    const errors = await other.request<StepErrors>("parity", { variant, file, ...names });
    const parity = { variant, engine, batchSize, numTries: seed + 1, ...greatest(errors) };
    if (!best || parity.gradientError < best.gradientError) best = parity;
  }
  return best as Parity;
}

/** The error of the loss, and the greatest one of the gradients. */
export function greatest({ loss, gradients }: StepErrors) {
  const entries = Object.entries(gradients);
  const [parameter, gradientError] = entries.reduce((worst, one) => (one[1] > worst[1] ? one : worst));
  return { lossError: loss, gradientError, parameter, numGradients: entries.length };
}

export function agrees({ lossError, gradientError }: Parity): boolean {
  return lossError <= MAX_ERROR && gradientError <= MAX_ERROR;
}

/**
 * Returns `parity` when the engines agree.
 *
 * @throws Error that says which gradient is furthest off.
 */
export function requireAgreement(parity: Parity): Parity {
  if (agrees(parity)) return parity;
  const { variant, engine, lossError, gradientError, parameter } = parity;
  throw new Error(
    `Expected ferkit and ${engine} to agree on ${variant} to ${MAX_ERROR} but found a loss that differs by ` +
      `${lossError.toExponential(1)} and a gradient, ${parameter}, that differs by ${gradientError.toExponential(1)}. ` +
      "Nothing was timed, since the engines do not compute the same.",
  );
}
