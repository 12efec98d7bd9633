import assert from "node:assert/strict";
import { classCounts, Duplicates, sizeCounts } from "../../../src/data/audit/report.js";
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

  it("finds the validation images that also stand in train", () => {
    assert.deepEqual(new Duplicates(SAMPLES, SPLIT).leaked(), [6, 7]); // P, Q
  });

  it("sums up groups, images, conflicts, and names some", () => {
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

  it("depends on the split, and finds nothing where each image stands once", () => {
    const together = new Duplicates(SAMPLES, { train: [0, 1, 6], validation: [] });
    assert.deepEqual([together.duplicated(), together.leaked()], [[1, 6], []]);
    const { examples, ...counts } = new Duplicates(SAMPLES, {
      train: [0, 2, 3, 5, 8],
      validation: [],
    }).summary();
    assert.deepEqual(counts, { duplicateGroups: 0, duplicateImages: 0, leakedImages: 0, labelConflicts: 0 });
    assert.deepEqual(examples, { duplicates: [], leaked: [], conflicts: [] });
  });

  it("names five groups at most", () => {
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
