import assert from "node:assert/strict";
import { loadModel } from "../../../src/model/weights/model-folder.js";
import { temporaryFolder, writeFiles } from "../../data/fixtures.js";

describe("a folder of another program", () => {
  const inFolder = temporaryFolder();
  const cases = {
    "x.safetensors.index.json":
      "x.safetensors.index.json, for weights in several files. Save the network in one file, and convert it: npx ferkit convert FILE",
    "saved_model.pb":
      "a SavedModel of TensorFlow, which is not read. Save the model in Keras as .keras, and convert it: npx ferkit convert FILE",
    "pytorch_model.bin":
      "pytorch_model.bin, which another program wrote. Convert it: npx ferkit convert DIR/pytorch_model.bin. A training can start from the file (weights).",
    "group1-shard1of1.bin": "none. Train one with `npx ferkit train`, or choose the folder `best` of a run.",
  };
  for (const [file, found] of Object.entries(cases))
    it(`is no model, and has ${file}`, async () => {
      const dir = writeFiles(inFolder("model"), { [file]: "x", "config.json": "{}" });
      await assert.rejects(loadModel(dir), {
        name: "InputError",
        message: `Expected a model folder with model.json at ${dir} but found ${found.replace("DIR", dir)}`,
      });
    });
});
