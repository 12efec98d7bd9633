import assert from "node:assert/strict";
import type { Evaluation } from "../../src/inference/evaluate.js";
import { topLosses } from "../../src/inference/label-issues.js";
import { scores } from "../../src/metrics/classification.js";
import {
  classifiedPictures,
  galleryPictures,
  judgedImages,
  predictedPictures,
  saliencyPictures,
} from "../../src/show/pictures.js";
import { randomNetwork } from "../model/fixtures.js";
import { brightness, CLASS_NAMES, IMAGE_SIZE, images, placeOf, placesOf } from "./brightness.js";

describe("predictedPictures", () => {
  const packed = images([0, 1, 2, 0]);
  const probs = Float32Array.of(0.5, 0.25, 0.25, 0.625, 0.25, 0.125, 0.875, 0.125, 0, 0.75, 0.125, 0.125);
  const matrix = [
    [2, 0, 0],
    [1, 0, 0],
    [1, 0, 0],
  ];
  const evaluation: Evaluation = {
    ...scores(matrix, CLASS_NAMES),
    loss: 1,
    predicted: Int32Array.of(0, 0, 0, 0),
    probs,
  };

  it("shows the mistakes that the network was surest of, the surest first", async () => {
    const choice = { numImages: 5, order: topLosses };
    const pictures = await predictedPictures(packed, evaluation, CLASS_NAMES, choice);
    assert.deepEqual(await placesOf(pictures), [2, 1]); // 0.875 and 0.625; images 0 and 3 are right
    const [{ name, trueClassName, predictions }] = pictures;
    assert.deepEqual([name, trueClassName], ["c/2.png", "c"]);
    assert.deepEqual(predictions, [
      { className: "a", prob: 0.875 },
      { className: "b", prob: 0.125 },
      { className: "c", prob: 0 },
    ]);
    const [surest] = await predictedPictures(packed, evaluation, CLASS_NAMES, { ...choice, numImages: 1 });
    assert.equal(surest.name, "c/2.png");
  });

  it("shows images at random by the seed, none twice", async () => {
    const choose = async (seed: number) =>
      placesOf(await predictedPictures(packed, evaluation, CLASS_NAMES, { numImages: 4, seed }));
    assert.deepEqual([...(await choose(1))].sort(), [0, 1, 2, 3]);
    assert.deepEqual(await choose(1), await choose(1));
    const orders = await Promise.all([1, 2, 3, 4].map(choose));
    assert.ok(new Set(orders.map(String)).size > 1);
  });
});

describe("classifiedPictures", () => {
  it("shows the pixels that the network saw, with what it said of them", async () => {
    const predictions = [{ className: "a", prob: 1 }];
    const pixels = new Uint8Array(5 * 5 * 3).fill(brightness(7));
    const [picture] = await classifiedPictures([{ name: "photo.jpg", predictions, pixels }]);
    assert.deepEqual([picture.name, picture.predictions], ["photo.jpg", predictions]);
    assert.equal(await placeOf(picture.image), 7);
  });
});

describe("galleryPictures", () => {
  it("says under each image what it was taken for, how surely, and its label", async () => {
    const pixels = new Uint8Array(5 * 5 * 3).fill(brightness(7));
    const predictions = [
      { className: "a", prob: 0.875 },
      { className: "b", prob: 0.125 },
    ];
    const images = [
      { name: "1.png", predictions, pixels, trueClassName: "b" },
      { name: "2.png", predictions, pixels },
    ];
    const pictures = await galleryPictures(images);
    assert.deepEqual(await placesOf(pictures), [7, 7]);
    assert.deepEqual(
      pictures.map(({ image, ...words }) => words),
      [{ caption: "a 87.5%", detail: "labelled b" }, { caption: "a 87.5%" }],
    );
  });
});

describe("saliencyPictures", () => {
  const network = randomNetwork({ classNames: CLASS_NAMES, imageSize: 33 });
  after(() => network.dispose());

  it("adds a map for the first class, and one for the true class where it is another", async () => {
    const pixels = new Uint8Array(33 * 33 * 3).fill(100);
    const predictions = CLASS_NAMES.map((className) => ({ className, prob: 1 / 3 }));
    const images = ["a", "b", undefined].map((trueClassName, i) => {
      return { name: `some/${i}.png`, predictions, pixels, trueClassName };
    });
    const asked: string[] = [];
    const method = async (_: unknown, given: Uint8Array, className: string) => {
      assert.equal(given, pixels);
      asked.push(className);
      return new Float32Array(33 * 33);
    };
    const pictures = await saliencyPictures(network, images, { map: method });
    assert.deepEqual(asked, ["a", "a", "b", "a"]);
    assert.deepEqual(
      pictures.map(({ name, heatMaps }) => [name, ...(heatMaps ?? []).map(({ caption }) => caption)]),
      [
        ["0.png", "map: a"],
        ["1.png", "map: a", "map: b"],
        ["2.png", "map: a"],
      ],
    );
  });
});

describe("judgedImages", () => {
  it("gives pixels of three channels, as the network takes them", async () => {
    const probs = Float32Array.of(0.5, 0.25, 0.25);
    const evaluation = { ...scores([[1]], ["a"]), loss: 1, predicted: Int32Array.of(0), probs };
    const [{ pixels }] = await judgedImages(images([0]), evaluation, CLASS_NAMES, { numImages: 1, seed: 0 });
    assert.deepEqual(pixels, new Uint8Array(IMAGE_SIZE ** 2 * 3).fill(brightness(0)));
  });
});
