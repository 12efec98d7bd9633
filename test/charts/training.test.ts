import assert from "node:assert/strict";
import { COLORS } from "../../src/charts/theme.js";
import { batchMetricsChart, epochMetricsChart, smooth, thin } from "../../src/charts/training.js";
import { dataMarks, drawnMarks, svgTexts, textsOf } from "./drawn.js";
import { batchEvent, epochEvent } from "./fixtures.js";

describe("batchMetricsChart", () => {
  it("draws each batch faint and the mean of its neighbours strong", async () => {
    // accuracy 0 and 1 in turn: the mean of 3 batches is 1/3 or 2/3, of 2 at the ends 1/2
    const events = Array.from({ length: 40 }, (_, i) => batchEvent(i + 1, { loss: 2, accuracy: i % 2 }));
    const lines = dataMarks(await drawnMarks(batchMetricsChart(events)), "line");
    assert.equal(lines.length, 4 * 40); // two of loss, two of accuracy
    const panelTop = Math.min(...lines.slice(80).map(({ y }) => y));
    const heights = (from: number) =>
      lines.slice(from, from + 4).map(({ y }) => Math.round(100 * (1 - (y - panelTop) / 250)));
    assert.deepEqual(heights(80), [0, 100, 0, 100]);
    assert.deepEqual(heights(120), [50, 33, 67, 33]);
    assert.ok(lines[80].opacity < 0.5 && lines[120].opacity === 1);
  });

  it("shows a single batch as a point", async () => {
    const marks = await drawnMarks(batchMetricsChart([batchEvent(1)]));
    assert.equal(dataMarks(marks, "symbol").length, 2);
    assert.deepEqual(textsOf(marks, "axis-title").sort(), [
      "Accuracy",
      "Loss (nats)",
      "step (batches)",
      "step (batches)",
    ]);
  });

  it("says so when no batch has been trained", async () => {
    assert.ok((await svgTexts(batchMetricsChart([]))).includes("no data: no batch has been trained yet"));
  });
});

describe("epochMetricsChart", () => {
  const events = [
    epochEvent(1, 0.4, 0.3, { isBest: true }),
    epochEvent(2, 0.6, 0.6, { isBest: true }),
    epochEvent(3, 0.8, 0.5),
  ];

  it("draws train and validation in two panels", async () => {
    const lines = dataMarks(await drawnMarks(epochMetricsChart(events)), "line");
    assert.deepEqual(
      lines.map(({ stroke }) => stroke),
      [...Array(2)].flatMap(() => [
        ...Array<string>(3).fill(COLORS.blue),
        ...Array<string>(3).fill(COLORS.orange),
      ]),
    );
    // accuracy panel: from 30% at the bottom to 80% at the top, 250 px
    const [top] = [lines[8].y];
    assert.deepEqual(
      lines.slice(6).map(({ y }) => Math.round(y - top)),
      [200, 100, 0, 250, 100, 150],
    );
  });

  it("names what the train loss is against, if not the labels", () => {
    const taught = events.map((event) => ({ ...event, trainTargets: "smoothed labels" }));
    const subtitle = (some: typeof taught | typeof events) =>
      JSON.stringify((epochMetricsChart(some) as { title?: object }).title);
    assert.match(
      subtitle(taught),
      /best: epoch 2, validation accuracy 60.0%; train loss against smoothed labels/,
    );
    assert.doesNotMatch(subtitle(events), /against/);
  });

  it("marks the last best epoch", async () => {
    const marks = await drawnMarks(epochMetricsChart(events));
    const points = dataMarks(marks, "symbol");
    assert.deepEqual(
      dataMarks(marks, "rule").map(({ x }) => x),
      [points[2].x, points[8].x],
    );
    assert.deepEqual(textsOf(marks, "title-subtitle"), ["best: epoch 2, validation accuracy 60.0%"]);
  });

  it("ticks round epochs, few enough to read", async () => {
    const ticks = async (numEpochs: number) => {
      const run = Array.from({ length: numEpochs }, (_, i) => epochEvent(i + 1, 0.5, 0.5, { isBest: true }));
      const labels = (await drawnMarks(epochMetricsChart(run))).filter(({ role }) => role === "axis-label");
      return [...new Set(labels.map(({ text }) => text))].filter((text) => /^\d+$/.test(text));
    };
    assert.deepEqual(await ticks(1), ["1"]);
    assert.deepEqual(await ticks(3), ["1", "2", "3"]);
    assert.deepEqual(await ticks(12), ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"]);
    assert.deepEqual(await ticks(25), ["5", "10", "15", "20", "25"]);
    assert.deepEqual(await ticks(50), ["5", "10", "15", "20", "25", "30", "35", "40", "45", "50"]);
    assert.deepEqual(await ticks(200), ["20", "40", "60", "80", "100", "120", "140", "160", "180", "200"]);
  });

  it("says so when no epoch has ended", async () => {
    assert.ok((await svgTexts(epochMetricsChart([]))).includes("no data: no epoch has ended yet"));
  });
});

describe("smooth", () => {
  it("takes the mean of each value and its neighbours", () => {
    // (0+3)/2, (0+3+6)/3, (3+6+0)/3, (6+0)/2
    assert.deepEqual(smooth([0, 3, 6, 0], 1), [1.5, 3, 3, 3]);
  });

  it("changes nothing at reach 0", () => {
    assert.deepEqual(smooth([1, 5, 2], 0), [1, 5, 2]);
  });
});

describe("thin", () => {
  it("keeps the first and the last of evenly spaced items", () => {
    assert.deepEqual(thin([0, 1, 2, 3, 4, 5, 6, 7, 8], 3), [0, 4, 8]);
  });

  it("keeps all where they are few", () => {
    assert.deepEqual(thin([1, 2, 3], 3), [1, 2, 3]);
  });
});
