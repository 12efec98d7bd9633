import assert from "node:assert/strict";
import { classBalanceChart } from "../../src/charts/class-balance.js";
import { COLORS } from "../../src/charts/theme.js";
import { dataMarks, drawnMarks, svgTexts, textsOf } from "./drawn.js";
import { ODD_NAMES } from "./fixtures.js";

describe("classBalanceChart", () => {
  const counts = [
    { split: "train", className: "sad", count: 100 },
    { split: "train", className: "happy", count: 400 },
    { split: "validation", className: "sad", count: 50 },
    { split: "validation", className: "happy", count: 1200 },
  ];

  it("draws a bar for each class and split, as long as its count", async () => {
    const bars = dataMarks(await drawnMarks(classBalanceChart(counts)), "rect");
    // 520 px for the largest count, 1200
    assert.deepEqual(
      bars.map(({ width, fill }) => [Math.round(width * 10) / 10, fill]),
      [
        [43.3, COLORS.blue],
        [173.3, COLORS.blue],
        [21.7, COLORS.orange],
        [520, COLORS.orange],
      ],
    );
  });

  it("draws the class with the most training images first", async () => {
    const labels = (await drawnMarks(classBalanceChart(counts))).filter(
      ({ role, text }) => role === "axis-label" && /[a-z]/.test(text),
    );
    assert.deepEqual(
      labels.sort((a, b) => a.y - b.y).map(({ text }) => text),
      ["happy", "sad"],
    );
  });

  it("writes counts beside the bars and totals under the title", async () => {
    const texts = await svgTexts(classBalanceChart(counts));
    for (const text of ["100", "400", "50", "1,200", "2 classes, 500 in train, 1,250 in validation"])
      assert.ok(texts.includes(text), text);
  });

  it("has ticks at whole images only", async () => {
    const few = classBalanceChart([
      { split: "train", className: "sad", count: 4 },
      { split: "train", className: "happy", count: 1 },
    ]);
    const ticks = textsOf(await drawnMarks(few), "axis-label").filter((text) => /\d/.test(text));
    assert.deepEqual(ticks, ["0", "1", "2", "3", "4"]);
  });

  it("draws odd class names literally", async () => {
    const chart = classBalanceChart(ODD_NAMES.map((className) => ({ split: "train", className, count: 1 })));
    const texts = await svgTexts(chart);
    for (const name of ODD_NAMES) assert.ok(texts.includes(name), name);
  });

  it("keeps the bars of 40 classes as high as their text", async () => {
    const chart = classBalanceChart(
      Array.from({ length: 80 }, (_, i) => ({
        split: i % 2 ? "train" : "validation",
        className: `class ${i >> 1}`,
        count: i,
      })),
    );
    const bars = dataMarks(await drawnMarks(chart), "rect");
    assert.equal(bars.length, 80);
    assert.ok(bars.every(({ height }) => height >= 11));
  });

  it("shows the largest and the smallest of very many classes, and says so", async () => {
    const counts = Array.from({ length: 1000 }, (_, i) => ({
      split: "train",
      className: `class ${i}`,
      count: i,
    }));
    const chart = classBalanceChart(counts);
    const marks = await drawnMarks(chart);
    assert.equal(dataMarks(marks, "rect").length, 300);
    assert.deepEqual(textsOf(marks, "title-subtitle"), [
      "1,000 classes, 499,500 in train; the 150 largest and the 150 smallest of 1,000 classes",
    ]);
  });

  it("says that there is nothing to count", async () => {
    assert.deepEqual(await svgTexts(classBalanceChart([])), [
      "no data: no class has been counted",
      "Images per class",
    ]);
  });

  it("refuses more splits than it has colours", () => {
    const chart = () =>
      classBalanceChart(["a", "b", "c", "d"].map((split) => ({ split, className: "x", count: 1 })));
    assert.throws(chart, {
      message:
        "Expected at most 3 splits in a class balance chart but found a, b, c, d. Remove the others, or draw a chart of each.",
    });
  });
});
