// What tests of native ops share.
import { hasNativeOps } from "../../src/engine/native.js";
import { type Tensor, tf } from "../../src/engine/tf.js";

/** Skips the tests of a `describe` where native ops cannot be run, and says why. */
export function needsNativeOps(): void {
  before(function () {
    if (hasNativeOps()) return;
    console.log("      skipped: there are no native ops, as for GPUs, CPUs without AVX2, or FERKIT_NATIVE=0");
    this.skip();
  });
}

/** Greatest difference between two tensors of one shape. */
export function greatestDifference(a: Tensor, b: Tensor): number {
  return tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]);
}
