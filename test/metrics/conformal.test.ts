import assert from "node:assert/strict";
import { fitThresholds, predictionSet, riskCoverage, setScores } from "../../src/metrics/conformal.js";
import { Random } from "../../src/random.js";

/** Rows of two classes in which the right one, class 0, has these probabilities. */
const rows = (...right: number[]) => Float32Array.from(right.flatMap((prob) => [prob, 1 - prob]));

function isNear(actual: number, expected: number, tolerance = 1e-6): void {
  assert.ok(Math.abs(actual - expected) < tolerance, `${actual} is not near ${expected}`);
}

/** Draws images of three classes whose labels follow their probabilities. */
function drawn(numImages: number, seed: number): { probs: Float32Array; labels: Int32Array } {
  const random = new Random(seed, "images");
  const probs = new Float32Array(3 * numImages);
  const labels = new Int32Array(numImages);
  for (let i = 0; i < numImages; i++) {
    const weights = [0, 1, 2].map(() => random.uniform() ** 3);
    const sum = weights.reduce((a, b) => a + b, 0);
    weights.forEach((weight, c) => {
      probs[3 * i + c] = weight / sum;
    });
    const draw = random.uniform(0, sum);
    labels[i] = draw < weights[0] ? 0 : draw < weights[0] + weights[1] ? 1 : 2;
  }
  return { probs, labels };
}

describe("fitThresholds", () => {
  it("takes the probability of the right class that enough images reach", () => {
    // Of 19 images, 0.9 · 20 = 18 must be covered, and 0.95 · 20 = 19.
    const right = Array.from({ length: 19 }, (_, i) => (i + 1) / 20);
    const [ninety, ninetyFive] = fitThresholds(rows(...right), new Int32Array(19), 2);
    assert.deepEqual([ninety.coverage, ninetyFive.coverage], [0.9, 0.95]);
    isNear(ninety.minProb, 2 / 20);
    isNear(ninetyFive.minProb, 1 / 20);
  });

  it("takes all classes if there are too few images to promise anything", () => {
    const [ninety, ninetyFive] = fitThresholds(rows(0.8, 0.9), new Int32Array(2), 2);
    assert.deepEqual([ninety.minProb, ninetyFive.minProb], [0, 0]);
  });

  it("covers new images as often as promised, on average over calibrations", () => {
    const thresholds = Array.from({ length: 40 }, (_, seed) => {
      const { probs, labels } = drawn(200, seed);
      return fitThresholds(probs, labels, 3);
    });
    const fresh = drawn(4000, 1000);
    for (const [k, coverage] of [0.9, 0.95].entries()) {
      const covered = thresholds.map(
        (some) => setScores(fresh.probs, fresh.labels, ["a", "b", "c"], some[k]).covered,
      );
      const mean = covered.reduce((a, b) => a + b, 0) / covered.length;
      isNear(mean, coverage, 0.015);
    }
  });

  it("refuses another number of probabilities than the labels need", () => {
    assert.throws(() => fitThresholds(new Float32Array(5), new Int32Array(2), 2), {
      name: "ParameterError",
      message: "Expected 4 for the number of probabilities but received 5 of type number",
    });
  });
});

describe("predictionSet", () => {
  it("holds the classes from the threshold on, most probable first", () => {
    assert.deepEqual(predictionSet([0.2, 0.5, 0.1, 0.2], 0.2), [1, 0, 3]);
    assert.deepEqual(predictionSet([0.2, 0.5, 0.3], 0), [1, 2, 0]);
  });

  it("holds the most probable class in any case", () => {
    assert.deepEqual(predictionSet([0.4, 0.35, 0.25], 0.6), [0]);
  });
});

