import assert from "node:assert/strict";
import type { NearDuplicates } from "../../../src/data/audit/near-duplicates.js";
import {
  choosePairs,
  classCounts,
  Duplicates,
  imageAt,
  nearDuplicateReport,
  seenInTrain,
  sizeCounts,
} from "../../../src/data/audit/report.js";
import type { Dataset, PackedImages } from "../../../src/data/dataset.js";
import { PixelArray } from "../../../src/data/pixels/pixels.js";
import { sampleOf } from "../fixtures.js";

const SAMPLES = [
  sampleOf("train/a/0", "P"), // P: twice in train, once in validation, one class
  sampleOf("train/a/1", "P"),
  sampleOf("train/a/2", "Q"), // Q: train and validation, two classes
  sampleOf("train/b/3", "R"), // R: twice in train, two classes
  sampleOf("train/a/4", "R"),
  sampleOf("train/b/5"),
  sampleOf("validation/a/6", "P"),
  sampleOf("validation/b/7", "Q"),
  sampleOf("validation/b/8", "S"), // S: three times in validation
  sampleOf("validation/b/9", "S"),
  sampleOf("validation/b/10", "S"),
];
const SPLIT = { train: [0, 1, 2, 3, 4, 5], validation: [6, 7, 8, 9, 10] };

describe("Duplicates", () => {
  it("finds the images beyond the first of each group within a split", () => {
    assert.deepEqual(new Duplicates(SAMPLES, SPLIT).duplicated(), [1, 4, 9, 10]); // P, R, S, S
  });

  it("finds the validation images with a duplicate in train", () => {
    assert.deepEqual(new Duplicates(SAMPLES, SPLIT).leaked(), [6, 7]); // P, Q
  });

  it("counts groups, images and conflicts, and names some", () => {
    assert.deepEqual(new Duplicates(SAMPLES, SPLIT).summary(), {
      duplicateGroups: 4, // P, Q, R, S
      duplicateImages: 4,
      leakedImages: 2,
      labelConflicts: 2, // Q, R
      examples: {
        duplicates: [
          ["train/a/0", "train/a/1", "validation/a/6"],
          ["train/b/3", "train/a/4"],
          ["validation/b/8", "validation/b/9", "validation/b/10"],
        ],
        leaked: [
          ["train/a/0", "train/a/1", "validation/a/6"],
          ["train/a/2", "validation/b/7"],
        ],
        conflicts: [
          ["train/a/2", "validation/b/7"],
          ["train/b/3", "train/a/4"],
        ],
      },
    });
  });

  it("depends on the split, and finds nothing if each image is there once", () => {
    const together = new Duplicates(SAMPLES, { train: [0, 1, 6], validation: [] });
    assert.deepEqual([together.duplicated(), together.leaked()], [[1, 6], []]);
    const { examples, ...counts } = new Duplicates(SAMPLES, {
      train: [0, 2, 3, 5, 8],
      validation: [],
    }).summary();
    assert.deepEqual(counts, { duplicateGroups: 0, duplicateImages: 0, leakedImages: 0, labelConflicts: 0 });
    assert.deepEqual(examples, { duplicates: [], leaked: [], conflicts: [] });
  });

  it("names at most five groups", () => {
    const samples = Array.from({ length: 14 }, (_, i) => sampleOf(`train/a/${i}`, String(i >> 1)));
    const split = { train: samples.map((_, i) => i), validation: [] };
    const { duplicateGroups, examples } = new Duplicates(samples, split).summary();
    assert.equal(duplicateGroups, 7);
    assert.equal(examples.duplicates.length, 5);
  });
});

describe("classCounts", () => {
  it("counts each class in each split, those without images too", () => {
    assert.deepEqual(classCounts(SAMPLES, SPLIT, ["a", "b", "c"]), [
      { split: "train", className: "a", count: 4 },
      { split: "train", className: "b", count: 2 },
      { split: "train", className: "c", count: 0 },
      { split: "validation", className: "a", count: 1 },
      { split: "validation", className: "b", count: 4 },
      { split: "validation", className: "c", count: 0 },
    ]);
  });
});

describe("sizeCounts", () => {
  it("counts the files of each size, most frequent first", () => {
    const samples = [
      sampleOf("a/0", "0", 48),
      sampleOf("a/1", "1", 48, 64),
      sampleOf("a/2", "2", 64, 48),
      sampleOf("a/3", "3", 48, 64),
    ];
    assert.deepEqual(sizeCounts(samples), [
      { width: 48, height: 64, count: 2 },
      { width: 48, height: 48, count: 1 },
      { width: 64, height: 48, count: 1 },
    ]);
  });
});

function packed(labels: number[], split: string): PackedImages {
  return {
    pixels: new PixelArray(new Uint8Array(labels.length), 1),
    labels: Int32Array.from(labels),
    numImages: labels.length,
    imageSize: 1,
    numChannels: 1,
    paths: labels.map((_, i) => `${split}/${i}.png`),
  };
}

