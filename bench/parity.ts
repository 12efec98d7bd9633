// Speeds are comparable only if the same weights and images give the same results in every engine.
import path from "node:path";
import { type BenchVariant, CONTENDERS, type Contender, type ContenderName } from "./suite.js";
import type { Recorded, RecordedLogits } from "./workers/recorded.js";
import type { Workers } from "./workers.js";

/** Relative errors of the loss and, by parameter name, of each gradient: the norm of the difference over the norm. */
export interface StepErrors {
  loss: number;
  gradients: Record<string, number>;
}

/** How well ferkit's training step agrees with another engine's. */
export interface Parity {
  variant: BenchVariant;
  engine: ContenderName;
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

/** How well ferkit's logits agree with another engine's. */
export interface LogitsParity {
  variant: BenchVariant;
  imageSize: number;
  contender: ContenderName;
  /** Norm of the difference over the norm. */
  error: number;
}

/** Single precision leaves an error of 10⁻⁷ in each operation; a hundred layers and batch norm amplify it. */
const MAX_ERROR = 1e-3;
/** bfloat16 has 8 bits of precision. */
const MAX_BFLOAT16_ERROR = 0.1;

interface Check {
  variant: BenchVariant;
  contenders: readonly ContenderName[];
  batchSize: number;
  /** Number of batches; one of them must agree. */
  maxTries: number;
}

/**
 * ReLU6 has a kink at 0 and at 6. Among millions of activations, a few are so close to a kink that rounding puts them on
 * either side. Each of them changes gradients by a hundredth, also between PyTorch's single and double precision. About half
 * of all small batches have no such activation, while an engine that is wrong is wrong on every batch. Swish is smooth.
 */
const STEP_CHECKS: readonly Check[] = [
  { variant: "lite0", contenders: ["pytorch", "pytorchCompiled"], batchSize: 4, maxTries: 16 },
  { variant: "b0", contenders: ["pytorch", "pytorchCompiled", "keras"], batchSize: 32, maxTries: 1 },
];

const LOGITS_CHECKS: readonly { variant: BenchVariant; imageSize: number }[] = [
  { variant: "lite0", imageSize: 48 },
  { variant: "lite0", imageSize: 144 },
  { variant: "b0", imageSize: 48 },
];
const LOGITS_CONTENDERS: readonly ContenderName[] = [
  "pytorch",
  "pytorchCompiled",
  "onnxRuntime",
  "onnxRuntimeNode",
  "openvino",
  "openvinoBf16",
];
const LOGITS_BATCH_SIZE = 4;

/**
 * Lets the engines repeat training steps of ferkit.
 *
 * @param names - Contenders that will be measured.
 * @throws Error if they disagree.
 */
export async function checkParity(workers: Workers, names: ReadonlySet<ContenderName>): Promise<Parity[]> {
  const parities: Parity[] = [];
  for (const check of STEP_CHECKS)
    for (const contender of check.contenders.filter((name) => names.has(name)))
      parities.push(requireAgreement(await compare(workers, check, contender)));
  return parities;
}

/**
 * Lets the engines repeat inference of ferkit.
 *
 * @param names - Contenders that will be measured.
 * @throws Error if they disagree.
 */
export async function checkLogits(
  workers: Workers,
  names: ReadonlySet<ContenderName>,
): Promise<LogitsParity[]> {
  const parities: LogitsParity[] = [];
  const [ferkit, pytorch] = [await workers.of("ferkit"), await workers.of("pytorch")];
  for (const network of LOGITS_CHECKS) {
    const name = path.join(workers.dir, `${network.variant}-${network.imageSize}-logits`);
    const [file, output] = [`${name}.safetensors`, `${name}.onnx`];
    const workload = { ...network, batchSize: LOGITS_BATCH_SIZE };
    const recorded = await ferkit.request<RecordedLogits>("recordLogits", { ...workload, seed: 0, file });
    const { names: parameters, bfloat16Error } = recorded;
    if (names.has("ferkitBf16") && bfloat16Error !== undefined)
      parities.push(requireSameLogits({ ...network, contender: "ferkitBf16", error: bfloat16Error }));
    await pytorch.request("exportOnnx", { ...workload, file, names: parameters, output });
    for (const contender of LOGITS_CONTENDERS.filter((name) => names.has(name))) {
      const { engine, precision, compiled }: Contender = CONTENDERS[contender];
      const worker = await workers.of(engine);
      const own =
        engine === "pytorch"
          ? { variant: network.variant, names: parameters, compiled }
          : { model: output, precision };
      const error = await worker.request<number>("logitsError", { file, ...own });
      parities.push(requireSameLogits({ ...network, contender, error }));
    }
  }
  return parities;
}

/** Returns the first agreement that is close enough, or otherwise the best of all batches. */
async function compare(workers: Workers, check: Check, contender: ContenderName): Promise<Parity> {
  const { variant, batchSize, maxTries } = check;
  const { engine, compiled }: Contender = CONTENDERS[contender];
  const [ferkit, other] = [await workers.of("ferkit"), await workers.of(engine)];
  const file = path.join(workers.dir, `${variant}.safetensors`);
  let best: Parity | undefined;
  for (let seed = 0; seed < maxTries && !(best && agrees(best)); seed++) {
    const step = { variant, batchSize, seed, file };
    const { names } = await ferkit.request<Recorded>("recordStep", step);
    const errors = await other.request<StepErrors>("parity", {
      variant,
      file,
      names,
      ...(compiled && { compiled }),
    });
    const parity = { variant, engine: contender, batchSize, numTries: seed + 1, ...largestErrors(errors) };
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

function agrees({ lossError, gradientError }: Parity): boolean {
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

/**
 * Returns `parity` if the logits agree.
 *
 * @throws Error with the difference.
 */
export function requireSameLogits(parity: LogitsParity): LogitsParity {
  const { variant, imageSize, contender, error } = parity;
  const { precision }: Contender = CONTENDERS[contender];
  const limit = precision === "bfloat16" ? MAX_BFLOAT16_ERROR : MAX_ERROR;
  if (error <= limit) return parity;
  throw new Error(
    `Expected ferkit and ${CONTENDERS[contender].label} to agree on ${variant} at ${imageSize} px within ${limit} but found ` +
      `logits that differ by ${error.toExponential(1)}. Nothing was timed because the engines do not compute the same.`,
  );
}