describe("setScores", () => {
  it("counts covered images, sizes, and the images that get an answer", () => {
    // Sets at 0.3: {0}, {0, 1}, {1}, {1, 0}; labels 0, 1, 0, 0: three are covered.
    const probs = Float32Array.of(0.9, 0.1, 0.6, 0.4, 0.2, 0.8, 0.45, 0.55);
    const result = setScores(probs, Int32Array.of(0, 1, 0, 0), ["a", "b"], { coverage: 0.9, minProb: 0.3 });
    assert.equal(result.covered, 3 / 4);
    assert.deepEqual(result.sizes, [2, 2]);
    assert.equal(result.meanSize, (2 * 1 + 2 * 2) / 4);
    assert.deepEqual(result.perClass, { a: 2 / 3, b: 1 });
    assert.deepEqual(result.answered, { share: 2 / 4, accuracy: 1 / 2 });
    // Wilson for 3 of 4: (0.75 + 1.96²/8 ± 1.96 √(0.75·0.25/4 + 1.96²/64)) / (1 + 1.96²/4)
    isNear(result.intervals.covered[0], 0.3006, 1e-3);
    isNear(result.intervals.covered[1], 0.9544, 1e-3);
    // Sizes 1, 1, 2, 2: deviation √(1/3), so the margin is 1.96 · √(1/3 / 4).
    isNear(result.intervals.meanSize[0], 1.5 - 1.96 * Math.sqrt(1 / 12));
  });

  it("has wider intervals if images are copies", () => {
    const probs = Float32Array.of(0.9, 0.1, 0.9, 0.1, 0.6, 0.4, 0.6, 0.4);
    const groups = Int32Array.of(0, 0, 1, 1);
    const threshold = { coverage: 0.9, minProb: 0.3 };
    const single = setScores(Float32Array.of(0.9, 0.1, 0.6, 0.4), Int32Array.of(1, 1), ["a", "b"], threshold);
    const copies = setScores(probs, Int32Array.of(1, 1, 1, 1), ["a", "b"], threshold, groups);
    assert.deepEqual([copies.covered, copies.meanSize], [1 / 2, 3 / 2]);
    assert.deepEqual(copies.intervals, single.intervals);
  });

  it("has no accuracy without answers, and no share for a class without images", () => {
    const result = setScores(Float32Array.of(0.5, 0.5), Int32Array.of(0), ["a", "b"], {
      coverage: 0.9,
      minProb: 0.1,
    });
    assert.deepEqual(result.answered, { share: 0, accuracy: null });
    assert.deepEqual(result.perClass, { a: 1, b: null });
  });
});

describe("riskCoverage", () => {
  it("answers the most probable images first", () => {
    // Sorted: 0.9 correct, 0.8 wrong, 0.7 correct, 0.6 wrong: risks 0, 1/2, 1/3, 1/2.
    const probs = Float32Array.of(0.7, 0.3, 0.9, 0.1, 0.4, 0.6, 0.2, 0.8);
    const { aurc, points } = riskCoverage(probs, Int32Array.of(0, 0, 0, 0), 2);
    assert.deepEqual(
      points.map(({ answered, risk }) => [answered, risk]),
      [
        [1 / 4, 0],
        [2 / 4, 1 / 2],
        [3 / 4, 1 / 3],
        [1, 1 / 2],
      ],
    );
    isNear(points[2].minProb, 0.7);
    isNear(aurc, (0 + 1 / 2 + 1 / 3 + 1 / 2) / 4);
  });

  it("does not depend on the order of images of equal probability", () => {
    const probs = Float32Array.of(0.8, 0.2, 0.8, 0.2);
    const [first, second] = [Int32Array.of(0, 1), Int32Array.of(1, 0)].map((labels) =>
      riskCoverage(probs, labels, 2),
    );
    assert.deepEqual(first, second);
    assert.deepEqual(
      first.points.map(({ risk }) => risk),
      [1 / 2, 1 / 2],
    );
  });

  it("refuses NaN", () => {
    assert.throws(() => riskCoverage(Float32Array.of(Number.NaN, 0), Int32Array.of(0), 2), {
      name: "InputError",
      message:
        "Expected finite probabilities but found NaN for image 1 of 1. Choose another model: the weights of this one are broken.",
    });
  });

  it("has at most 100 points, the last for all images", () => {
    const { probs, labels } = drawn(1234, 0);
    const { points } = riskCoverage(probs, labels, 3);
    assert.equal(points.length, 100);
    assert.equal(points[99].answered, 1);
  });
});
