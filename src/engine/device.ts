// What the engine runs on: its device, and the backend that was chosen for it.
import { existsSync } from "node:fs";
import path from "node:path";
import { checkKind, checkNumber } from "../errors.js";
import type { Backend } from "./backend.js";
import { fusedBackend } from "./fused.js";
import { stock } from "./stock.js";
import { tf } from "./tf.js";

/** What the engine runs on. */
export interface Device {
  /** Where the engine computes. */
  kind: "CPU" | "GPU";
  /** Version of TensorFlow's library. */
  tensorflow: string;
  /** Instruction set of our C++ ops; "stock" if TensorFlow's own kernels run instead. */
  kernels: Backend["kernels"];
  /** Tensors in the engine now. */
  numTensors: number;
}

/** Our C++ ops, which set-up builds on machines that can run them. */
const ADDON = path.join(__dirname, "../../.ferkit/native/ferkit_ops.node");
let fastest: Backend | undefined;
let forced: Backend | undefined;

/** Returns the backend in use: our C++ ops if they load, otherwise TensorFlow's kernels. FERKIT_NATIVE=0 turns the ops off. */
export function backend(): Backend {
  if (forced) return forced;
  fastest ??= loadFused() ?? stock;
  return fastest;
}

/** Runs everything on TensorFlow's kernels, or (`fastest`) on the backend that fits the machine best again. */
export function useBackend(choice: "stock" | "fastest"): void {
  forced = choice === "stock" ? stock : undefined;
}

/** Returns whether a `Plan` can multiply in bfloat16 here. */
export function hasBfloat16(): boolean {
  return backend().kernels !== "stock" && (require(ADDON) as Addon).hasBfloat16;
}

interface Addon {
  instructionSet: "avx512" | "avx2" | "neon" | null;
  hasBfloat16: boolean;
}

function loadFused(): Backend | null {
  if (isUsingGpu() || process.env.FERKIT_NATIVE === "0" || !existsSync(ADDON)) return null;
  try {
    const { instructionSet } = require(ADDON) as Addon;
    if (instructionSet === null)
      process.emitWarning("TensorFlow's own kernels are used, since the processor has no AVX2");
    return instructionSet && fusedBackend(instructionSet);
  } catch (error) {
    const { message } = error as Error;
    process.emitWarning(`TensorFlow's own kernels are used, since the native ops do not load: ${message}`);
    return null;
  }
}

function isUsingGpu(): boolean {
  return (tf.backend() as unknown as { isUsingGpuDevice: boolean }).isUsingGpuDevice;
}

/**
 * Returns what the engine runs on.
 *
 * @example
 * ```ts
 * import { device } from "ferkit";
 *
 * const { kind, kernels, tensorflow } = device();
 * console.log(`TensorFlow ${tensorflow} on ${kind}, ${kernels} kernels`);
 * ```
 */
export function device(): Device {
  const { binding } = tf.backend() as unknown as { binding: { TF_Version: string } };
  return {
    kind: isUsingGpu() ? "GPU" : "CPU",
    tensorflow: binding.TF_Version,
    kernels: backend().kernels,
    numTensors: tf.memory().numTensors,
  };
}

/**
 * Measures the engine's speed in a product of two square matrices.
 *
 * @param options - `side`: rows of each matrix; `repeats`: products to measure, of which the fastest counts.
 * @returns Multiplications and additions per second.
 * @example
 * ```ts
 * import { measureMatrixProduct } from "ferkit";
 *
 * const speed = measureMatrixProduct({ side: 512, repeats: 3 });
 * console.log(`${(speed / 1e9).toFixed(0)} billion operations per second`);
 * ```
 */
export function measureMatrixProduct(options: { side: number; repeats: number }): number {
  checkKind("options", "{ side, repeats }", options, []);
  const { side, repeats } = options;
  checkNumber("side", side, { min: 1, max: 8192, integer: true });
  checkNumber("repeats", repeats, { min: 1, integer: true });
  const times = Array.from({ length: repeats }, () =>
    tf.tidy(() => {
      const [a, b] = [tf.ones([side, side]), tf.ones([side, side])];
      const start = performance.now();
      tf.matMul(a, b).dataSync();
      return performance.now() - start;
    }),
  );
  return (2 * side ** 3) / (Math.min(...times) / 1000);
}
