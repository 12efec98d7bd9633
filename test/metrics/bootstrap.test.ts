import assert from "node:assert/strict";
import { bootstrapIntervals } from "../../src/metrics/bootstrap.js";

/** Predictions of which the first `numCorrect` are correct, for two classes of equal size. */
function outcomes(numImages: number, numCorrect: number) {
  const labels = Int32Array.from({ length: numImages }, (_, i) => i % 2);
  return { labels, predicted: labels.map((label, i) => (i < numCorrect ? label : 1 - label)) };
}

describe("bootstrapIntervals", () => {
  it("is as wide as the normal approximation", () => {
    const { labels, predicted } = outcomes(1000, 800);
    const { accuracy, macroF1 } = bootstrapIntervals(labels, predicted, 2, 0);
    const half = 1.96 * Math.sqrt((0.8 * 0.2) / 1000); // 0.0248
    assert.ok(Math.abs(accuracy[0] - (0.8 - half)) < 0.0025, `${accuracy}`);
    assert.ok(Math.abs(accuracy[1] - (0.8 + half)) < 0.0025, `${accuracy}`);
    assert.ok(macroF1[0] < 0.8 && macroF1[1] > 0.8);
  });

  it("is Wilson's for the accuracy if all or none are correct, where all draws are alike", () => {
    const { labels } = outcomes(9, 9);
    const { accuracy, macroF1 } = bootstrapIntervals(labels, labels, 2, 0);
    assert.ok(Math.abs(accuracy[0] - 9 / (9 + 1.96 ** 2)) < 1e-9, `${accuracy}`); // 0.701
    assert.deepEqual([accuracy[1], macroF1], [1, [1, 1]]);
    const none = outcomes(9, 0);
    const wrong = bootstrapIntervals(none.labels, none.predicted, 2, 0);
    assert.ok(Math.abs(wrong.accuracy[1] - 1.96 ** 2 / (9 + 1.96 ** 2)) < 1e-9, `${wrong.accuracy}`); // 0.299
    assert.deepEqual([wrong.accuracy[0], wrong.macroF1], [0, [0, 0]]);
  });

  it("does not count classes that have neither images nor predictions", () => {
    const { labels } = outcomes(50, 50);
    assert.deepEqual(bootstrapIntervals(labels, labels, 5, 0).macroF1, [1, 1]);
  });

  it("averages macro-F1 over the same classes in each draw, also over a rare one that the draw lacks", () => {
    const labels = Int32Array.from({ length: 31 }, (_, i) => (i === 30 ? 2 : i % 2));
    const predicted = labels.map((label) => (label === 2 ? 0 : label));
    const [low, high] = bootstrapIntervals(labels, predicted, 3, 0).macroF1;
    // F1 is 30/31, 1 and 0: 0.656; a draw without the last image has 1, 1 and 0
    assert.ok(low > 0.55 && low < 0.656, `${low}`);
    assert.equal(high, 2 / 3);
  });

  it("gives the same intervals for the same seed, and others for another", () => {
    const { labels, predicted } = outcomes(301, 200);
    const intervals = (seed: number) => bootstrapIntervals(labels, predicted, 2, seed);
    assert.deepEqual(intervals(3), intervals(3));
    assert.notDeepEqual(intervals(3), intervals(4));
  });

  it("refuses no images, and another number of predictions", () => {
    assert.throws(() => bootstrapIntervals(new Int32Array(), new Int32Array(), 2, 0), {
      message: "Expected a number ≥ 1 for the number of images but received 0 of type number",
    });
    assert.throws(() => bootstrapIntervals(new Int32Array(3), new Int32Array(2), 2, 0), {
      message: "Expected 3 for the number of predictions but received 2 of type number",
    });
  });
});
