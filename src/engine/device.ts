import { checkNumber } from "../errors.js";
import { type InstructionSet, instructionSet } from "./native.js";
import { tf } from "./tf.js";

export interface Device {
  /** Where the engine computes. */
  kind: "CPU" | "GPU";
  /** Version of TensorFlow's library. */
  tensorflow: string;
  /** Instruction set of the native ops' kernels; "stock" where TensorFlow's own serve. */
  kernels: InstructionSet | "stock";
  numTensors: number;
}

/** What the engine runs on. */
export function device(): Device {
  const backend = tf.backend() as unknown as { isUsingGpuDevice: boolean; binding: { TF_Version: string } };
  return {
    kind: backend.isUsingGpuDevice ? "GPU" : "CPU",
    tensorflow: backend.binding.TF_Version,
    kernels: instructionSet() ?? "stock",
    numTensors: tf.memory().numTensors,
  };
}

/**
 * Multiplications and additions per second of a product of two square matrices; the best of some.
 *
 * @param side - Of the matrices, in numbers.
 */
export function measureMatrixProduct({ side, repeats }: { side: number; repeats: number }): number {
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
