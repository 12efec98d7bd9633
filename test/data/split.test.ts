import assert from "node:assert/strict";
import type { DecodedSample } from "../../src/data/pixels/packed-file.js";
import { splitSamples } from "../../src/data/split.js";
import { sampleOf } from "./fixtures.js";

/** Samples without a split: so many of each class, the classes' images by turns. */
function unsplit(counts: Record<string, number>): DecodedSample[] {
  const files = Object.entries(counts).flatMap(([name, count]) =>
    Array.from({ length: count }, (_, i) => ({ i, file: `${name}/${i}.png` })),
  );
  return files.sort((a, b) => a.i - b.i).map(({ file }) => sampleOf(file));
}

const splitBy = (samples: DecodedSample[], validationShare: number, seed = 0) =>
  splitSamples(samples, { validationShare, seed }, "/data");
/** How many of each class stand at the places. */
const countsOf = (samples: DecodedSample[], places: number[]) => {
  const counts: Record<string, number> = {};
  for (const place of places) counts[samples[place].className] = (counts[samples[place].className] ?? 0) + 1;
  return counts;
};

describe("splitSamples", () => {
  it("takes the split of the folders, whatever the share", () => {
    const samples = ["validation/a/1", "train/a/2", "train/b/3", "validation/b/4"].map((file) =>
      sampleOf(file),
    );
    const expected = { train: [1, 2], validation: [0, 3] };
    for (const share of [0, 0.2, 1]) assert.deepEqual(splitBy(samples, share), expected);
  });

  it("holds out the share of each class, and each image stands in one split", () => {
    const samples = unsplit({ a: 100, b: 50, c: 10 });
    const { train, validation } = splitBy(samples, 0.2);
    assert.deepEqual(countsOf(samples, validation), { a: 20, b: 10, c: 2 });
    assert.deepEqual(countsOf(samples, train), { a: 80, b: 40, c: 8 });
    assert.deepEqual(
      [...train, ...validation].sort((a, b) => a - b),
      samples.map((_, i) => i),
    );
  });

  it("gives ascending places, drawn from all of a class", () => {
    const samples = unsplit({ a: 100, b: 100 });
    const { train, validation } = splitBy(samples, 0.3);
    for (const places of [train, validation])
      assert.deepEqual(
        places,
        [...places].sort((a, b) => a - b),
      );
    assert.ok(validation[0] < 50 && (validation.at(-1) ?? 0) >= 150);
  });

  it("keeps an image of each class in each split where there are two", () => {
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

  it("holds out nothing for a share of 0, and everything for 1", () => {
    const samples = unsplit({ a: 3, b: 1 });
    assert.deepEqual(splitBy(samples, 0), { train: [0, 1, 2, 3], validation: [] });
    assert.deepEqual(splitBy(samples, 1), { train: [], validation: [0, 1, 2, 3] });
  });

  it("gives the same split for the same seed, another for another", () => {
    const samples = unsplit({ a: 30, b: 30 });
    assert.deepEqual(splitBy(samples, 0.5, 7), splitBy(samples, 0.5, 7));
    assert.notDeepEqual(splitBy(samples, 0.5, 7), splitBy(samples, 0.5, 8));
  });

  it("splits a class the same way when another class comes", () => {
    const [before, after] = [unsplit({ b: 30 }), unsplit({ a: 5, b: 30 })];
    const held = (samples: DecodedSample[]) =>
      splitBy(samples, 0.3)
        .validation.map((place) => samples[place].path)
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

  it("evaluates on folders that have validation images only, for a share of 1", () => {
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
