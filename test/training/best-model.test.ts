import assert from "node:assert/strict";
import { fitTemperature } from "../../src/metrics/calibration.js";
import { loadModel, loadModelConfig } from "../../src/model/weights/model-folder.js";
import { saveBestModel } from "../../src/training/best-model.js";
import { randomNetwork, TINY } from "../model/fixtures.js";
import { runFolder } from "./fixtures.js";

/** Each image says `row`; so many of them are of class 0, the others of class 1. */
function evaluated(numImages: number, numRight: number, row: number[]) {
  const probs = new Float32Array(3 * numImages);
  for (let i = 0; i < numImages; i++) probs.set(row, 3 * i);
  return { probs, labels: Int32Array.from({ length: numImages }, (_, i) => (i < numRight ? 0 : 1)) };
}

describe("saveBestModel", () => {
  const folder = runFolder();

  async function save(numImages: number, numRight: number, row = [0.9, 0.05, 0.05]) {
    const network = randomNetwork();
    const parameters = await network.parameters();
    network.dispose();
    const { probs, labels } = evaluated(numImages, numRight, row);
    await saveBestModel(folder.dir, TINY, parameters, { probs }, labels);
    return parameters;
  }

  it("makes a network that was too sure less sure, by the validation images", async () => {
    const parameters = await save(200, 100);
    // With logits ln 18, 0, 0: half are right, and half of the others' probability goes to a class that none is of.
    const { temperature, numImages } = (await loadModelConfig(folder.dir)).calibration ?? {};
    assert.equal(numImages, 200);
    assert.ok((temperature as number) > 2);
    const saved = await loadModel(folder.dir);
    const [before, after] = [parameters, await saved.parameters()].map(
      (values) => values.get("predictions/kernel")?.data ?? new Float32Array(),
    );
    saved.dispose();
    after.forEach((value, i) => {
      assert.ok(Math.abs(value * (temperature as number) - before[i]) < 1e-6);
    });
  });

  it("saves the model as it is where it is as sure as it may be, though a temperature fits better", async () => {
    const row = [0.6, 0.01, 0.39]; // class 0 as often as it says, but the others are of the class that it thinks least of
    const { probs, labels } = evaluated(200, 120, row);
    assert.ok(fitTemperature(probs, labels, 3) > 1.5);
    await save(200, 120, row);
    assert.equal((await loadModelConfig(folder.dir)).calibration, undefined);
  });

  it("saves the model as it is with fewer than 100 images", async () => {
    const parameters = await save(99, 50);
    assert.equal((await loadModelConfig(folder.dir)).calibration, undefined);
    const saved = await loadModel(folder.dir);
    assert.deepEqual((await saved.parameters()).get("predictions/bias"), parameters.get("predictions/bias"));
    saved.dispose();
  });
});
