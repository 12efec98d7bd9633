import assert from "node:assert/strict";
import { ratiosOf } from "../../bench/ratios.js";
import { accuracyRecord, accuracyRun, results } from "./fixtures.js";

const valuesOf = (...args: Parameters<typeof ratiosOf>) =>
  Object.fromEntries(Object.entries(ratiosOf(...args)).map(([name, { value }]) => [name, value]));

describe("ratiosOf", () => {
  it("divides ferkit's speed by the other's, at the same workload or at the best of each", () => {
    assert.deepEqual(valuesOf(results), {
      trainLite0VsPytorchBaseline: 300 / 150, // default layout
      trainLite0VsPytorchBest: 400 / 500, // both at batch 128
      inferLite0VsPytorch: 2000 / 1600, // the faster layout
      inferLite0VsPytorchDefault: 2000 / 1000,
      peakMemoryVsPytorch: 6e8 / 5e8, // the layout that needs less
    });
  });

  it("adds the ratios of a record of trainings", () => {
    const { timeToAccuracyVsPytorch, timeToAccuracyVsPytorchRecipe } = valuesOf(results, accuracyRecord);
    // 0.6 is reached after 30 s by the baseline, after 10 s by ferkit, after 20 s by its preset in PyTorch.
    assert.deepEqual([timeToAccuracyVsPytorch, timeToAccuracyVsPytorchRecipe], [30 / 10, 20 / 10]);
  });

  it("omits the time to an accuracy that was not reached", () => {
    const runs = { ...accuracyRecord.runs, ferkit: accuracyRun(0.59) };
    assert.equal("timeToAccuracyVsPytorch" in ratiosOf(results, { ...accuracyRecord, runs }), false);
  });
});
