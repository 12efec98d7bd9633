import assert from "node:assert/strict";
import { renderSvg } from "../../src/charts/render.js";
import { accuracyPoints, differencesTable, meansTable, runsChart, runsTable } from "../../src/charts/runs.js";
import { textTable } from "../../src/charts/tables.js";
import { SERIES_COLORS } from "../../src/charts/theme.js";
import type { RunSummary } from "../../src/training/runs.js";
import { runConfig } from "../training/recorded-runs.js";
import { dataMarks, drawnMarks, svgTexts, textsOf } from "./drawn.js";
import { epochEvent, ODD_NAMES } from "./fixtures.js";

/** Epochs of a minute each. */
const curve = (name: string, ...accuracies: number[]) => ({
  name,
  points: accuracies.map((accuracy, i) => ({ epoch: i + 1, minutes: i + 1, accuracy })),
});

describe("accuracyPoints", () => {
  it("sums up what the epochs took", () => {
    const epochs = [1, 2].map((epoch) => epochEvent(epoch, 0.5, epoch / 4, { durationMs: 90_000 }));
    assert.deepEqual(accuracyPoints(epochs), [
      { epoch: 1, minutes: 1.5, accuracy: 0.25 },
      { epoch: 2, minutes: 3, accuracy: 0.5 },
    ]);
  });
});

describe("runsChart", () => {
  it("draws a line for each run over minutes and over epochs, on the same height", async () => {
    const marks = await drawnMarks(runsChart([curve("a", 0.5, 0.6), curve("b", 0.55, 0.7, 0.65)]));
    const lines = dataMarks(marks, "line");
    const heights = lines.map(({ y }) => Math.round(y - Math.min(...lines.map((point) => point.y))));
    // 50–70% on 300 px; the better run comes first
    assert.deepEqual(heights, [225, 0, 75, 300, 150, 225, 0, 75, 300, 150]);
    const [left] = lines.map(({ x }) => x).slice(5);
    // 360 px: minutes from 0 to 3, epochs from 1 to 3
    assert.deepEqual(
      lines.map(({ x }, i) => Math.round(i < 5 ? x : x - left)),
      [120, 240, 360, 120, 240, 0, 180, 360, 0, 180],
    );
    assert.deepEqual(
      lines.slice(0, 5).map(({ stroke }) => SERIES_COLORS.indexOf(stroke as (typeof SERIES_COLORS)[number])),
      [0, 0, 0, 1, 1],
    );
  });

  it("lists the runs by their best accuracy, once", async () => {
    const marks = await drawnMarks(runsChart([curve("a", 0.5), curve("b", 0.7, 0.2), curve("none")]));
    assert.deepEqual(textsOf(marks, "legend-label"), ["70.0% b", "50.0% a"]);
  });

  it("tells any number of runs apart, whatever they are called", async () => {
    const names = [...ODD_NAMES, ...Array.from({ length: 8 }, (_, i) => `run ${i}`)];
    const chart = runsChart(names.map((name, i) => curve(name, 0.9 - i / 100)));
    const marks = await drawnMarks(chart);
    assert.deepEqual(
      textsOf(marks, "legend-label"),
      names.map((name, i) => `${(90 - i).toFixed(1)}% ${name}`),
    );
    assert.ok((await svgTexts(chart)).includes(`90.0% ${names[0]}`));
    // 14 runs and 10 colours: the last four have the first four, dashed
    const colors = dataMarks(marks, "symbol").map(({ fill }) => fill);
    assert.deepEqual(colors.slice(10, 14), SERIES_COLORS.slice(0, 4));
    assert.equal((await renderSvg(chart)).match(/stroke-dasharray="5,3"/g)?.length, 20); // lines and points of two panels, and legend
  });

  it("cuts long names in their middle, and leaves no run out of the legend", async () => {
    const long = (i: number) => `runs/${"a-very-long-name-".repeat(5)}${i}`;
    const chart = runsChart(Array.from({ length: 41 }, (_, i) => curve(long(i), 0.9 - i / 100)));
    const labels = (await svgTexts(chart)).filter(
      (text) => text.includes("%  runs") || text.includes("% runs"),
    );
    assert.equal(labels.length, 41);
    assert.equal(labels[40], "50.0% runs/a-very-long…e-a-very-long-name-40");
    const dashes = [...(await renderSvg(chart)).matchAll(/stroke-dasharray="([^"]+)"/g)].map(
      ([, dash]) => dash,
    );
    assert.deepEqual([...new Set(dashes)].sort(), ["1,0", "2,2", "5,3", "9,3"]);
  });

  it("says so when no epoch has ended", async () => {
    assert.ok((await svgTexts(runsChart([curve("new")]))).includes("no data: no epoch has ended yet"));
  });
});

const SUMMARY: RunSummary = {
  ...{ data: "faces", variant: "lite0", imageSize: 96, seed: 0, fold: null, numEpochs: 12, epochs: 12 },
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
      textTable(runsTable(rows)),
      [
        "run  data   network  pixels  seed  epochs  state        accuracy  at epoch  macro-F1       time  started",
        "big  faces  lite0        96     0   12/12  completed       70.1%        11     0.677  2 min 5 s  2026-01-02",
        "new  faces  lite0        96     0    0/12  interrupted         –         –         –          –  –",
      ].join("\n"),
    );
  });
});

describe("meansTable", () => {
  const one = {
    names: ["a"],
    data: "faces",
    variant: "lite0" as const,
    imageSize: 48,
    seeds: [0],
    macroF1: null,
  };
  const accuracy = { mean: 0.5, deviation: null };

  it("has a column of folds if there are some", () => {
    const [plain, withFolds] = [[null], [null, "1/5"]].map((folds) =>
      textTable(meansTable(folds.map((fold) => ({ ...one, fold, accuracy })))),
    );
    assert.equal(
      plain,
      [
        "runs  data   network  pixels  seeds  accuracy  macro-F1",
        "a     faces  lite0        48  0         50.0%         –",
      ].join("\n"),
    );
    assert.equal(
      withFolds,
      [
        "runs  data   network  pixels  fold  seeds  accuracy  macro-F1",
        "a     faces  lite0        48        0         50.0%         –",
        "a     faces  lite0        48   1/5  0         50.0%         –",
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
      { name: "three", config: { ...runConfig(), data: "elsewhere/faces", asideDigest: "f9c4" } },
    ];
    const { heading, rows } = differencesTable(runs);
    assert.deepEqual(heading, ["differs", "one", "two", "three"]);
    assert.deepEqual(rows, [
      ["epochs", "3", "5", "3"],
      ["augment.zoom", "1, 1", "0.9, 1.1", "1, 1"],
    ]);
  });

  it("names a setting once that the loader has, too", () => {
    const config = (fit: "crop" | "pad") => ({
      ...runConfig({ fit }),
      dataOptions: { fit, grey: "auto", dropLeaked: fit === "pad" },
    });
    const runs = [
      { name: "one", config: config("crop") },
      { name: "two", config: config("pad") },
    ];
    assert.deepEqual(differencesTable(runs).rows, [
      ["dataOptions.dropLeaked", "false", "true"],
      ["fit", "crop", "pad"],
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
