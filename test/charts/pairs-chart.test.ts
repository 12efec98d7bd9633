import assert from "node:assert/strict";
import { pairsChart } from "../../src/charts/pairs-chart.js";
import { chartText } from "../../src/charts/render.js";
import { dataMarks, drawnMarks, svgTexts } from "./drawn.js";
import { ODD_NAMES, PIXEL } from "./fixtures.js";

const pair = (a: string, b: string) => ({
  images: [PIXEL, PIXEL] as [string, string],
  captions: [a, b] as [string, string],
  detail: "1.jpg, 2.jpg",
});

describe("pairsChart", () => {
  it("puts the pictures of a pair side by side, four pairs a row, groups below each other", async () => {
    const groups = [
      { heading: "first", pairs: Array.from({ length: 5 }, () => pair("a", "b")) },
      { heading: "none", pairs: [] },
      { heading: "second", pairs: [pair("c", "d")] },
    ];
    const marks = await drawnMarks(pairsChart(groups));
    const pictures = dataMarks(marks, "image");
    assert.equal(pictures.length, 12);
    const at = pictures.map(({ x, y }) => [x, y]);
    assert.deepEqual(at.slice(0, 3), [
      [0, 30], // under the heading
      [79, 30], // 76 px and a gap of 3
      [181, 30], // and a gap of 26
    ]);
    assert.deepEqual(at[8], [0, 30 + 122]); // the fifth pair
    assert.ok(at[10][1] > at[8][1] + 122);
    const texts = dataMarks(marks, "text").map(({ text }) => text);
    assert.deepEqual(texts.slice(0, 2), ["first", "second"]);
  });

  it("writes odd names literally, and says all in words", async () => {
    const chart = pairsChart([{ heading: "odd", pairs: ODD_NAMES.map((name) => pair(name, "sad")) }]);
    const texts = await svgTexts(chart);
    for (const name of ODD_NAMES) assert.ok(texts.includes(name), name);
    assert.match(chartText(chart), /^Pairs\nodd\na<b>& and sad: 1.jpg, 2.jpg\n/);
  });

  it("says so when there is no pair", async () => {
    assert.ok((await svgTexts(pairsChart([{ heading: "a", pairs: [] }]))).includes("no pair was found"));
  });
});
