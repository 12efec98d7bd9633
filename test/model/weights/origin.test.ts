import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { besideFile, inMetadata } from "../../../src/model/weights/origin.js";

describe("what a file says about its weights", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "ferkit-origin-"));
  });
  after(() => rmSync(folder, { recursive: true }));
  const ofTraining = (saved: object) => inMetadata({ "ferkit.training": JSON.stringify(saved) }, "a.pth");

  for (const [form, class_names] of Object.entries({
    "a list": ["dog", "cat", "2"],
    "names by number": { 2: "2", 0: "dog", 1: "cat" },
    "numbers by name": { "2": 2, cat: 1, dog: 0 },
  }))
    it(`has the names of classes in the order of the outputs, from ${form}`, () => {
      assert.deepEqual(ofTraining({ class_names }), { classNames: ["dog", "cat", "2"] });
      const metadata = { id2label: JSON.stringify(class_names) };
      assert.deepEqual(inMetadata(metadata, "a.safetensors"), { classNames: ["dog", "cat", "2"] });
    });

  it("has no names of classes from other values", () => {
    for (const class_names of ["cat", ["cat"], [1, 2], { cat: 1, dog: 5 }, { cat: 0, dog: 0 }, {}, null])
      assert.deepEqual(ofTraining({ class_names }), {}, JSON.stringify(class_names));
    assert.deepEqual(inMetadata({ classes: "cat, dog" }, "a.safetensors"), {});
  });

  it("has epsilon, pooling and how images were cut, by timm's names", () => {
    const saved = {
      bn_eps: 0.01,
      global_pool: "catavgmax",
      crop_pct: 0.875,
      crop_mode: "squash",
      image_size: 64,
    };
    const expected = {
      epsilon: 0.01,
      head: "the pooling catavgmax",
      cropShare: 0.875,
      fit: "squash",
      imageSize: 64,
    };
    assert.deepEqual(ofTraining(saved), expected);
    const usual = { bn_eps: null, global_pool: "avg", crop_pct: 1, crop_mode: "constructor" };
    assert.deepEqual(ofTraining(usual), {});
  });

  it("has the same from timm's config.json", async () => {
    const config = {
      architecture: "efficientnet_b0",
      global_pool: "max",
      label_names: ["dog", "cat"],
      pretrained_cfg: {
        input_size: [3, 96, 96],
        crop_pct: 0.9,
        crop_mode: "border",
        mean: [0.5],
        std: [0.25],
      },
    };
    writeFileSync(path.join(folder, "config.json"), JSON.stringify(config));
    assert.deepEqual(await besideFile(path.join(folder, "model.safetensors")), {
      architecture: "efficientnet_b0",
      preprocessing: { mean: [127.5, 127.5, 127.5], std: [63.75, 63.75, 63.75] },
      head: "the pooling max",
      cropShare: 0.9,
      fit: "pad",
      imageSize: 96,
      classNames: ["dog", "cat"],
    });
  });
});
