import assert from "node:assert/strict";
import sharp from "sharp";
import { NO_AUGMENTATION } from "../../src/data/augment.js";
import type { Dataset, PackedImages } from "../../src/data/packed.js";
import { PixelArray } from "../../src/data/pixels.js";
import { tf } from "../../src/engine/tf.js";
import type { Evaluation } from "../../src/inference/evaluate.js";
import {
  augmentedPictures,
  classifiedPictures,
  facePictures,
  predictedPictures,
  samplePictures,
} from "../../src/notebook/pictures.js";
import { summarize } from "../../src/training/metrics.js";

const CLASS_NAMES = ["a", "b", "c"];
const IMAGE_SIZE = 4;
/** Image `i` is of one brightness, by which a picture of it is known again. */
const brightness = (place: number) => 10 + 15 * place;

function images(labels: number[], numChannels: 1 | 3 = 1): PackedImages {
  const length = IMAGE_SIZE * IMAGE_SIZE * numChannels;
  const bytes = Buffer.concat(labels.map((_, i) => Buffer.alloc(length, brightness(i))));
  return {
    pixels: new PixelArray(bytes, length),
    labels: Int32Array.from(labels),
    numImages: labels.length,
    imageSize: IMAGE_SIZE,
    numChannels,
    paths: labels.map((label, i) => `${CLASS_NAMES[label]}/${i}.png`),
  };
}

/** Which image of `images` a picture shows, by its brightness. */
async function placeOf(dataUrl: string): Promise<number> {
  const [head, base64] = dataUrl.split(",");
  assert.equal(head, "data:image/png;base64");
  const { dominant } = await sharp(Buffer.from(base64, "base64")).toColourspace("srgb").stats();
  const { data } = await sharp(Buffer.from(base64, "base64"))
    .greyscale()
    .raw()
    .toBuffer({ resolveWithObject: true });
  assert.ok(Math.abs(dominant.r - data[0]) <= 8, "one brightness");
  return (data[0] - 10) / 15;
}
const placesOf = (pictures: { image: string }[]) => Promise.all(pictures.map(({ image }) => placeOf(image)));

describe("samplePictures", () => {
  const packed = images([2, 0, 1, 0, 1, 0, 2, 0]);

  for (const numChannels of [1, 3] as const)
    it(`shows some of each class, class after class, of ${numChannels} channel(s)`, async () => {
      const options = { classNames: CLASS_NAMES, perClass: 2, seed: 0 };
      const pictures = await samplePictures(images([2, 0, 1, 0, 1, 0, 2, 0], numChannels), options);
      assert.deepEqual(
        pictures.map(({ caption }) => caption),
        ["a", "a", "b", "b", "c", "c"],
      );
      const places = await placesOf(pictures);
      assert.deepEqual(
        places.map((place) => packed.labels[place]),
        [0, 0, 1, 1, 2, 2],
      );
      assert.equal(new Set(places).size, 6, "no image twice");
    });

  it("shows all of a class that has fewer, and none of a class that has none", async () => {
    const pictures = await samplePictures(images([0, 2, 2]), {
      classNames: CLASS_NAMES,
      perClass: 2,
      seed: 0,
    });
    assert.deepEqual(
      pictures.map(({ caption }) => caption),
      ["a", "c", "c"],
    );
  });

  it("chooses by the seed", async () => {
    const many = images(Array.from({ length: 16 }, () => 0));
    const choose = async (seed: number) =>
      placesOf(await samplePictures(many, { classNames: ["a"], perClass: 4, seed }));
    assert.deepEqual(await choose(1), await choose(1));
    assert.notDeepEqual(await choose(1), await choose(2));
  });
});

describe("augmentedPictures", () => {
  const dataset: Dataset = {
    name: "brightness",
    classNames: CLASS_NAMES,
    train: images([2, 1, 0, 1, 0, 2]),
    validation: images([0]),
  };

  it("shows an image of each of the first classes, and versions of it", async () => {
    const before = tf.memory().numTensors;
    const options = { augment: NO_AUGMENTATION, numVersions: 2, numRows: 2, seed: 0 };
    const rows = await augmentedPictures(dataset, options);
    assert.equal(tf.memory().numTensors, before);
    assert.deepEqual(
      rows.map(({ caption }) => caption),
      ["a", "b"],
    );
    for (const [row, { original, augmented }] of rows.entries()) {
      assert.equal(dataset.train.labels[await placeOf(original)], row);
      assert.deepEqual(augmented, [original, original]); // nothing is augmented
    }
  });

  it("augments the versions and leaves the original", async () => {
    const augment = { ...NO_AUGMENTATION, brightness: 0.5 };
    const [row] = await augmentedPictures(dataset, { augment, numVersions: 3, numRows: 1, seed: 0 });
    assert.equal(dataset.train.labels[await placeOf(row.original)], 0);
    assert.ok(new Set([row.original, ...row.augmented]).size > 2);
  });

  it("passes over a class without training images", async () => {
    const options = { augment: NO_AUGMENTATION, numVersions: 1, numRows: 2, seed: 0 };
    const rows = await augmentedPictures({ ...dataset, train: images([2, 0, 2, 0]) }, options);
    assert.deepEqual(
      rows.map(({ caption }) => caption),
      ["a", "c"],
    );
  });

  it("has no more rows than there are classes", async () => {
    const options = { augment: NO_AUGMENTATION, numVersions: 1, numRows: 9, seed: 0 };
    assert.equal((await augmentedPictures(dataset, options)).length, 3);
  });
});

describe("predictedPictures", () => {
  const packed = images([0, 1, 2, 0]);
  const probs = Float32Array.of(0.5, 0.25, 0.25, 0.625, 0.25, 0.125, 0.875, 0.125, 0, 0.75, 0.125, 0.125);
  const matrix = [
    [2, 0, 0],
    [1, 0, 0],
    [1, 0, 0],
  ];
  const evaluation: Evaluation = {
    ...summarize(matrix, CLASS_NAMES),
    loss: 1,
    predicted: Int32Array.of(0, 0, 0, 0),
    probs,
  };

  it("shows the mistakes that the network was surest of, the surest first", async () => {
    const choice = { numImages: 5, surestMistakes: true } as const;
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

describe("facePictures", () => {
  it("draws some of each expression, another face each, the same for the same seed", () => {
    const draw = (seed: number) => facePictures(["happy", "sad"], { perExpression: 2, seed });
    const faces = draw(0);
    assert.deepEqual(
      faces.map(({ caption }) => caption),
      ["happy", "happy", "sad", "sad"],
    );
    assert.equal(new Set(faces.map(({ image }) => image)).size, 4);
    const [head, base64] = faces[0].image.split(",");
    assert.equal(head, "data:image/svg+xml;base64");
    assert.match(Buffer.from(base64, "base64").toString(), /^<svg[\s\S]*<\/svg>\s*$/);
    assert.deepEqual(draw(0), faces);
    assert.notDeepEqual(draw(1), faces);
  });
});
