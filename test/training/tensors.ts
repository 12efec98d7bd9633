// Assertions on tensors.
import assert from "node:assert/strict";
import { type Tensor, tf } from "../../src/engine/tf.js";

/** Returns a tensor's values and disposes it. */
export function take(tensor: Tensor): number[] {
  const values = [...tensor.dataSync()];
  tensor.dispose();
  return values;
}

/** Fails unless each value equals the expected one within `tolerance`. */
export function near(actual: number[], expected: number[], tolerance = 1e-6): void {
  const isNear = (value: number, i: number) => Math.abs(value - expected[i]) < tolerance;
  assert.ok(actual.length === expected.length && actual.every(isNear), `${actual} ≠ ${expected}`);
}

/** Fails a test of the calling `describe` that leaves tensors. */
export function countTensors(): void {
  let numTensors: number;
  beforeEach(() => {
    numTensors = tf.memory().numTensors;
  });
  afterEach(() => assert.equal(tf.memory().numTensors, numTensors, "tensors left"));
}
