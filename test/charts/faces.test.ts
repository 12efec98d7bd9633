import assert from "node:assert/strict";
import { type FacesPicture, facesCharts } from "../../src/charts/faces.js";
import { COLORS } from "../../src/charts/theme.js";
import { dataMarks, drawnMarks, svgTexts } from "./drawn.js";
import { ODD_NAMES, PIXEL } from "./fixtures.js";

const predictions = [
  { className: "sad", prob: 0.3 },
  { className: "happy", prob: 0.7 },
];

const face = (left: number, top: number, side = 100) => ({
  image: PIXEL,
  predictions,
  box: { left, top, width: side, height: side },
});

/** 1520 × 760, which is drawn at half its size. */
const photo = (faces: FacesPicture["faces"]): FacesPicture => ({
  image: PIXEL,
  name: "group.jpg",
  width: 1520,
  height: 760,
  faces,
});

const whole: FacesPicture = {
  ...photo([]),
  name: "crop.png",
  whole: { image: PIXEL, predictions },
};

async function boxesOf(chart: ReturnType<typeof facesCharts>) {
  const rects = dataMarks(await drawnMarks(chart), "rect");
  return rects.filter(({ stroke }) => stroke === COLORS.blue);
}

describe("facesCharts", () => {
  it("draws the photograph with a box around each face, and the bars of each", async () => {
    const chart = facesCharts([photo([face(200, 300), face(800, 100, 160)])]);
    const marks = await drawnMarks(chart);
    const [picture, ...crops] = dataMarks(marks, "image");
    assert.deepEqual([picture.width, picture.height, crops.length], [760, 380, 2]);
    assert.deepEqual(
      (await boxesOf(chart)).map(({ x, y, width, height }) => [x - picture.x, y - picture.y, width, height]),
      [
        [100, 150, 50, 50],
        [400, 50, 80, 80],
      ],
    );
    const texts = await svgTexts(chart);
    for (const text of ["group.jpg: 2 faces", "1 happy", "2 happy", "Face 1", "Face 2", "70.0%"])
      assert.ok(texts.includes(text), text);
  });

  it("keeps labels within the photograph, also of long classes", async () => {
    const long = { ...face(1420, 660), predictions: [{ className: "a long name ".repeat(20), prob: 1 }] };
    const marks = await drawnMarks(facesCharts([photo([face(0, 0), long])]));
    const [picture] = dataMarks(marks, "image");
    const labels = dataMarks(marks, "rect").filter(
      ({ fill, height }) => fill === COLORS.blue && height === 18,
    );
    assert.equal(labels.length, 2);
    for (const { x, y, width, height } of labels) {
      assert.ok(x >= picture.x && x + width <= picture.x + picture.width + 1e-6);
      assert.ok(y >= picture.y && y + height <= picture.y + picture.height + 1e-6);
    }
  });

  it("shows the numbers alone where faces are too near for their classes", async () => {
    const texts = await svgTexts(facesCharts([photo([face(200, 300, 40), face(250, 300, 40)])]));
    assert.ok(texts.includes("1") && texts.includes("2") && !texts.includes("1 happy"));
  });

  it("draws an image without a face after the photographs, with its bars alone", async () => {
    const chart = facesCharts([whole, photo([face(200, 300)])]);
    const marks = await drawnMarks(chart);
    assert.equal(dataMarks(marks, "image").length, 3);
    assert.equal((await boxesOf(chart)).length, 1);
    const texts = await svgTexts(chart);
    assert.ok(texts.indexOf("No face found: crop.png") > texts.indexOf("group.jpg: 1 face"));
  });

  it("shows fewer classes of many faces, and as many as asked for", async () => {
    const classes = ["a", "b", "c", "d", "e"].map((className, i) => ({ className, prob: (5 - i) / 15 }));
    const faces = Array.from({ length: 8 }, (_, i) => ({ ...face(150 * i, 300), predictions: classes }));
    const percents = async (numShown?: number) =>
      (await svgTexts(facesCharts([photo(faces)], { numShown }))).filter((text) => text.endsWith("%")).length;
    assert.equal(await percents(), 8 * 3);
    assert.equal(await percents(1), 8);
  });

  it("draws the saliency maps of each face between the face and its bars, and says how to read them", async () => {
    const saliencyMaps = [{ image: PIXEL, caption: "Grad-CAM: happy" }];
    const faces = [face(200, 300), face(800, 100)].map((one) => ({ ...one, saliencyMaps }));
    const chart = facesCharts([photo(faces)]);
    const marks = await drawnMarks(chart);
    const [, ...pictures] = dataMarks(marks, "image");
    assert.equal(pictures.length, 4);
    assert.equal(new Set(pictures.map(({ x }) => x)).size, 2, "one face under the other");
    const bars = dataMarks(marks, "rect").filter(({ y }) => y >= pictures[0].y);
    assert.equal(bars.length, 4);
    for (const bar of bars) for (const { x, width } of pictures) assert.ok(bar.x >= x + width);
    const texts = await svgTexts(chart);
    for (const text of ["Grad-CAM: happy", "bright: important for the class"])
      assert.ok(texts.includes(text), text);
  });

  it("says the main numbers in words", () => {
    const [{ description }] = facesCharts([photo([face(200, 300)]), whole]);
    assert.equal(
      description,
      "group.jpg: 1 face\nFace 1: happy 70.0%, sad 30.0%\nNo face found: crop.png: happy 70.0%, sad 30.0%",
    );
  });

  it("draws odd names literally", async () => {
    for (const name of ODD_NAMES) {
      const odd = { ...face(200, 300), predictions: [{ className: name, prob: 1 }] };
      const texts = await svgTexts(facesCharts([{ ...photo([odd]), name }]));
      assert.ok(texts.includes(`${name}: 1 face`) && texts.includes(`1 ${name}`), name);
    }
  });

  it("splits many photographs, and many faces, into pages", () => {
    const crowd = photo(Array.from({ length: 200 }, (_, i) => face(7 * i, 300, 20)));
    const pages = facesCharts([crowd, ...Array.from({ length: 10 }, () => photo([face(200, 300)])), whole]);
    const heights = pages.map((page) =>
      (page as unknown as { vconcat: { height: number }[] }).vconcat.reduce(
        (sum, { height }) => sum + height,
        0,
      ),
    );
    assert.ok(pages.length > 3 && heights.every((height) => height <= 4000), `${heights}`);
    const words = pages.map(({ description }) => description).join("\n");
    assert.equal(words.match(/Face \d+:/g)?.length, 210);
    assert.ok(words.includes("No face found: crop.png"));
  });

  it("keeps a photograph and its only faces on one page", () => {
    const pages = facesCharts(Array.from({ length: 20 }, () => photo([face(200, 300)])));
    assert.ok(pages.length > 1);
    for (const { description } of pages)
      assert.match(String(description), /^(group\.jpg: 1 face\nFace 1: .*\n?)+$/);
  });

  it("says that there is nothing", async () => {
    assert.ok((await svgTexts(facesCharts([]))).includes("no data: there is no photograph to show"));
  });
});
