import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { type Tensor, tf } from "../../../src/engine/tf.js";
import type { ModelConfig } from "../../../src/model/network.js";
import { loadModel, loadModelConfig, saveModel } from "../../../src/model/weights/model-folder.js";
import { projectDir } from "../../source-files.js";
import { randomImages, randomNetwork, relativeError, TINY } from "../fixtures.js";

describe("a model folder", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-model-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  describe("saveModel", () => {
    for (const variant of ["lite0", "b0"] as const)
      it(`writes ${variant} as a stock LayersModel that gives the same probabilities from the same pixels`, async () => {
        const config = { ...TINY, variant, preprocessing: { mean: [124, 116, 104], std: [58, 57, 57] } };
        const network = randomNetwork(config as typeof TINY);
        await saveModel(dir, network.config, await network.parameters());
        const stock = await tf.loadLayersModel(`file://${dir}/model.json`);
        const images = randomImages(2, TINY.imageSize);
        const ours = tf.tidy(() => tf.softmax(network.logits(images)));
        const theirs = stock.predict(images) as Tensor;
        assert.ok(relativeError(ours.dataSync(), theirs.dataSync()) < 1e-5);
        tf.dispose([images, ours, theirs]);
        stock.dispose();
        network.dispose();
      });

    const others: Partial<ModelConfig>[] = [
      { grey: true },
      { padding: "symmetric", epsilon: 1e-5 },
      { padding: "even", variant: "b0", grey: true },
    ];
    for (const other of others)
      for (const imageSize of [40, 49])
        it(`writes a graph with ${JSON.stringify(other)} at ${imageSize} pixels, and reads it back`, async () => {
          const network = randomNetwork({ ...other, imageSize });
          await saveModel(dir, network.config, await network.parameters(), "float16");
          const loaded = await loadModel(dir);
          assert.deepEqual(loaded.config, network.config);
          const stock = await tf.loadLayersModel(`file://${dir}/model.json`);
          const images = randomImages(2, imageSize);
          const ours = tf.tidy(() => tf.softmax(loaded.logits(images)));
          const theirs = stock.predict(images) as Tensor;
          assert.ok(relativeError(ours.dataSync(), theirs.dataSync()) < 1e-5);
          tf.dispose([images, ours, theirs]);
          stock.dispose();
          loaded.dispose();
          network.dispose();
        });

    for (const [precision, numBytes] of [
      ["float16", 2],
      ["uint8", 1],
    ] as const)
      it(`keeps kernels as ${precision}, which stock tfjs reads as we do`, async () => {
        const network = randomNetwork();
        const parameters = await network.parameters();
        network.dispose();
        await saveModel(dir, TINY, parameters, precision);
        const [file] = readdirSync(dir).filter((name) => name.endsWith(".bin"));
        const numKernelValues = [...parameters]
          .filter(([name]) => name.endsWith("/kernel"))
          .reduce((total, [, { data }]) => total + data.length, 0);
        const numValues = [...parameters].reduce((total, [, { data }]) => total + data.length, 0);
        const { size } = statSync(path.join(dir, file));
        assert.ok(
          size > numBytes * numKernelValues &&
            size < numBytes * numKernelValues + 4 * (numValues - numKernelValues),
        );
        const loaded = await loadModel(dir);
        const stock = await tf.loadLayersModel(`file://${dir}/model.json`);
        const images = randomImages(2, TINY.imageSize);
        const ours = tf.tidy(() => tf.softmax(loaded.logits(images)));
        const theirs = stock.predict(images) as Tensor;
        assert.ok(relativeError(ours.dataSync(), theirs.dataSync()) < 1e-5);
        tf.dispose([images, ours, theirs]);
        stock.dispose();
        loaded.dispose();
      });

    it("replaces the model that was there and leaves one weights file", async () => {
      for (const seed of [1, 2]) {
        const network = randomNetwork({}, seed);
        await saveModel(dir, network.config, await network.parameters());
        network.dispose();
      }
      assert.equal(readdirSync(dir).filter((name) => name.endsWith(".bin")).length, 1);
      assert.equal(readdirSync(dir).length, 2);
    });
  });

  describe("a bundled model", () => {
    for (const name of ["fer2013", "fer2013-small"])
      it(`gives the same probabilities in plain tfjs for coloured pixels: ${name}`, async () => {
        const folder = path.join(projectDir, "models", name);
        const network = await loadModel(folder);
        const stock = await tf.loadLayersModel(`file://${folder}/model.json`);
        const images = randomImages(2, network.config.imageSize);
        const [ours, theirs] = tf.tidy(() =>
          [tf.softmax(network.logits(images)), stock.predict(images) as Tensor].map((one) => one.dataSync()),
        );
        ours.forEach((prob, i) => {
          assert.ok(Math.abs(prob - theirs[i]) < 1e-4, `${prob} ≠ ${theirs[i]}`);
        });
        images.dispose();
        stock.dispose();
        network.dispose();
      });
  });

  describe("loadModel", () => {
    it("gives back classes, size, preprocessing and weights, and leaks nothing", async () => {
      const before = tf.memory().numTensors;
      const network = randomNetwork();
      const parameters = await network.parameters();
      await saveModel(dir, network.config, parameters);
      network.dispose();
      const loaded = await loadModel(dir);
      assert.deepEqual(loaded.config, TINY);
      assert.deepEqual(await loaded.parameters(), parameters);
      loaded.dispose();
      assert.equal(tf.memory().numTensors, before);
    });

    it("says that there is no model", async () => {
      await assert.rejects(loadModel(path.join(dir, "none")), {
        name: "InputError",
        message: `Expected a model folder with model.json at ${dir}/none but found none. Train one with \`npx ferkit train\`, or choose the folder \`best\` of a run.`,
      });
    });

    it("says that a model is of another program", async () => {
      writeFileSync(path.join(dir, "model.json"), '{"modelTopology": {}}');
      await assert.rejects(loadModelConfig(dir), {
        message: `Expected a model saved by ferkit at ${dir}/model.json but found no ferkit metadata of a known version. Train one with \`npx ferkit train\`.`,
      });
    });

    it("refuses weights that are not finite", async () => {
      const network = randomNetwork();
      const parameters = await network.parameters();
      network.dispose();
      parameters.get("predictions/bias")?.data.fill(Number.NaN);
      await saveModel(dir, TINY, parameters);
      await assert.rejects(loadModel(dir), {
        name: "InputError",
        message: `Expected finite weights at ${dir} but found NaN or infinity in predictions/bias. Choose other weights: these come from a training that failed, or a broken file.`,
      });
    });

    it("says that weights are cut short", async () => {
      const network = randomNetwork();
      await saveModel(dir, network.config, await network.parameters());
      network.dispose();
      const file = path.join(dir, readdirSync(dir).find((name) => name.endsWith(".bin")) as string);
      truncateSync(file, 1000);
      await assert.rejects(loadModel(dir), (error: Error) => {
        assert.match(
          error.message,
          /^Expected \d+ bytes of weights at .*\.bin but found 1000\. Copy the folder again, or train from scratch\.$/,
        );
        return true;
      });
    });
  });
});
