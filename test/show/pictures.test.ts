import assert from "node:assert/strict";
import { NO_AUGMENTATION } from "../../src/data/augment.js";
import type { Dataset } from "../../src/data/dataset.js";
import { tf } from "../../src/engine/tf.js";
import { augmentedPictures, facePictures, samplePictures } from "../../src/show/pictures.js";
import { CLASS_NAMES, images, placeOf, placesOf } from "./brightness.js";

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
