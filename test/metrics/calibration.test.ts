import assert from "node:assert/strict";
import {
  calibrationError,
  fitTemperature,
  reliability,
  withTemperature,
} from "../../src/metrics/calibration.js";
import { Random } from "../../src/random.js";

function isNear(actual: number, expected: number, tolerance = 1e-6): void {
  assert.ok(Math.abs(actual - expected) < tolerance, `${actual} is not near ${expected}`);
}

describe("reliability", () => {
  it("sorts images into bins by their largest probability", () => {
    const probs = Float32Array.of(0.6, 0.4, 0.3, 0.7, 0.9, 0.1, 1, 0);
    const bins = reliability(probs, Int32Array.of(0, 0, 0, 0), 2, 2); // up to 0.5, above
    assert.equal(bins.length, 2);
    assert.deepEqual(bins[0], { from: 0, to: 0.5, numImages: 0, accuracy: null, confidence: null });
    const { from, to, numImages, accuracy, confidence } = bins[1];
    assert.deepEqual([from, to, numImages, accuracy], [0.5, 1, 4, 3 / 4]); // the second is predicted as class 1
    isNear(confidence as number, (0.6 + 0.7 + 0.9 + 1) / 4);
  });

  it("has 15 bins by default, and counts a bound to the bin below", () => {
    const bins = reliability(Float32Array.of(0.75, 0.25), Int32Array.of(0), 2, 4);
    assert.deepEqual(
      bins.map(({ numImages }) => numImages),
      [0, 0, 1, 0],
    );
    assert.equal(reliability(new Float32Array(), new Int32Array(), 2).length, 15);
  });

  it("refuses another number of probabilities than the labels need", () => {
    assert.throws(() => reliability(new Float32Array(5), new Int32Array(2), 2), {
      name: "ParameterError",
      message: "Expected 4 for the number of probabilities but received 5 of type number",
    });
  });
});

describe("calibrationError", () => {
  it("is the mean gap, each bin weighted by its images", () => {
    // Two images at 0.6, one of them correct; one at 0.9, correct: (2 · |0.5 − 0.6| + 1 · |1 − 0.9|) / 3.
    const probs = Float32Array.of(0.6, 0.4, 0.6, 0.4, 0.9, 0.1);
    isNear(calibrationError(reliability(probs, Int32Array.of(0, 1, 0), 2)), (2 * 0.1 + 0.1) / 3);
  });

  it("is 0 without images", () => {
    assert.equal(calibrationError(reliability(new Float32Array(), new Int32Array(), 2)), 0);
  });
});

describe("withTemperature", () => {
  it("is the softmax of divided logits", () => {
    // 0.8 and 0.2 come from logits ln 4 and 0; halved: ln 2 and 0.
    const [a, b] = withTemperature(Float32Array.of(0.8, 0.2), 2, 2);
    isNear(a, 2 / 3);
    isNear(b, 1 / 3);
  });

  it("is undone by the inverse temperature, and does not change its input", () => {
    const probs = Float32Array.of(0.7, 0.2, 0.1, 0.05, 0.9, 0.05);
    const given = probs.slice();
    const back = withTemperature(withTemperature(probs, 3, 1.7), 3, 1 / 1.7);
    back.forEach((prob, i) => {
      isNear(prob, given[i]);
    });
    assert.deepEqual(probs, given);
  });

  it("is even if all powers are too small for a number", () => {
    assert.deepEqual(
      [...withTemperature(Float32Array.of(0.25, 0.25, 0.25, 0.25), 4, 1e-3)],
      [0.25, 0.25, 0.25, 0.25],
    ); // 0.25^1000 is 0
  });

  it("keeps a probability of 0", () => {
    assert.deepEqual([...withTemperature(Float32Array.of(1, 0), 2, 3)], [1, 0]);
  });
});

describe("fitTemperature", () => {
  /** Draws labels from the probabilities, which are calibrated then. */
  function drawn(numImages: number) {
    const random = new Random(0, "calibrated");
    const probs = new Float32Array(3 * numImages);
    const labels = new Int32Array(numImages);
    for (let i = 0; i < numImages; i++) {
      const logits = [0, 1, 2].map(() => random.normal(0, 1.5));
      const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
      const row = logits.map((logit) => Math.exp(logit) / sum);
      probs.set(row, 3 * i);
      const at = random.uniform();
      labels[i] = at < row[0] ? 0 : at < row[0] + row[1] ? 1 : 2;
    }
    return { probs, labels };
  }

  it("finds by how much a network is overconfident", () => {
    const { probs, labels } = drawn(20_000);
    isNear(fitTemperature(probs, labels, 3), 1, 0.03);
    for (const factor of [2, 0.5]) {
      const shifted = withTemperature(probs, 3, 1 / factor);
      isNear(fitTemperature(shifted, labels, 3) / fitTemperature(probs, labels, 3), factor, 1e-3);
    }
  });

  it("finds a temperature that is known: three correct of four equal predictions", () => {
    // Each prediction is 0.9; 3 of 4 are correct. The best T gives 0.75: ln 9 / T = ln 3.
    const probs = Float32Array.of(0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.9, 0.1);
    isNear(fitTemperature(probs, Int32Array.of(0, 0, 0, 1), 2), 2, 1e-4);
  });

  it("stays within bounds if all are correct, or none", () => {
    const probs = Float32Array.of(0.9, 0.1, 0.8, 0.2);
    isNear(fitTemperature(probs, Int32Array.of(0, 0), 2), 0.25, 1e-4);
    isNear(fitTemperature(probs, Int32Array.of(1, 1), 2), 100, 1e-2);
    // Each prediction is 0.99999999; 6 of 10 are correct. The best T gives 0.6: ln(1e8) / T = ln 1.5.
    const sure = Float32Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 1 : 1e-8));
    const labels = Int32Array.from({ length: 10 }, (_, i) => (i < 6 ? 0 : 1));
    isNear(fitTemperature(sure, labels, 2), Math.log(1e8) / Math.log(1.5), 1e-2);
  });

  it("refuses no images", () => {
    assert.throws(() => fitTemperature(new Float32Array(), new Int32Array(), 2), {
      name: "ParameterError",
      message: "Expected a number ≥ 1 for the number of images but received 0 of type number",
    });
  });

  it("is finite if a label has probability 0", () => {
    assert.ok(Number.isFinite(fitTemperature(Float32Array.of(1, 0, 1, 0), Int32Array.of(1, 0), 2)));
  });
});
