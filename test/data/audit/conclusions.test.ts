import assert from "node:assert/strict";
import { imageConclusions, trainingConclusions } from "../../../src/data/audit/conclusions.js";
import { findNearDuplicates } from "../../../src/data/audit/near-duplicates.js";
import type { Dataset, PackedImages } from "../../../src/data/dataset.js";
import { PixelArray } from "../../../src/data/pixels/pixels.js";
import { Random } from "../../../src/random.js";

const SIDE = 24;

/** A bright disc on noise, left or right of the middle, up or down. */
function disc(seed: number, isRight: boolean): Uint8Array {
  const random = new Random(seed, "disc");
  const [x, y] = [(isRight ? 16 : 5) + random.integer(3), 4 + random.integer(14)];
  return Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
    const isIn = ((i % SIDE) - x) ** 2 + (Math.floor(i / SIDE) - y) ** 2 < 12;
    return (isIn ? 180 : 40) + random.integer(60);
  });
}
const mirrored = (image: Uint8Array) =>
  image.map((_, i) => image[Math.floor(i / SIDE) * SIDE + SIDE - 1 - (i % SIDE)]);

function packed(images: Uint8Array[], labels: number[], split: string): PackedImages {
  return {
    pixels: new PixelArray(Buffer.concat(images), SIDE * SIDE),
    labels: Int32Array.from(labels),
    numImages: images.length,
    imageSize: SIDE,
    numChannels: 1,
    paths: images.map((_, i) => `${split}/${i}.png`),
  };
}

async function concludeFrom(train: PackedImages, validation: PackedImages) {
  const dataset: Dataset = { name: "discs", classNames: ["left", "right"], train, validation };
  const found = await findNearDuplicates([train, validation]);
  return imageConclusions(dataset, found);
}

