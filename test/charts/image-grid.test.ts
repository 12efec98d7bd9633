import assert from "node:assert/strict";
import { augmentedGridChart, pairsChart, sampleGridCharts } from "../../src/charts/image-grid.js";
import { chartText } from "../../src/charts/render.js";
import { dataMarks, drawnMarks, svgTexts } from "./drawn.js";
import { ODD_NAMES, PIXEL } from "./fixtures.js";

const places = (marks: { x: number; y: number }[]) => marks.map(({ x, y }) => [x, y]);

describe("sampleGridCharts", () => {
  it("fills rows from the left", async () => {
    const images = ["a", "b", "c"].map((caption) => ({ image: PIXEL, caption }));
    const drawn = dataMarks(await drawnMarks(sampleGridCharts(images, { numColumns: 2, side: 50 })), "image");
    // a column is 50 + 14 px wide, a row 50 + 20 + 14 px high
    assert.deepEqual(places(drawn), [
      [0, 0],
      [64, 0],
      [0, 84],
    ]);
    assert.ok(drawn.every(({ url, width, height }) => url === PIXEL && width === 50 && height === 50));
  });

  it("writes captions and details under the images, odd names literally", async () => {
    const chart = sampleGridCharts(ODD_NAMES.map((caption) => ({ image: PIXEL, caption, detail: "→ sad" })));
    const texts = await svgTexts(chart);
    for (const name of ODD_NAMES) assert.ok(texts.includes(name), name);
    assert.equal(texts.filter((text) => text === "→ sad").length, ODD_NAMES.length);
  });

  it("cuts a caption that would run into the next one", async () => {
    const caption = "a class name without an end to it";
    const [text] = await svgTexts(sampleGridCharts([{ image: PIXEL, caption }]));
    assert.match(text, /^a class.*….*to it$/);
    assert.ok(text.length < caption.length);
  });

  it("splits the samples of 200 classes into pages", () => {
    const images = Array.from({ length: 1200 }, (_, i) => ({ image: PIXEL, caption: `class ${i}` }));
    const pages = sampleGridCharts(images, { numColumns: 6 });
    // rows of 130 px, 30 of them in 4,000 px; 200 rows
    assert.equal(pages.length, 7);
    assert.equal((pages[0].title as { text: string }).text, "Samples · page 1 of 7");
  });

  it("says that there is no image", async () => {
    assert.ok((await svgTexts(sampleGridCharts([]))).includes("no data: there is no image to show"));
  });

  it("refuses the path of an image", () => {
    assert.throws(() => sampleGridCharts([{ image: "faces/1.png", caption: "a" }]), {
      message:
        'Expected each image of a chart as a data:image/ URL but found "faces/1.png". Make one with pngDataUrl.',
    });
  });
});

describe("augmentedGridChart", () => {
  it("puts the augmented versions in the row of their original", async () => {
    const rows = ["sad", "happy"].map((caption) => ({ original: PIXEL, augmented: [PIXEL, PIXEL], caption }));
    const marks = await drawnMarks(augmentedGridChart(rows, { side: 50 }));
    // 24 px for the heads; 3 gaps of 14 px after the original
    assert.deepEqual(places(dataMarks(marks, "image")), [
      [0, 24],
      [92, 24],
      [156, 24],
      [0, 108],
      [92, 108],
      [156, 108],
    ]);
    assert.deepEqual(
      dataMarks(marks, "text").map(({ text }) => text),
      ["as it is", "augmented", "sad", "happy"],
    );
  });

  it("says so when there is no image", async () => {
    assert.ok((await svgTexts(augmentedGridChart([]))).includes("no data: there is no image to show"));
  });
});

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
