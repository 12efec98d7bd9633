import assert from "node:assert/strict";
import { trainConfig } from "../../src/presets.js";
import {
  batchOrder,
  learningRateAt,
  learningRates,
  planEpoch,
  runLearningRate,
  type Schedule,
} from "../../src/training/schedule.js";

const COSINE: Schedule = { learningRate: 0.1, schedule: "cosine", warmupSteps: 4, totalSteps: 12 };
const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} ≠ ${expected}`);

describe("learningRateAt", () => {
  it("rises linearly to the peak, from above 0", () => {
    [0.025, 0.05, 0.075, 0.1].forEach((expected, step) => {
      near(learningRateAt(step, COSINE), expected);
    });
  });

  it("falls along half a cosine, which reaches 0 one step after the last", () => {
    // 8 steps of the cosine: a quarter after 2, half after 4, three quarters after 6
    near(learningRateAt(4, COSINE), 0.1);
    near(learningRateAt(6, COSINE), (0.1 * (1 + Math.SQRT1_2)) / 2);
    near(learningRateAt(8, COSINE), 0.05);
    near(learningRateAt(10, COSINE), (0.1 * (1 - Math.SQRT1_2)) / 2);
    near(learningRateAt(11, COSINE), (0.1 * (1 + Math.cos((7 / 8) * Math.PI))) / 2);
    near(learningRateAt(12, COSINE), 0);
    near(learningRateAt(100, COSINE), 0);
  });

  it("stays at the peak if it is constant", () => {
    const constant: Schedule = { ...COSINE, schedule: "constant" };
    near(learningRateAt(1, constant), 0.05);
    near(learningRateAt(4, constant), 0.1);
    near(learningRateAt(11, constant), 0.1);
  });

  it("starts at the peak without warm-up, and only rises if every step is warm-up", () => {
    near(learningRateAt(0, { ...COSINE, warmupSteps: 0 }), 0.1);
    const rising = { ...COSINE, warmupSteps: 12 };
    near(learningRateAt(0, rising), 0.1 / 12);
    near(learningRateAt(11, rising), 0.1);
  });

  const cases: [number, object, string][] = [
    [-1, {}, "Expected an integer ≥ 0 for step but received -1 of type number"],
    [Number.NaN, {}, "Expected an integer ≥ 0 for step but received NaN of type number"],
    [0, { learningRate: -1 }, "Expected a number ≥ 0 for learningRate but received -1 of type number"],
    [0, { totalSteps: 0 }, "Expected an integer ≥ 1 for totalSteps but received 0 of type number"],
    [0, { warmupSteps: 13 }, "Expected an integer in [0, 12] for warmupSteps but received 13 of type number"],
    [
      0,
      { warmupSteps: 1.5 },
      "Expected an integer in [0, 12] for warmupSteps but received 1.5 of type number",
    ],
    [
      0,
      { schedule: "step" },
      "Expected one of cosine, constant for schedule but received step of type string",
    ],
  ];
  for (const [step, options, message] of cases)
    it(`refuses step ${step} ${Object.entries(options).flat().join(" ")}`, () => {
      assert.throws(() => learningRateAt(step, { ...COSINE, ...options }), { message });
    });
});

describe("planEpoch", () => {
  const plans: [number, number, ReturnType<typeof planEpoch>][] = [
    [100, 50, { numBatches: 2, numLeftOut: 0, isEven: false }],
    [102, 50, { numBatches: 2, numLeftOut: 2, isEven: false }], // 1.96%
    [50, 49, { numBatches: 1, numLeftOut: 1, isEven: false }], // exactly 2%
    [103, 50, { numBatches: 3, numLeftOut: 0, isEven: true }], // 2.9%
    [150, 100, { numBatches: 2, numLeftOut: 0, isEven: true }],
    [3, 8, { numBatches: 1, numLeftOut: 0, isEven: true }],
    [0, 8, { numBatches: 0, numLeftOut: 0, isEven: true }],
  ];
  for (const [numImages, batchSize, plan] of plans)
    it(`divides ${numImages} images into batches of ${batchSize}`, () => {
      assert.deepEqual(planEpoch(numImages, batchSize), plan);
    });

  it("says how to draw the batches", () => {
    const config = trainConfig("baseline", { batchSize: 8, seed: 3 });
    const order = { batchSize: 8, seed: 3, shuffle: true, dropLast: true };
    assert.deepEqual(batchOrder(config, planEpoch(16, 8)), order);
    assert.deepEqual(batchOrder(config, planEpoch(12, 8)), { ...order, numEvenBatches: 2 });
  });
});

describe("runLearningRate", () => {
  const config = trainConfig("baseline", {
    batchSize: 5,
    epochs: 3,
    headEpochs: 1,
    headLearningRate: 0.5,
    learningRate: 0.2,
    schedule: "cosine",
    warmupShare: 0.1,
  });

  it("is the last layer's own while it trains alone, then rises and falls", () => {
    // 10 steps an epoch; the schedule has 20 steps, of which round(0.1 · 20) = 2 are warm-up.
    assert.equal(runLearningRate(config, 10, 1), 0.5);
    assert.equal(runLearningRate(config, 10, 10), 0.5);
    near(runLearningRate(config, 10, 11), 0.1);
    near(runLearningRate(config, 10, 12), 0.2);
    near(runLearningRate(config, 10, 13), 0.2);
    near(runLearningRate(config, 10, 22), 0.1); // half a cosine at its middle
    near(runLearningRate(config, 10, 30), 0.1 * (1 + Math.cos((Math.PI * 17) / 18)));
  });

  it("is listed for each step of a run", () => {
    const all = learningRates(config, 50);
    assert.deepEqual(
      all,
      Array.from({ length: 30 }, (_, i) => ({
        step: i + 1,
        learningRate: runLearningRate(config, 10, i + 1),
      })),
    );
  });
});
