import assert from "node:assert/strict";
import { secondsToTarget, targetAccuracy } from "../../bench/accuracy-record.js";
import { accuracyRecord, accuracyRun } from "./fixtures.js";

describe("targetAccuracy", () => {
  it("is the seed recipe's best, whichever its epoch", () => {
    assert.equal(targetAccuracy(accuracyRecord), 0.6);
  });

  it("is not known while that recipe is trained", () => {
    const pytorchSeed = { ...accuracyRun(0.4), isComplete: false };
    assert.equal(targetAccuracy({ ...accuracyRecord, runs: { pytorchSeed } }), undefined);
  });
});

describe("secondsToTarget", () => {
  it("is the end of the first epoch that reaches the target", () => {
    assert.equal(secondsToTarget(accuracyRecord, "pytorchSeed"), 30);
    assert.equal(secondsToTarget(accuracyRecord, "ferkit"), 10);
  });

  it("is undefined for a run that does not, or was not done", () => {
    const runs = { pytorchSeed: accuracyRun(0.6), ferkit: accuracyRun(0.5) };
    assert.equal(secondsToTarget({ ...accuracyRecord, runs }, "ferkit"), undefined);
    assert.equal(secondsToTarget({ ...accuracyRecord, runs }, "pytorchRecipe"), undefined);
  });
});
