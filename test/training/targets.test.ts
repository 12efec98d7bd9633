import assert from "node:assert/strict";
import path from "node:path";
import { type Tensor2D, type Tensor4D, tf } from "../../src/engine/tf.js";
import { resizeToInput } from "../../src/model/network.js";
import { saveModel } from "../../src/model/weights/model-folder.js";
import { Random } from "../../src/random.js";
import {
  type ClassWeights,
  checkClassWeights,
  checkMix,
  exampleWeights,
  loadTeachers,
  mix,
  smoothedOneHot,
  teach,
  weightPerClass,
} from "../../src/training/targets.js";
import { randomImages, randomNetwork, TINY } from "../model/fixtures.js";
import { runFolder } from "./fixtures.js";
import { countTensors, near, take } from "./tensors.js";

describe("smoothedOneHot", () => {
  countTensors();

  it("takes shares of classes in place of labels", () => {
    const labelShares = Float32Array.of(0.75, 0.25, 0, 1);
    const targets = smoothedOneHot(Int32Array.of(0, 1), { numClasses: 2, labelSmoothing: 0.2, labelShares });
    near(take(targets), [0.7, 0.3, 0.1, 0.9]); // 0.2 / 2 + 0.8 · share
  });

  it("gives all mass to the label", () => {
    const targets = smoothedOneHot(Int32Array.of(2, 0), { numClasses: 3, labelSmoothing: 0 });
    assert.deepEqual(targets.shape, [2, 3]);
    assert.deepEqual(take(targets), [0, 0, 1, 1, 0, 0]);
  });

  it("spreads the smoothed mass over all classes, including the label's", () => {
    // 0.2 / 4 = 0.05; 1 − 0.2 + 0.05 = 0.85
    near(
      take(smoothedOneHot(Int32Array.of(1), { numClasses: 4, labelSmoothing: 0.2 })),
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
        () => smoothedOneHot(Int32Array.of(label), { numClasses: 3, labelSmoothing: 0, ...options }),
        { name: "ParameterError", message },
      );
    });
});

describe("weightPerClass", () => {
  const trainLabels = Int32Array.of(0, 0, 0, 0, 0, 0, 1, 1);
  const NAMES = ["10", "2"];

  it("is the same for each class by default", () => {
    assert.deepEqual(weightPerClass(trainLabels, NAMES, "none"), [1, 1]);
  });

  it("is inverse to each class's number of training images if balanced", () => {
    near(weightPerClass(trainLabels, NAMES, "balanced"), [8 / (2 * 6), 8 / (2 * 2)]);
  });

  it("uses given weights, and refuses another number of them", () => {
    assert.deepEqual(weightPerClass(trainLabels, NAMES, [1, 3]), [1, 3]);
    assert.throws(() => weightPerClass(trainLabels, NAMES, [1, 2, 3]), {
      name: "ParameterError",
      message: "Expected 2 numbers (10, 2) for classWeights but received [1,2,3] of type array",
    });
  });

  it("finds names in any Unicode form", () => {
    assert.deepEqual(weightPerClass(trainLabels, ["a", "caf\u00e9"], { "cafe\u0301": 2 }), [1, 2]);
  });

  it("uses weights by name, and 1 for other classes", () => {
    assert.deepEqual(weightPerClass(trainLabels, NAMES, { 2: 5 }), [1, 5]);
    assert.deepEqual(weightPerClass(trainLabels, ["constructor", "b"], { b: 2 }), [1, 2]);
    assert.throws(() => weightPerClass(trainLabels, NAMES, { 1: 5 }), {
      name: "ParameterError",
      message: "Expected one of 10, 2 for the names in classWeights but received 1 of type string",
    });
  });
});

describe("exampleWeights", () => {
  countTensors();

  it("divides each class's weight by the sum in the batch", () => {
    near(take(exampleWeights(Int32Array.of(0, 0, 1, 0), [1, 1])), [1 / 4, 1 / 4, 1 / 4, 1 / 4]);
    near(take(exampleWeights(Int32Array.of(1, 0, 1), [1, 3])), [3 / 7, 1 / 7, 3 / 7]);
    near(take(exampleWeights(Int32Array.of(1, 1), [1, 3])), [1 / 2, 1 / 2]);
  });
});

describe("checkClassWeights", () => {
  it("returns known words, and lists of numbers", () => {
    for (const known of ["none", "balanced", [0.5, 2], { a: 3 }] as const)
      assert.equal(checkClassWeights(known as ClassWeights), known);
  });

  const expected = `Expected none, balanced or weights by class name, as in --set 'classWeights={"happy":2,"sad":0.5}', for classWeights`;
  const cases: [unknown, string][] = [
    ["a=3,b=1", `${expected} but received a=3,b=1 of type string`],
    ["balance", `Did you mean balanced? ${expected} but received balance of type string`],
    [2, `${expected} but received 2 of type number`],
    [[1, 0], "Expected a number > 0 for classWeights[1] but received 0 of type number"],
    [{ a: -1 }, 'Expected a number > 0 for classWeights["a"] but received -1 of type number'],
    [
      { a: 1e308 },
      'Expected a number in [0.000001, 1000000] for classWeights["a"] but received 1e+308 of type number',
    ],
    [
      [1, 1e-300],
      "Expected a number in [0.000001, 1000000] for classWeights[1] but received 1e-300 of type number",
    ],
    [null, `${expected} but received null of type object`],
    [[1, Number.NaN], "Expected a finite number for classWeights[1] but received NaN of type number"],
  ];
  for (const [value, message] of cases)
    it(`refuses ${JSON.stringify(value)}`, () => {
      assert.throws(() => checkClassWeights(value as ClassWeights), { name: "ParameterError", message });
    });
});

