import assert from "node:assert/strict";
import sharp from "sharp";
import type { ChartSpec } from "../../src/charts/theme.js";
import { NO_AUGMENTATION } from "../../src/data/augment.js";
import type { Dataset } from "../../src/data/dataset.js";
import { tf } from "../../src/engine/tf.js";
import type { PhotoPrediction } from "../../src/faces/predict.js";
import type { Evaluation } from "../../src/inference/evaluate.js";
import { topLosses } from "../../src/inference/label-issues.js";
import { scores } from "../../src/metrics/classification.js";
import {
  augmentedChart,
  drawnFacesChart,
  evaluatedImages,
  galleryChart,
  nearDuplicatesChart,
  photosChart,
  predictionsChart,
  samplesChart,
} from "../../src/show/pictures.js";
import { dataMarks, drawnMarks } from "../charts/drawn.js";
import { randomNetwork } from "../model/fixtures.js";
import { brightness, CLASS_NAMES, IMAGE_SIZE, images, indexOf } from "./brightness.js";

/** The data URLs and the texts of the pictures on a chart, in order. */
async function contents(chart: ChartSpec | ChartSpec[]): Promise<{ urls: string[]; texts: string[] }> {
  const marks = await drawnMarks(chart);
  return {
    urls: dataMarks(marks, "image").map(({ url }) => url),
    texts: dataMarks(marks, "text").map(({ text }) => text),
  };
}

/** The images that a chart shows, by their brightness. */
async function indicesOn(chart: ChartSpec | ChartSpec[]): Promise<number[]> {
  return Promise.all((await contents(chart)).urls.map(indexOf));
}

describe("drawnFacesChart", () => {
  it("draws some faces of each expression, all different, the same for the same seed", async () => {
    const draw = async (seed: number) =>
      contents(await drawnFacesChart(["happy", "sad"], { perExpression: 2, seed }));
    const faces = await draw(0);
    assert.deepEqual(faces.texts, ["happy", "happy", "sad", "sad"]);
    assert.equal(new Set(faces.urls).size, 4);
    assert.ok(faces.urls.every((url) => url.startsWith("data:image/png;base64,")));
    assert.deepEqual(await draw(0), faces);
    assert.notDeepEqual((await draw(1)).urls, faces.urls);
  });
});

describe("samplesChart", () => {
  const labels = [2, 0, 1, 0, 1, 0, 2, 0];

  for (const numChannels of [1, 3] as const)
    it(`draws some images of each class, with ${numChannels} channel(s)`, async () => {
      const options = { classNames: CLASS_NAMES, perClass: 2, seed: 0 };
      const chart = await samplesChart(images(labels, numChannels), options);
      assert.deepEqual((await contents(chart)).texts, ["a", "a", "b", "b", "c", "c"]);
      const indices = await indicesOn(chart);
      assert.deepEqual(
        indices.map((index) => labels[index]),
        [0, 0, 1, 1, 2, 2],
      );
      assert.equal(new Set(indices).size, 6, "no image twice");
    });

  it("draws all images of a small class, and none of an empty one", async () => {
    const chart = await samplesChart(images([0, 2, 2]), { classNames: CLASS_NAMES, perClass: 2, seed: 0 });
    assert.deepEqual((await contents(chart)).texts, ["a", "c", "c"]);
  });

  it("chooses by the seed", async () => {
    const many = images(Array.from({ length: 16 }, () => 0));
    const choose = async (seed: number) =>
      indicesOn(await samplesChart(many, { classNames: ["a"], perClass: 4, seed }));
    assert.deepEqual(await choose(1), await choose(1));
    assert.notDeepEqual(await choose(1), await choose(2));
  });
});

