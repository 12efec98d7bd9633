import assert from "node:assert/strict";
import * as native from "../../src/engine/native-kernels.js";
import { type Tensor, type Tensor2D, tf } from "../../src/engine/tf.js";
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

    it("average over an image, and give the gradient by the features", () =>
      void tf.tidy(() => {
        const x = features(shape, activation, 1);
        const dMeans = normal([batchSize, channels], 2);
        assertClose(native.meanPool(x), unfold(x).activated.mean([1, 2]));
        const dActivated = tf.broadcastTo(spread(dMeans).div(height * width), shape);
        assertAllClose(native.meanPoolGradient(dMeans, x), backThroughActivation(dActivated, x));
      }));

    it("squeeze and excite, and give the gradients by the features and the weights", () =>
      void tf.tidy(() => {
        const x = features(shape, activation, 1);
        const numReduced = 6;
        const weights = [
          normal([1, 1, channels, numReduced], 2),
          normal([numReduced], 3),
          normal([1, 1, numReduced, channels], 4),
          normal([channels], 5),
        ];
        const dGated = normal(shape, 6);
        const { activated } = unfold(x);
        const gated = (features: Tensor, ...[reduce, reduceBias, expand, expandBias]: Tensor[]) => {
          const means = features.mean([1, 2]);
          const reduced = tf
            .matMul(means as Tensor2D, reduce.reshape([channels, numReduced]))
            .add(reduceBias);
          const swish = reduced.mul(tf.sigmoid(reduced));
          const expanded = tf.matMul(swish as Tensor2D, expand.reshape([numReduced, channels]));
          return features.mul<Tensor>(spread(tf.sigmoid(expanded.add(expandBias))));
        };
        const excitation = native.excite(x, weights);
        assertClose(activated.mul(spread(excitation.gate)), gated(activated, ...weights));
        const [dActivated, ...dWeights] = tf.grads(gated)([activated, ...weights], dGated);
        const expected = [...backThroughActivation(dActivated, x), ...dWeights];
        assertAllClose(native.exciteGradient(dGated, x, weights, excitation), expected);
      }));
  });