/** Six training images, of which 0 and 2 are equal, and seven validation images, of which 4 equals train's 0. */
const DATASET: Dataset = {
  name: "faces",
  classNames: ["angry", "happy"],
  train: packed([0, 1, 1, 0, 0, 1], "train"),
  validation: packed([1, 0, 0, 1, 0, 0, 0], "validation"),
};
const FOUND: NearDuplicates = {
  duplicates: Int32Array.of(0, 1, 0, 3, 4, 5, /**/ 6, 7, 8, 9, 0, 4, 12),
  groups: Int32Array.of(0, 1, 0, 3, 4, 5, /**/ 6, 1, 3, 1, 0, 4, 12),
  pairs: [
    { indices: [1, 9], similarity: 0.99, isMirrored: false },
    { indices: [3, 8], similarity: 0.98, isMirrored: true },
    { indices: [1, 7], similarity: 0.97, isMirrored: false },
  ],
  alike: new Int32Array(),
};

describe("seenInTrain", () => {
  it("says which validation images have a group with an image in train", () => {
    const seen = (groups: Int32Array) => seenInTrain(groups, DATASET);
    assert.deepEqual(seen(FOUND.duplicates), [false, false, false, false, true, true, false]);
    assert.deepEqual(seen(FOUND.groups), [false, true, true, true, true, true, false]);
  });
});

describe("nearDuplicateReport", () => {
  it("counts groups, images within a split, leaks, conflicts and mirrored pairs", () => {
    const { examples, ...counts } = nearDuplicateReport(DATASET, FOUND);
    // {0, 2, 10}: labels 0, 1, 0; {1, 7, 9}: 1, 0, 1; {3, 8}: 0, 0; {4, 11}: 0, 0
    assert.deepEqual(counts, { groups: 4, images: 2, leaked: 5, labelConflicts: 2, mirroredPairs: 1 });
    // One pair of each group: {0, 2, 10} and {1, 7, 9} by one with two labels, and those of other pixels first.
    assert.deepEqual(examples, {
      leaked: [
        {
          paths: ["train/4.png", "validation/5.png"],
          classNames: ["angry", "angry"],
          similarity: 1,
          isMirrored: false,
        },
      ],
      conflicts: [
        {
          paths: ["train/1.png", "validation/1.png"],
          classNames: ["happy", "angry"],
          similarity: 0.97,
          isMirrored: false,
        },
        {
          paths: ["train/0.png", "train/2.png"],
          classNames: ["angry", "happy"],
          similarity: 1,
          isMirrored: false,
        },
      ],
      mirrored: [
        {
          paths: ["train/3.png", "validation/2.png"],
          classNames: ["angry", "angry"],
          similarity: 0.98,
          isMirrored: true,
        },
      ],
      others: [],
    });
  });
});

describe("choosePairs", () => {
  const pairs = [
    { indices: [0, 3], similarity: 0.9, isMirrored: false },
    { indices: [1, 5], similarity: 0.9, isMirrored: false },
    { indices: [2, 4], similarity: 0.9, isMirrored: false },
    { indices: [6, 9], similarity: 0.9, isMirrored: false },
  ] satisfies NearDuplicates["pairs"];
  const groups = Int32Array.of(0, 1, 2, 0, 2, 1, 6, 7, 8, 6, 10, 11, 12);
  const duplicates = Int32Array.from({ length: 13 }, (_, i) => i);
  const found = { duplicates, groups, pairs, alike: new Int32Array() };

  it("chooses at most the requested number of each kind", () => {
    const chosen = (numEach: number) => choosePairs(DATASET, found, numEach);
    const none = { leaked: [], conflicts: [], mirrored: [] };
    assert.deepEqual(chosen(1), {
      ...none,
      conflicts: [pairs[2]], // labels 1 and 0
      others: [pairs[0]],
    });
    assert.deepEqual(chosen(9).others, [pairs[0], pairs[1], pairs[3]]);
    assert.deepEqual(chosen(0), { ...none, others: [] });
  });

  it("chooses equal images too, after others of their kind", () => {
    const equal = {
      ...found,
      duplicates: Int32Array.of(0, 1, 2, 0, 4, 5, 6, 7, 8, 9, 5, 11, 11),
      groups: Int32Array.of(0, 1, 2, 0, 2, 1, 6, 7, 8, 6, 1, 11, 11),
    };
    const copy = (a: number, b: number) => ({ indices: [a, b], similarity: 1, isMirrored: false });
    const chosen = choosePairs(DATASET, equal, 9);
    assert.deepEqual(chosen.others, [pairs[0], pairs[3], copy(11, 12)]);
    assert.deepEqual(chosen.conflicts, [pairs[2], copy(5, 10)]);
  });
});

describe("imageAt", () => {
  it("counts through train, then validation", () => {
    const { images, index, label, path } = imageAt(DATASET, 7);
    assert.equal(images, DATASET.validation);
    assert.deepEqual([index, label, path], [1, 0, "validation/1.png"]);
  });
});
