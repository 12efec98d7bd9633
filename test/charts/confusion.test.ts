import assert from "node:assert/strict";
import { confusionMatrixChart, perClassRecallChart } from "../../src/charts/confusion.js";
import { renderSvg } from "../../src/charts/render.js";
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
    const opacities = cells.map(({ opacity }) => opacity);
    assert.ok(opacities[3] > opacities[0] && opacities[0] > opacities[1] && opacities[1] > opacities[2]);
    assert.deepEqual(textsOf(marks, "axis-title"), ["predicted class", "actual class"]);
  });

  it("writes share and count in the cells, and nothing in empty ones", async () => {
    const marks = await drawnMarks(confusionMatrixChart({ matrix, classNames: ["a", "b", "c"] }));
    // 3 of 4, 1 of 4; 300 of 301, 1 of 301
    assert.deepEqual(
      dataMarks(marks, "text").map(({ text }) => text),
      ["75%", "25%", "", "100%", "<1%", "", "", "", "", "3", "1", "", "300", "1", "", "", "", ""],
    );
  });

  it("breaks the line under the title where it would be wider than the matrix", () => {
    const subtitleOf = (classNames: string[]) => {
      const counts = classNames.map((_, actual) => classNames.map((_, c) => Number(c === actual)));
      const { title } = confusionMatrixChart({ matrix: counts, classNames });
      return (title as { subtitle: string | string[] }).subtitle;
    };
    assert.deepEqual(subtitleOf(["a", "b"]), [
      "2 images, 100.0% on the diagonal",
      "colour: share of the actual class",
    ]);
    assert.equal(
      subtitleOf(["a", "b", "c", "d", "e"]),
      "5 images, 100.0% on the diagonal; colour: share of the actual class",
    );
  });

  it("writes white on strong cells, and in the colour of the page on faint ones", async () => {
    const marks = await drawnMarks(confusionMatrixChart({ matrix, classNames: ["a", "b", "c"] }));
    const [dark, light] = dataMarks(marks, "text");
    assert.deepEqual([dark.fill, light.fill], ["#ffffff", "currentColor"]);
  });

  it("writes less with more classes, and names all of them", async () => {
    for (const [numClasses, numTexts] of [
      [2, 2 * 4],
      [12, 2 * 144],
      [16, 256],
      [40, 0],
      [200, 0],
    ]) {
      const chart = confusionMatrixChart({ matrix: square(numClasses), classNames: names(numClasses) });
      const marks = await drawnMarks(chart);
      assert.equal(dataMarks(marks, "rect").length, numClasses ** 2);
      assert.equal(dataMarks(marks, "text").length, numTexts);
      assert.equal(textsOf(marks, "axis-label").length, 2 * numClasses);
    }
  });

  it("draws only cells with images in a large matrix", async () => {
    const matrix = names(300).map((_, a) => names(300).map((_, p) => Number(a === p)));
    const marks = await drawnMarks(confusionMatrixChart({ matrix, classNames: names(300) }));
    assert.equal(dataMarks(marks, "rect").length, 300);
    assert.equal(textsOf(marks, "axis-label").length, 0); // 300 names do not fit
  });

  it("draws the cells of the largest shares where there are too many, and says so", () => {
    const matrix = names(300).map((_, a) => names(300).map((__, p) => (a === p ? 300 : 1)));
    const spec = JSON.stringify(confusionMatrixChart({ matrix, classNames: names(300) }));
    assert.equal(spec.match(/"actual":"/g)?.length, 60_000);
    assert.equal(spec.match(/"count":300,/g)?.length, 300);
    assert.ok(spec.includes("predicted class (only the 60,000 cells of the largest shares are drawn)"));
  });

  it("draws odd class names literally", async () => {
    const texts = await svgTexts(confusionMatrixChart({ matrix: square(6), classNames: ODD_NAMES }));
    for (const name of ODD_NAMES) assert.equal(texts.filter((text) => text === name).length, 2, name);
  });

  it("cuts long class names in their middle, and reserves no space for the rest", async () => {
    const classNames = [`${"a".repeat(100)}1`, `${"a".repeat(100)}2`, "constructor"];
    for (const chart of [
      confusionMatrixChart({ matrix, classNames }),
      perClassRecallChart(Object.fromEntries(classNames.map((name, i) => [name, i / 2]))),
    ]) {
      const shown = await svgTexts(chart);
      for (const end of ["1", "2"]) assert.ok(shown.some((text) => new RegExp(`^a+…a+${end}$`).test(text)));
      assert.ok(shown.includes("constructor"));
      const [, width] = /width="(\d+)/.exec(await renderSvg(chart)) ?? [];
      assert.ok(Number(width) < 850, width);
    }
  });

  it("says that nothing has been classified", async () => {
    const chart = confusionMatrixChart({ matrix: [[0]], classNames: ["a"] });
    assert.ok((await svgTexts(chart)).includes("no data: no image has been classified"));
  });

  it("refuses a matrix that does not fit its names", () => {
    assert.throws(() => confusionMatrixChart({ matrix: [[1, 2]], classNames: ["a", "b"] }), {
      message:
        "Expected a confusion matrix of 2 × 2, one row and column a class name but found 1 rows of 2. Choose the classNames that the matrix was made with.",
    });
  });
});

describe("perClassRecallChart", () => {
  const recall = { sad: 0.25, happy: 0.75, "no.one": null };

  it("draws bars as long as the recall, highest first, and the mean", async () => {
    const marks = await drawnMarks(perClassRecallChart(recall));
    // 480 px for 100%
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

  it("draws classes that are named as properties of every object", async () => {
    const marks = await drawnMarks(perClassRecallChart({ constructor: 0.5, toString: 0.25 }));
    assert.deepEqual(
      dataMarks(marks, "rect").map(({ width }) => width),
      [240, 120],
    );
  });

  it("says that no class has images", async () => {
    assert.ok((await svgTexts(perClassRecallChart({ sad: null }))).includes("no data: no class has images"));
  });
});
