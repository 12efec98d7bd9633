import assert from "node:assert/strict";
import { type Tensor2D, type Tensor4D, tf } from "../../src/engine/tf.js";
import { Random } from "../../src/random.js";
import { checkMix, mix } from "../../src/training/targets.js";
import { countTensors, near, take } from "./tensors.js";

/** Draws a fixed share, mixes each image with the one before it, and puts rectangles around a fixed place. */
class Fixed extends Random {
  constructor(
    private readonly share: number,
    private readonly place: number,
  ) {
    super(0);
  }
  override beta(): number {
    return this.share;
  }
  override permutation(length: number): Int32Array {
    return Int32Array.from({ length }, (_, i) => (i + length - 1) % length);
  }
  override uniform(min = 0, max = 1): number {
    return min + (max - min) * this.place;
  }
}

/** Two images of 4×4 pixels, one all 0 and one all 100, and their targets. */
function twoImages(): [Tensor4D, Tensor2D] {
  const images = tf.tidy(() => tf.concat([tf.zeros([1, 4, 4, 1]), tf.fill([1, 4, 4, 1], 100)])) as Tensor4D;
  const targets = tf.tensor2d([
    [1, 0],
    [0, 1],
  ]);
  return [images, targets];
}
function mixTwo(options: Parameters<typeof mix>[2], random: Random): [images: number[], targets: number[]] {
  const given = twoImages();
  const { images, targets } = mix(...given, options, random);
  assert.deepEqual(images.shape, [2, 4, 4, 1]);
  tf.dispose(given);
  return [take(images), take(targets)];
}

describe("mix", () => {
  countTensors();

  it("gives copies when both are off", () => {
    const given = twoImages();
    const { images, targets } = mix(...given, { mixup: 0, cutmix: 0, mixShare: 1 }, new Random(0));
    tf.dispose(given);
    assert.deepEqual([...new Set(take(images))], [0, 100]);
    assert.deepEqual(take(targets), [1, 0, 0, 1]);
  });

  it("mixes the share of the batches that it is told", () => {
    const numMixed = (mixShare: number) => {
      let count = 0;
      for (let seed = 0; seed < 200; seed++) {
        const [, targets] = mixTwo({ mixup: 1, cutmix: 0, mixShare }, new Random(seed));
        if (targets.some((target) => target > 0 && target < 1)) count++;
      }
      return count;
    };
    assert.equal(numMixed(0), 0);
    const [half, whole] = [numMixed(0.5), numMixed(1)]; // less than 200: an order may leave both in their places
    assert.ok(Math.abs(half / whole - 0.5) < 0.15, `${half} of ${whole}`);
  });

  it("blends images and targets by the share that mixup draws", () => {
    const [images, targets] = mixTwo({ mixup: 0.2, cutmix: 0, mixShare: 1 }, new Fixed(0.7, 0.5));
    near(images.slice(0, 16), new Array<number>(16).fill(0.7 * 0 + 0.3 * 100), 1e-4);
    near(images.slice(16), new Array<number>(16).fill(0.7 * 100 + 0.3 * 0), 1e-4);
    near(targets, [0.7, 0.3, 0.3, 0.7]);
  });

  it("puts in a rectangle of the other image of the area that CutMix draws", () => {
    // 1 − 0.75 = a quarter of the area: half of each side, around the middle
    const [images, targets] = mixTwo({ mixup: 0, cutmix: 1, mixShare: 1 }, new Fixed(0.75, 0.5));
    assert.deepEqual(images.slice(0, 16), [
      ...[0, 0, 0, 0],
      ...[0, 100, 100, 0],
      ...[0, 100, 100, 0],
      ...[0, 0, 0, 0],
    ]);
    assert.deepEqual(
      images.slice(16),
      images.slice(0, 16).map((value) => 100 - value),
    );
    near(targets, [12 / 16, 4 / 16, 4 / 16, 12 / 16]);
  });

  it("counts in the targets only what of the rectangle lies within the image", () => {
    // Around the top left corner, a quarter of the rectangle of 2×2 pixels is within.
    const [images, targets] = mixTwo({ mixup: 0, cutmix: 1, mixShare: 1 }, new Fixed(0.75, 0));
    assert.deepEqual(images.slice(0, 16), [100, ...new Array<number>(15).fill(0)]);
    near(targets, [15 / 16, 1 / 16, 1 / 16, 15 / 16]);
  });

  it("takes mixup for some batches and CutMix for others where both are on", () => {
    const isBlend = Array.from({ length: 40 }, (_, seed) => {
      const [images] = mixTwo({ mixup: 1, cutmix: 1, mixShare: 1 }, new Random(seed));
      return images.some((value) => value > 0 && value < 100);
    });
    const numBlends = isBlend.filter(Boolean).length;
    assert.ok(numBlends > 8 && numBlends < 32, `${numBlends} of 40 are blends`);
  });

  it("gives the same mixture for the same seed, and keeps each target's sum", () => {
    const first = mixTwo({ mixup: 0.4, cutmix: 1, mixShare: 1 }, new Random(8));
    assert.deepEqual(mixTwo({ mixup: 0.4, cutmix: 1, mixShare: 1 }, new Random(8)), first);
    const [, [a, b, c, d]] = first;
    near([a + b, c + d], [1, 1]);
  });
});

describe("checkMix", () => {
  it("returns options in range", () => {
    const options = { mixup: 0.2, cutmix: 0, mixShare: 1 };
    assert.equal(checkMix(options), options);
  });

  for (const alpha of [-1, 1e-9, 11, Number.NaN, "1"])
    it(`refuses ${alpha}`, () => {
      const message = `Expected 0 or a number in [0.01, 10] for mixup but received ${alpha} of type ${typeof alpha}`;
      const options = { mixup: alpha as number, cutmix: 0, mixShare: 1 };
      assert.throws(() => checkMix(options), { name: "ParameterError", message });
      const given = twoImages();
      assert.throws(() => mix(...given, options, new Random(0)), { message });
      tf.dispose(given);
    });
});
