import assert from "node:assert/strict";
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "../../src/engine/tf.js";
import { Random } from "../../src/random.js";
import {
  type ClassWeights,
  checkClassWeights,
  checkMix,
  exampleWeights,
  mix,
  targetsFor,
} from "../../src/training/targets.js";

/** The tensor's values; disposes it. */
function take(tensor: Tensor): number[] {
  const values = [...tensor.dataSync()];
  tensor.dispose();
  return values;
}
function near(actual: number[], expected: number[], tolerance = 1e-6): void {
  const isNear = (value: number, i: number) => Math.abs(value - expected[i]) < tolerance;
  assert.ok(actual.length === expected.length && actual.every(isNear), `${actual} ≠ ${expected}`);
}
/** Each test of the `describe` that calls this leaves as many tensors as there were. */
function countTensors(): void {
  let numTensors: number;
  beforeEach(() => {
    numTensors = tf.memory().numTensors;
  });
  afterEach(() => assert.equal(tf.memory().numTensors, numTensors, "tensors left"));
}

describe("targetsFor", () => {
  countTensors();

  it("gives all mass to the label", () => {
    const targets = targetsFor(Int32Array.of(2, 0), { numClasses: 3, labelSmoothing: 0 });
    assert.deepEqual(targets.shape, [2, 3]);
    assert.deepEqual(take(targets), [0, 0, 1, 1, 0, 0]);
  });

  it("spreads the smoothed mass over all classes, the label's too", () => {
    // 0.2 / 4 = 0.05; 1 − 0.2 + 0.05 = 0.85
    near(
      take(targetsFor(Int32Array.of(1), { numClasses: 4, labelSmoothing: 0.2 })),
      [0.05, 0.85, 0.05, 0.05],
    );
  });

  const cases: [number, object, string][] = [
    [
      0,
      { labelSmoothing: 1 },
      "Expected a number in [0, 1) for labelSmoothing but received 1 of type number",
    ],
    [
      0,
      { labelSmoothing: Number.NaN },
      "Expected a number in [0, 1) for labelSmoothing but received NaN of type number",
    ],
    [0, { numClasses: 0 }, "Expected an integer ≥ 1 for numClasses but received 0 of type number"],
    [3, {}, "Expected an integer in [0, 3) for labels[0] but received 3 of type number"],
    [-1, {}, "Expected an integer in [0, 3) for labels[0] but received -1 of type number"],
  ];
  for (const [label, options, message] of cases)
    it(`refuses label ${label} ${Object.entries(options).flat().join(" ")}`, () => {
      assert.throws(
        () => targetsFor(Int32Array.of(label), { numClasses: 3, labelSmoothing: 0, ...options }),
        { name: "ParameterError", message },
      );
    });
});

describe("exampleWeights", () => {
  countTensors();

  const trainLabels = Int32Array.of(0, 0, 0, 0, 0, 0, 1, 1);
  const weights = (labels: number[], classWeights: ClassWeights, numClasses = 2) =>
    take(exampleWeights(Int32Array.from(labels), trainLabels, { numClasses, classWeights }));

  it("is the same for each image where no class weighs more", () => {
    near(weights([0, 0, 1, 0], "none"), [1 / 4, 1 / 4, 1 / 4, 1 / 4]);
  });

  it("is inverse to the class's count of training images where they are balanced", () => {
    // 8 / (2·6) = 2/3 and 8 / (2·2) = 2; over their sum 2/3 + 2/3 + 2 = 10/3
    near(weights([0, 0, 1], "balanced"), [1 / 5, 1 / 5, 3 / 5]);
  });

  it("takes the given weights, over their sum in the batch", () => {
    near(weights([1, 0, 1], [1, 3]), [3 / 7, 1 / 7, 3 / 7]);
    near(weights([1, 1], [1, 3]), [1 / 2, 1 / 2]);
  });

  it("refuses weights for another number of classes", () => {
    assert.throws(() => weights([0], [1, 2, 3]), {
      name: "ParameterError",
      message: "Expected 2 numbers for classWeights but received 1,2,3 of type object",
    });
  });
});

