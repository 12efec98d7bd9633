import assert from "node:assert/strict";
import {
  argMax,
  checkProbs,
  classScores,
  confusionMatrix,
  largestClass,
  scores,
} from "../../src/metrics/classification.js";

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} ≠ ${expected}`);

describe("confusionMatrix", () => {
  it("counts images by actual class in rows, by predicted class in columns", () => {
    const labels = Int32Array.of(0, 0, 0, 1, 1, 2);
    const predicted = Int32Array.of(0, 0, 1, 1, 0, 0);
    assert.deepEqual(confusionMatrix(labels, predicted, 3), [
      [2, 1, 0],
      [1, 1, 0],
      [1, 0, 0],
    ]);
  });

  it("is all zeros without images", () => {
    assert.deepEqual(confusionMatrix(new Int32Array(), new Int32Array(), 2), [
      [0, 0],
      [0, 0],
    ]);
  });

  const cases: [number[], number[], number, string][] = [
    [[0, 1], [0], 2, "Expected 2 for the number of predictions but received 1 of type number"],
    [[0, 2], [0, 1], 2, "Expected an integer in [0, 2) for labels[1] but received 2 of type number"],
    [[0, 1], [-1, 1], 2, "Expected an integer in [0, 2) for predicted[0] but received -1 of type number"],
    [[], [], 0, "Expected an integer ≥ 1 for numClasses but received 0 of type number"],
  ];
  for (const [labels, predicted, numClasses, message] of cases)
    it(`refuses ${JSON.stringify({ labels, predicted, numClasses })}`, () => {
      assert.throws(() => confusionMatrix(Int32Array.from(labels), Int32Array.from(predicted), numClasses), {
        name: "ParameterError",
        message,
      });
    });
});

describe("checkProbs", () => {
  const probs = [0.5, 0.5, 0.25, 0.75];

  it("takes a probability for each image and class", () => {
    checkProbs(Float32Array.from(probs), Int32Array.of(0, 1), 2);
    checkProbs(Float32Array.from(probs), Float32Array.of(0, 1) as unknown as Int32Array, 2);
  });

  const cases: [number[], number[], string][] = [
    [[0.5], [0, 1], "Expected 4 for the number of probabilities but received 1 of type number"],
    [probs, [0, 2], "Expected an integer in [0, 2) for labels[1] but received 2 of type number"],
    [probs, [0, 0.5], "Expected an integer in [0, 2) for labels[1] but received 0.5 of type number"],
    [
      [0.5, 0.5, Number.NaN, 1],
      [0, 1],
      "Expected finite probabilities but found NaN for image 2 of 2. Choose another model: the weights of this one are broken.",
    ],
  ];
  for (const [given, labels, message] of cases)
    it(`refuses probabilities ${given} with labels ${labels}`, () => {
      const run = () => checkProbs(Float32Array.from(given), labels as unknown as Int32Array, 2);
      assert.throws(run, { message });
    });
});

describe("largestClass", () => {
  it("says what always answering the most frequent class scores, and whether predictions are clearly better", () => {
    const names = ["cat", "dog", "bird"];
    const always = [
      [90, 0, 0],
      [8, 0, 0],
      [2, 0, 0],
    ];
    assert.deepEqual(largestClass(always, names), { className: "cat", accuracy: 0.9, isBeaten: false });
    const barely = [
      [89, 1, 0],
      [5, 3, 0],
      [1, 0, 1],
    ];
    assert.equal(largestClass(barely, names)?.isBeaten, false); // 93%, from 86%
    const good = [
      [90, 0, 0],
      [1, 7, 0],
      [0, 0, 2],
    ];
    assert.equal(largestClass(good, names)?.isBeaten, true); // 99%, from 94.6%
    assert.equal(largestClass(good, names, 20)?.isBeaten, false); // from 81%, as for 20 images
    const one = [
      [9, 1, 0],
      [0, 0, 0],
      [0, 0, 0],
    ];
    assert.equal(largestClass(one, names), null);
  });
});

describe("scores", () => {
  it("has accuracy, recall of each class and mean F1", () => {
    const matrix = [
      [2, 1, 0],
      [1, 1, 0],
      [1, 0, 0],
    ];
    const summary = scores(matrix, ["angry", "happy", "sad"]);
    near(summary.accuracy, 3 / 6);
    assert.deepEqual(summary.perClassRecall, { angry: 2 / 3, happy: 1 / 2, sad: 0 });
    // angry: precision 2/4, recall 2/3, F1 4/7; happy: precision 1/2, recall 1/2, F1 1/2; sad: no hit, F1 0
    near(summary.macroF1, (4 / 7 + 1 / 2 + 0) / 3);
    assert.equal(summary.numImages, 6);
    assert.deepEqual(summary.confusionMatrix, matrix);
  });

  it("has no recall for a class without images, whose F1 counts only if it was predicted", () => {
    const neverSeen = scores(
      [
        [3, 0],
        [0, 0],
      ],
      ["a", "b"],
    );
    assert.deepEqual(neverSeen.perClassRecall, { a: 1, b: null });
    assert.equal(neverSeen.macroF1, 1);
    const predicted = scores(
      [
        [1, 1],
        [0, 0],
      ],
      ["a", "b"],
    );
    // a: precision 1, recall 1/2, F1 2/3; b: precision 0, F1 0
    near(predicted.macroF1, (2 / 3 + 0) / 2);
  });

  it("is finite without images, so that it can be written as JSON", () => {
    const { accuracy, macroF1, perClassRecall } = scores(
      [
        [0, 0],
        [0, 0],
      ],
      ["a", "b"],
    );
    assert.deepEqual([accuracy, macroF1, perClassRecall], [0, 0, { a: null, b: null }]);
  });

  it("refuses a matrix for another number of classes", () => {
    assert.throws(() => scores([[1]], ["a", "b"]), {
      name: "ParameterError",
      message: "Expected 2 for the rows of the confusion matrix but received 1 of type number",
    });
  });
});

describe("classScores", () => {
  it("has precision, recall, F1 and images of each class, and null for what is undefined", () => {
    const matrix = [
      [3, 1, 0, 0],
      [2, 2, 0, 0],
      [1, 0, 0, 0],
      [0, 0, 0, 0],
    ];
    assert.deepEqual(classScores(matrix, ["a", "b", "c", "d"]), {
      a: { precision: 3 / 6, recall: 3 / 4, f1: 6 / 10, count: 4 },
      b: { precision: 2 / 3, recall: 2 / 4, f1: 4 / 7, count: 4 },
      c: { precision: null, recall: 0, f1: 0, count: 1 }, // never predicted
      d: { precision: null, recall: null, f1: null, count: 0 },
    });
  });
});

describe("argMax", () => {
  it("gives the index of the largest value of each row, the first of equal ones", () => {
    const rows = [
      [-3, -1, -2],
      [5, 0, 1],
      [1, 2, 2],
    ];
    assert.deepEqual(argMax(Float32Array.from(rows.flat()), 3), Int32Array.of(1, 0, 1));
  });

  it("gives class 0 for a row of NaN", () => {
    assert.deepEqual(argMax(Float32Array.of(Number.NaN, Number.NaN), 2), Int32Array.of(0));
  });
});
