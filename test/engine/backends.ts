// What tests of the two backends share.
import assert from "node:assert/strict";
import { backend, useBackend } from "../../src/engine/device.js";
import { type Tensor, tf } from "../../src/engine/tf.js";

/** Skips the tests of a `describe` if our C++ ops cannot run, and says why. */
export function needsNativeOps(): void {
  before(function () {
    if (backend().kernels !== "stock") return;
    console.log(
      "      skipped: there are no native ops, as on GPUs, CPUs without AVX2 or NEON, or with FERKIT_NATIVE=0",
    );
    this.skip();
  });
}

/** Runs something on TensorFlow's kernels. */
export function onStock<T>(run: () => T): T {
  useBackend("stock");
  try {
    return run();
  } finally {
    useBackend("fastest");
  }
}

/** Draws numbers from a normal distribution, the same for the same seed; TensorFlow.js takes 0 for no seed. */
export function normal(shape: number[], seed: number, deviation = 1): Tensor {
  assert.notEqual(seed, 0);
  return tf.randomNormal(shape, 0, deviation, "float32", seed);
}

/** Returns the norm of the difference of two tensors, relative to the norm of the second one plus 1. */
export function difference(actual: Tensor, expected: Tensor): number {
  return tf.tidy(() => {
    const distance = tf.norm(actual.flatten().sub(expected.flatten()));
    return distance.div(tf.norm(expected).add(1)).dataSync()[0];
  });
}
