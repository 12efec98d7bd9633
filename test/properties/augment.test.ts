import assert from "node:assert/strict";
import fc from "fast-check";
import { type AugmentOptions, augmentBatch, NO_AUGMENTATION } from "../../src/data/augment.js";
import { type Tensor4D, tf } from "../../src/engine/tf.js";
import { Random } from "../../src/random.js";

fc.configureGlobal({ seed: 21 }); // the same cases each time

const share = fc.double({ min: 0, max: 1, noNaN: true });
const level = fc.double({ min: 0, max: 255, noNaN: true });
const OPTIONS: fc.Arbitrary<AugmentOptions> = fc.record({
  horizontalFlip: share,
  rotation: fc.double({ min: 0, max: 180, noNaN: true }),
  translation: share,
  zoom: fc
    .tuple(fc.double({ min: 0.1, max: 10, noNaN: true }), fc.double({ min: 0.1, max: 10, noNaN: true }))
    .map(([a, b]): [number, number] => [Math.min(a, b), Math.max(a, b)]),
  brightness: share,
  contrast: share,
  erasing: share,
  noise: share,
  blur: share,
  corruptionShare: share,
  fill: fc.oneof(fc.constantFrom("edge" as const, "reflect" as const), level, fc.tuple(level, level, level)),
});
const SHAPE = fc.tuple(
  fc.integer({ min: 1, max: 4 }),
  fc.integer({ min: 1, max: 9 }),
  fc.integer({ min: 1, max: 9 }),
  fc.constantFrom(1, 3),
);
const imagesOf = (shape: [number, number, number, number], seed: number): Tensor4D => {
  const random = new Random(seed, "images");
  const length = shape.reduce((a, b) => a * b, 1);
  return tf.tensor4d(
    Float32Array.from({ length }, () => random.integer(256)),
    shape,
  );
};
const RUNS = { numRuns: 60 };

describe("augmentation of any images", () => {
  const numTensorsNow = () => tf.memory().numTensors;
  const augmented = (images: Tensor4D, options: AugmentOptions, seed: number, side?: number) => {
    const result = augmentBatch(images, options, new Random(seed, "augment"), side);
    const values = result.dataSync() as Float32Array;
    const { shape } = result;
    result.dispose();
    return { shape, values };
  };

  it("keeps shape and range, gives the same for the same seed, and leaves no tensor", () => {
    fc.assert(
      fc.property(SHAPE, OPTIONS, fc.nat(), (shape, options, seed) => {
        const numTensors = numTensorsNow();
        const images = imagesOf(shape, seed);
        const found = augmented(images, options, seed);
        assert.deepEqual(found.shape, shape);
        assert.ok(found.values.every((value) => value > -0.01 && value < 255.01));
        assert.deepEqual(augmented(images, options, seed), found);
        images.dispose();
        assert.equal(numTensorsNow(), numTensors);
      }),
      RUNS,
    );
  });

  it("changes each image as if it came alone", () => {
    fc.assert(
      fc.property(SHAPE, OPTIONS, fc.nat(), (shape, options, seed) => {
        const images = imagesOf(shape, seed);
        const together = augmented(images, options, seed).values;
        const random = new Random(seed, "augment");
        const alone = tf.tidy(() =>
          tf
            .unstack(images)
            .flatMap((image) => [
              ...augmentBatch(image.expandDims(0) as Tensor4D, options, random).dataSync(),
            ]),
        );
        images.dispose();
        assert.ok(alone.every((value, i) => Math.abs(value - together[i]) < 1e-2));
      }),
      RUNS,
    );
  });

  it("changes nothing without options, and twice mirrored is the image itself", () => {
    fc.assert(
      fc.property(SHAPE, fc.nat(), (shape, seed) => {
        const images = imagesOf(shape, seed);
        const original = images.dataSync();
        assert.deepEqual(augmented(images, NO_AUGMENTATION, seed).values, original);
        const mirror = { ...NO_AUGMENTATION, horizontalFlip: 1 };
        const once = augmented(images, mirror, seed).values;
        const again = tf.tensor4d(once, shape);
        const twice = augmented(again, mirror, seed + 1).values;
        assert.ok(twice.every((value, i) => Math.abs(value - original[i]) < 1e-3));
        tf.dispose([images, again]);
      }),
      RUNS,
    );
  });

  it("gives the size that is asked for", () => {
    fc.assert(
      fc.property(SHAPE, OPTIONS, fc.nat(), fc.integer({ min: 1, max: 12 }), (shape, options, seed, side) => {
        const images = imagesOf(shape, seed);
        assert.deepEqual(augmented(images, options, seed, side).shape, [shape[0], side, side, shape[3]]);
        images.dispose();
      }),
      RUNS,
    );
  });
});
