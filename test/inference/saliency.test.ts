import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "../../src/engine/tf.js";
import { classMaps, gradCam, occlusionMap } from "../../src/inference/saliency.js";
import { lastFeatures } from "../../src/model/forward.js";
import type { Network } from "../../src/model/network.js";
import { saveModel } from "../../src/model/weights/model-folder.js";
import { needsNativeOps, onStock } from "../engine/backends.js";
import { randomImages, randomNetwork, relativeError } from "../model/fixtures.js";
import { PATCH_PLACES, patchedPixels, patchNetwork, peakOf, plainPixels } from "./patch.js";

const IMAGE_SIZE = 70;

for (const variant of ["lite0", "b0"] as const)
  describe(`class maps of ${variant}`, () => {
    let network: Network;
    let images: Tensor4D;
    beforeEach(() => {
      network = randomNetwork({ variant, imageSize: IMAGE_SIZE });
      images = randomImages(2, IMAGE_SIZE);
    });
    afterEach(() => {
      network.dispose();
      images.dispose();
    });

    describe("classMaps", () => {
      it("has the logits, less the bias, as its means", () => {
        network.logits(images).dispose(); // constants of the kernels are kept from the first time on
        const before = tf.memory().numTensors;
        const maps = classMaps(network, images);
        assert.equal(tf.memory().numTensors, before + 1);
        assert.deepEqual(maps.shape, [2, 3, 3, 3]);
        const [means, logits] = tf.tidy(() => {
          const bias = network.read().get("predictions/bias") as Tensor;
          return [maps.mean([1, 2]), network.logits(images).sub(bias)].map((one) => one.dataSync());
        });
        assert.ok(relativeError(means, logits) < 1e-5);
        maps.dispose();
      });

      it("is, before the ReLU, Grad-CAM by gradients of the stock model, times the number of places", async () => {
        const dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-grad-cam-"));
        await saveModel(dir, network.config, await network.parameters());
        const model = await tf.loadLayersModel(`file://${dir}/model.json`);
        rmSync(dir, { recursive: true });
        const label = 1;
        const [expected, actual] = tf.tidy(() => {
          const top = model.getLayer("top_activation").output as ReturnType<typeof tf.input>;
          const features = tf.model({ inputs: model.inputs, outputs: top }).predict(images) as Tensor4D;
          const [kernel, bias] = model.getLayer("predictions").getWeights();
          const logit = (x: Tensor) => {
            const pooled = model.getLayer("avg_pool").apply(x) as Tensor2D;
            return tf
              .matMul(pooled, kernel as Tensor2D)
              .add(bias)
              .gather([label], 1)
              .sum();
          };
          const weights = tf.grad(logit)(features).mean([1, 2], true);
          const ours = classMaps(network, images).gather([label], 3);
          return [features.mul(weights).sum(3).mul(9), ours].map((one) => one.dataSync());
        });
        assert.ok(relativeError(actual, expected) < 1e-3);
        model.dispose();
      });
    });

    describe("lastFeatures", () => {
      needsNativeOps();

      it("is the same by native ops and by TensorFlow's kernels", () => {
        const [actual, expected] = tf.tidy(() => {
          const values = network.read();
          const run = () => lastFeatures(network, images, values).dataSync();
          return [run(), onStock(run)];
        });
        assert.ok(relativeError(actual, expected) < 1e-4);
      });
    });
  });

describe("gradCam", () => {
  const network = patchNetwork();
  after(() => network.dispose());

  for (const place of PATCH_PLACES)
    it(`is largest where a bright patch decides, at ${place}`, async () => {
      await gradCam(network, patchedPixels(place), "patch");
      const before = tf.memory().numTensors;
      const heat = await gradCam(network, patchedPixels(place), "patch");
      assert.equal(tf.memory().numTensors, before);
      // its places see 7.5 pixels further than those of a trained network, which are spread evenly about the middle
      const [y, x] = peakOf(heat).map((pixel) => pixel + 7.5);
      assert.ok(Math.hypot(y - place[0], x - place[1]) < 8, `${[y, x]}`);
      assert.equal(Math.max(...heat), 1);
      assert.ok(Math.min(...heat) >= 0);
    });

  it("is 0 everywhere for a class without evidence", async () => {
    const heat = await gradCam(network, patchedPixels(PATCH_PLACES[0]), "never");
    assert.ok(heat.every((value) => value === 0));
  });

  it("takes other kinds of numbers, and refuses those that are no pixels", async () => {
    const pixels = patchedPixels([72, 72]);
    for (const saliency of [gradCam, occlusionMap]) {
      const expected = await saliency(network, pixels, "patch");
      assert.deepEqual(await saliency(network, [...pixels] as never, "patch"), expected);
      const scaled = Float32Array.from(pixels, (value) => value / 255) as never;
      await assert.rejects(saliency(network, scaled, "patch"), {
        name: "ParameterError",
        message:
          /^Multiply by 255: all are in \[0, 1\]\. Expected numbers in \[0, 255\] for pixels but received 0\.\d+ of type number$/,
      });
      await assert.rejects(saliency(network, undefined as never, "patch"), {
        name: "ParameterError",
        message:
          "Expected the pixels of an image, a Uint8Array, for pixels but received undefined of type undefined",
      });
    }
  });

  it("refuses a class that is none of the network's, and pixels of another size", async () => {
    await assert.rejects(gradCam(network, patchedPixels([72, 72]), "cat"), {
      message: "Expected one of never, patch for className but received cat of type string",
    });
    await assert.rejects(gradCam(network, new Uint8Array(3), "patch"), {
      message: "Expected 144 × 144 × 3 = 62208 values for pixels but received 3 of type number",
    });
  });
});

describe("occlusionMap", () => {
  const network = patchNetwork();
  after(() => network.dispose());

  it("refuses pixels of another size", async () => {
    await assert.rejects(occlusionMap(network, new Uint8Array(3), "patch"), {
      name: "ParameterError",
      message: "Expected 144 × 144 × 3 = 62208 values for pixels but received 3 of type number",
    });
  });

  for (const place of PATCH_PLACES)
    it(`is largest where a bright patch decides, at ${place}`, async () => {
      const heat = await occlusionMap(network, patchedPixels(place), "patch");
      const [y, x] = peakOf(heat);
      assert.ok(Math.hypot(y - place[0], x - place[1]) < 16, `${[y, x]}`);
      assert.ok(heat.every((value) => value >= 0 && value <= 1));
    });

  it("is 0 everywhere in an image that hiding does not change", async () => {
    const before = tf.memory().numTensors;
    const heat = await occlusionMap(network, plainPixels(), "patch");
    assert.equal(tf.memory().numTensors, before);
    assert.ok(heat.every((value) => value === 0));
  });

  it("refuses a class that is none of the network's", async () => {
    await assert.rejects(occlusionMap(network, patchedPixels([72, 72]), "cat"), {
      message: "Expected one of never, patch for className but received cat of type string",
    });
  });
});
