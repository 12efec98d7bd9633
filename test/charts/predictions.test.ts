import assert from "node:assert/strict";
import { type PredictedImage, predictionCharts } from "../../src/charts/predictions.js";
import { COLORS } from "../../src/charts/theme.js";
import type { Prediction } from "../../src/inference/classifier.js";
import { dataMarks, drawnMarks, svgTexts } from "./drawn.js";
import { ODD_NAMES, PIXEL } from "./fixtures.js";

const predictions = [
  { className: "sad", prob: 0.25 },
  { className: "happy", prob: 0.7 },
  { className: "fear", prob: 0.05 },
];

/** Draws one image. */
const chartOf = (
  given: Prediction[],
  { numShown, ...item }: Partial<PredictedImage> & { numShown?: number } = {},
) => predictionCharts([{ image: PIXEL, predictions: given, ...item }], { numShown });

describe("predictionCharts, for one image,", () => {
  it("draws bars as long as the probabilities, ranked", async () => {
    const marks = await drawnMarks(chartOf(predictions));
    // 260 px for 100%
    assert.deepEqual(
      dataMarks(marks, "rect").map(({ width, fill }) => [Math.round(width), fill]),
      [
        [182, COLORS.blue],
        [65, COLORS.quiet],
        [13, COLORS.quiet],
      ],
    );
    assert.deepEqual(
      dataMarks(marks, "text").map(({ text }) => text),
      ["happy", "sad", "fear", "70.0%", "25.0%", "5.0%"],
    );
    assert.deepEqual(
      dataMarks(marks, "image").map(({ url }) => url),
      [PIXEL],
    );
  });

  it("marks the true class, and a first choice that is wrong", async () => {
    const bars = async (trueClassName: string) => {
      const marks = await drawnMarks(chartOf(predictions, { trueClassName }));
      const marked = dataMarks(marks, "text").filter(({ text }) => text.startsWith("✓"));
      return [dataMarks(marks, "rect")[0].fill, ...marked.map(({ text }) => text)];
    };
    assert.deepEqual(await bars("happy"), [COLORS.blue, "✓ happy"]);
    assert.deepEqual(await bars("fear"), [COLORS.orange, "✓ fear"]);
  });

  it("shows the true class even if many are more probable", async () => {
    const many = Array.from({ length: 40 }, (_, i) => ({ className: `class ${i}`, prob: (40 - i) / 820 }));
    const chart = chartOf(many, { trueClassName: "class 39", numShown: 5 });
    const classes = dataMarks(await drawnMarks(chart), "text").slice(0, 6);
    assert.deepEqual(
      classes.map(({ text }) => text),
      ["class 0", "class 1", "class 2", "class 3", "class 4", "✓ class 39"],
    );
  });

  it("draws odd class names literally", async () => {
    const odd = ODD_NAMES.map((className) => ({ className, prob: 1 / 6 }));
    const texts = await svgTexts(chartOf(odd));
    for (const name of ODD_NAMES) assert.ok(texts.includes(name), name);
  });

  it("refuses a value that is no probability", () => {
    assert.throws(() => chartOf([{ className: "sad", prob: Number.NaN }]), {
      message: "Expected a number in [0, 1.0001] for the probability of sad but received NaN of type number",
    });
  });
});

describe("predictionCharts", () => {
  it("draws a picture with bars for each image, in columns", async () => {
    const items = ["a.jpg", "b.jpg", "c.jpg"].map((name) => ({ image: PIXEL, predictions, name }));
    const marks = await drawnMarks(predictionCharts(items, { numColumns: 2 }));
    const pictures = dataMarks(marks, "image");
    assert.equal(pictures.length, 3);
    assert.equal(pictures[0].y, pictures[1].y);
    assert.equal(pictures[0].x, pictures[2].x);
    assert.ok(pictures[1].x > pictures[0].x && pictures[2].y > pictures[0].y);
    assert.equal(dataMarks(marks, "rect").length, 9);
  });

  it("leaves space between the columns", async () => {
    const sure = [
      { className: "sad", prob: 1 },
      { className: "happy", prob: 0 },
    ];
    const items = [1, 2].map(() => ({ image: PIXEL, predictions: sure }));
    const marks = await drawnMarks(predictionCharts(items));
    const [percents] = dataMarks(marks, "text").filter(({ text }) => text === "100.0%");
    assert.ok(percents.x + 45 < dataMarks(marks, "image")[1].x);
  });

  it("draws four saliency maps of one image no wider than a notebook", () => {
    const saliencyMaps = Array.from({ length: 4 }, () => ({ image: PIXEL, caption: "Occlusion: happy" }));
    const many = Array.from({ length: 7 }, (_, i) => ({ className: `class ${i}`, prob: 1 / 7 }));
    const [chart] = chartOf(many, { saliencyMaps });
    assert.ok((chart as { width: number }).width < 960);
  });

  it("draws saliency maps between an image and its bars, named above, and then one image a row", async () => {
    const saliencyMaps = ["Grad-CAM: sad", "Grad-CAM: happy"].map((caption) => ({ image: PIXEL, caption }));
    const items = [
      { image: PIXEL, predictions, name: "a.jpg", saliencyMaps },
      { image: PIXEL, predictions },
    ];
    const marks = await drawnMarks(predictionCharts(items));
    // pictures of 132 px with gaps of 14 px; a row = 26 for the head, 132 for the picture, 28 for the gap
    assert.deepEqual(
      dataMarks(marks, "image").map(({ x, y }) => [x, y]),
      [
        [0, 26],
        [146, 26],
        [292, 26],
        [0, 212],
      ],
    );
    const heads = dataMarks(marks, "text").filter(({ y }) => y === 8);
    assert.deepEqual(
      heads.map(({ text, x }) => [text, x]),
      [
        ["a.jpg", 0],
        ["Grad-CAM: sad", 146],
        ["Grad-CAM: happy", 292],
      ],
    );
    const bars = dataMarks(marks, "rect");
    assert.ok(bars.every(({ x }) => x > 438 && x === bars[0].x));
  });

  it("splits many images into pages that are not too high", async () => {
    const items = Array.from({ length: 170 }, (_, i) => ({ image: PIXEL, predictions, name: `${i}.jpg` }));
    const pages = predictionCharts(items, { title: "All" });
    assert.deepEqual(
      pages.map(({ title }) => (title as { text: string }).text),
      pages.map((_, i) => `All · page ${i + 1} of ${pages.length}`),
    );
    const numImages = await Promise.all(
      pages.map(async (page) => dataMarks(await drawnMarks(page), "image").length),
    );
    assert.ok(pages.length > 2 && Math.max(...numImages) <= 60, `${numImages}`);
    assert.equal(
      numImages.reduce((a, b) => a + b),
      170,
    );
    for (const page of pages) assert.ok(Number((page as { height: number }).height) <= 4000);
  });

  it("says that nothing has been predicted", async () => {
    assert.ok((await svgTexts(predictionCharts([]))).includes("no data: nothing has been predicted"));
  });
});
