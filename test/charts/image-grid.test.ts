import assert from "node:assert/strict";
import { augmentedGridChart, sampleGridChart } from "../../src/charts/image-grid.js";
import { dataMarks, drawnMarks, svgTexts } from "./drawn.js";
import { ODD_NAMES, PIXEL } from "./fixtures.js";

const places = (marks: { x: number; y: number }[]) => marks.map(({ x, y }) => [x, y]);

describe("sampleGridChart", () => {
  it("fills rows from the left", async () => {
    const images = ["a", "b", "c"].map((caption) => ({ image: PIXEL, caption }));
    const drawn = dataMarks(await drawnMarks(sampleGridChart(images, { numColumns: 2, side: 50 })), "image");
    // a column is 50 + 14 px wide, a row 50 + 20 + 14 px high
    assert.deepEqual(places(drawn), [
      [0, 0],
      [64, 0],
      [0, 84],
    ]);
    assert.ok(drawn.every(({ url, width, height }) => url === PIXEL && width === 50 && height === 50));
  });

  it("writes captions and details under the images, odd names literally", async () => {
    const chart = sampleGridChart(ODD_NAMES.map((caption) => ({ image: PIXEL, caption, detail: "→ sad" })));
    const texts = await svgTexts(chart);
    for (const name of ODD_NAMES) assert.ok(texts.includes(name), name);
    assert.equal(texts.filter((text) => text === "→ sad").length, ODD_NAMES.length);
  });

  it("cuts a caption that would run into the next one", async () => {
    const caption = "a class name without an end to it";
    const [text] = await svgTexts(sampleGridChart([{ image: PIXEL, caption }]));
    assert.match(text, /^a class name.*…$/);
    assert.ok(text.length < caption.length);
  });

  it("says so when there is no image", async () => {
    assert.ok((await svgTexts(sampleGridChart([]))).includes("no data: there is no image to show"));
  });

  it("refuses the path of an image", () => {
    assert.throws(() => sampleGridChart([{ image: "faces/1.png", caption: "a" }]), {
      message:
        'Expected each image of a chart as a data:image/ URL but found "faces/1.png". Make one with toPngDataUrl.',
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
