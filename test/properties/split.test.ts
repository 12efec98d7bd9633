import assert from "node:assert/strict";
import fc from "fast-check";
import { type Split, splitSamples } from "../../src/data/split.js";
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
});
