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

for (const find of [topLosses, labelIssues])
  describe(`${find.name}, misused`, () => {
    const refused = (given: object, ofImages: unknown, message: string) =>
      assert.throws(() => find(given as never, ofImages as never), { name: "ParameterError", message });

    it("refuses what evaluate does not return", () => {
      const message =
        'Expected what evaluate returns, for evaluation but received {"predicted":"…"} of type object';
      refused({ predicted: evaluation.predicted }, labels, message);
    });

    it("refuses names in place of labels, labels of no class, and those of other images", () => {
      const names = ["cat", "cat", "cat", "dog", "dog", "dog"];
      refused(
        evaluation,
        names,
        "Expected an integer in [0, 2) for labels[0] but received cat of type string",
      );
      const others = labels.map((label) => label + 1);
      refused(
        evaluation,
        others,
        "Expected an integer in [0, 2) for labels[3] but received 2 of type number",
      );
      const more = [...labels, 0];
      refused(evaluation, more, "Expected 6 for the number of labels but received 7 of type number");
    });

    it("gives nothing without images", () => {
      assert.deepEqual(
        find({ predicted: new Int32Array(), probs: new Float32Array() }, new Int32Array()),
        [],
      );
    });
  });