describe("imageConclusions", () => {
  const none = () => packed([], [], "validation");
  const lefts = Array.from({ length: 20 }, (_, i) => disc(i, false));
  const rights = Array.from({ length: 20 }, (_, i) => disc(100 + i, true));
  const labels = (a: number, b: number) => [...Array<number>(20).fill(a), ...Array<number>(20).fill(b)];

  it("says that mirroring makes two classes one if each looks like the other's mirror image", async () => {
    const [left, ...others] = await concludeFrom(
      packed([...lefts, ...rights], labels(0, 1), "train"),
      none(),
    );
    assert.deepEqual(others, []);
    assert.equal(
      left.text,
      "100% of the mirror images of left look like right, and the reverse: mirroring mixes up these classes. Train with --set " +
        "horizontalFlip=0, and evaluate without --flip.",
    );
    assert.equal(left.about, "mirroring");
  });

  it("says that a class has ten times the training images of another, or more", async () => {
    const some = packed([...lefts, rights[0], rights[1]], [...Array<number>(20).fill(0), 1, 1], "train");
    const [balance] = await concludeFrom(some, none());
    assert.deepEqual(balance, {
      about: "balance",
      text:
        "left has 20 training images and right 2: always answering left is right for 91% of all. Compare the recall of each " +
        "class, and add images of the small ones, or train with --set classWeights=balanced, which also chooses the best epoch " +
        "by macro-F1 (monitor).",
      examples: [],
    });
    const fewer = packed(
      [...lefts.slice(1), rights[0], rights[1]],
      [...Array<number>(19).fill(0), 1, 1],
      "train",
    );
    assert.deepEqual(await concludeFrom(fewer, none()), []);
  });

  it("does not if both sides are in both classes", async () => {
    const images = [...lefts, ...rights];
    const mixed = images.map((_, i) => i % 2);
    assert.deepEqual(await concludeFrom(packed(images, mixed, "train"), none()), []);
  });

  it("says so of pairs of mirror images with two labels", async () => {
    const images = [0, 1, 2].flatMap((seed) => [disc(seed, false), mirrored(disc(seed, false))]);
    const [mirroring] = (await concludeFrom(packed(images, [0, 1, 0, 1, 0, 0], "train"), none())).filter(
      ({ about }) => about === "mirroring",
    );
    assert.match(
      mirroring.text,
      /^2 of 3 pairs of mirror images have two labels \(train\/\d.png is \w+, train\/\d.png is \w+\): mirroring mixes up these/,
    );
  });

  it("takes mirror images with two labels for no wrong labels, if mirroring makes classes one", async () => {
    const lighter = (image: Uint8Array) => image.map((value) => value - 20);
    const pairs = [0, 1, 2, 3].flatMap((seed) => [disc(seed, false), mirrored(disc(seed, false))]);
    const sides = [0, 1, 0, 1, 0, 1, 0, 1];
    const aboutOf = async (images: Uint8Array[], labels: number[]) =>
      (await concludeFrom(packed(images, labels, "train"), none())).map(({ about, text }) =>
        about === "labels" ? text : about,
      );
    assert.deepEqual(await aboutOf(pairs, sides), ["mirroring"]);
    assert.deepEqual(await aboutOf([...pairs, lighter(pairs[0])], [...sides, 1]), [
      "1 group of near-duplicates has two labels (train/0.png is left, train/8.png is right). Fix the wrong ones, or remove the images.",
      "mirroring",
    ]);
  });

  it("gives an example of copies across the splits, and of copies with two labels", async () => {
    const train = packed([disc(0, false), disc(1, false), disc(2, true)], [0, 0, 1], "train");
    const lighter = (image: Uint8Array) => image.map((value) => value - 20);
    const validation = packed(
      [disc(5, true), lighter(disc(1, false)), lighter(disc(2, true))],
      [1, 0, 0],
      "validation",
    );
    const conclusions = await concludeFrom(train, validation);
    assert.deepEqual(conclusions, [
      {
        about: "copies",
        text:
          "2 of 3 validation images look like one in train (validation/1.png and train/1.png), so scores on them are too " +
          "high. Remove them from one of the splits; `npx ferkit evaluate` also scores without all of them.",
        examples: ["validation/1.png", "train/1.png"],
      },
      {
        about: "labels",
        text:
          "1 group of near-duplicates has two labels (train/2.png is right, validation/2.png is left). Fix the wrong ones, or " +
          "remove the images.",
        examples: ["train/2.png", "validation/2.png"],
      },
    ]);
  });

  it("concludes nothing from images that cannot be told apart, but that they cannot", async () => {
    const layout = disc(0, false);
    const images = Array.from({ length: 16 }, (_, i) => {
      const one = [...layout.keys()].map((at) => {
        const column = at % SIDE;
        return Math.max(layout[at], layout[at - column + SIDE - 1 - column]); // its own mirror image
      });
      one[SIDE * 12 + i] = 255 - one[SIDE * 12 + i];
      return Uint8Array.from(one);
    });
    const labels = images.map((_, i) => i % 2);
    const conclusions = await concludeFrom(
      packed(images.slice(0, 12), labels.slice(0, 12), "train"),
      packed(
        [...images.slice(12), disc(2, true), disc(2, true).map((value) => value - 20)], // a pair, which may be chance then
        [...labels.slice(12), 0, 1],
        "validation",
      ),
    );
    assert.deepEqual(conclusions, [
      {
        about: "copies",
        text:
          "16 of 18 images are too similar to each other to tell near-duplicates (train/0.png, train/1.png, train/2.png and 13 more). " +
          "Compare them yourself: of these, only equal ones count as copies here.",
        examples: ["train/0.png", "train/1.png", "train/2.png"],
      },
    ]);
  });
});

describe("trainingConclusions", () => {
  it("finds a copy across the splits among more than 5,000 images", async () => {
    const random = new Random(0, "noise");
    const noise = () => Uint8Array.from({ length: SIDE * SIDE }, () => random.integer(256));
    const images = Array.from({ length: 5001 }, noise);
    const dataset: Dataset = {
      name: "noise",
      classNames: ["a", "b"],
      train: packed(images, Array(5001).fill(0), "train"),
      validation: packed([noise(), images[9].map((value) => 128 + (value - 128) / 2)], [0, 0], "validation"),
    };
    const [{ text }, ...others] = await trainingConclusions(dataset, {
      isMirrored: false,
      isWeighted: false,
    });
    assert.deepEqual(others, []);
    assert.match(
      text,
      /^1 of 2 validation images look like one in train \(validation\/1\.png and train\/9\.png\)/,
    );
  });

  it("says that very large data sets are not searched, and which command does", async () => {
    const none = packed([], [], "validation");
    const train = { ...none, numImages: 200_001 };
    const dataset: Dataset = { name: "large", classNames: ["a", "b"], train, validation: none };
    assert.deepEqual(await trainingConclusions(dataset, { isMirrored: false, isWeighted: false }), [
      {
        about: "copies",
        text:
          "Validation images that look like one in train were not looked for among 200,001 images, which takes minutes. " +
          "Run `npx ferkit data` to look for them.",
        examples: [],
      },
    ]);
  });
});
