import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { withTemperature } from "../../src/metrics/calibration.js";
import { calibrated } from "../../src/model/calibrated.js";
import { loadModel, loadModelConfig, saveModel } from "../../src/model/weights/model-folder.js";
import { randomImages, randomNetwork, relativeError, TINY } from "./fixtures.js";

const CALIBRATION = { temperature: 0.5, numImages: 200 };

describe("calibrated", () => {
  it("divides the last layer alone, and leaves what it is given", async () => {
    const network = randomNetwork();
    const parameters = await network.parameters();
    network.dispose();
    const before = new Map([...parameters].map(([name, { data }]) => [name, data.slice()]));
    const model = calibrated(TINY, parameters, CALIBRATION);
    for (const [name, { data }] of parameters) {
      assert.deepEqual(data, before.get(name));
      const scale = name.startsWith("predictions/") ? 2 : 1;
      assert.deepEqual(
        model.parameters.get(name)?.data,
        data.map((value) => scale * value),
      );
    }
    assert.deepEqual(model.config, { ...TINY, calibration: CALIBRATION });
    assert.equal(TINY.calibration, undefined);
  });

  it("adds up to one temperature when it is done again", async () => {
    const network = randomNetwork();
    const once = calibrated(TINY, await network.parameters(), { temperature: 0.5, numImages: 200 });
    network.dispose();
    const { config } = calibrated(once.config, once.parameters, { temperature: 3, numImages: 300 });
    assert.deepEqual(config.calibration, { temperature: 1.5, numImages: 300 });
  });

  it("gives calibrated probabilities in ferkit and in stock tfjs alike, and is known when it is loaded", async () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-calibrated-"));
    const network = randomNetwork();
    const model = calibrated(TINY, await network.parameters(), CALIBRATION);
    await saveModel(dir, model.config, model.parameters);
    assert.deepEqual((await loadModelConfig(dir)).calibration, CALIBRATION);
    const loaded = await loadModel(dir);
    const stock = await tf.loadLayersModel(`file://${path.join(dir, "model.json")}`);
    rmSync(dir, { recursive: true });
    const images = randomImages(3, TINY.imageSize);
    const probsOf = (one: typeof network) =>
      tf.tidy(() => tf.softmax(one.logits(images)).dataSync() as Float32Array);
    const expected = withTemperature(probsOf(network), TINY.classNames.length, 0.5);
    assert.ok(relativeError(probsOf(network), expected) > 0.01, "the temperature changes something");
    assert.ok(relativeError(probsOf(loaded), expected) < 1e-4);
    const theirs = stock.predict(images) as Tensor;
    assert.ok(relativeError(theirs.dataSync(), expected) < 1e-4);
    tf.dispose([images, theirs]);
    stock.dispose();
    loaded.dispose();
    network.dispose();
  });
});
