import assert from "node:assert/strict";
import { bootstrapIntervals } from "../../src/metrics/bootstrap.js";

/** So many of so many right, in two classes of equal size. */
function outcomes(numImages: number, numRight: number) {
  const labels = Int32Array.from({ length: numImages }, (_, i) => i % 2);
  return { labels, predicted: labels.map((label, i) => (i < numRight ? label : 1 - label)) };
}

describe("bootstrapIntervals", () => {
  it("is as wide as the normal approximation says", () => {
    const { labels, predicted } = outcomes(1000, 800);
    const { accuracy, macroF1 } = bootstrapIntervals(labels, predicted, 2, 0);
    const half = 1.96 * Math.sqrt((0.8 * 0.2) / 1000); // 0.0248
    assert.ok(Math.abs(accuracy[0] - (0.8 - half)) < 0.0025, `${accuracy}`);
    assert.ok(Math.abs(accuracy[1] - (0.8 + half)) < 0.0025, `${accuracy}`);
    assert.ok(macroF1[0] < 0.8 && macroF1[1] > 0.8);
  });

  it("has no width where all are right", () => {
    const { labels } = outcomes(50, 50);
    assert.deepEqual(bootstrapIntervals(labels, labels, 2, 0), { accuracy: [1, 1], macroF1: [1, 1] });
  });

  it("does not count classes that have neither images nor predictions", () => {
    const { labels } = outcomes(50, 50);
    assert.deepEqual(bootstrapIntervals(labels, labels, 5, 0).macroF1, [1, 1]);
  });

  it("gives the same for the same seed, another for another", () => {
    const { labels, predicted } = outcomes(301, 200);
    const of = (seed: number) => bootstrapIntervals(labels, predicted, 2, seed);
    assert.deepEqual(of(3), of(3));
    assert.notDeepEqual(of(3), of(4));
  });

  it("refuses no images, and predictions of others", () => {
    assert.throws(() => bootstrapIntervals(new Int32Array(), new Int32Array(), 2, 0), {
      message: "Expected a number ≥ 1 for the number of images but received 0 of type number",
    });
    assert.throws(() => bootstrapIntervals(new Int32Array(3), new Int32Array(2), 2, 0), {
      message: "Expected 3 for the number of predictions but received 2 of type number",
    });
  });
});
