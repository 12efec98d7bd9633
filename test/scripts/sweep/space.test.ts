import assert from "node:assert/strict";
import { countsInWords, rangeNotes, type Space, trialsOf } from "../../../scripts/sweep/space.js";

const trials = (space: Space, size: { folds?: number; trials?: number; seed?: number } = {}) =>
  trialsOf(space, { seed: 0, ...size }, "space.json");
const settings = (...args: Parameters<typeof trials>) => trials(...args).map((trial) => trial.settings);

describe("trialsOf", () => {
  it("combines all values of lists", () => {
    assert.deepEqual(settings({ batchSize: [32, 64], mixup: [0, 0.2] }), [
      { batchSize: 32, mixup: 0 },
      { batchSize: 32, mixup: 0.2 },
      { batchSize: 64, mixup: 0 },
      { batchSize: 64, mixup: 0.2 },
    ]);
  });

  it("gives each setting every seed and fold, and a name by its settings", () => {
    const all = trials({ learningRate: [0.001, 0.003], seed: [0, 1] }, { folds: 2 });
    assert.equal(all.length, 2 * 2 * 2);
    assert.deepEqual(all[3], {
      name: "learningRate=0.001,seed=1,fold=2of2",
      settings: { learningRate: 0.001, seed: 1 },
      fold: "2/2",
    });
    assert.equal(countsInWords(all), "8 trials: 2 settings × 2 seeds × 2 folds");
    assert.equal(countsInWords(trials({ seed: [3] })), "1 trial");
    assert.equal(countsInWords(trials({}, { folds: 3 })), "3 trials: 1 setting × 3 folds");
  });

  it("draws from ranges within their bounds", () => {
    const all = settings(
      {
        rate: { min: 1e-4, max: 1e-2, log: true },
        size: { min: 16, max: 64, step: 16 },
        share: { min: 0, max: 1 },
      },
      { trials: 200 },
    ) as { rate: number; size: number; share: number }[];
    assert.equal(all.length, 200);
    assert.ok(all.every(({ rate, share }) => rate >= 1e-4 && rate <= 1e-2 && share >= 0 && share <= 1));
    assert.deepEqual([...new Set(all.map(({ size }) => size))].sort(), [16, 32, 48, 64]);
    // on a logarithmic scale, 1e-3 is the middle: 100 of 200 below it, with a deviation of 7
    const numBelow = all.filter(({ rate }) => rate < 1e-3).length;
    assert.ok(Math.abs(numBelow - 100) < 28, `${numBelow}`);
    const numSmall = all.filter(({ share }) => share < 0.5).length;
    assert.ok(Math.abs(numSmall - 100) < 28, `${numSmall}`);
  });

  it("draws no number outside of a range by rounding, and whole numbers of any size", () => {
    const space = {
      share: { min: 0.12341, max: 0.12344 },
      id: { min: 10_001, max: 10_004, step: 1 },
      rate: { min: 0.99991, max: 0.99999, log: true },
    };
    const settings = trialsOf(space, { trials: 4, seed: 0 }, "space.json").map((trial) => trial.settings);
    for (const { share, id, rate } of settings as Record<string, number>[]) {
      assert.ok(share >= 0.12341 && share <= 0.12344, `${share}`);
      assert.ok(Number.isInteger(id) && id >= 10_001 && id <= 10_004, `${id}`);
      assert.ok(rate >= 0.99991 && rate <= 0.99999, `${rate}`);
    }
    const ids = trialsOf({ id: space.id }, { trials: 4, seed: 0 }, "space.json");
    assert.deepEqual(
      ids.map((trial) => trial.settings.id as number).sort(),
      [10_001, 10_002, 10_003, 10_004],
    );
    const tenths = trialsOf({ x: { min: 0, max: 0.3, step: 0.1 } }, { trials: 4, seed: 0 }, "space.json");
    assert.deepEqual(tenths.map((trial) => trial.settings.x as number).sort(), [0, 0.1, 0.2, 0.3]);
  });

  it("begins with the same draws when there are more of them, and draws others by another seed", () => {
    const space = { rate: { min: 0, max: 1 }, size: [1, 2] };
    assert.deepEqual(settings(space, { trials: 8 }).slice(0, 4), settings(space, { trials: 4 }));
    assert.notDeepEqual(settings(space, { trials: 4, seed: 1 }), settings(space, { trials: 4 }));
    const grid = { a: [1, 2, 3, 4], b: [1, 2, 3] };
    assert.deepEqual(settings(grid, { trials: 8 }).slice(0, 4), settings(grid, { trials: 4 }));
  });

  it("draws no setting twice, from ranges and from combinations", () => {
    for (const space of [
      { a: { min: 1, max: 4, step: 1 }, b: [1, 2] },
      { a: [1, 2, 3, 4], b: [1, 2] },
    ] as Space[]) {
      const names = trials(space, { trials: 8 }).map(({ name }) => name);
      assert.equal(new Set(names).size, 8);
    }
  });

  it("counts trials, not settings", () => {
    assert.equal(trials({ a: { min: 0, max: 1 }, seed: [0, 1] }, { trials: 6, folds: 3 }).length, 6);
  });

  it("gives names that a disk takes, each its own", () => {
    const long = "x".repeat(300);
    const names = trials({ weights: ["../a/b", "..", `${long}1`, `${long}2`, "a b", "a_b"] }).map(
      ({ name }) => name,
    );
    assert.equal(new Set(names).size, 6);
    for (const name of names) assert.match(name, /^\w[\w.,=+-]{1,140}$/);
    assert.equal(names[5], "weights=a_b");
  });

  const list = 'Write a list such as [0, 0.1], or a range such as {"min": 0.0001, "max": 0.01, "log": true}.';
  const refusals: [space: Space, size: Parameters<typeof trials>[1], message: string][] = [
    [
      {},
      {},
      'settings to vary in space, or folds at space.json but found none. Add for example "seed": [0, 1, 2].',
    ],
    [{ mixup: [] }, {}, `values for mixup at space.json but found an empty list. ${list}`],
    [{ mixup: 0.1 as never }, {}, `a list or a range for mixup at space.json but found 0.1. ${list}`],
    [
      { mixup: { min: 1, max: 0 } },
      {},
      `a list or a range for mixup at space.json but found {"min":1,"max":0}. ${list}`,
    ],
    [
      { mixup: { min: 0, max: 1, log: true } },
      {},
      `a list or a range for mixup at space.json but found {"min":0,"max":1,"log":true}. ${list}`,
    ],
    [
      { mixup: [0, 0.1, 0] },
      {},
      "each value of mixup once at space.json but found 0 twice. Remove one of them.",
    ],
    [
      { mixup: { min: 0, max: 1 } },
      {},
      "a number of trials, to draw mixup at space.json but found none. Add it with --trials, such as --trials 20.",
    ],
    [
      { mixup: [0, 1] },
      { trials: 3 },
      "at most 2 settings, all combinations of the lists at space.json but found 3. Choose fewer with --trials, or add values.",
    ],
    [
      { mixup: { min: 0, max: 2, step: 1 } },
      { trials: 4 },
      "4 different settings at space.json but found 3 in 1400 draws. Choose fewer with --trials, or add values.",
    ],
    [
      { mixup: [0, 1], seed: [0, 1, 2] },
      { trials: 4, folds: 2 },
      "--trials to be a multiple of 6, since each setting gets 3 seeds and 2 folds at space.json but found 4. Choose another number with --trials.",
    ],
    [
      { seed: { min: 0, max: 9, step: 1 } },
      { trials: 4 },
      'a list of seeds at space.json but found {"min":0,"max":9,"step":1}. Write for example "seed": [0, 1, 2].',
    ],
  ];
  for (const [space, size, message] of refusals)
    it(`refuses ${JSON.stringify(space)} with ${JSON.stringify(size)}`, () => {
      assert.throws(() => trials(space, size), { name: "InputError", message: `Expected ${message}` });
    });

  it("refuses a number of folds or trials that is none", () => {
    assert.throws(() => trials({ seed: [0] }, { folds: 1 }), {
      message: "Expected an integer in [2, 1000] for folds but received 1 of type number",
    });
    assert.throws(() => trials({ seed: [0] }, { trials: 0.5 }), {
      message: "Expected an integer in [1, 100000] for trials but received 0.5 of type number",
    });
  });
});

describe("rangeNotes", () => {
  it("name a range over orders of magnitude that is drawn evenly", () => {
    assert.deepEqual(rangeNotes({ learningRate: { min: 0.0001, max: 0.01 }, seed: [0, 100] }), [
      'note: learningRate is drawn evenly from 0.0001 to 0.01, so nine of ten values are above 0.0011; "log": true draws each order of magnitude as often',
    ]);
    const others = {
      rate: { min: 1e-4, max: 1e-2, log: true },
      mixup: { min: 0, max: 1 },
      size: { min: 1, max: 1000, step: 1 },
    };
    assert.deepEqual(rangeNotes(others), []);
  });
});
