import assert from "node:assert/strict";
import sharp from "sharp";
import { drawFace } from "../../../src/cartoons/draw.js";
import {
  at,
  nearDuplicateReport,
  seenInTrain,
  similarPairsOf,
} from "../../../src/data/audit/near-duplicate-report.js";
import { findNearDuplicates } from "../../../src/data/audit/near-duplicates.js";
import type { Dataset, PackedImages } from "../../../src/data/dataset.js";
import { PixelArray } from "../../../src/data/pixels/pixels.js";
import type { LoadProgress } from "../../../src/progress.js";
import { Random } from "../../../src/random.js";

const SIZE = 48;

const face = async (seed: number, change = (image: sharp.Sharp) => image) => {
  const drawn = await drawFace(seed % 2 ? "happy" : "angry", new Random(seed, "face"), 96);
  return change(sharp(await sharp(drawn).png().toBuffer()))
    .resize(SIZE, SIZE)
    .toColourspace("b-w")
    .raw()
    .toBuffer();
};
const jpeg = async (seed: number) => {
  const drawn = await drawFace(seed % 2 ? "happy" : "angry", new Random(seed, "face"), 96);
  const compressed = await sharp(drawn).jpeg({ quality: 50 }).toBuffer();
  return sharp(compressed).resize(SIZE, SIZE).toColourspace("b-w").raw().toBuffer();
};
const plain = (value: number) => Buffer.alloc(SIZE * SIZE, value);

function packed(images: Buffer[], labels: number[], split: string): PackedImages {
  return {
    pixels: new PixelArray(Buffer.concat(images), SIZE * SIZE),
    labels: Int32Array.from(labels),
    numImages: images.length,
    imageSize: SIZE,
    numChannels: 1,
    paths: images.map((_, i) => `${split}/${i}.png`),
  };
}

describe("near-identical images", () => {
  let dataset: Dataset;
  before(async () => {
    const train = packed(
      [await face(0), await face(1), await face(0), await face(2), plain(0), plain(80)],
      [0, 1, 1, 0, 0, 1],
      "train",
    );
    const validation = packed(
      [
        await face(3),
        await jpeg(1),
        await face(2, (image) => image.flop()),
        await face(1, (image) => image.linear(0.6, 60)),
        await face(0),
        plain(0),
        plain(81),
      ],
      [1, 0, 0, 1, 0, 0, 0],
      "validation",
    );
    dataset = { name: "faces", classNames: ["angry", "happy"], train, validation };
  });
  const find = () => findNearDuplicates([dataset.train, dataset.validation]);

  describe("findNearDuplicates", () => {
    it("groups equal pixels by the first image that has them", async () => {
      const { identical } = await find();
      // train 0, 1, 2 (= 0), 3, 4, 5; validation 6, 7, 8, 9, 10 (= 0), 11 (= 4), 12
      assert.deepEqual([...identical], [0, 1, 0, 3, 4, 5, 6, 7, 8, 9, 0, 4, 12]);
    });

    it("groups what is compressed anew, lighter, or mirrored; not other faces, nor plain images", async () => {
      const { similar, pairs } = await find();
      assert.deepEqual([...similar], [0, 1, 0, 3, 4, 5, 6, 1, 3, 1, 0, 4, 12]);
      const mirrored = pairs.filter(({ isMirrored }) => isMirrored);
      assert.deepEqual(
        mirrored.map(({ places }) => places),
        [[3, 8]],
      );
      for (const { similarity } of pairs) assert.ok(similarity >= 0.8 && similarity <= 1);
    });

    it("gives the same again, and tells how far it is", async () => {
      const reports: LoadProgress[] = [];
      const first = await findNearDuplicates([dataset.train, dataset.validation], (one) => reports.push(one));
      assert.deepEqual(await find(), first);
      assert.deepEqual(reports, [
        { stage: "compare", done: 6, total: 13, unit: "images" },
        { stage: "compare", done: 13, total: 13, unit: "images" },
      ]);
    });

    it("finds nothing among different images, in colour too", async () => {
      const colours = Buffer.concat(
        await Promise.all(
          [0, 1, 2].map(async (seed) => {
            const drawn = await drawFace("happy", new Random(seed, "colour"), 96);
            return sharp(drawn).resize(SIZE, SIZE).raw().toBuffer();
          }),
        ),
      );
      const images: PackedImages = {
        ...packed([], [], "train"),
        pixels: new PixelArray(colours, SIZE * SIZE * 3),
        numImages: 3,
        numChannels: 3,
      };
      const { similar, pairs } = await findNearDuplicates([images]);
      assert.deepEqual([...similar], [0, 1, 2]);
      assert.deepEqual(pairs, []);
    });
  });

  describe("seenInTrain", () => {
    it("says which validation images also stand in train", async () => {
      const { identical, similar } = await find();
      assert.deepEqual(seenInTrain(identical, dataset), [false, false, false, false, true, true, false]);
      assert.deepEqual(seenInTrain(similar, dataset), [false, true, true, true, true, true, false]);
    });
  });

  describe("similarReport", () => {
    it("counts groups, images within a split, leaks, conflicts and mirrored pairs", async () => {
      const { examples, ...counts } = nearDuplicateReport(dataset, await find());
      // {0, 2, 10}: labels 0, 1, 0; {1, 7, 9}: 1, 0, 1; {3, 8}: 0, 0; {4, 11}: 0, 0
      assert.deepEqual(counts, { groups: 4, images: 2, leaked: 5, labelConflicts: 2, mirroredPairs: 1 });
      assert.deepEqual(
        examples.mirrored.map(({ paths }) => paths),
        [["train/3.png", "validation/2.png"]],
      );
      const shown = Object.values(examples).flat();
      assert.equal(shown.length, 2); // one of each group that has more than equal pixels
      assert.ok(shown.every(({ paths }) => paths[0] !== paths[1]));
    });
  });

  describe("similarPairsOf", () => {
    it("chooses at most so many of each kind", async () => {
      const { leaked, conflicts, mirrored, others } = similarPairsOf(dataset, await find(), 1);
      assert.equal(mirrored.length, 1);
      assert.equal(leaked.length + conflicts.length + others.length, 1);
      assert.deepEqual(similarPairsOf(dataset, await find(), 0), {
        leaked: [],
        conflicts: [],
        mirrored: [],
        others: [],
      });
    });
  });

  describe("at", () => {
    it("counts through train, then validation", () => {
      const { images, index, label, path } = at(dataset, 7);
      assert.equal(images, dataset.validation);
      assert.deepEqual([index, label, path], [1, 0, "validation/1.png"]);
    });
  });
});
