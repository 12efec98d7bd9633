import assert from "node:assert/strict";
import { labelIssues, topLosses } from "../../src/inference/label-issues.js";

// Two classes; images 0–2 are labelled 0, images 3–5 are labelled 1.
const labels = Int32Array.of(0, 0, 0, 1, 1, 1);
const probsOfClass1 = [0.25, 0.75, 0.875, 0.9375, 0.4375, 0.0625];
const evaluation = {
  predicted: Int32Array.from(probsOfClass1, (prob) => Number(prob > 0.5)),
  probs: Float32Array.from(probsOfClass1.flatMap((prob) => [1 - prob, prob])),
};

describe("topLosses", () => {
  it("gives the wrongly classified images, the most confident first", () => {
    // image 5 as class 0 by 0.9375, image 2 as class 1 by 0.875, image 1 by 0.75, image 4 as class 0 by 0.5625
    assert.deepEqual(topLosses(evaluation, labels), [5, 2, 1, 4]);
  });
});

describe("labelIssues", () => {
  it("gives images as probable in another class as that class's own images, by the label's cross-entropy", () => {
    // on average class 0 has (0.75 + 0.25 + 0.125) / 3 = 0.375, class 1 (0.9375 + 0.4375 + 0.0625) / 3 = 0.479
    assert.deepEqual(labelIssues(evaluation, labels), [5, 2, 1, 4]);
    // with image 4 at 0.9375, class 1 has 0.646; with images 1 and 2 at 0.25 and 0.5625, the latter is below it
    const probs = Float32Array.of(
      0.75,
      0.25,
      0.75,
      0.25,
      0.4375,
      0.5625,
      0.0625,
      0.9375,
      0.0625,
      0.9375,
      0.9375,
      0.0625,
    );
    const predicted = Int32Array.of(0, 0, 1, 1, 1, 0);
    assert.deepEqual(topLosses({ predicted, probs }, labels), [5, 2]);
    assert.deepEqual(labelIssues({ predicted, probs }, labels), [5]);
  });

  it("gives no image of a predicted class without images", () => {
    const probs = Float32Array.of(0.75, 0.25, 0.25, 0.75);
    const predicted = Int32Array.of(0, 1);
    assert.deepEqual(labelIssues({ predicted, probs }, Int32Array.of(0, 0)), []);
  });
});
