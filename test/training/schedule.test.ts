import assert from "node:assert/strict";
import { learningRateAt, type Schedule } from "../../src/training/schedule.js";

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
