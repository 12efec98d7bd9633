import assert from "node:assert/strict";
import { tf } from "../../src/engine/tf.js";
import { Variable } from "../../src/engine/variable.js";

describe("Variable", () => {
  it("holds a value that an earlier reader does not see change", () => {
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const variable = new Variable(() => tf.tensor1d([1, 2]));
      const read = variable.read();
      variable.assign(tf.tensor1d([3, 4]));
      assert.deepEqual([...read.dataSync()], [1, 2]);
      assert.deepEqual([...variable.read().dataSync()], [3, 4]);
      variable.dispose();
    });
    assert.equal(tf.memory().numTensors, before);
  });
});
