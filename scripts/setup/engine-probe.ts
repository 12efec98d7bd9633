// Starts the engine in a process of its own, and prints what it says of itself as one line of JSON.
import os from "node:os";
import { device, tf } from "../../src/index.js";
import type { EngineState } from "./engine.js";

const product = tf.tidy(() =>
  tf.matMul(tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([5, 6, 7, 8], [2, 2])).dataSync(),
);
const [slope] = tf.tidy(() =>
  tf
    .grad((x) => x.pow(tf.scalar(3)))(tf.scalar(2))
    .dataSync(),
); // 3x² = 12 at 2
const { kind, tensorflow, kernels } = device();
const processor = os.cpus()[0]?.model.trim() ?? "unknown";
const state: EngineState = {
  isRight: [19, 22, 43, 50].every((value, i) => product[i] === value) && Math.abs(slope - 12) < 1e-4,
  libtensorflow: tensorflow,
  tfjs: tf.version["tfjs-core"],
  isGpu: kind === "GPU",
  device: kind === "GPU" ? "GPU" : `CPU (${processor}, ${os.availableParallelism()} threads)`,
  kernels,
};
console.log(JSON.stringify(state));
