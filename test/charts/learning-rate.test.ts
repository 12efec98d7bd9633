import assert from "node:assert/strict";
import { learningRateChart, learningRateSearchChart } from "../../src/charts/learning-rate.js";
import { COLORS } from "../../src/charts/theme.js";
import type { LearningRateSearch } from "../../src/training/find-learning-rate.js";
import { dataMarks, drawnMarks, svgTexts, textsOf } from "./drawn.js";

describe("learningRateChart", () => {
  it("draws a curve from the first step to the last, its height the rate", async () => {
    const marks = await drawnMarks(
      learningRateChart([
        { step: 1, learningRate: 0 },
        { step: 5, learningRate: 0.002 },
        { step: 9, learningRate: 0.001 },
      ]),
    );
    // 640 × 240 px: the highest rate at the top, half of it at half the height
    assert.deepEqual(
      dataMarks(marks, "line").map(({ x, y }) => [x, y]),
      [
        [0, 240],
        [320, 0],
        [640, 120],
      ],
    );
    assert.deepEqual(textsOf(marks, "title-subtitle"), ["highest: 0.002 at step 5"]);
    assert.deepEqual(textsOf(marks, "axis-title").sort(), ["learning rate", "step (batches)"]);
  });

  it("says that a rate is constant", () => {
    const chart = learningRateChart([1, 2, 3].map((step) => ({ step, learningRate: 0.001 })));
    assert.deepEqual(chart.title, { text: "Learning rate", subtitle: "constant: 0.001" });
  });

  it("draws no more points of a long run than the chart has room for", async () => {
    const points = Array.from({ length: 20_000 }, (_, i) => ({ step: i + 1, learningRate: 1 }));
    const line = dataMarks(await drawnMarks(learningRateChart(points)), "line");
    assert.equal(line.length, 500);
    assert.deepEqual([line[0].x, line[499].x], [0, 640]);
  });

  it("says so when there is no step", async () => {
    assert.ok((await svgTexts(learningRateChart([]))).includes("no data: there is no step"));
  });
});

describe("learningRateSearchChart", () => {
  const search: LearningRateSearch = {
    points: [1e-4, 1e-3, 1e-2, 1e-1].map((learningRate, i) => ({
      batch: i + 1,
      learningRate,
      loss: [2, 1.5, 1, 3][i],
    })),
    diverged: true,
    phase: "full",
    suggestion: 1e-3,
    configured: 1e-2,
    notes: [],
  };

  it("draws the loss over the logarithm of the rate, and marks the suggested and the configured rate", async () => {
    const marks = await drawnMarks(learningRateSearchChart(search));
    const lines = dataMarks(marks, "line");
    // 640 px for three decades; each batch, then the means, which are the same for so few
    const [first, second, third, last] = [0, 640 / 3, 1280 / 3, 640].map(Math.round);
    const all = [first, second, third, last];
    assert.deepEqual(
      lines.map(({ x }) => Math.round(x)),
      [...all, ...all],
    );
    const heights = lines.slice(0, 4).map(({ y }) => y);
    assert.ok(heights[0] < heights[1] && heights[1] < heights[2] && heights[3] < heights[0]);
    const rules = dataMarks(marks, "rule");
    assert.deepEqual(
      rules.map(({ x, stroke }) => [Math.round(x), stroke]),
      [
        [third, COLORS.axis],
        [second, COLORS.green],
      ],
    );
    assert.deepEqual(textsOf(marks, "mark"), ["suggested: 0.001"]);
    assert.deepEqual(textsOf(marks, "title-subtitle"), [
      "suggested: 0.001, where the loss falls fastest; diverged above 0.1,grey: the configured rate, 0.01",
    ]);
  });

  it("says so when there is no suggestion, or no batch", async () => {
    const none = { ...search, suggestion: null, diverged: false };
    const marks = await drawnMarks(learningRateSearchChart(none));
    assert.equal(dataMarks(marks, "rule").length, 1);
    assert.match(textsOf(marks, "title-subtitle")[0], /^no suggestion: the loss falls at no rate/);
    const empty = learningRateSearchChart({ ...none, points: [], diverged: true });
    assert.ok((await svgTexts(empty)).includes("no data: the loss was not finite in the first batch"));
  });
});
