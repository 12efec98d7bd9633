import assert from "node:assert/strict";
import {
  latestAccuracyRecord,
  secondsToTarget,
  targetAccuracy,
  upgradeRecord,
} from "../../bench/accuracy-record.js";
import { accuracyRecord, accuracyRun } from "./fixtures.js";

describe("targetAccuracy", () => {
  it("is the best accuracy of the baseline, at any epoch", () => {
    assert.equal(targetAccuracy(accuracyRecord), 0.6);
  });

  it("is undefined until the baseline is complete", () => {
    const pytorchBaseline = { ...accuracyRun(0.4), isComplete: false };
    assert.equal(targetAccuracy({ ...accuracyRecord, runs: { pytorchBaseline } }), undefined);
  });
});

describe("secondsToTarget", () => {
  it("is the end of the first epoch that reaches the target", () => {
    assert.equal(secondsToTarget(accuracyRecord, "pytorchBaseline"), 30);
    assert.equal(secondsToTarget(accuracyRecord, "ferkit"), 10);
  });

  it("is undefined for a run that misses the target or was not done", () => {
    const runs = { pytorchBaseline: accuracyRun(0.6), ferkit: accuracyRun(0.5) };
    assert.equal(secondsToTarget({ ...accuracyRecord, runs }, "ferkit"), undefined);
    assert.equal(secondsToTarget({ ...accuracyRecord, runs }, "pytorchRecipe"), undefined);
  });
});

describe("upgradeRecord", () => {
  it("reads records that call the baseline seed", () => {
    const { pytorchBaseline, ...others } = accuracyRecord.runs;
    const pytorchSeed = { ...accuracyRun(0.4, 0.5, 0.6, 0.55), preset: "seed" };
    assert.deepEqual(upgradeRecord({ ...accuracyRecord, runs: { pytorchSeed, ...others } }), accuracyRecord);
    assert.ok(pytorchBaseline);
  });

  it("keeps newer records, and the lack of one", () => {
    assert.equal(upgradeRecord(accuracyRecord), accuracyRecord);
    assert.equal(upgradeRecord(undefined), undefined);
  });

  it("finds the target of the record in bench/results", () => {
    const record = latestAccuracyRecord();
    assert.ok(record && targetAccuracy(record));
  });
});
