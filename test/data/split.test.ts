import assert from "node:assert/strict";
import type { DecodedSample } from "../../src/data/pixels/packed-file.js";
import { splitName, splitSamples } from "../../src/data/split.js";
import { sampleOf } from "./fixtures.js";

/** Samples without a split, with the images of the classes in turn. */
function unsplit(counts: Record<string, number>): DecodedSample[] {
  const files = Object.entries(counts).flatMap(([name, count]) =>
    Array.from({ length: count }, (_, i) => ({ i, file: `${name}/${i}.png` })),
  );
  return files.sort((a, b) => a.i - b.i).map(({ file }) => sampleOf(file));
}

const splitBy = (samples: DecodedSample[], validationShare: number, seed = 0) =>
  splitSamples(samples, { validationShare, seed }, "/data");
/** Number of images of each class at the indices. */
const countsOf = (samples: DecodedSample[], indices: number[]) => {
  const counts: Record<string, number> = {};
  for (const index of indices) counts[samples[index].className] = (counts[samples[index].className] ?? 0) + 1;
  return counts;
};

describe("splitSamples", () => {
  it("keeps the split of the folders for any share", () => {
    const samples = ["validation/a/1", "train/a/2", "train/b/3", "validation/b/4"].map((file) =>
      sampleOf(file),
    );
    const expected = { train: [1, 2], validation: [0, 3] };
    for (const share of [0, 0.2, 1]) assert.deepEqual(splitBy(samples, share), expected);
  });

  it("holds out the share of each class, and puts each image in one split", () => {
    const samples = unsplit({ a: 100, b: 50, c: 10 });
    const { train, validation } = splitBy(samples, 0.2);
    assert.deepEqual(countsOf(samples, validation), { a: 20, b: 10, c: 2 });
    assert.deepEqual(countsOf(samples, train), { a: 80, b: 40, c: 8 });
    assert.deepEqual(
      [...train, ...validation].sort((a, b) => a - b),
      samples.map((_, i) => i),
    );
  });

  it("gives ascending indices, drawn from the whole class", () => {
    const samples = unsplit({ a: 100, b: 100 });
    const { train, validation } = splitBy(samples, 0.3);
    for (const indices of [train, validation])
      assert.deepEqual(
        indices,
        [...indices].sort((a, b) => a - b),
      );
    assert.ok(validation[0] < 50 && (validation.at(-1) ?? 0) >= 150);
  });

  it("keeps an image of each class in each split if there are two", () => {
    const samples = unsplit({ a: 2, b: 3, c: 40 });
    const few = splitBy(samples, 0.01);
    assert.deepEqual(countsOf(samples, few.validation), { a: 1, b: 1, c: 1 });
    const most = splitBy(samples, 0.99);
    assert.deepEqual(countsOf(samples, most.train), { a: 1, b: 1, c: 1 });
  });

  it("trains on the only image of a class", () => {
    const samples = unsplit({ a: 1, b: 10 });
    for (const share of [0.2, 0.6, 0.9]) assert.equal(countsOf(samples, splitBy(samples, share).train).a, 1);
  });

  it("holds out nothing for a share of 0, and everything for a share of 1", () => {
    const samples = unsplit({ a: 3, b: 1 });
    assert.deepEqual(splitBy(samples, 0), { train: [0, 1, 2, 3], validation: [] });
    assert.deepEqual(splitBy(samples, 1), { train: [], validation: [0, 1, 2, 3] });
  });

  it("gives the same split for the same seed, and another split for another seed", () => {
    const samples = unsplit({ a: 30, b: 30 });
    assert.deepEqual(splitBy(samples, 0.5, 7), splitBy(samples, 0.5, 7));
    assert.notDeepEqual(splitBy(samples, 0.5, 7), splitBy(samples, 0.5, 8));
  });

  it("splits a class the same way when a class is added", () => {
    const [before, after] = [unsplit({ b: 30 }), unsplit({ a: 5, b: 30 })];
    const held = (samples: DecodedSample[]) =>
      splitBy(samples, 0.3)
        .validation.map((index) => samples[index].path)
        .filter((file) => file.startsWith("b/"));
    assert.deepEqual(held(after), held(before));
  });

  it("says which split has no images", () => {
    const message = (missing: string) =>
      `Expected folders train and validation at /data but found no images in ${missing}. Add the folder, or put the class folders at the top to have a share of them held out.`;
    assert.throws(() => splitBy([sampleOf("train/a/1"), sampleOf("train/b/2")], 0.2), {
      name: "InputError",
      message: message("validation"),
    });
    assert.throws(() => splitBy([sampleOf("validation/a/1"), sampleOf("validation/b/2")], 0.2), {
      message: message("train"),
    });
  });

  it("accepts folders with validation images only for a share of 1", () => {
    assert.deepEqual(splitBy([sampleOf("validation/a/1"), sampleOf("validation/b/2")], 1), {
      train: [],
      validation: [0, 1],
    });
  });

  for (const share of [Number.NaN, -0.1, 1.5])
    it(`refuses a share of ${share}`, () => {
      assert.throws(() => splitBy(unsplit({ a: 2 }), share), {
        name: "ParameterError",
        message: `Expected a number in [0, 1] for validationShare but received ${share} of type number`,
      });
    });
});

const OPTIONS = { validationShare: 0.2, seed: 0 };
// The first and last row of each part, not in their own folders.
const SAMPLES = [
  "train/angry/0.jpg",
  "train/angry/28709.jpg",
  "train/happy/35886.jpg",
  "validation/angry/28708.jpg",
  "validation/happy/32297.jpg",
  "validation/happy/32298.jpg",
].map((file) => sampleOf(file));

describe("splitSamples by the official split", () => {
  it("validates on PublicTest, by the rows in the file names", () => {
    assert.deepEqual(splitSamples(SAMPLES, { ...OPTIONS, split: "official" }, "/fer"), {
      train: [0, 3],
      validation: [1, 4],
    });
  });

  it("validates on PrivateTest, with the same training images", () => {
    assert.deepEqual(splitSamples(SAMPLES, { ...OPTIONS, split: "official-test" }, "/fer"), {
      train: [0, 3],
      validation: [2, 5],
    });
  });

  const message = (found: string) =>
    `Expected files named by the rows 0 to 35886 of fer2013.csv, each once, for its official split at /fer but found ${found}. Remove --split, or give the class folders of FER-2013.`;
  for (const [files, found] of [
    [["train/a/1.jpg", "train/b/face.jpg"], "train/b/face.jpg"],
    [["train/a/35887.jpg"], "train/a/35887.jpg"],
    [["train/a/1.jpg", "train/b/1.jpg"], "both train/a/1.jpg and train/b/1.jpg"],
  ] as const)
    it(`refuses ${files.join(", ")}`, () => {
      const samples = files.map((file) => sampleOf(file));
      assert.throws(() => splitSamples(samples, { ...OPTIONS, split: "official" }, "/fer"), {
        name: "InputError",
        message: message(found),
      });
    });
});

describe("splitName", () => {
  it("says what kind of split it is", () => {
    const plain = [sampleOf("a/1.jpg"), sampleOf("b/2.jpg")];
    assert.equal(splitName(SAMPLES, OPTIONS), "folders");
    assert.equal(splitName(SAMPLES, { ...OPTIONS, split: "official-test" }), "official-test");
    assert.equal(splitName(plain, OPTIONS), "held-out");
    assert.equal(splitName(plain, { ...OPTIONS, validationShare: 1 }), "all");
  });
});
