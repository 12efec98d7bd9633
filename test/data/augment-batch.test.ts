import assert from "node:assert/strict";
import {
  type AugmentOptions,
  augmentBatch,
  BASELINE_AUGMENTATION,
  NO_AUGMENTATION,
} from "../../src/data/augment.js";
import { resizeBilinear } from "../../src/engine/kernels.js";
import { type Tensor4D, tf } from "../../src/engine/tf.js";
import { Random } from "../../src/random.js";
import { ALL, augmented, augmentNoise, image, noise } from "./augmented.js";

describe("augmentBatch", () => {
  it("scales to an output size just as images for inference are", () => {
    const input = noise(2);
    const [output, expected] = [
      augmentBatch(input, NO_AUGMENTATION, new Random(0), 24),
      resizeBilinear(input, 24),
    ];
    assert.deepEqual(output.shape, [2, 24, 24, 3]);
    assert.deepEqual(output.dataSync(), expected.dataSync());
    tf.dispose([input, output, expected]);
    // 2 → 4 pixels: centres at −0.25, 0.25, 0.75, 1.25; then mirrored
    assert.deepEqual(
      augmented(
        [
          [0, 80],
          [0, 80],
        ],
        { horizontalFlip: 1 },
        4,
      )[0],
      [80, 60, 20, 0],
    );
  });

  it("gives the same images for the same seed, and others for another", () => {
    const first = augmentNoise(4, ALL, 1);
    assert.deepEqual(augmentNoise(4, ALL, 1), first);
    assert.notDeepEqual(augmentNoise(4, ALL, 2), first);
    assert.ok(first.every((value) => value >= 0 && value <= 255));
  });

  it("changes an image the same whether others follow it in the batch or not", () => {
    const alone = augmentNoise(2, ALL, 1);
    assert.deepEqual(augmentNoise(4, ALL, 1).slice(0, alone.length), alone);
  });

  it("draws the same flips whatever else is on", () => {
    const isMirrored = (options: Partial<AugmentOptions>) => {
      const input = tf.tidy(() => tf.tile(image([[0, 0, 0, 255, 255, 255]]), [50, 6, 1, 1]) as Tensor4D);
      const output = augmentBatch(
        input,
        { ...NO_AUGMENTATION, horizontalFlip: 0.5, ...options },
        new Random(5),
      );
      const columns = tf.tidy(() => output.sum([1, 3]).arraySync() as number[][]);
      tf.dispose([input, output]);
      return columns.map(([a, b, c, d, e, f]) => a + b + c > d + e + f);
    };
    const plain = isMirrored({});
    const share = plain.filter(Boolean).length / 50;
    assert.ok(share > 0.3 && share < 0.7, `${share} of the images are mirrored`);
    assert.deepEqual(isMirrored({ brightness: 0.1, contrast: 0.1, zoom: [0.9, 1], erasing: 0.5 }), plain);
  });

  it("spreads angles over both directions within the greatest", () => {
    // A bright pixel 20 right of the centre moves up or down by 20·sin(angle).
    const input = tf.tidy(() =>
      tf
        .oneHot(tf.fill([40], 20 * 41 + 40, "int32"), 41 * 41)
        .mul(255)
        .reshape([40, 41, 41, 1]),
    );
    const output = augmentBatch(
      input as Tensor4D,
      { ...BASELINE_AUGMENTATION, horizontalFlip: 0 },
      new Random(2),
    );
    const angles = output.arraySync().map((rows) => {
      const weights = rows.map((row) => row.reduce((total, [value]) => total + value, 0));
      const total = weights.reduce((a, b) => a + b, 0);
      const y = weights.reduce((sum, weight, row) => sum + weight * row, 0) / total;
      return (Math.asin((20 - y) / 20) * 180) / Math.PI;
    });
    assert.ok(Math.max(...angles) > 12 && Math.max(...angles) < 21.5, String(angles));
    assert.ok(Math.min(...angles) < -12 && Math.min(...angles) > -21.5, String(angles));
    tf.dispose([input, output]);
  });

  it("leaves no tensor but its result", () => {
    const input = noise(3);
    augmentBatch(input, ALL, new Random(1), 20).dispose();
    const before = tf.memory().numTensors;
    const output = augmentBatch(input, ALL, new Random(1), 20);
    assert.equal(tf.memory().numTensors, before + 1);
    output.dispose();
    augmentBatch(input, NO_AUGMENTATION, new Random(1)).dispose();
    assert.equal(tf.memory().numTensors, before);
    assert.equal(input.isDisposed, false);
    input.dispose();
  });

  it("checks its options", () => {
    const input = noise(1);
    assert.throws(() => augmentBatch(input, { ...NO_AUGMENTATION, rotation: Number.NaN }, new Random(1)), {
      message: "Expected a number in [0, 180] for rotation but received NaN of type number",
    });
    assert.throws(() => augmentBatch(input, NO_AUGMENTATION, new Random(1), 0), {
      message: "Expected an integer ≥ 1 for outputSize but received 0 of type number",
    });
    input.dispose();
  });
});