describe("augmentedChart", () => {
  const dataset: Dataset = {
    name: "brightness",
    classNames: CLASS_NAMES,
    train: images([2, 1, 0, 1, 0, 2]),
    validation: images([0]),
  };
  const HEADS = ["as it is", "augmented"];

  it("draws an image of each of the first classes, and versions of it", async () => {
    const before = tf.memory().numTensors;
    const options = { augment: NO_AUGMENTATION, numVersions: 2, numRows: 2, seed: 0 };
    const { urls, texts } = await contents(await augmentedChart(dataset, options));
    assert.equal(tf.memory().numTensors, before);
    assert.deepEqual(texts, [...HEADS, "a", "b"]);
    for (const row of [0, 1]) {
      const [original, ...augmented] = urls.slice(3 * row, 3 * row + 3);
      assert.equal(dataset.train.labels[await indexOf(original)], row);
      assert.deepEqual(augmented, [original, original]); // nothing is augmented
    }
  });

  it("augments the versions and keeps the original", async () => {
    const augment = { ...NO_AUGMENTATION, brightness: 0.5 };
    const chart = await augmentedChart(dataset, { augment, numVersions: 3, numRows: 1, seed: 0 });
    const { urls } = await contents(chart);
    assert.equal(dataset.train.labels[await indexOf(urls[0])], 0);
    assert.ok(new Set(urls).size > 2);
  });

  it("skips classes without training images, and has at most one row per class", async () => {
    const options = { augment: NO_AUGMENTATION, numVersions: 1, numRows: 9, seed: 0 };
    const chart = await augmentedChart({ ...dataset, train: images([2, 0, 2, 0]) }, options);
    assert.deepEqual((await contents(chart)).texts, [...HEADS, "a", "c"]);
  });
});

describe("evaluatedImages", () => {
  const packed = images([0, 1, 2, 0]);
  const matrix = [
    [2, 0, 0],
    [1, 0, 0],
    [1, 0, 0],
  ];
  const evaluation: Evaluation = {
    ...scores(matrix, CLASS_NAMES),
    loss: 1,
    predicted: Int32Array.of(0, 0, 0, 0),
    probs: Float32Array.of(0.5, 0.25, 0.25, 0.625, 0.25, 0.125, 0.875, 0.125, 0, 0.75, 0.125, 0.125),
  };

  it("returns the first images of an order, with predictions, true class and RGB pixels", async () => {
    const choice = { numImages: 5, order: topLosses };
    const found = await evaluatedImages(packed, evaluation, CLASS_NAMES, choice);
    assert.deepEqual(
      found.map(({ name }) => name),
      ["c/2.png", "b/1.png"], // 0.875 and 0.625; images 0 and 3 are correct
    );
    assert.deepEqual(found[0], {
      name: "c/2.png",
      trueClassName: "c",
      predictions: [
        { className: "a", prob: 0.875 },
        { className: "b", prob: 0.125 },
        { className: "c", prob: 0 },
      ],
      pixels: new Uint8Array(IMAGE_SIZE ** 2 * 3).fill(brightness(2)),
    });
    const one = await evaluatedImages(packed, evaluation, CLASS_NAMES, { ...choice, numImages: 1 });
    assert.deepEqual(one, found.slice(0, 1));
  });

  it("returns random images by the seed, none twice", async () => {
    const choose = async (seed: number) =>
      (await evaluatedImages(packed, evaluation, CLASS_NAMES, { numImages: 4, seed })).map(
        ({ name }) => name,
      );
    assert.deepEqual([...(await choose(1))].sort(), ["a/0.png", "a/3.png", "b/1.png", "c/2.png"]);
    assert.deepEqual(await choose(1), await choose(1));
    const orders = await Promise.all([1, 2, 3, 4].map(choose));
    assert.ok(new Set(orders.map(String)).size > 1);
  });
});

