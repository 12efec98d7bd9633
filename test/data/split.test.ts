import assert from "node:assert/strict";
import type { DecodedSample } from "../../src/data/pixels/packed-file.js";
import { splitName, splitSamples, untrainedClasses } from "../../src/data/split.js";
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

  describe("with groups", () => {
    const grouped = (samples: DecodedSample[], groups: number[], validationShare: number, seed = 0) =>
      splitSamples(samples, { validationShare, seed, groups: Int32Array.from(groups) }, "/data");
    const sides = ({ train, validation }: { train: number[]; validation: number[] }, groups: number[]) => [
      new Set(train.map((index) => groups[index])),
      new Set(validation.map((index) => groups[index])),
    ];

    it("keeps each group on one side, and holds out the share", () => {
      const samples = unsplit({ a: 100, b: 60 });
      const groups = samples.map(({ className }, i) => Math.floor(i / 10) * 2 + (className === "a" ? 0 : 1));
      for (let seed = 0; seed < 20; seed++) {
        const split = grouped(samples, groups, 0.25, seed);
        const [train, validation] = sides(split, groups);
        for (const group of train) assert.ok(!validation.has(group));
        const { a, b } = countsOf(samples, split.validation);
        assert.ok(a <= 25 && a >= 15 && b <= 15 && b >= 6, `${a} ${b}`);
      }
    });

    it("draws as without groups if each image is a group", () => {
      const samples = unsplit({ a: 30, b: 40 });
      assert.deepEqual(
        grouped(
          samples,
          samples.map((_, i) => i),
          0.3,
          4,
        ),
        splitBy(samples, 0.3, 4),
      );
    });

    it("moves few images if two of them become a group", () => {
      const samples = unsplit({ a: 200 });
      const groups = samples.map((_, i) => i);
      const before = new Set(splitBy(samples, 0.2).validation);
      const after = grouped(
        samples,
        groups.map((group) => (group === 7 ? 3 : group)),
        0.2,
      ).validation;
      assert.ok(after.filter((index) => !before.has(index)).length <= 1);
    });

    it("keeps a group with two labels on one side", () => {
      const samples = unsplit({ a: 10, b: 10 });
      const groups = samples.map((_, i) => i >> 1); // an image of a and one of b
      const [train, validation] = sides(grouped(samples, groups, 0.3), groups);
      assert.equal(train.size + validation.size, 10);
      assert.equal(validation.size, 3);
    });

    it("keeps the groups of a person on one side in all classes, also if none fits", () => {
      const samples = unsplit({ a: 6, b: 6, c: 3 });
      // three persons, with two images each in a and b, and one in c
      const groups = samples.map(({ path }) => Number(/\d+/.exec(path)?.[0]) % 3);
      for (let seed = 0; seed < 10; seed++) {
        const split = grouped(samples, groups, 0.2, seed);
        const [train, validation] = sides(split, groups);
        assert.deepEqual([train.size, validation.size], [2, 1]);
        assert.equal([...validation].filter((group) => train.has(group)).length, 0);
      }
    });

    it("holds out the smallest group of a class if no group fits", () => {
      const samples = unsplit({ a: 9 });
      const groups = [0, 0, 0, 0, 1, 1, 1, 0, 0];
      assert.deepEqual(grouped(samples, groups, 0.1).validation, [4, 5, 6]);
    });

    it("draws single images of a class that is one group", () => {
      const samples = unsplit({ a: 10, b: 10 });
      const split = grouped(
        samples,
        samples.map(({ className }) => (className === "a" ? 0 : 1)),
        0.2,
      );
      assert.deepEqual(countsOf(samples, split.validation), { a: 2, b: 2 });
    });

    it("holds out nothing for a share of 0, and everything for a share of 1", () => {
      const samples = unsplit({ a: 4, b: 4 });
      const groups = [0, 0, 1, 1, 2, 2, 3, 3];
      assert.equal(grouped(samples, groups, 0).validation.length, 0);
      assert.equal(grouped(samples, groups, 1).train.length, 0);
    });
  });

  describe("with folds", () => {
    const foldsOf = (samples: DecodedSample[], count: number, groups?: number[], seed = 0) =>
      Array.from({ length: count }, (_, i) =>
        splitSamples(
          samples,
          {
            validationShare: 0.2,
            seed,
            fold: `${i + 1}/${count}`,
            ...(groups && { groups: Int32Array.from(groups) }),
          },
          "/data",
        ),
      );
    const sorted = (indices: number[]) => [...indices].sort((a, b) => a - b);

    it("validates on each image in one fold, and trains on the others", () => {
      const samples = unsplit({ a: 20, b: 11 });
      const folds = foldsOf(samples, 3);
      const all = samples.map((_, i) => i);
      assert.deepEqual(sorted(folds.flatMap(({ validation }) => validation)), all);
      for (const { train, validation } of folds) assert.deepEqual(sorted([...train, ...validation]), all);
    });

    it("gives the folds of a class sizes that differ by one at most, and evens out their totals", () => {
      const samples = unsplit({ a: 10, b: 10, c: 10 });
      // 10 = 4 + 3 + 3; the fold with four images is another one for each class
      for (const { validation } of foldsOf(samples, 3)) {
        assert.deepEqual(Object.values(countsOf(samples, validation)).sort(), [3, 3, 4]);
        assert.equal(validation.length, 10);
      }
    });

    it("keeps each group in one fold, also over classes", () => {
      const samples = unsplit({ a: 40, b: 40 });
      const groups = samples.map((_, i) => Math.floor(i / 4)); // two images of each class
      const folds = foldsOf(samples, 4, groups);
      const where = folds.map(({ validation }) => new Set(validation.map((index) => groups[index])));
      assert.deepEqual(
        where.map(({ size }) => size),
        [5, 5, 5, 5],
      );
      assert.equal(new Set(where.flatMap((set) => [...set])).size, 20);
    });

    it("deals single images of a class that is one group", () => {
      const samples = unsplit({ a: 6, b: 6 });
      const groups = samples.map(({ className }) => (className === "a" ? 0 : 1));
      for (const { validation } of foldsOf(samples, 3, groups))
        assert.deepEqual(countsOf(samples, validation), { a: 2, b: 2 });
    });

    it("deals the training images alone if the folders have a split", () => {
      const files = ["validation/a/1", "train/a/2", "train/a/3", "train/b/4", "train/b/5", "validation/b/6"];
      const folds = foldsOf(
        files.map((file) => sampleOf(file)),
        2,
      );
      assert.deepEqual(sorted(folds.flatMap(({ validation }) => validation)), [1, 2, 3, 4]);
      assert.equal(splitName([sampleOf("train/a/1")], { ...OPTIONS, fold: "1/2" }), "held-out");
    });

    it("deals otherwise by another seed", () => {
      const samples = unsplit({ a: 30 });
      assert.deepEqual(foldsOf(samples, 3), foldsOf(samples, 3));
      assert.notDeepEqual(foldsOf(samples, 3), foldsOf(samples, 3, undefined, 1));
    });

    for (const fold of ["", "0/5", "6/5", "1/1", "2", "2/5/6", "1.5/3"])
      it(`refuses ${fold || "an empty text"} as fold`, () => {
        assert.throws(() => splitSamples([], { ...OPTIONS, fold }, "/data"), {
          name: "InputError",
          message:
            "Expected the number of a fold and of all folds, two or more, such as 2/5 for --fold but found " +
            `${fold || "nothing"}. Choose one from 1/5 to 5/5.`,
        });
      });
  });

  it("keeps folders with validation images only", () => {
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

  it("knows the parts by names such as PublicTest_1.jpg, or the column Usage", () => {
    const samples = [
      sampleOf("train/angry/Training_10118481.jpg"),
      sampleOf("test/angry/PublicTest_1.jpg"),
      sampleOf("test/angry/PrivateTest_1.jpg"),
      { ...sampleOf("a/5.png"), usage: "PublicTest" as const },
      sampleOf("validation/angry/28708.jpg"),
    ];
    const split = (choice: "official" | "official-test") =>
      splitSamples(samples, { ...OPTIONS, split: choice }, "/fer");
    assert.deepEqual(split("official"), { train: [0, 4], validation: [1, 3] });
    assert.deepEqual(split("official-test"), { train: [0, 4], validation: [2] });
  });

  it("accepts numbers that count from 1 in each class, beside the part's name", () => {
    const samples = ["a", "b"].flatMap((name) => [
      sampleOf(`train/${name}/Training_1.jpg`),
      sampleOf(`test/${name}/PublicTest_1.jpg`),
    ]);
    assert.deepEqual(splitSamples(samples, { ...OPTIONS, split: "official" }, "/fer"), {
      train: [0, 2],
      validation: [1, 3],
    });
  });

  const message = (found: string) =>
    `Expected files named by the rows 0 to 35886 of fer2013.csv or as PublicTest_1.jpg, each once, for its official split at /fer but found ${found}. Remove --split, or give FER-2013: fer2013.csv, or its class folders.`;
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

describe("untrainedClasses", () => {
  const samples = ["train/a/1", "train/b/2", "val/a/3", "val/c/4", "train/d/5"].map((file) =>
    sampleOf(`${file}.jpg`),
  );
  it("names classes that only validation has", () => {
    assert.deepEqual(untrainedClasses(samples, { train: [0, 1], validation: [2, 3] }), []); // b may be c
    assert.deepEqual(untrainedClasses(samples, { train: [0, 3], validation: [2, 3] }), []);
    const both = [...samples, sampleOf("val/b/6.jpg")];
    assert.deepEqual(untrainedClasses(both, { train: [0, 1], validation: [2, 3, 5] }), ["c"]);
  });

  it("names none if train has one class", () => {
    assert.deepEqual(untrainedClasses(samples, { train: [0], validation: [2, 3] }), []);
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
