import assert from "node:assert/strict";
import { type AugmentOptions, augmentBatch, checkAugment, NO_AUGMENTATION } from "../../src/data/augment.js";
import { resizeBilinear } from "../../src/engine/kernels.js";
import { type Tensor4D, tf } from "../../src/engine/tf.js";
import { Random } from "../../src/random.js";
import { augmented, noise } from "./augmented.js";

describe("noise and blur", () => {
  /** Levels of uniform images after augmentation, a list for each. */
  const levelsOf = (level: number, numImages: number, options: Partial<AugmentOptions>): number[][] => {
    const input = tf.fill([numImages, 32, 32, 1], level) as Tensor4D;
    const output = augmentBatch(input, { ...NO_AUGMENTATION, ...options }, new Random(4));
    const levels = output.arraySync().map((rows) => rows.flat(2));
    tf.dispose([input, output]);
    return levels;
  };
  const meanOf = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviationOf = (values: number[]) => {
    const mean = meanOf(values);
    return Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2)));
  };

  it("adds normal noise, of every deviation up to the largest, which keeps the mean", () => {
    const levels = levelsOf(127.5, 300, { noise: 0.1, corruptionShare: 1 });
    const deviations = levels.map(deviationOf);
    // 1,024 pixels measure a deviation to 2.2% (one standard error): 0.1 · 255 · 1.1 = 28
    assert.ok(Math.max(...deviations) < 28 && Math.max(...deviations) > 23, `${Math.max(...deviations)}`);
    assert.ok(Math.min(...deviations) < 1, `${Math.min(...deviations)}`);
    // Uniform in [0, 25.5]: mean 12.75, standard error 25.5 / √12 / √300 = 0.42
    assert.ok(Math.abs(meanOf(deviations) - 12.75) < 1.5, `${meanOf(deviations)}`);
    assert.ok(Math.abs(meanOf(levels.flat()) - 127.5) < 0.2);
    const noisiest = levels[deviations.indexOf(Math.max(...deviations))].map(
      (level) => (level - 127.5) / Math.max(...deviations),
    );
    const within = noisiest.filter((value) => Math.abs(value) < 1).length / noisiest.length;
    assert.ok(Math.abs(within - 0.683) < 0.05, `${within} within one deviation`);
  });

  it("clips noise to 0–255, and gives all channels the same", () => {
    for (const level of [0, 255]) {
      const values = levelsOf(level, 4, { noise: 0.5, corruptionShare: 1 }).flat();
      assert.ok(values.every((value) => value >= 0 && value <= 255));
      const clipped = values.filter((value) => value === level).length / values.length;
      assert.ok(Math.abs(clipped - 0.5) < 0.05, `${clipped} at the border`);
    }
    const input = tf.fill([2, 9, 9, 3], 100) as Tensor4D;
    const output = augmentBatch(input, { ...NO_AUGMENTATION, noise: 0.1, corruptionShare: 1 }, new Random(0));
    for (const [red, green, blue] of output.arraySync().flat(2)) assert.ok(red === green && green === blue);
    tf.dispose([input, output]);
  });

  it("blurs by a Gaussian, with edge pixels repeated outside", () => {
    // A deviation of 0.2 · 5 = 1 pixel: weights e^(−d²/2) / 2.5066 = 0.3989, 0.2420, 0.0540, 0.0044.
    const dot = [0, 0, 0, 0, 0].map((_, y) => [0, 0, 0, 0, 0].map((_, x) => (x === 2 && y === 2 ? 255 : 0)));
    const blurred = augmented(dot, { blur: 0.2, corruptionShare: 1 });
    const near = (value: number, expected: number) => assert.ok(Math.abs(value - expected) < 0.1, `${value}`);
    near(blurred[2][2], 255 * 0.3989 ** 2);
    near(blurred[2][1], 255 * 0.3989 * 0.242);
    near(blurred[1][2], 255 * 0.3989 * 0.242);
    near(blurred[0][2], 255 * 0.054 * 0.3989); // nothing of the dot is outside
    // The top left pixel is its own neighbour outside: 0.5 + 0.3989 / 2 = 0.6995 of each side.
    const corner = dot.map((row, y) => row.map((_, x) => (x === 0 && y === 0 ? 255 : 0)));
    near(augmented(corner, { blur: 0.2, corruptionShare: 1 })[0][0], 255 * 0.6995 ** 2);
    // Of sides 2 and 4 the shorter counts: 0.5 pixels, with weights 0.7865, 0.1065 and 0.0003; 0.8932 where one is the edge.
    const wide = augmented(
      [
        [255, 0, 0, 0],
        [255, 0, 0, 0],
      ],
      { blur: 0.25, corruptionShare: 1 },
    );
    near(wide[0][0], 255 * 0.8932);
    near(wide[1][1], 255 * 0.1068);
  });

  it("blurs colour images by channel, and leaves uniform ones alone", () => {
    const levels = levelsOf(200, 8, { blur: 0.3, corruptionShare: 1 }).flat();
    assert.ok(levels.every((level) => Math.abs(level - 200) < 1e-3));
    const grey = noise(2).slice([0, 0, 0, 0], [2, 12, 12, 1]) as Tensor4D;
    const colours = tf.tidy(() => tf.concat([grey, tf.zerosLike(grey), grey.mul(0.5)], 3) as Tensor4D);
    const options = { ...NO_AUGMENTATION, blur: 0.1, corruptionShare: 1 };
    const [one, three] = [grey, colours].map((images) => augmentBatch(images, options, new Random(1)));
    const [values, rgb] = [one, three].map((images) => images.arraySync().flat(2));
    values.forEach(([value], i) => {
      assert.ok([value, 0, value / 2].every((expected, c) => Math.abs(rgb[i][c] - expected) < 1e-3));
    });
    tf.dispose([grey, colours, one, three]);
  });

  it("gives a share of the images noise or blur, half of them each if both are on", () => {
    const random = new Random(0);
    const input = tf.tensor4d(
      Float32Array.from({ length: 400 * 64 }, () => 100 + random.integer(50)),
      [400, 8, 8, 1],
    );
    const before = input.arraySync().map((rows) => rows.flat(2));
    const counts = (options: Partial<AugmentOptions>) => {
      const output = augmentBatch(input, { ...NO_AUGMENTATION, ...options }, new Random(3));
      const spread = output.arraySync().map((rows, i) => deviationOf(rows.flat(2)) - deviationOf(before[i]));
      output.dispose();
      return [spread.filter((one) => one > 1e-3), spread.filter((one) => one < -1e-3)].map(
        ({ length }) => length,
      );
    };
    const isNear = (count: number, expected: number) =>
      assert.ok(Math.abs(count - expected) < 35, `${count}, expected about ${expected}`);
    const [noisy, blurred] = counts({ noise: 0.3, blur: 0.3, corruptionShare: 0.5 });
    isNear(noisy, 100);
    isNear(blurred, 100);
    isNear(counts({ noise: 0.3 })[0], 200); // the default share
    isNear(counts({ blur: 0.3, corruptionShare: 0.25 })[1], 100);
    assert.deepEqual(counts({ noise: 0.3, blur: 0.3, corruptionShare: 0 }), [0, 0]);
    input.dispose();
  });

  it("blurs and adds noise before it enlarges", () => {
    // Twice as large, pixels 1 and 2 of a row are means of two neighbours, so noise of single pixels cannot come back there.
    const input = tf.fill([1, 2, 2, 1], 128) as Tensor4D;
    const options = { ...NO_AUGMENTATION, noise: 0.1, corruptionShare: 1 };
    const [small, large] = [undefined, 4].map((side) => augmentBatch(input, options, new Random(1), side));
    const expected = resizeBilinear(small, [4, 4]);
    assert.deepEqual(large.dataSync(), expected.dataSync());
    tf.dispose([input, small, large, expected]);
  });

  for (const [name, value, expected] of [
    ["noise", 30, "Did you mean 0.12? Expected a share of 255"],
    ["blur", -0.1, "Expected a share of the side"],
    ["corruptionShare", 1.1, "Expected a probability"],
  ] as const)
    it(`refuses ${name} ${value}`, () => {
      assert.throws(() => checkAugment({ ...NO_AUGMENTATION, [name]: value }), {
        name: "ParameterError",
        message: `${expected} in [0, 1] for ${name} but received ${value} of type number`,
      });
    });
});
