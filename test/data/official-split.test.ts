import assert from "node:assert/strict";
import { splitName, splitSamples } from "../../src/data/split.js";
import { sampleOf } from "./fixtures.js";

const OPTIONS = { validationShare: 0.2, seed: 0 };
// The first and last row of each part, in other folders than their own.
const SAMPLES = [
  "train/angry/0.jpg",
  "train/angry/28709.jpg",
  "train/happy/35886.jpg",
  "validation/angry/28708.jpg",
  "validation/happy/32297.jpg",
  "validation/happy/32298.jpg",
].map((file) => sampleOf(file));

describe("officialSplit", () => {
  it("validates on PublicTest, by the rows that files are named by", () => {
    assert.deepEqual(splitSamples(SAMPLES, { ...OPTIONS, split: "official" }, "/fer"), {
      train: [0, 3],
      validation: [1, 4],
    });
  });

  it("validates on PrivateTest, and trains on the same", () => {
    assert.deepEqual(splitSamples(SAMPLES, { ...OPTIONS, split: "official-test" }, "/fer"), {
      train: [0, 3],
      validation: [2, 5],
    });
  });

  const message = (found: string) =>
    `Expected files named by the rows 0 to 35886 of fer2013.csv, each once, for its official split at /fer but found ${found}. Leave out --split, or give the class folders of FER-2013.`;
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
  it("says what the validation images are", () => {
    const plain = [sampleOf("a/1.jpg"), sampleOf("b/2.jpg")];
    assert.equal(splitName(SAMPLES, OPTIONS), "folders");
    assert.equal(splitName(SAMPLES, { ...OPTIONS, split: "official-test" }), "official-test");
    assert.equal(splitName(plain, OPTIONS), "held-out");
    assert.equal(splitName(plain, { ...OPTIONS, validationShare: 1 }), "all");
  });
});
