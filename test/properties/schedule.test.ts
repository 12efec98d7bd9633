import assert from "node:assert/strict";
import fc from "fast-check";
import { trainConfig } from "../../src/presets.js";
import { learningRateAt, learningRates, planEpoch, type Schedule } from "../../src/training/schedule.js";

fc.configureGlobal({ seed: 21 }); // the same cases each time

const SCHEDULE: fc.Arbitrary<Schedule> = fc
  .record({
    learningRate: fc.double({ min: 1e-9, max: 10, noNaN: true }),
    schedule: fc.constantFrom("cosine", "constant"),
    totalSteps: fc.integer({ min: 1, max: 500 }),
    warmupShare: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ warmupShare, ...rest }) => ({ ...rest, warmupSteps: Math.round(warmupShare * rest.totalSteps) }));
const rates = (schedule: Schedule) =>
  Array.from({ length: schedule.totalSteps }, (_, step) => learningRateAt(step, schedule));

describe("any schedule", () => {
  it("rises to the peak and never rises after it, and no step has a rate of 0", () => {
    fc.assert(
      fc.property(SCHEDULE, (schedule) => {
        const { warmupSteps, learningRate } = schedule;
        const all = rates(schedule);
        // n · rate / n is off by a rounding for some rates.
        const isPeak = (rate: number) => Math.abs(rate / learningRate - 1) < 1e-12;
        assert.ok(all.every((rate) => rate > 0 && (rate <= learningRate || isPeak(rate))));
        for (let step = 1; step < all.length; step++)
          if (step < warmupSteps) assert.ok(all[step] > all[step - 1]);
          else if (step > warmupSteps) assert.ok(all[step] <= all[step - 1]);
        if (warmupSteps > 0) assert.ok(isPeak(all[warmupSteps - 1]));
        if (warmupSteps < all.length) assert.equal(all[warmupSteps], learningRate);
      }),
    );
  });

  it("scales with its peak", () => {
    fc.assert(
      fc.property(SCHEDULE, (schedule) => {
        const double = rates({ ...schedule, learningRate: 2 * schedule.learningRate });
        assert.deepEqual(
          double,
          rates(schedule).map((rate) => 2 * rate),
        );
      }),
    );
  });
});

describe("any plan of an epoch", () => {
  const sizes = [fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 600 })] as const;

  it("trains on all images but 2%, in batches of at most batchSize", () => {
    fc.assert(
      fc.property(...sizes, (numImages, batchSize) => {
        const { numBatches, numLeftOut, isEven } = planEpoch(numImages, batchSize);
        assert.ok(numBatches >= 1 && numLeftOut >= 0 && numLeftOut <= 0.02 * numImages);
        if (isEven) assert.ok(numLeftOut === 0 && Math.ceil(numImages / numBatches) <= batchSize);
        else assert.equal(numBatches * batchSize + numLeftOut, numImages);
      }),
    );
  });

  it("gives each step of a run a rate", () => {
    const epochs = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(...sizes, epochs, fc.boolean(), (numImages, batchSize, numEpochs, hasHead) => {
        const config = trainConfig("baseline", {
          batchSize,
          epochs: numEpochs,
          headEpochs: hasHead && numEpochs > 1 ? 1 : 0,
        });
        const all = learningRates(config, numImages);
        assert.equal(all.length, numEpochs * planEpoch(numImages, batchSize).numBatches);
        assert.ok(all.every(({ learningRate, step }, i) => learningRate > 0 && step === i + 1));
      }),
      { numRuns: 30 },
    );
  });
});