describe("checkClassWeights", () => {
  it("returns known words and lists", () => {
    for (const known of ["none", "balanced", [0.5, 2]] as const)
      assert.equal(checkClassWeights(known as ClassWeights), known);
  });

  const cases: [unknown, string][] = [
    ["even", "Expected one of none, balanced for classWeights but received even of type string"],
    [2, "Expected one of none, balanced for classWeights but received 2 of type number"],
    [[1, 0], "Expected a number > 0 for classWeights[1] but received 0 of type number"],
    [[1, Number.NaN], "Expected a finite number for classWeights[1] but received NaN of type number"],
  ];
  for (const [value, message] of cases)
    it(`refuses ${value}`, () => {
      assert.throws(() => checkClassWeights(value as ClassWeights), { name: "ParameterError", message });
    });
});

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
    const { images, targets } = mix(...given, { mixup: 0, cutmix: 0 }, new Random(0));
    tf.dispose(given);
    assert.deepEqual([...new Set(take(images))], [0, 100]);
    assert.deepEqual(take(targets), [1, 0, 0, 1]);
  });

  it("blends images and targets by the share that mixup draws", () => {
    const [images, targets] = mixTwo({ mixup: 0.2, cutmix: 0 }, new Fixed(0.7, 0.5));
    near(images.slice(0, 16), new Array<number>(16).fill(0.7 * 0 + 0.3 * 100), 1e-4);
    near(images.slice(16), new Array<number>(16).fill(0.7 * 100 + 0.3 * 0), 1e-4);
    near(targets, [0.7, 0.3, 0.3, 0.7]);
  });

  it("puts in a rectangle of the other image of the area that CutMix draws", () => {
    // 1 − 0.75 = a quarter of the area: half of each side, around the middle
    const [images, targets] = mixTwo({ mixup: 0, cutmix: 1 }, new Fixed(0.75, 0.5));
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
    const [images, targets] = mixTwo({ mixup: 0, cutmix: 1 }, new Fixed(0.75, 0));
    assert.deepEqual(images.slice(0, 16), [100, ...new Array<number>(15).fill(0)]);
    near(targets, [15 / 16, 1 / 16, 1 / 16, 15 / 16]);
  });

  it("takes mixup for some batches and CutMix for others where both are on", () => {
    const isBlend = Array.from({ length: 40 }, (_, seed) => {
      const [images] = mixTwo({ mixup: 1, cutmix: 1 }, new Random(seed));
      return images.some((value) => value > 0 && value < 100);
    });
    const numBlends = isBlend.filter(Boolean).length;
    assert.ok(numBlends > 8 && numBlends < 32, `${numBlends} of 40 are blends`);
  });

  it("gives the same mixture for the same seed, and keeps each target's sum", () => {
    const first = mixTwo({ mixup: 0.4, cutmix: 1 }, new Random(8));
    assert.deepEqual(mixTwo({ mixup: 0.4, cutmix: 1 }, new Random(8)), first);
    const [, [a, b, c, d]] = first;
    near([a + b, c + d], [1, 1]);
  });
});

describe("checkMix", () => {
  it("returns options in range", () => {
    const options = { mixup: 0.2, cutmix: 0 };
    assert.equal(checkMix(options), options);
  });

  for (const alpha of [-1, 1e-9, 11, Number.NaN, "1"])
    it(`refuses ${alpha}`, () => {
      const message = `Expected 0 or a number in [0.01, 10] for mixup but received ${alpha} of type ${typeof alpha}`;
      const options = { mixup: alpha as number, cutmix: 0 };
      assert.throws(() => checkMix(options), { name: "ParameterError", message });
      const given = twoImages();
      assert.throws(() => mix(...given, options, new Random(0)), { message });
      tf.dispose(given);
    });
});
