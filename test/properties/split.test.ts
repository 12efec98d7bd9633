import assert from "node:assert/strict";
import fc from "fast-check";
import { groupsInBoth, type Split, splitName, splitSamples } from "../../src/data/split.js";
import { sampleOf } from "../data/fixtures.js";

fc.configureGlobal({ seed: 21 }); // the same cases each time

/** Images without a split, by class, and the share to hold out. */
const HELD_OUT = fc.record({
  classes: fc.array(fc.nat(4), { maxLength: 60 }),
  validationShare: fc.double({ min: 0, max: 1, noNaN: true }),
  seed: fc.nat(),
});
const samplesOf = (classes: number[]) => classes.map((name, i) => sampleOf(`class ${name}/${i}.png`));
const count = (indices: number[], classes: number[], name: number) =>
  indices.filter((index) => classes[index] === name).length;
const assertPartition = ({ train, validation }: Split, numImages: number) => {
  const all = [...train, ...validation].sort((a, b) => a - b);
  assert.deepEqual(
    all,
    Array.from({ length: numImages }, (_, i) => i),
  );
  for (const side of [train, validation])
    assert.deepEqual(
      side,
      [...side].sort((a, b) => a - b),
    );
};

describe("a split of any images", () => {
  it("puts each image on one side, the same for the same seed", () => {
    fc.assert(
      fc.property(HELD_OUT, ({ classes, ...options }) => {
        const split = splitSamples(samplesOf(classes), options, "/data");
        assertPartition(split, classes.length);
        assert.deepEqual(splitSamples(samplesOf(classes), options, "/data"), split);
      }),
    );
  });

  it("holds out the rounded share of each class, but leaves at least one image on each side", () => {
    fc.assert(
      fc.property(HELD_OUT, ({ classes, validationShare, seed }) => {
        const { train, validation } = splitSamples(samplesOf(classes), { validationShare, seed }, "/data");
        for (const name of new Set(classes)) {
          const [numTrain, numHeld] = [train, validation].map((side) => count(side, classes, name));
          const numImages = numTrain + numHeld;
          const exact = Math.round(validationShare * numImages);
          const isProper = validationShare > 0 && validationShare < 1;
          if (!isProper) assert.equal(numHeld, exact);
          else if (numImages === 1) assert.equal(numHeld, 0);
          else assert.equal(numHeld, Math.min(numImages - 1, Math.max(1, exact)));
        }
      }),
    );
  });

  it("keeps a group on one side if its classes have other groups, too", () => {
    const grouped = fc.record({
      images: fc.array(fc.tuple(fc.nat(3), fc.nat(8)), { maxLength: 60 }),
      validationShare: fc.double({ min: 0, max: 1, noNaN: true }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(grouped, ({ images, ...options }) => {
        const classes = images.map(([name]) => name);
        const groups = Int32Array.from(images, ([, group]) => group);
        const split = splitSamples(samplesOf(classes), { ...options, groups }, "/data");
        assertPartition(split, images.length);
        const isHeld = new Set(split.validation);
        const hasOne = (name: number) =>
          new Set(images.filter(([own]) => own === name).map(([, group]) => group)).size === 1;
        for (const group of new Set(groups)) {
          const indices = images.flatMap(([name, own], i) => (own === group && !hasOne(name) ? i : []));
          assert.ok(new Set(indices.map((index) => isHeld.has(index))).size <= 1, `group ${group}`);
        }
      }),
    );
  });

  it("follows the folders if there are some", () => {
    const files = fc.array(fc.tuple(fc.constantFrom("train", "validation"), fc.nat(2)), { minLength: 1 });
    fc.assert(
      fc.property(files, fc.nat(), (parts, seed) => {
        const samples = parts.map(([part, name], i) => sampleOf(`${part}/${name}/${i}.png`));
        const split = splitSamples(samples, { validationShare: 0.2, seed }, "/data");
        assertPartition(split, parts.length);
        assert.ok(split.train.every((index) => parts[index][0] === "train"));
      }),
    );
  });

  it("counts the images of a class that another class has held out with their group", () => {
    // Class 0 has a group of its own and group 10; class 1 has two images in group 10, and two more. A half of 4 is 2.
    const classes = [0, 0, 1, 1, 1, 1];
    const groups = Int32Array.of(10, 11, 10, 10, 12, 13);
    for (let seed = 0; seed < 20; seed++) {
      const { validation } = splitSamples(
        samplesOf(classes),
        { validationShare: 0.5, seed, groups },
        "/data",
      );
      assert.deepEqual(
        [0, 1].map((name) => count(validation, classes, name)),
        [1, 2],
        `seed ${seed}`,
      );
    }
  });
});

describe("the name of a split", () => {
  const loose = samplesOf([0, 1]);
  const mixed = [...loose, sampleOf("train/a/1.png")];
  const options = { validationShare: 0.2, seed: 0 };

  it("is that of the folders if any image is in one, otherwise of what is held out", () => {
    assert.equal(splitName(loose, options), "held-out");
    assert.equal(splitName(loose, { ...options, split: "folders" }), "held-out");
    assert.equal(splitName(loose, { ...options, validationShare: 1 }), "all");
    assert.equal(splitName(mixed, options), "folders");
    assert.equal(splitName(mixed, { ...options, split: "official" }), "official");
  });
});

describe("groups in both parts", () => {
  const samples = ["a/x-1.png", "a/x-2.png", "b/y-1.png", "b/1.png", "b/2.png"].map((file) => sampleOf(file));

  it("are counted among those of validation, and the first is named", () => {
    const split = { train: [0, 3], validation: [1, 2, 4] };
    // x, y, and the images without a group, which count as one.
    assert.deepEqual(groupsInBoth(samples, split, "/([xy])-"), [
      "1 of 3 groups in validation, such as x, are in train too, so the accuracy is not that for new ones.",
    ]);
  });

  it("are none if each group is in one part", () => {
    assert.deepEqual(groupsInBoth(samples, { train: [0, 1], validation: [2, 3] }, "/([xy])-"), []);
    assert.deepEqual(groupsInBoth(samples, { train: [3], validation: [4] }, "/([xy])-"), []);
  });
});
