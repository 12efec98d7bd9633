import assert from "node:assert/strict";
import path from "node:path";
import { loadDataset } from "../../src/data/load.js";
import { tf } from "../../src/engine/tf.js";
import { trainConfig } from "../../src/presets.js";
import { type CrossValidation, crossValidate } from "../../src/training/cross-validation.js";
import { drawImages, temporaryFolder } from "../data/fixtures.js";

const SETTINGS = { weights: "random", epochs: 1, imageSize: 33, batchSize: 4 };

describe("crossValidate", function () {
  this.timeout(120_000);
  const inFolder = temporaryFolder();
  const config = trainConfig("tutorial", SETTINGS);
  /** Draws images that differ, since those that do not would be in one fold. */
  const draw = (folder: string, count: number) =>
    drawImages(
      inFolder("data"),
      Object.fromEntries(
        Array.from({ length: count }, (_, i) => [
          `${folder}/${i}.png`,
          `rgb(${10 * i + folder.length},${200 - 9 * i},${(i * 53) % 256})`,
        ]),
      ),
    );

  /** Runs it to the end, or to the first event of a fold. */
  async function run(options: { stopAt?: number; numFolds?: number } = {}) {
    const { stopAt, numFolds = 2 } = options;
    const load = { data: inFolder("data"), imageSize: 33, seed: 0 };
    const all = await loadDataset({ ...load, validationShare: 1 });
    const stop = new AbortController();
    const events = crossValidate(all, load, config, {
      dir: inFolder("runs"),
      numFolds,
      signal: stop.signal,
    });
    const numBatches = new Map<number, number>();
    let step = await events.next();
    for (; !step.done; step = await events.next()) {
      const { fold, event } = step.value;
      if (event.type === "batch") numBatches.set(fold, (numBatches.get(fold) ?? 0) + 1);
      if (fold === stopAt) stop.abort();
    }
    return { found: step.value, numBatches: [...numBatches] };
  }
  const paths = ({ images }: CrossValidation) => [...images.paths].sort();

  it("asks about each image the network of its fold, which was not trained on it", async () => {
    await draw("a", 6);
    await draw("bb", 6);
    const before = tf.memory().numTensors;
    const { found } = await run();
    assert.ok(found);
    assert.equal(tf.memory().numTensors, before);
    assert.equal(found.images.numImages, 12);
    assert.deepEqual(found.unchecked, []);
    const held = await loadDataset({ data: inFolder("data"), imageSize: 33, seed: 0, fold: "2/2" });
    assert.deepEqual(
      [...found.folds.keys()]
        .filter((i) => found.folds[i] === 2)
        .map((i) => found.images.paths[i])
        .sort(),
      [...held.validation.paths].sort(),
    );
    for (let i = 0; i < 12; i++) {
      const sum = found.probs[2 * i] + found.probs[2 * i + 1];
      assert.ok(Math.abs(sum - 1) < 1e-5, `${sum}`);
    }
  });

  it("resumes the fold that was interrupted, to the same numbers, and trains nothing again", async () => {
    await draw("a", 6);
    await draw("bb", 6);
    const first = await run({ stopAt: 2 });
    assert.equal(first.found, null);
    const second = await run();
    assert.deepEqual(
      second.numBatches.map(([fold]) => fold),
      [2],
    );
    const again = await run();
    assert.deepEqual(again.numBatches, []);
    assert.deepEqual(again.found?.probs, second.found?.probs);
  });

  it("asks all networks about the images of a validation folder", async () => {
    for (const [folder, count] of [
      ["train/a", 4],
      ["train/bb", 4],
      ["val/a", 2],
      ["val/bb", 1],
    ] as const)
      await draw(folder, count);
    const { found } = await run();
    assert.ok(found);
    assert.equal(paths(found).length, 11);
    const own = [...found.folds.keys()].filter((i) => found.folds[i] === 0);
    assert.deepEqual(
      own.map((i) => found.images.paths[i]),
      ["val/a/0.png", "val/a/1.png", "val/bb/0.png"],
    );
    const [i] = own;
    assert.ok(Math.abs(found.probs[2 * i] + found.probs[2 * i + 1] - 1) < 1e-5);
  });

  it("names images of a class that is in one fold alone", async () => {
    for (const [folder, count] of [
      ["a", 4],
      ["bb", 4],
      ["c", 1],
    ] as const)
      await draw(folder, count);
    const { found } = await run();
    assert.deepEqual(found?.unchecked, [path.posix.join("c", "0.png")]);
    assert.equal(found?.images.numImages, 8);
  });
});
