import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import promises from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { type Tensor, tf } from "../../../src/engine/tf.js";
import { inputWeights } from "../../../src/model/keras.js";
import type { ModelConfig, Network } from "../../../src/model/network.js";
import { loadModel, loadModelConfig, saveModel } from "../../../src/model/weights/model-folder.js";
import { removeOldTensors, writeTensors } from "../../../src/model/weights/tensor-file.js";
import { projectDir } from "../../source-files.js";
import { randomImages, randomNetwork, relativeError, TINY } from "../fixtures.js";

/** Checks that plain tfjs gives a folder's model the same probabilities from the same pixels, and disposes the network. */
async function checkInTfjs(folder: string, network: Network, tolerance = 1e-5): Promise<void> {
  const stock = await tf.loadLayersModel(`file://${folder}/model.json`);
  const images = randomImages(2, network.config.imageSize);
  const [ours, theirs] = tf.tidy(() =>
    [tf.softmax(network.logits(images)), stock.predict(images) as Tensor].map((one) => one.dataSync()),
  );
  const error = relativeError(ours, theirs);
  assert.ok(error < tolerance, String(error));
  images.dispose();
  stock.dispose();
  network.dispose();
}

describe("a model folder", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-model-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  describe("saveModel", () => {
    it("leaves a whole model if two processes save another one each, and no file of theirs that is not used", async () => {
      const networks = [1, 2].map((seed) => randomNetwork(TINY, seed));
      const models = await Promise.all(networks.map((network) => network.parameters()));
      for (const network of networks) network.dispose();
      for (let i = 0; i < 5; i++) {
        await Promise.all(models.map((parameters) => saveModel(dir, TINY, parameters)));
        (await loadModel(dir)).dispose();
      }
      await saveModel(dir, TINY, models[0]);
      assert.equal(readdirSync(dir).length, 2);
    });

    it("keeps the weights of another process whose model takes the place meanwhile", async () => {
      const [own, other] = [1, 2].map((seed) => randomNetwork(TINY, seed));
      await saveModel(dir, TINY, await own.parameters());
      await saveModel(path.join(dir, "other"), TINY, await other.parameters());
      for (const network of [own, other]) network.dispose();
      const { readFile } = promises;
      const [model, weights] = readdirSync(path.join(dir, "other")).sort();
      const take = (name: string) => cpSync(path.join(dir, "other", name), path.join(dir, name));
      take(weights); // as if the other process had got so far
      const readThenTake = async (file: string, encoding: "utf8") => {
        const text = await readFile(file, encoding);
        take(model);
        return text;
      };
      Object.assign(promises, { readFile: readThenTake });
      try {
        await removeOldTensors(dir, "model.json");
      } finally {
        Object.assign(promises, { readFile });
      }
      (await loadModel(dir)).dispose();
    });

    it("keeps what another process writes, and removes what one left that was killed long ago", async () => {
      const network = randomNetwork(TINY);
      const parameters = await network.parameters();
      network.dispose();
      const left = ["weights-0123456789abcdef.bin.0123abcd.tmp", "model.json.0123abcd.tmp"];
      for (const name of left) writeFileSync(path.join(dir, name), "");
      await saveModel(dir, TINY, parameters);
      for (const name of left) assert.ok(existsSync(path.join(dir, name)), name);
      for (const name of left) utimesSync(path.join(dir, name), 1, 1);
      await saveModel(dir, TINY, parameters);
      for (const name of left) assert.ok(!existsSync(path.join(dir, name)), name);
    });

    for (const variant of ["lite0", "b0"] as const)
      it(`writes ${variant} as a stock LayersModel that gives the same probabilities from the same pixels`, async () => {
        const config = { ...TINY, variant, preprocessing: { mean: [124, 116, 104], std: [58, 57, 57] } };
        const network = randomNetwork(config as typeof TINY);
        await saveModel(dir, network.config, await network.parameters());
        await checkInTfjs(dir, network);
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
          network.dispose();
          const loaded = await loadModel(dir);
          assert.deepEqual(loaded.config, network.config);
          await checkInTfjs(dir, loaded);
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
        await checkInTfjs(dir, await loadModel(dir));
      });

    it("refuses what no network could load", async () => {
      const network = randomNetwork();
      const given = await network.parameters();
      network.dispose();
      const refused = async (message: string, change: object, ...rest: string[]) => {
        const parameters = new Map([...given, ...Object.entries(change)]);
        await assert.rejects(saveModel(dir, TINY, parameters, ...(rest as [])), { message });
        assert.deepEqual(readdirSync(dir), []);
      };
      const bias = (value: number) => ({ shape: [3], data: Float32Array.of(0, value, 0) });
      const weights = "Choose weights of the same variant and number of classes.";
      await refused(`Expected weights of shape [3] for predictions/bias but found shape [2]. ${weights}`, {
        "predictions/bias": { shape: [2], data: new Float32Array(2) },
      });
      await refused(
        "Expected finite weights but found NaN or infinity in predictions/bias. Choose other weights: these come from a training that failed, or a broken file.",
        { "predictions/bias": bias(Number.NaN) },
      );
      const kernel = new Float32Array(3 * 1280).fill(70_000, 5, 6);
      await refused(
        "Expected weights below 65,520, as float16 can hold but found 70000. Choose precision float32.",
        { "predictions/kernel": { shape: [1280, 3], data: kernel } },
        "float16",
      );
      await refused(
        "Did you mean uint8? Expected one of float32, float16, uint8 for precision but received int8 of type string",
        {},
        "int8",
      );
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
    for (const name of ["fer2013", "ferplus"])
      it(`gives the same probabilities in plain tfjs for coloured pixels: ${name}`, async () => {
        const folder = path.join(projectDir, "models", name);
        await checkInTfjs(folder, await loadModel(folder), 1e-4);
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

    it("names the best model of a run in place of which the run was given", async () => {
      const run = path.join(dir, "run");
      mkdirSync(path.join(run, "best"), { recursive: true });
      writeFileSync(path.join(run, "best/model.json"), "{}");
      await assert.rejects(loadModel(run), {
        message: `Expected a model folder with model.json at ${run} but found none. Choose the model folder ${run}/best.`,
      });
      for (const inside of ["last", "best/model.json", "metrics.jsonl", "last/state.json"])
        await assert.rejects(loadModel(path.join(run, inside)), {
          message: `Expected a model folder with model.json at ${run}/${inside} but found none. Choose the model folder ${run}/best.`,
        });
    });

    it("says that a model is of another program", async () => {
      writeFileSync(path.join(dir, "model.json"), '{"modelTopology": {}}');
      await assert.rejects(loadModelConfig(dir), {
        message: `Expected a model saved by ferkit at ${dir}/model.json but found no ferkit metadata of a known version. Train one with \`npx ferkit train\`.`,
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
          /^Expected \d+ bytes of weights at .*\.bin but found 1000\. Copy the folder again, or choose another model\.$/,
        );
        return true;
      });
    });

    describe("of a folder that was changed", () => {
      let whole: string;
      before(async () => {
        whole = mkdtempSync(path.join(os.tmpdir(), "ferkit-model-"));
        const network = randomNetwork();
        await saveModel(whole, network.config, await network.parameters());
        network.dispose();
      });
      after(() => rmSync(whole, { recursive: true }));
      beforeEach(() => cpSync(whole, dir, { recursive: true }));

      const weights = () => path.join(dir, readdirSync(dir).find((name) => name.endsWith(".bin")) as string);
      const json = () => path.join(dir, "model.json");
      type Json = { weightsManifest: { paths: string[]; weights: { name: string }[] }[] };
      const edit = (change: (model: Json & Record<string, unknown>) => void) => {
        const model = JSON.parse(readFileSync(json(), "utf8"));
        change(model);
        writeFileSync(json(), JSON.stringify(model));
      };
      const editMetadata = (change: object) =>
        edit((model) => Object.assign((model.userDefinedMetadata as { ferkit: object }).ferkit, change));
      const refused = (expected: string, where: string, found: string) =>
        assert.rejects(loadModel(dir), {
          name: "InputError",
          message: `Expected ${expected} at ${where} but found ${found}. Copy the folder again, or choose another model.`,
        });

      it("refuses a flipped bit, wherever it is, by the digest in the file's name", async () => {
        const bytes = readFileSync(weights());
        for (const at of [0, bytes.length >> 1, bytes.length - 1]) {
          const flipped = Buffer.from(bytes);
          flipped[at] ^= 1;
          writeFileSync(weights(), flipped);
          await refused("the weights that the file's name is the digest of", weights(), "other bytes");
        }
      });

      for (const name of ["../weights.bin", "/etc/passwd", "a/b.bin", "..", "a\\b.bin"])
        it(`refuses weights at ${name}, which may be outside the folder`, async () => {
          edit(({ weightsManifest: [manifest] }) => {
            manifest.paths = [name];
          });
          const found =
            'weightsManifest[0].paths[0], which should match pattern "^(?!\\.\\.?$)[^/\\\\\\u0000]+$"';
          await refused("a model saved by ferkit", json(), found);
        });

      it("refuses a tensor that is missing, surplus or there twice", async () => {
        const rename = (from: string, to: string) =>
          edit(({ weightsManifest: [{ weights }] }) => {
            for (const one of weights) if (one.name === from) one.name = to;
          });
        const expected = "the weights of a model of lite0";
        rename("stem_conv/kernel", "stem_conv/other");
        await refused(expected, dir, "no stem_conv/kernel");
        rename("stem_conv/other", "top_bn/gamma");
        await refused("each array of weights once", weights(), "top_bn/gamma twice");
        rename("top_bn/gamma", "stem_conv/kernel"); // the first and the second are of one name now
        await refused("each array of weights once", weights(), "stem_conv/kernel twice");
        edit(({ weightsManifest: [{ weights }] }) => {
          weights.push({ name: "extra", shape: [0], dtype: "float32" } as { name: string });
          weights[2].name = "top_bn/moving_mean_2";
        });
        await refused(expected, dir, "no top_bn/gamma");
      });

      it("refuses values out of range", async () => {
        const cases: [object, string][] = [
          [{ imageSize: 1e9 }, "imageSize, which should be <= 1024"],
          [{ imageSize: "48" }, "imageSize, which should be integer"],
          [
            { classNames: ["a", "b", "a"] },
            "classNames, which should not have duplicate items (items ## 2 and 0 are identical)",
          ],
          [{ classNames: [] }, "classNames, which should not have fewer than 1 items"],
          [{ epsilon: -1 }, "epsilon, which should be >= 0"],
          [
            { preprocessing: { mean: [0, 0, 0], std: [1, 0, 1] } },
            "preprocessing.std[1], which should be > 0",
          ],
          [{ calibration: { temperature: 0, numImages: 1 } }, "calibration.temperature, which should be > 0"],
        ];
        for (const [change, found] of cases) {
          cpSync(whole, dir, { recursive: true, force: true });
          editMetadata(change);
          await refused("a model saved by ferkit", json(), `userDefinedMetadata.ferkit.${found}`);
        }
      });

      it("refuses a preprocessing that is not the one in the weights, which plain tfjs takes", async () => {
        editMetadata({ preprocessing: { mean: [0, 0, 0], std: [255, 255, 255] } });
        await refused(
          "the weights of a model of lite0",
          dir,
          "normalization/depthwise_kernel that does not fit the preprocessing",
        );
      });

      it("refuses weights that are not finite, and a negative variance", async () => {
        const network = randomNetwork();
        const parameters = await network.parameters();
        network.dispose();
        const cases = [
          ["predictions/bias", Number.NaN, "finite weights", "NaN or infinity"],
          ["stem_bn/moving_variance", -1, "variances of 0 or more", "a negative number"],
        ] as const;
        for (const [name, value, expected, found] of cases) {
          const changed = structuredClone(parameters);
          changed.get(name)?.data.fill(value, 1, 2);
          const tensors = [...inputWeights(TINY), ...changed];
          const manifest = await writeTensors(dir, tensors);
          edit((model) => Object.assign(model, { weightsManifest: [manifest] }));
          await assert.rejects(loadModel(dir), {
            name: "InputError",
            message: `Expected ${expected} at ${dir} but found ${found} in ${name}. Choose other weights: these come from a training that failed, or a broken file.`,
          });
        }
      });

      const kinds: [string, (file: string) => void][] = [
        ["a named pipe", (file) => execFileSync("mkfifo", [file])],
        ["a folder", (file) => mkdirSync(file)],
        ["a device", (file) => execFileSync("ln", ["-s", "/dev/zero", file])],
      ];
      for (const [kind, make] of kinds)
        it(`refuses ${kind} in place of a file, and does not wait for it`, async () => {
          const file = weights();
          renameSync(file, path.join(dir, "kept"));
          make(file);
          await refused("a file of weights", file, kind);
          renameSync(json(), path.join(dir, "kept.json"));
          make(json());
          await refused("a model saved by ferkit", json(), kind);
        });

      it("refuses JSON that is nested a million times", async () => {
        writeFileSync(json(), "[".repeat(1e6) + "]".repeat(1e6));
        await assert.rejects(loadModel(dir), { name: "InputError" });
      });
    });
  });
});
