import assert from "node:assert/strict";
import { differencesTable, runsTable } from "../../src/charts/runs-table.js";
import { toText } from "../../src/charts/text-table.js";
import type { RunSummary } from "../../src/training/run.js";
import { runConfig } from "../training/recorded-runs.js";

const SUMMARY: RunSummary = {
  ...{ data: "faces", variant: "lite0", imageSize: 96, seed: 0, numEpochs: 12, epochs: 12 },
  ...{ state: "completed", bestEpoch: 11, bestAccuracy: 0.70065, macroF1: 0.6768, durationMs: 125_000 },
  started: "2026-01-02T03:04:05Z",
};

describe("runsTable", () => {
  it("has a row for each run, with a dash for what is not known", () => {
    const unknown = { numEpochs: 0, bestEpoch: null, bestAccuracy: null, macroF1: null, durationMs: 0 };
    const rows = [
      { name: "big", ...SUMMARY },
      { name: "new", ...SUMMARY, ...unknown, state: "interrupted" as const, started: null },
    ];
    assert.equal(
      toText(runsTable(rows)),
      [
        "run  data   network  pixels  seed  epochs  state        accuracy  at epoch  macro-F1       time  started",
        "big  faces  lite0        96     0   12/12  completed       70.1%        11     0.677  2 min 5 s  2026-01-02",
        "new  faces  lite0        96     0    0/12  interrupted         –         –         –          –  –",
      ].join("\n"),
    );
  });
});

describe("differencesTable", () => {
  it("has a row for each value that is not the same in all", () => {
    const augment = { zoom: [0.9, 1.1] as [number, number] };
    const runs = [
      { name: "one", config: runConfig() },
      { name: "two", config: runConfig({ epochs: 5, augment }) },
      { name: "three", config: { ...runConfig(), data: "elsewhere/faces" } },
    ];
    const { heading, rows } = differencesTable(runs);
    assert.deepEqual(heading, ["differs", "one", "two", "three"]);
    assert.deepEqual(rows, [
      ["epochs", "3", "5", "3"],
      ["augment.zoom", "1, 1", "0.9, 1.1", "1, 1"],
    ]);
  });

  it("has a dash for what a configuration lacks, as those of earlier versions do", () => {
    const { patience, ...earlier } = runConfig().train;
    const runs = [
      { name: "new", config: runConfig() },
      { name: "old", config: { ...runConfig(), train: earlier } as ReturnType<typeof runConfig> },
    ];
    assert.deepEqual(differencesTable(runs).rows, [["patience", "0", "–"]]);
  });

  it("is empty for runs of one configuration", () => {
    const run = { name: "one", config: runConfig() };
    assert.deepEqual(differencesTable([run, structuredClone(run)]).rows, []);
  });
});