describe("charts of classified images", () => {
  const predictions = [
    { className: "a", prob: 0.875 },
    { className: "b", prob: 0.125 },
  ];
  const pixels = new Uint8Array(5 * 5 * 3).fill(brightness(7));

  it("galleryChart writes prediction and label under each image", async () => {
    const chart = await galleryChart([
      { name: "1.png", predictions, pixels, trueClassName: "b" },
      { name: "2.png", predictions, pixels },
    ]);
    assert.deepEqual(await indicesOn(chart), [7, 7]);
    assert.deepEqual((await contents(chart)).texts, ["a 87.5%", "labelled b", "a 87.5%"]);
  });

  it("predictionsChart draws the pixels that the network saw, with probabilities", async () => {
    const chart = await predictionsChart([{ name: "photo.jpg", predictions, pixels }]);
    assert.deepEqual(await indicesOn(chart), [7]);
    assert.deepEqual((await contents(chart)).texts, ["a", "b", "87.5%", "12.5%", "photo.jpg"]);
  });

  describe("with saliency maps", () => {
    const network = randomNetwork({ classNames: CLASS_NAMES, imageSize: 33 });
    after(() => network.dispose());

    it("predictionsChart adds a map of the predicted class, and of the true class if it is another one", async () => {
      const square = new Uint8Array(33 * 33 * 3).fill(100);
      const even = CLASS_NAMES.map((className) => ({ className, prob: 1 / 3 }));
      const classified = ["a", "b", undefined].map((trueClassName, i) => {
        return { name: `some/${i}.png`, predictions: even, pixels: square, trueClassName };
      });
      const asked: string[] = [];
      const map = async (_: unknown, given: Uint8Array, className: string) => {
        assert.equal(given, square);
        asked.push(className);
        return new Float32Array(33 * 33);
      };
      const { texts } = await contents(
        await predictionsChart(classified, { saliency: { network, methods: { map } } }),
      );
      assert.deepEqual(asked, ["a", "a", "b", "a"]);
      assert.deepEqual(
        texts.filter((text) => /png|map/.test(text)),
        ["0.png", "map: a", "1.png", "map: a", "map: b", "2.png", "map: a"],
      );
    });
  });

  it("photosChart draws photographs of at most 1600 pixels, with their faces", async () => {
    const photo = { pixels: Buffer.alloc(2000 * 1000 * 3, 90), width: 2000, height: 1000 };
    const box = { left: 200, top: 300, width: 100, height: 120 };
    const eyes: PhotoPrediction["faces"][number]["eyes"] = [
      { x: 220, y: 330 },
      { x: 260, y: 330 },
    ];
    const name = "group.jpg";
    const face = { name, box, extent: box, eyes, score: 1, outside: 0, predictions, pixels };
    const { urls, texts } = await contents(
      await photosChart([{ name, photo, faces: [face], isFace: false }]),
    );
    const { format, width, height } = await sharp(Buffer.from(urls[0].split(",")[1], "base64")).metadata();
    assert.deepEqual([format, width, height], ["jpeg", 1600, 800]);
    assert.equal(await indexOf(urls[1]), 7);
    assert.ok(texts.includes("group.jpg: 1 face") && texts.includes("1 a"), `${texts}`);
  });
});

describe("nearDuplicatesChart", () => {
  it("draws the pairs of each kind, with classes and files", async () => {
    const dataset: Dataset = {
      name: "greys",
      classNames: CLASS_NAMES,
      train: images([0, 1, 0]),
      validation: images([0, 1]),
    };
    const pair = (a: number, b: number, isMirrored = false) => ({
      indices: [a, b] as [number, number],
      similarity: 0.9,
      isMirrored,
    });
    const found = {
      duplicates: Int32Array.of(0, 1, 2, 3, 4),
      groups: Int32Array.of(0, 1, 2, 0, 2),
      pairs: [pair(0, 3), pair(2, 4), pair(0, 2, true)], // the last is of a group that is shown already
      alike: new Int32Array(),
    };
    const chart = await nearDuplicatesChart(dataset, found, { numEach: 4 });
    assert.deepEqual((await contents(chart)).texts, [
      ...["One in train, one in validation", "Different labels"],
      ...["a", "a", "0.png, 0.png"],
      ...["a", "b", "2.png, 1.png"],
    ]);
    assert.deepEqual(await indicesOn(chart), [0, 0, 2, 1]);
    const equal = { ...found, duplicates: Int32Array.of(0, 1, 2, 0, 2), pairs: [] };
    const copies = await nearDuplicatesChart(dataset, equal, { numEach: 4 });
    assert.deepEqual(await contents(copies), await contents(chart));
  });
});
