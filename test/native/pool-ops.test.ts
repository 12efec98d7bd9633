import assert from "node:assert/strict";
import * as native from "../../src/engine/native-kernels.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { type Activation, backThroughActivation, features, normal, unfold } from "./features.js";
import { greatestDifference, needsNativeOps } from "./native-ops.js";

const CASES: { shape: number[]; activation: Activation }[] = [
  { shape: [3, 5, 7, 24], activation: "relu6" },
  { shape: [2, 1, 1, 17], activation: "swish" },
  { shape: [5, 12, 9, 50], activation: "linear" },
];

function assertClose(actual: Tensor, expected: Tensor): void {
  const difference = greatestDifference(actual, expected);
  const size = tf.max(tf.abs(expected)).dataSync()[0];
  assert.ok(difference <= 1e-5 * size + 1e-5, `off by ${difference} of ${size}`);
}
function assertAllClose(actual: Tensor[], expected: Tensor[]): void {
  actual.forEach((tensor, i) => {
    assertClose(tensor, expected[i]);
  });
}

for (const { shape, activation } of CASES)
  describe(`native ops on ${activation} features [${shape}]`, () => {
    needsNativeOps();
    const [batchSize, height, width, channels] = shape;
    const spread = (perImage: Tensor) => perImage.reshape([batchSize, 1, 1, -1]);

    it("add a residual and drop branches, and give the gradient by the branch", () =>
      void tf.tidy(() => {
        const branch = features(shape, activation, 1);
        const [skip, dy] = [normal(shape, 2), normal(shape, 3)];
        const mask = normal([batchSize], 4);
        const kept = unfold(branch).activated.mul<Tensor>(spread(mask));
        assertClose(native.residual(branch, mask, skip), kept.add(skip));
        assertClose(native.residual(branch, null, null), unfold(branch).activated);
        const expected = backThroughActivation(dy.mul(spread(mask)), branch);
        assertAllClose(native.residualGradient(dy, branch, mask), expected);
      }));

    it("average over an image, and give the gradient by the features and their gate", () =>
      void tf.tidy(() => {
        const x = features(shape, activation, 1);
        const { activated } = unfold(x);
        const [dMeans, dGated] = [normal([batchSize, channels], 2), normal(shape, 3)];
        const gate = tf.sigmoid(normal([batchSize, channels], 4));
        assertClose(native.meanPool(x), activated.mean([1, 2]));
        const dActivated = tf.broadcastTo(spread(dMeans).div(height * width), shape);
        assertAllClose(native.meanPoolGradient(dMeans, x), backThroughActivation(dActivated, x));
        assertAllClose(
          native.meanPoolGradient(dMeans, { ...x, gate }, dGated),
          backThroughActivation(dActivated.add(dGated.mul(spread(gate))), x),
        );
        assertClose(native.gateGradient(dGated, x), dGated.mul(activated).sum([1, 2]));
      }));
  });