/** Draws a fixed share, mixes each image with the one before it, and puts rectangles around a fixed point. */
class Fixed extends Random {
  constructor(
    private readonly share: number,
    private readonly position: number,
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
    return min + (max - min) * this.position;
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

  it("returns copies if both are off", () => {
    const given = twoImages();
    const { images, targets } = mix(...given, { mixup: 0, cutmix: 0, mixShare: 1 }, new Random(0));
    tf.dispose(given);
    assert.deepEqual([...new Set(take(images))], [0, 100]);
    assert.deepEqual(take(targets), [1, 0, 0, 1]);
  });

  it("mixes the given share of the batches", () => {
    const numMixed = (mixShare: number) => {
      let count = 0;
      for (let seed = 0; seed < 200; seed++) {
        const [, targets] = mixTwo({ mixup: 1, cutmix: 0, mixShare }, new Random(seed));
        if (targets.some((target) => target > 0 && target < 1)) count++;
      }
      return count;
    };
    assert.equal(numMixed(0), 0);
    const [half, whole] = [numMixed(0.5), numMixed(1)]; // less than 200: an order may leave both where they are
    assert.ok(Math.abs(half / whole - 0.5) < 0.15, `${half} of ${whole}`);
  });

  it("blends images and targets by the share that mixup draws", () => {
    const [images, targets] = mixTwo({ mixup: 0.2, cutmix: 0, mixShare: 1 }, new Fixed(0.7, 0.5));
    near(images.slice(0, 16), new Array<number>(16).fill(0.7 * 0 + 0.3 * 100), 1e-4);
    near(images.slice(16), new Array<number>(16).fill(0.7 * 100 + 0.3 * 0), 1e-4);
    near(targets, [0.7, 0.3, 0.3, 0.7]);
  });

  it("pastes a rectangle of the other image, of the area that CutMix draws", () => {
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

  it("counts in the targets only the part of the rectangle inside the image", () => {
    // Around the top left corner, a quarter of the rectangle of 2×2 pixels is within.
    const [images, targets] = mixTwo({ mixup: 0, cutmix: 1, mixShare: 1 }, new Fixed(0.75, 0));
    assert.deepEqual(images.slice(0, 16), [100, ...new Array<number>(15).fill(0)]);
    near(targets, [15 / 16, 1 / 16, 1 / 16, 15 / 16]);
  });

  it("uses mixup for some batches and CutMix for others if both are on", () => {
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

/** Saves a network with random weights, and returns its probabilities for two images. */
async function saveTeacher(dir: string, seed: number, imageSize = TINY.imageSize) {
  const network = randomNetwork({ imageSize }, seed);
  await saveModel(dir, network.config, await network.parameters());
  const images = randomImages(2, TINY.imageSize);
  const probs = tf.tidy(() => tf.softmax(network.logits(resizeToInput(images, { imageSize }))));
  tf.dispose(images);
  network.dispose();
  return take(probs);
}

describe("teach", function () {
  this.timeout(600_000);
  const folder = runFolder();
  beforeEach(() => saveTeacher(folder.dir, 0)); // kernels keep constants from their first use on
  countTensors();

  it("returns a copy of the targets without teachers", () => {
    const targets = tf.tensor2d([1, 0], [1, 2]);
    const images = randomImages(1, TINY.imageSize);
    assert.deepEqual(take(teach([], 0.5, images, targets)), [1, 0]);
    tf.dispose([images, targets]);
  });

  it("mixes in the teachers' mean probabilities, each at its own image size", async () => {
    const dirs = ["a", "b"].map((name) => path.join(folder.dir, name));
    const first = await saveTeacher(dirs[0], 1);
    const second = await saveTeacher(dirs[1], 2, 48);
    const teachers = await loadTeachers(dirs, TINY.classNames);
    const images = randomImages(2, TINY.imageSize);
    const targets = tf.tensor2d([1, 0, 0, 0, 0, 1], [2, 3]) as Tensor2D;
    near(
      take(teach(teachers, 0.75, images, targets)),
      [1, 0, 0, 0, 0, 1].map((target, i) => 0.25 * target + (0.75 * (first[i] + second[i])) / 2),
    );
    tf.dispose([images, targets]);
    for (const teacher of teachers) teacher.dispose();
  });

  it("refuses a teacher of other classes, and leaves no other in memory", async () => {
    const dir = path.join(folder.dir, "a");
    await saveTeacher(dir, 1);
    await assert.rejects(loadTeachers([dir], ["circle", "square"]), {
      name: "InputError",
      message:
        `Expected a teacher of the classes circle, square at ${dir} but found circle, square, triangle. ` +
        "Choose another model folder for `teachers`.",
    });
  });
});
