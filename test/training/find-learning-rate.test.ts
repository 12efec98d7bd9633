import assert from "node:assert/strict";
import { tf } from "../../src/engine/tf.js";
import { findLearningRate, steepest } from "../../src/training/find-learning-rate.js";
import { randomNetwork } from "../model/fixtures.js";
import { config, dataset } from "./fixtures.js";

describe("steepest", () => {
  /** Ten rates a decade, from 1e-5 to 1. */
  const curve = (lossOf: (log: number) => number) =>
    Array.from({ length: 51 }, (_, i) => ({
      batch: i + 1,
      learningRate: 10 ** (-5 + i / 10),
      loss: lossOf(-5 + i / 10),
    }));

  it("returns the rate around which the loss falls fastest", () => {
    // flat up to 1e-3, down by 1 over the decade to 1e-2, then up
    const loss = (log: number) => (log < -3 ? 2 : log < -2 ? -1 - log : 1 + 3 * (log + 2));
    assert.equal(steepest(curve(loss)), 0.0032); // 10^-2.5
  });

  it("is not misled by the noise of single batches", () => {
    const noise = (log: number) => (Math.round(10 * log) % 2 === 0 ? 0.1 : -0.1);
    const loss = (log: number) => 2 - 1 / (1 + Math.exp(-4 * (log + 3)));
    const found = steepest(curve((log) => loss(log) + noise(log))) ?? 0;
    assert.ok(found > 0.0006 && found < 0.0017, `${found}`); // 10^-3
  });

  it("returns nothing if the loss falls nowhere, or too few batches were tried", () => {
    assert.equal(steepest(curve(() => 2)), null);
    assert.equal(steepest(curve((log) => log)), null);
    assert.equal(steepest(curve((log) => -log).slice(0, 5)), null);
    assert.equal(steepest([]), null);
  });
});

describe("findLearningRate", function () {
  this.timeout(600_000);
  const options = { from: 1e-5, to: 10, numBatches: 40 };

  it("raises the rate by the same factor each batch, and ends when the loss diverges", async () => {
    const { points, diverged, configured } = await findLearningRate(dataset, config(), options);
    assert.deepEqual([points[0].batch, points[0].learningRate, configured], [1, 1e-5, 1e-3]);
    const factors = points.slice(1).map(({ learningRate }, i) => learningRate / points[i].learningRate);
    for (const factor of factors) assert.ok(Math.abs(factor - 10 ** (6 / 39)) < 1e-9, `${factor}`);
    assert.ok(diverged && points.length < 40, `${points.length} batches`);
    for (const { loss } of points) assert.ok(Number.isFinite(loss));
  });

  it("gives the same numbers again, leaves no tensor, and no other network changes", async () => {
    const network = randomNetwork({ classNames: dataset.classNames }, 3);
    const before = await network.parameters();
    const first = await findLearningRate(dataset, config(), options);
    const { numTensors } = tf.memory();
    assert.deepEqual(await findLearningRate(dataset, config(), options), first);
    assert.equal(tf.memory().numTensors, numTensors);
    assert.deepEqual(await network.parameters(), before);
    network.dispose();
  });

  it("notes that it passes over few images again and again", async () => {
    // 24 images are 3 batches of 8: 15 batches are 5 passes, 16 begin the sixth
    const upTo = async (numBatches: number) =>
      (await findLearningRate(dataset, config(), { from: 1e-5, to: 1e-3, numBatches })).notes;
    assert.deepEqual(await upTo(15), []);
    assert.deepEqual(await upTo(16), [
      "the search passed 6 times over the 24 training images, so it measures how they are memorised; " +
        "its suggestion may be far too small: keep 0.001, or search with more images",
    ]);
  });

  it("searches for the rate of the last layer if that trains alone", async () => {
    const alone = config({ epochs: 1, headEpochs: 1, headLearningRate: 0.02 });
    const head = await findLearningRate(dataset, alone, options);
    assert.deepEqual([head.phase, head.configured], ["head", 0.02]);
    const full = await findLearningRate(dataset, alone, { ...options, phase: "full" });
    assert.deepEqual([full.phase, full.configured], ["full", 1e-3]);
    assert.notDeepEqual(head.points[5], full.points[5]);
  });

  it("stops when it is interrupted", async () => {
    const interrupt = new AbortController();
    const { points, diverged, notes } = await findLearningRate(dataset, config(), {
      ...options,
      signal: interrupt.signal,
      onProgress: ({ stage, done }) => {
        if (stage === "search" && done === 7) interrupt.abort();
      },
    });
    assert.deepEqual([points.length, diverged], [7, false]);
    assert.deepEqual(notes, [
      "the search was interrupted after 7 of 40 batches, so no higher rates were tried",
    ]);
  });

  it("refuses rates out of order, and less than the decade that a slope is fitted over", async () => {
    await assert.rejects(findLearningRate(dataset, config(), { from: 0 }), {
      message: "Expected a number > 0 for from but received 0 of type number",
    });
    await assert.rejects(findLearningRate(dataset, config(), { from: 2 }), {
      message: "Expected a number in [0, 1] for from but received 2 of type number",
    });
    for (const to of [1e-3, 0.09])
      await assert.rejects(findLearningRate(dataset, config(), { from: 1e-2, to }), {
        message: `Expected a number in [0.1, 10] for to but received ${to} of type number`,
      });
  });
});
