import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { type CreateOptions, createNetwork, importNetwork } from "../../src/model/create.js";
import { saveModel } from "../../src/model/weights/model-folder.js";
import type { FileTensor } from "../../src/model/weights/state-dict.js";
import { randomNetwork } from "./fixtures.js";
import { safetensorsBytes, timmTensors } from "./weights/weight-files.js";

describe("a network from a file of weights", () => {
  let folder: string;
  let file: string;
  const lite0 = timmTensors("lite0", 3);
  const grey: FileTensor = { shape: [32, 1, 3, 3], data: new Float32Array(32 * 9).fill(1) };
  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "ferkit-create-"));
    file = path.join(folder, "weights.safetensors");
  });
  after(() => rmSync(folder, { recursive: true }));
  const write = (tensors: Map<string, FileTensor>) => writeFileSync(file, safetensorsBytes(tensors));
  const options = { variant: "lite0", classNames: ["a", "b", "c"], imageSize: 40 } as const;

  describe("createNetwork", () => {
    const create = async (given: Partial<CreateOptions> = {}) => {
      const notes: string[] = [];
      const onNote = (note: string) => void notes.push(note);
      const all = { ...options, classNames: ["x", "y"], weights: file, seed: 0, onNote, ...given };
      const network = await createNetwork(all);
      const parameters = await network.parameters();
      network.dispose();
      return { config: network.config, parameters, notes };
    };

    it("computes by the family that is given, and replaces a last layer of other classes", async () => {
      write(lite0);
      const { config, parameters, notes } = await create({ weightsFamily: "pytorch" });
      assert.deepEqual([config.padding, config.epsilon], ["symmetric", 1e-5]);
      assert.deepEqual(config.preprocessing.mean, [123.675, 116.28, 103.53]);
      assert.deepEqual(parameters.get("predictions/kernel")?.shape, [1280, 2]);
      assert.deepEqual(parameters.get("stem_bn/beta")?.data, lite0.get("bn1.bias")?.data);
      assert.deepEqual(notes, []);
    });

    it("notes what was guessed, and keeps no convention that is TensorFlow's", async () => {
      write(new Map([...lite0, ["conv_stem.weight", grey]]));
      const { config, notes } = await create();
      assert.deepEqual(Object.keys(config), ["variant", "classNames", "imageSize", "preprocessing"]);
      assert.equal(notes.length, 2);
      assert.match(notes[0], /does not say which family its weights are of/);
      assert.equal(
        notes[1],
        `${file} is of a network for one channel: its first kernel is spread over three.`,
      );
    });

    it("takes a last layer from nowhere, if the file has none", async () => {
      write(new Map([...lite0].filter(([name]) => !name.startsWith("classifier."))));
      const { parameters } = await create({ weightsFamily: "tensorflow" });
      assert.deepEqual(parameters.get("predictions/kernel")?.shape, [1280, 2]);
    });

    it("keeps the conventions of a model folder", async () => {
      const network = randomNetwork({
        padding: "symmetric",
        epsilon: 1e-5,
        preprocessing: { mean: [1, 2, 3], std: [4, 5, 6] },
      });
      await saveModel(path.join(folder, "model"), network.config, await network.parameters());
      network.dispose();
      const { config } = await create({ weights: path.join(folder, "model") });
      const { padding, epsilon, preprocessing } = network.config;
      assert.deepEqual(
        [config.padding, config.epsilon, config.preprocessing],
        [padding, epsilon, preprocessing],
      );
    });
  });

  describe("importNetwork", () => {
    it("turns all images grey for a network of one channel, and says so", async () => {
      write(new Map([...lite0, ["conv_stem.weight", grey]]));
      const notes: string[] = [];
      const onNote = (note: string) => void notes.push(note);
      const network = await importNetwork(file, {
        ...options,
        classNames: [...options.classNames],
        origin: { family: "tensorflow" },
        onNote,
      });
      assert.equal(network.config.grey, true);
      assert.deepEqual(notes, [`${file} is of a network for one channel: all images are turned grey.`]);
      network.dispose();
    });

    it("takes the conventions that it is told", async () => {
      write(lite0);
      const preprocessing = { mean: [1, 2, 3], std: [4, 5, 6] };
      const origin = { padding: "even", epsilon: 0.5, preprocessing } as const;
      const network = await importNetwork(file, { ...options, classNames: [...options.classNames], origin });
      const { config } = network;
      assert.deepEqual([config.padding, config.epsilon, config.preprocessing], ["even", 0.5, preprocessing]);
      network.dispose();
    });
  });
});
