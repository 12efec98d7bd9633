import assert from "node:assert/strict";
import {
  type ClassWeights,
  checkClassWeights,
  exampleWeights,
  smoothedOneHot,
} from "../../src/training/targets.js";
import { countTensors, near, take } from "./tensors.js";

describe("smoothedOneHot", () => {
  countTensors();

  it("gives all mass to the label", () => {
    const targets = smoothedOneHot(Int32Array.of(2, 0), { numClasses: 3, labelSmoothing: 0 });
    assert.deepEqual(targets.shape, [2, 3]);
    assert.deepEqual(take(targets), [0, 0, 1, 1, 0, 0]);
  });

  it("spreads the smoothed mass over all classes, the label's too", () => {
    // 0.2 / 4 = 0.05; 1 − 0.2 + 0.05 = 0.85
    near(
      take(smoothedOneHot(Int32Array.of(1), { numClasses: 4, labelSmoothing: 0.2 })),
      [0.05, 0.85, 0.05, 0.05],
    );
  });

  const cases: [number, object, string][] = [
    [
      0,
      { labelSmoothing: 1 },
      "Expected a number in [0, 1) for labelSmoothing but received 1 of type number",
    ],
    [
      0,
      { labelSmoothing: Number.NaN },
      "Expected a number in [0, 1) for labelSmoothing but received NaN of type number",
    ],
    [0, { numClasses: 0 }, "Expected an integer ≥ 1 for numClasses but received 0 of type number"],
    [3, {}, "Expected an integer in [0, 3) for labels[0] but received 3 of type number"],
    [-1, {}, "Expected an integer in [0, 3) for labels[0] but received -1 of type number"],
  ];
  for (const [label, options, message] of cases)
    it(`refuses label ${label} ${Object.entries(options).flat().join(" ")}`, () => {
      assert.throws(
        () => smoothedOneHot(Int32Array.of(label), { numClasses: 3, labelSmoothing: 0, ...options }),
        { name: "ParameterError", message },
      );
    });
});

describe("exampleWeights", () => {
  countTensors();

  const trainLabels = Int32Array.of(0, 0, 0, 0, 0, 0, 1, 1);
  const weights = (labels: number[], classWeights: ClassWeights, numClasses = 2) =>
    take(exampleWeights(Int32Array.from(labels), trainLabels, { numClasses, classWeights }));

  it("is the same for each image where no class weighs more", () => {
    near(weights([0, 0, 1, 0], "none"), [1 / 4, 1 / 4, 1 / 4, 1 / 4]);
  });

  it("is inverse to the class's count of training images where they are balanced", () => {
    // 8 / (2·6) = 2/3 and 8 / (2·2) = 2; over their sum 2/3 + 2/3 + 2 = 10/3
    near(weights([0, 0, 1], "balanced"), [1 / 5, 1 / 5, 3 / 5]);
  });

  it("takes the given weights, over their sum in the batch", () => {
    near(weights([1, 0, 1], [1, 3]), [3 / 7, 1 / 7, 3 / 7]);
    near(weights([1, 1], [1, 3]), [1 / 2, 1 / 2]);
  });

  it("refuses weights for another number of classes", () => {
    assert.throws(() => weights([0], [1, 2, 3]), {
      name: "ParameterError",
      message: "Expected 2 numbers for classWeights but received 1,2,3 of type object",
    });
  });
});

describe("checkClassWeights", () => {
  it("returns known words and lists", () => {
    for (const known of ["none", "balanced", [0.5, 2]] as const)
      assert.equal(checkClassWeights(known as ClassWeights), known);
  });

  const cases: [unknown, string][] = [
    ["even", "Expected one of none, balanced for classWeights but received even of type string"],
    [2, "Expected one of none, balanced for classWeights but received 2 of type number"],
    [[1, 0], "Expected a number > 0 for classWeights[1] but received 0 of type number"],
    [[1, Number.NaN], "Expected a finite number for classWeights[1] but received NaN of type number"],
  ];
  for (const [value, message] of cases)
    it(`refuses ${value}`, () => {
      assert.throws(() => checkClassWeights(value as ClassWeights), { name: "ParameterError", message });
    });
});
