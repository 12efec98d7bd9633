import assert from "node:assert/strict";
import fc from "fast-check";
import { bootstrapIntervals } from "../../src/metrics/bootstrap.js";
import {
  calibrationError,
  fitTemperature,
  reliability,
  TEMPERATURES,
  withTemperature,
} from "../../src/metrics/calibration.js";
import { argMax, classScores, confusionMatrix, scores } from "../../src/metrics/classification.js";
import { type Case, scoresOf } from "./scikit-learn.js";

fc.configureGlobal({ seed: 21 }); // the same cases each time

const SEED = 21;
const namesOf = (numClasses: number) => Array.from({ length: numClasses }, (_, c) => `class ${c}`);

/** At least one image, as scikit-learn asks for. */
const CASE: fc.Arbitrary<Case> = fc.integer({ min: 1, max: 6 }).chain((numClasses) =>
  fc
    .array(fc.tuple(fc.nat(numClasses - 1), fc.nat(numClasses - 1)), { minLength: 1, maxLength: 60 })
    .map((pairs) => ({
      numClasses,
      labels: pairs.map(([label]) => label),
      predicted: pairs.map(([, guess]) => guess),
    })),
);
const matrixOf = ({ labels, predicted, numClasses }: Case) =>
  confusionMatrix(Int32Array.from(labels), Int32Array.from(predicted), numClasses);

/** Probabilities of some images, with labels. */
const PROBS = fc.integer({ min: 2, max: 5 }).chain((numClasses) =>
  fc
    .array(
      fc.tuple(
        fc.array(fc.double({ min: 0.001, max: 1, noNaN: true }), {
          minLength: numClasses,
          maxLength: numClasses,
        }),
        fc.nat(numClasses - 1),
      ),
      { minLength: 1, maxLength: 30 },
    )
    .map((images) => {
      const rows = images.map(([values]) => {
        const sum = values.reduce((a, b) => a + b, 0);
        return values.map((value) => value / sum);
      });
      const labels = Int32Array.from(images, ([, label]) => label);
      return { numClasses, probs: Float32Array.from(rows.flat()), labels };
    }),
);

describe("scores of any predictions", function () {
  this.timeout(600_000); // pip may install scikit-learn

  it("are those of scikit-learn", async function () {
    const cases = fc.sample(CASE, { seed: SEED, numRuns: 200 });
    const expected = await scoresOf(cases);
    if (expected === null) {
      console.log("      skipped: pip cannot install scikit-learn here");
      return this.skip();
    }
    const isNear = (found: number, wanted: number, what: string) =>
      assert.ok(Math.abs(found - wanted) < 1e-12, `${what}: ${found} instead of ${wanted}`);
    cases.forEach((one, i) => {
      const [matrix, names] = [matrixOf(one), namesOf(one.numClasses)];
      const { accuracy, macroF1 } = scores(matrix, names);
      assert.deepEqual(matrix, expected[i].matrix);
      isNear(accuracy, expected[i].accuracy, "accuracy");
      isNear(macroF1, expected[i].macroF1, "macroF1");
      const each = classScores(matrix, names);
      names.forEach((name, c) => {
        for (const score of ["precision", "recall", "f1"] as const)
          isNear(each[name][score] ?? 0, expected[i][score][c], `${score} of ${name}`); // null if there are none
      });
    });
  });

  it("do not depend on the order of images, and follow the classes when these are renumbered", () => {
    fc.assert(
      fc.property(CASE, (one) => {
        const names = namesOf(one.numClasses);
        const last = one.numClasses - 1;
        const turned = {
          numClasses: one.numClasses,
          labels: one.labels.map((label) => last - label).reverse(),
          predicted: one.predicted.map((guess) => last - guess).reverse(),
        };
        const [found, other] = [scores(matrixOf(one), names), scores(matrixOf(turned), names)];
        assert.equal(other.accuracy, found.accuracy);
        assert.ok(Math.abs(other.macroF1 - found.macroF1) < 1e-12);
        names.forEach((name, c) => {
          assert.equal(other.perClassRecall[names[last - c]], found.perClassRecall[name]);
        });
      }),
    );
  });

  it("are in the range of their bootstrap interval, which is the same for the same seed", () => {
    fc.assert(
      fc.property(CASE, fc.nat(), (one, seed) => {
        const [labels, predicted] = [Int32Array.from(one.labels), Int32Array.from(one.predicted)];
        const found = bootstrapIntervals(labels, predicted, one.numClasses, seed);
        for (const [low, high] of Object.values(found)) assert.ok(0 <= low && low <= high && high <= 1);
        const { accuracy } = scores(matrixOf(one), namesOf(one.numClasses));
        assert.ok(found.accuracy[0] <= accuracy && accuracy <= found.accuracy[1]);
        assert.deepEqual(bootstrapIntervals(labels, predicted, one.numClasses, seed), found);
      }),
      { numRuns: 20 },
    );
  });
});

describe("probabilities of any network", () => {
  it("are each in one bin, and their calibration error is in [0, 1]", () => {
    fc.assert(
      fc.property(PROBS, fc.integer({ min: 1, max: 40 }), ({ probs, labels, numClasses }, numBins) => {
        const bins = reliability(probs, labels, numClasses, numBins);
        assert.equal(bins.length, numBins);
        assert.equal(
          bins.reduce((sum, { numImages }) => sum + numImages, 0),
          labels.length,
        );
        for (const { from, to, confidence } of bins)
          if (confidence !== null) assert.ok(confidence > from - 1e-6 && confidence <= to + 1e-6);
        const error = calibrationError(bins);
        assert.ok(error >= 0 && error <= 1);
      }),
    );
  });

  it("keep their ranks and sums under a temperature, which its inverse undoes", () => {
    fc.assert(
      fc.property(
        PROBS,
        fc.double({ min: 0.5, max: 2, noNaN: true }),
        ({ probs, numClasses }, temperature) => {
          const changed = withTemperature(probs, numClasses, temperature);
          for (let start = 0; start < probs.length; start += numClasses) {
            const sum = changed.subarray(start, start + numClasses).reduce((a, b) => a + b, 0);
            assert.ok(Math.abs(sum - 1) < 1e-5);
            const [before, after] = [probs, changed].map((all) => all.subarray(start, start + numClasses));
            assert.equal(after[argMax(before, numClasses)[0]], Math.max(...after));
          }
          const back = withTemperature(changed, numClasses, 1 / temperature);
          assert.ok(back.every((prob, i) => Math.abs(prob - probs[i]) < 1e-4));
        },
      ),
    );
  });

  it("have no higher cross-entropy at the fitted temperature", () => {
    const loss = (probs: Float32Array, labels: Int32Array, numClasses: number) =>
      labels.reduce((sum, label, i) => sum - Math.log(Math.max(1e-30, probs[i * numClasses + label])), 0) /
      labels.length;
    fc.assert(
      fc.property(PROBS, ({ probs, labels, numClasses }) => {
        const temperature = fitTemperature(probs, labels, numClasses);
        assert.ok(temperature >= 0.999 * TEMPERATURES.min && temperature <= 1.001 * TEMPERATURES.max);
        const after = loss(withTemperature(probs, numClasses, temperature), labels, numClasses);
        assert.ok(after <= loss(probs, labels, numClasses) + 1e-4);
      }),
    );
  });
});
