import assert from "node:assert/strict";
import { type EvaluatedModel, evaluationChart } from "../../src/charts/evaluation.js";
import { chartText } from "../../src/charts/render.js";
import { COLORS } from "../../src/charts/theme.js";
import { dataMarks, drawnMarks, svgTexts, textsOf } from "./drawn.js";
import { ODD_NAMES } from "./fixtures.js";

/** Builds bins of equal width with the given numbers of images. */
const bins = (...counts: number[]) =>
  counts.map((numImages, i) => ({
    from: i / counts.length,
    to: (i + 1) / counts.length,
    numImages,
    accuracy: numImages ? 0.5 : null,
    confidence: numImages ? (i + 0.5) / counts.length : null,
  }));

const model = (given: Partial<EvaluatedModel> = {}): EvaluatedModel => ({
  confusion: {
    classNames: ["a", "b"],
    matrix: [
      [800, 200],
      [0, 1000],
    ],
  },
  classScores: [
    { precision: 1, recall: 0.8, f1: 0.8889, count: 1000 },
    { precision: null, recall: 1, f1: null, count: 1000 },
  ],
  shown: { bins: bins(0, 9, 991, 1000), ece: 0.021 },
  riskCoverage: {
    aurc: 0.05,
    points: [
      { answered: 0.5, risk: 0, minProb: 0.9 },
      { answered: 1, risk: 0.1, minProb: 0.5 },
    ],
  },
  ...given,
});

describe("evaluationChart", () => {
  it("draws a point for each bin with enough images, and a bar for each bin", async () => {
    const marks = await drawnMarks(evaluationChart(model()));
    const points = dataMarks(marks, "symbol");
    assert.equal(points.length, 2); // of 2,000 images, 9 are too few
    assert.ok(points[0].x < points[1].x && points[0].y === points[1].y);
    assert.equal(dataMarks(marks, "rect").length, 4 + 4); // bars, cells of the matrix
  });

  it("draws reliability before calibration in another colour", async () => {
    const uncalibrated = { bins: bins(0, 0, 500, 1500), ece: 0.084 };
    const marks = await drawnMarks(evaluationChart(model({ uncalibrated })));
    const colours = dataMarks(marks, "line").map(({ stroke }) => stroke);
    assert.deepEqual([...new Set(colours)], [COLORS.blue, COLORS.orange]);
    assert.deepEqual(textsOf(marks, "legend-label"), [
      "after calibration, error 2.1%",
      "before calibration, error 8.4%",
    ]);
  });

  it("says so if the model was not calibrated", async () => {
    const marks = await drawnMarks(evaluationChart(model({ uncalibrated: undefined })));
    assert.deepEqual(textsOf(marks, "legend-label"), ["without calibration, error 2.1%"]);
  });

  it("has an axis up to 100% for the errors of a model that makes none", async () => {
    const points = [0.5, 1].map((answered) => ({ answered, risk: 0, minProb: 0.9 }));
    const chart = evaluationChart(model({ riskCoverage: { aurc: 0, points } }));
    const labels = textsOf(await drawnMarks(chart), "axis-label");
    assert.equal(labels.filter((label) => label === "100%").length, 4); // at the end of both axes of both diagrams
  });

  it("draws the error over the share of images that get an answer", async () => {
    const lines = dataMarks(await drawnMarks(evaluationChart(model())), "line");
    assert.equal(lines.length, 2 + 2); // points of the reliability, of the risk
    assert.match(chartText(evaluationChart(model())), /^area under the risk–coverage curve 0\.050$/m);
  });

  it("writes the scores of each class beside its row, and a dash for a missing one", async () => {
    const marks = await drawnMarks(evaluationChart(model()));
    const texts = dataMarks(marks, "text").map(({ text }) => text);
    assert.deepEqual(texts.slice(-8), ["100.0%", "80.0%", "0.889", "1,000", "–", "100.0%", "–", "1,000"]);
  });

  it("writes the main numbers in words, and odd names literally", async () => {
    const numClasses = ODD_NAMES.length;
    const matrix = ODD_NAMES.map((_, a) => ODD_NAMES.map((_, p) => (a === p ? 9 : 1)));
    const classScores = ODD_NAMES.map(() => ({ precision: 0.5, recall: 0.5, f1: 0.5, count: 14 }));
    const chart = evaluationChart(model({ confusion: { matrix, classNames: ODD_NAMES }, classScores }));
    const texts = await svgTexts(chart);
    for (const name of ODD_NAMES) assert.ok(texts.includes(name), name);
    const words = chartText(chart);
    assert.match(words, /^Evaluation\nexpected calibration error 2.1%\n/);
    assert.equal(words.match(/precision 50.0%, recall 50.0%, F1 0.500, images 14/g)?.length, numClasses);
  });
});
