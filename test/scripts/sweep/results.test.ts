import assert from "node:assert/strict";
import type { Outcome } from "../../../scripts/sweep/record.js";
import { loadTrialRuns, lowerIsBetter, ranked } from "../../../scripts/sweep/record.js";
import { notesOn, unknownMetric } from "../../../scripts/sweep/results.js";
import { runConfig, runEvents, writeRun } from "../../training/recorded-runs.js";
import { workspace } from "../../workspace.js";

describe("notes on the runs of a sweep", () => {
  const folder = workspace();
  /** Writes a run that has completed, and returns what became of it. */
  const trained = (name: string, fold: string | null, seed: number, more: object): Outcome => {
    const config = { ...runConfig({ seed }), ...more };
    writeRun(folder.file(name), { config, events: runEvents([0.5], "completed") });
    const score = { metric: "accuracy", score: 0.5, bestEpoch: 1, numEpochs: 1, durationMs: 60_000 };
    const end = { state: "completed", attempts: 1, metrics: null, reason: null };
    return { name, settings: { seed }, fold, folder: folder.file(name), ...score, ...end };
  };

  it("say that the data set has changed between runs of one seed and fold", async () => {
    const first = trained("first", "1/2", 0, { dataDigest: "a" });
    const same = trained("same", "1/2", 0, { dataDigest: "a" });
    const otherFold = trained("fold", "2/2", 0, { dataDigest: "b" });
    const otherSeed = trained("seed", "1/2", 1, { dataDigest: "c" });
    const old = trained("old", "1/2", 0, {});
    assert.deepEqual(notesOn(await loadTrialRuns(folder.path), [old, first, same, otherFold, otherSeed]), []);
    const changed = trained("changed", "1/2", 0, { dataDigest: "d" });
    assert.deepEqual(notesOn(await loadTrialRuns(folder.path), [first, same, otherFold, changed]), [
      "note: the data set has changed: first and changed had different images, so their scores do not compare; another --run trains all on the same ones",
    ]);
  });

  it("say so also between seeds and folds, if the runs recorded what their images are whatever the split", async () => {
    const first = trained("s0", "1/2", 0, { dataDigest: "a", imagesDigest: "x" });
    const second = trained("s1", "2/2", 1, { dataDigest: "b", imagesDigest: "x" });
    assert.deepEqual(notesOn(await loadTrialRuns(folder.path), [first, second]), []);
    const other = trained("s2", "1/2", 2, { dataDigest: "c", imagesDigest: "y" });
    assert.match(
      notesOn(await loadTrialRuns(folder.path), [first, second, other])[0],
      / s0 and s2 had different images/,
    );
    const dropped = { dataOptions: { dropLeaked: true }, dataDigest: "e", imagesDigest: "z" };
    assert.deepEqual(
      notesOn(await loadTrialRuns(folder.path), [first, trained("s3", "1/2", 3, dropped)]),
      [],
    );
  });

  it("say that a run lacks a class that others have", async () => {
    const all = trained("all", "1/2", 0, { classNames: ["a", "b", "c"] });
    const other = trained("other", "2/2", 0, { classNames: ["c", "b", "a"] });
    assert.deepEqual(notesOn(await loadTrialRuns(folder.path), [all, other]), []);
    const lacking = trained("lacking", "2/2", 0, { classNames: ["a", "b"] });
    assert.deepEqual(notesOn(await loadTrialRuns(folder.path), [all, lacking]), [
      "note: the runs differ in their classes (lacking lacks c), so scores and means are of different tasks",
    ]);
  });
});

describe("results of notebooks", () => {
  const metrics = (own: Record<string, number> | null, score: number | null = null) =>
    ({ metrics: own, score }) as Outcome;

  it("guess by the name of a metric whether its lowest value is best", () => {
    for (const name of [
      "loss",
      "valLoss",
      "test_error",
      "crossEntropy",
      "ece",
      "valEce",
      "rmse",
      "durationMs",
      "seconds",
    ])
      assert.ok(lowerIsBetter(name), name);
    for (const name of ["accuracy", "macroF1", "auc", "items", "piece", "eceUncalibrated", null])
      assert.ok(!lowerIsBetter(name), String(name));
  });

  it("are in the order of the mode, those without a score last", () => {
    const outcomes = [null, 2, 1, 3].map((score) => metrics({}, score));
    const scores = (mode: "max" | "min") => ranked(outcomes, mode).map(({ score }) => score);
    assert.deepEqual(
      [scores("max"), scores("min")],
      [
        [3, 2, 1, null],
        [1, 2, 3, null],
      ],
    );
  });

  it("name what notebooks show if none shows the metric", () => {
    const shown = [metrics({ loss: 1 }), metrics({ f1: 1 }), metrics(null)];
    assert.equal(unknownMetric("f1", shown), null);
    assert.equal(unknownMetric(null, shown), null);
    assert.equal(unknownMetric("accuracy", [metrics(null)]), null);
    assert.equal(
      unknownMetric("accuracy", shown),
      "note: no notebook shows the metric accuracy, so the trials are in no order: they show loss, f1",
    );
    assert.match(
      unknownMetric("accuracy", [metrics({})]) as string,
      /: they show none in cells tagged metrics$/,
    );
  });
});
