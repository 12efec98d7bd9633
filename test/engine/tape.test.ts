import assert from "node:assert/strict";
import * as kernels from "../../src/engine/kernels.js";
import { Tape } from "../../src/engine/tape.js";
import { type Tensor, tf } from "../../src/engine/tf.js";

/** y = x·x, recorded. */
function square(tape: Tape, x: Tensor): Tensor {
  return tape.record(kernels.multiply(x, x), [x], (dy) => [tf.tidy(() => kernels.multiply(dy, x).mul(2))]);
}
/** y = a + b, recorded; hands on the very `dy` it gets. */
function plus(tape: Tape, a: Tensor, b: Tensor): Tensor {
  return tape.record(kernels.add(a, b), [a, b], (dy, [needsA, needsB]) => [
    needsA ? dy : null,
    needsB ? dy : null,
  ]);
}

describe("Tape", () => {
  it("adds up the gradients of a tensor that is used more than once", () => {
    const x = tf.tensor1d([1, 2, 3]);
    const before = tf.memory().numTensors;
    const tape = new Tape([x]);
    const y = plus(tape, square(tape, x), plus(tape, x, x)); // x² + 2x, gradient 2x + 2
    const gradient = tape.backward(y, tf.ones([3])).get(x.id) as Tensor;
    assert.deepEqual([...gradient.dataSync()], [4, 6, 8]);
    gradient.dispose();
    assert.equal(tf.memory().numTensors, before);
    x.dispose();
  });

  it("computes nothing for constants, and frees what they would have needed", () => {
    const [x, constant] = [tf.tensor1d([2]), tf.tensor1d([5])];
    const before = tf.memory().numTensors;
    const tape = new Tape([x]);
    const unused = tape.record(
      kernels.multiply(constant, constant),
      [constant],
      () => {
        throw new Error("not to be called");
      },
      [tf.scalar(1)],
    );
    const gradients = tape.backward(plus(tape, square(tape, x), constant), tf.ones([1]));
    assert.deepEqual([...gradients.keys()], [x.id]);
    assert.deepEqual([...(gradients.get(x.id) as Tensor).dataSync()], [4]);
    tf.dispose([unused, ...gradients.values()]);
    assert.equal(tf.memory().numTensors, before);
    tf.dispose([x, constant]);
  });
});
