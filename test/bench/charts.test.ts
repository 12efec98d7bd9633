import assert from "node:assert/strict";
import { accuracyChart, speedChart } from "../../bench/charts.js";
import { dataMarks, drawnMarks, textsOf } from "../charts/drawn.js";
import { accuracyRecord, accuracyRun, results } from "./fixtures.js";

describe("speedChart", () => {
  it("draws a bar for each contender in a panel for each network and batch size", async () => {
    const marks = await drawnMarks(speedChart(results));
    const bars = dataMarks(marks, "rect");
    // of 300, 150, 200 at batch 32 and 400, 160, 500 at batch 128, on one scale
    assert.deepEqual(
      bars.map(({ width }) => Math.round((500 * width) / Math.max(...bars.map((bar) => bar.width)))),
      [300, 150, 200, 400, 160, 500],
    );
    assert.deepEqual(
      dataMarks(marks, "text").map(({ text }) => text),
      ["300", "150", "200", "400", "160", "500"],
    );
    assert.deepEqual(textsOf(marks, "title-subtitle"), [
      "EfficientNet at 48 pixels on 2 cores of an AMD EPYC, 2026-01-02",
    ]);
  });
});

describe("accuracyChart", () => {
  it("draws a line for each run, a point for each epoch, and the target", async () => {
    const marks = await drawnMarks(accuracyChart(accuracyRecord));
    assert.equal(dataMarks(marks, "symbol").length, 4 + 1 + 2);
    assert.equal(dataMarks(marks, "rule").length, 1);
    assert.deepEqual(textsOf(marks, "legend-label"), [
      "PyTorch, baseline preset, default layout",
      "ferkit",
      "PyTorch, ferkit's preset, channels-last",
    ]);
  });

  it("draws no target until it is known", async () => {
    const runs = { pytorchBaseline: { ...accuracyRun(0.4, 0.5), isComplete: false } };
    assert.equal(dataMarks(await drawnMarks(accuracyChart({ ...accuracyRecord, runs })), "rule").length, 0);
  });
});
