import assert from "node:assert/strict";
import {
  confusionMatrixChart,
  type EvaluatedModel,
  evaluationChart,
  perClassRecallChart,
} from "../../src/charts/evaluation.js";
import { chartText } from "../../src/charts/render.js";
import { COLORS } from "../../src/charts/theme.js";
import { dataMarks, drawnMarks, svgTexts, textsOf } from "./drawn.js";
import { ODD_NAMES } from "./fixtures.js";

const square = (numClasses: number) =>
  Array.from({ length: numClasses }, (_, a) =>
    Array.from({ length: numClasses }, (_, p) => (a === p ? 9 : 1)),
  );
const names = (numClasses: number) => Array.from({ length: numClasses }, (_, i) => `class ${i}`);

describe("confusionMatrixChart", () => {
  const matrix = [
    [3, 1, 0],
    [300, 1, 0],
    [0, 0, 0],
  ];

  it("draws a cell for each pair, rows actual, darker with the share of the row", async () => {
    const marks = await drawnMarks(confusionMatrixChart({ matrix, classNames: ["a", "b", "c"] }));
    const cells = dataMarks(marks, "rect");
    assert.equal(cells.length, 9);
    assert.ok(cells[1].x > cells[0].x && cells[1].y === cells[0].y);
    const lightness = cells.map(({ fill }) => Number(/\d+/.exec(fill)?.[0]));
    assert.ok(lightness[3] < lightness[0] && lightness[0] < lightness[1] && lightness[1] < lightness[2]);
    assert.deepEqual(textsOf(marks, "axis-title"), ["predicted class", "actual class"]);
  });

  it("writes share and count in the cells, and nothing in empty ones", async () => {
    const marks = await drawnMarks(confusionMatrixChart({ matrix, classNames: ["a", "b", "c"] }));
    // 3 of 4, 1 of 4; 300 of 301, 1 of 301
    assert.deepEqual(
      dataMarks(marks, "text").map(({ text }) => text),
      ["75%", "25%", "", "100%", "<1%", "", "", "", "", "3", "1", "", "300", "1", "", "", "", ""],
    );
    assert.deepEqual(textsOf(marks, "title-subtitle"), [
      "305 images, 1.3% on the diagonal; colour: share of the actual class",
    ]);
  });

  it("writes light text on dark cells and dark text on light ones", async () => {
    const marks = await drawnMarks(confusionMatrixChart({ matrix, classNames: ["a", "b", "c"] }));
    const [dark, light] = dataMarks(marks, "text");
    assert.deepEqual([dark.fill, light.fill], ["#ffffff", "#10161c"]);
  });

  it("writes less with more classes, and names all of them", async () => {
    for (const [numClasses, numTexts] of [
      [2, 2 * 4],
      [12, 2 * 144],
      [16, 256],
      [40, 0],
    ]) {
      const chart = confusionMatrixChart({ matrix: square(numClasses), classNames: names(numClasses) });
      const marks = await drawnMarks(chart);
      assert.equal(dataMarks(marks, "rect").length, numClasses ** 2);
      assert.equal(dataMarks(marks, "text").length, numTexts);
      assert.equal(textsOf(marks, "axis-label").length, 2 * numClasses);
    }
  });

  it("draws odd class names literally", async () => {
    const texts = await svgTexts(confusionMatrixChart({ matrix: square(6), classNames: ODD_NAMES }));
    for (const name of ODD_NAMES) assert.equal(texts.filter((text) => text === name).length, 2, name);
  });

  it("says that nothing has been classified", async () => {
    const chart = confusionMatrixChart({ matrix: [[0]], classNames: ["a"] });
    assert.ok((await svgTexts(chart)).includes("no data: no image has been classified"));
  });

  it("refuses a matrix that does not fit its names", () => {
    assert.throws(() => confusionMatrixChart({ matrix: [[1, 2]], classNames: ["a", "b"] }), {
      message: "Expected a confusion matrix of 2 × 2, one row and column a class name but found 1 rows of 2.",
    });
  });
});

describe("perClassRecallChart", () => {
  const recall = { sad: 0.25, happy: 0.75, "no.one": null };

  it("draws bars as long as the recall, highest first, and the mean", async () => {
    const marks = await drawnMarks(perClassRecallChart(recall));
    // 480 px for 100 %
    assert.deepEqual(
      dataMarks(marks, "rect").map(({ width, fill }) => [width, fill]),
      [
        [360, COLORS.blue],
        [120, COLORS.blue],
        [0, COLORS.blue],
      ],
    );
    assert.deepEqual(
      dataMarks(marks, "rule").map(({ x }) => x),
      [240],
    );
    assert.deepEqual(
      dataMarks(marks, "text").map(({ text }) => text),
      ["75.0%", "25.0%", "no images"],
    );
  });

  it("draws odd class names literally", async () => {
    const texts = await svgTexts(
      perClassRecallChart(Object.fromEntries(ODD_NAMES.map((name) => [name, 0.5]))),
    );
    for (const name of ODD_NAMES) assert.ok(texts.includes(name), name);
  });

  it("says that no class has images", async () => {
    assert.ok((await svgTexts(perClassRecallChart({ sad: null }))).includes("no data: no class has images"));
  });
});

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
      "as given, error 2.1%",
      "before calibration, error 8.4%",
    ]);
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
