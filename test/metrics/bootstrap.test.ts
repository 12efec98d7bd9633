import assert from "node:assert/strict";
import { bootstrapIntervals, effectiveSize, varianceOfMean } from "../../src/metrics/bootstrap.js";
import { Random } from "../../src/random.js";

/** Predictions of which the first `numCorrect` are correct, for two classes of equal size. */
function outcomes(numImages: number, numCorrect: number) {
  const labels = Int32Array.from({ length: numImages }, (_, i) => i % 2);
  return { labels, predicted: labels.map((label, i) => (i < numCorrect ? label : 1 - label)) };
}

describe("bootstrapIntervals", () => {
  it("is as wide as the normal approximation", () => {
    const { labels, predicted } = outcomes(1000, 800);
    const { accuracy, macroF1 } = bootstrapIntervals(labels, predicted, 2, 0);
    const half = 1.96 * Math.sqrt((0.8 * 0.2) / 1000); // 0.0248
    assert.ok(Math.abs(accuracy[0] - (0.8 - half)) < 0.0025, `${accuracy}`);
    assert.ok(Math.abs(accuracy[1] - (0.8 + half)) < 0.0025, `${accuracy}`);
    assert.ok(macroF1[0] < 0.8 && macroF1[1] > 0.8);
  });

  it("draws whole groups, so that copies of a picture tell no more than one", () => {
    const { labels, predicted } = outcomes(1000, 800);
    const repeated = (values: Int32Array) =>
      Int32Array.from({ length: 5000 }, (_, i) => values[Math.floor(i / 5)]);
    const pictures = repeated(labels.map((_, i) => 7 * i));
    const single = bootstrapIntervals(labels, predicted, 2, 0);
    const copies = [repeated(labels), repeated(predicted)] as const;
    assert.deepEqual(bootstrapIntervals(...copies, 2, 0, pictures), single);
    assert.deepEqual(
      bootstrapIntervals(
        labels,
        predicted,
        2,
        0,
        labels.map((_, i) => i),
      ),
      single,
    );
    const width = ([low, high]: readonly number[]) => high - low;
    const tooNarrow = width(bootstrapIntervals(...copies, 2, 0).accuracy) / width(single.accuracy);
    assert.ok(Math.abs(tooNarrow - 1 / Math.sqrt(5)) < 0.05, `${tooNarrow}`); // 0.447
  });

  it("holds the true accuracy of pictures with copies in about 95 of 100 sets", () => {
    const [numSets, numPictures, truth] = [200, 40, 0.7];
    const random = new Random(1, "coverage");
    const held = { byGroups: 0, byImages: 0 };
    for (let set = 0; set < numSets; set++) {
      // each picture has 1 to 9 copies, which are right or wrong together
      const groups = Array.from({ length: numPictures }, (_, i) =>
        new Array(1 + random.integer(9)).fill(i),
      ).flat();
      const isRight = Array.from({ length: numPictures }, () => random.chance(truth));
      const labels = Int32Array.from(groups, (group) => group % 2);
      const predicted = Int32Array.from(groups, (group) => (isRight[group] ? group % 2 : 1 - (group % 2)));
      const holds = ([low, high]: readonly number[]) => Number(low <= truth && truth <= high);
      held.byGroups += holds(bootstrapIntervals(labels, predicted, 2, set, Int32Array.from(groups)).accuracy);
      held.byImages += holds(bootstrapIntervals(labels, predicted, 2, set).accuracy);
    }
    assert.ok(held.byGroups >= 0.89 * numSets, `${held.byGroups}`);
    assert.ok(held.byImages <= 0.75 * numSets, `${held.byImages}`);
  });

  it("is Wilson's for as many images as groups if all draws are alike", () => {
    const { labels } = outcomes(9, 9);
    const groups = labels.map((_, i) => Math.floor(i / 3)); // three of three
    const [low, high] = bootstrapIntervals(labels, labels, 2, 0, groups).accuracy;
    assert.ok(Math.abs(low - 3 / (3 + 1.96 ** 2)) < 1e-9, `${low}`); // 0.438
    assert.equal(high, 1);
    // two of three are correct in each: Wilson's for 2 of 3
    const predicted = labels.map((label, i) => (i % 3 === 0 ? 1 - label : label));
    const wilson = bootstrapIntervals(labels, predicted, 2, 0, groups).accuracy;
    assert.deepEqual(
      wilson.map((bound) => bound.toFixed(3)),
      ["0.208", "0.939"],
    );
  });

  it("is Wilson's for the accuracy if all or none are correct, where all draws are alike", () => {
    const { labels } = outcomes(9, 9);
    const { accuracy, macroF1 } = bootstrapIntervals(labels, labels, 2, 0);
    assert.ok(Math.abs(accuracy[0] - 9 / (9 + 1.96 ** 2)) < 1e-9, `${accuracy}`); // 0.701
    assert.deepEqual([accuracy[1], macroF1], [1, [1, 1]]);
    const none = outcomes(9, 0);
    const wrong = bootstrapIntervals(none.labels, none.predicted, 2, 0);
    assert.ok(Math.abs(wrong.accuracy[1] - 1.96 ** 2 / (9 + 1.96 ** 2)) < 1e-9, `${wrong.accuracy}`); // 0.299
    assert.deepEqual([wrong.accuracy[0], wrong.macroF1], [0, [0, 0]]);
  });

  it("does not count classes that have neither images nor predictions", () => {
    const { labels } = outcomes(50, 50);
    assert.deepEqual(bootstrapIntervals(labels, labels, 5, 0).macroF1, [1, 1]);
  });

  it("averages macro-F1 over the same classes in each draw, also over a rare one that the draw lacks", () => {
    const labels = Int32Array.from({ length: 31 }, (_, i) => (i === 30 ? 2 : i % 2));
    const predicted = labels.map((label) => (label === 2 ? 0 : label));
    const [low, high] = bootstrapIntervals(labels, predicted, 3, 0).macroF1;
    // F1 is 30/31, 1 and 0: 0.656; a draw without the last image has 1, 1 and 0
    assert.ok(low > 0.55 && low < 0.656, `${low}`);
    assert.equal(high, 2 / 3);
  });

  it("gives the same intervals for the same seed, and others for another", () => {
    const { labels, predicted } = outcomes(301, 200);
    const intervals = (seed: number) => bootstrapIntervals(labels, predicted, 2, seed);
    assert.deepEqual(intervals(3), intervals(3));
    assert.notDeepEqual(intervals(3), intervals(4));
  });

  it("refuses no images, and another number of predictions", () => {
    assert.throws(() => bootstrapIntervals(new Int32Array(), new Int32Array(), 2, 0), {
      message: "Expected a number ≥ 1 for the number of images but received 0 of type number",
    });
    assert.throws(() => bootstrapIntervals(new Int32Array(3), new Int32Array(2), 2, 0), {
      message: "Expected 3 for the number of predictions but received 2 of type number",
    });
    const three = new Int32Array(3);
    assert.throws(() => bootstrapIntervals(three, three, 2, 0, new Int32Array(4)), {
      message: "Expected 3 for the number of groups but received 4 of type number",
    });
  });
});

describe("varianceOfMean", () => {
  it("adds the deviations of a group before it squares them", () => {
    const values = [1, 1, 0, 0]; // mean 1/2
    assert.equal(varianceOfMean(values), (4 * 0.25) / 16);
    assert.equal(varianceOfMean(values, Int32Array.of(5, 5, 6, 6)), (1 + 1) / 16);
    assert.equal(varianceOfMean(values, Int32Array.of(5, 6, 5, 6)), 0);
  });
});

describe("effectiveSize", () => {
  it("is the number of images, or of groups if these are right or wrong together", () => {
    const isHit = [true, true, true, false, false, false];
    assert.equal(effectiveSize(isHit), 6);
    assert.equal(effectiveSize(isHit, Int32Array.of(0, 1, 2, 3, 4, 5)), 6);
    assert.equal(effectiveSize(isHit, Int32Array.of(0, 0, 0, 1, 1, 1)), 2);
    assert.equal(effectiveSize(new Array(6).fill(true), Int32Array.of(0, 0, 0, 1, 1, 1)), 2);
    const mixed = [true, true, false, true, true, false]; // the same share in each
    assert.equal(effectiveSize(mixed, Int32Array.of(0, 0, 0, 1, 1, 1)), 2);
  });
});
