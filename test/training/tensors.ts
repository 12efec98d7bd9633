// Tensors as tests look at them.
import assert from "node:assert/strict";
import { type Tensor, tf } from "../../src/engine/tf.js";

/** The tensor's values; disposes it. */
export function take(tensor: Tensor): number[] {
  const values = [...tensor.dataSync()];
  tensor.dispose();
  return values;
}

/** Fails unless each value is that of the same place but for `tolerance`. */
export function near(actual: number[], expected: number[], tolerance = 1e-6): void {
  const isNear = (value: number, i: number) => Math.abs(value - expected[i]) < tolerance;
  assert.ok(actual.length === expected.length && actual.every(isNear), `${actual} ≠ ${expected}`);
}

/** Each test of the `describe` that calls this leaves as many tensors as there were. */
export function countTensors(): void {
  let numTensors: number;
  beforeEach(() => {
    numTensors = tf.memory().numTensors;
  });
  afterEach(() => assert.equal(tf.memory().numTensors, numTensors, "tensors left"));
}
