import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { loadModelConfig, saveModel } from "../../src/model/weights/model-folder.js";
import { randomNetwork, TINY } from "../model/fixtures.js";
import { safetensorsBytes, timmTensors } from "../model/weights/weight-files.js";
import { runFerkit } from "./fixtures.js";

describe("ferkit convert", function () {
  this.timeout(60_000);
  let dir: string;
  const convert = (...args: string[]) => runFerkit(["convert", ...args], dir);
  const sizeOfWeights = (model: string) => {
    const file = readdirSync(path.join(dir, model)).find((name) => name.endsWith(".bin")) as string;
    return statSync(path.join(dir, model, file)).size;
  };

  before(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-convert-"));
  });
  after(() => rmSync(dir, { recursive: true }));

  it("writes a model folder with smaller weights, and all else as it was", async () => {
    const network = randomNetwork();
    await saveModel(path.join(dir, "whole"), network.config, await network.parameters());
    network.dispose();
    const { status, stdout } = convert("whole", "--to", "small", "--precision", "uint8");
    assert.deepEqual([status, stdout], [0, `wrote ${path.join(dir, "small")}\n`]);
    assert.deepEqual(await loadModelConfig(path.join(dir, "small")), TINY);
    assert.ok(sizeOfWeights("small") < 0.3 * sizeOfWeights("whole"));
  });

  it("makes a model folder of weights that were fine-tuned in timm", async () => {
    writeFileSync(path.join(dir, "weights.safetensors"), safetensorsBytes(timmTensors("lite0", 3)));
    const about = ["--variant", "lite0", "--classes", "cat, dog,fish", "--image-size", "64"];
    const { status, stderr } = convert("weights.safetensors", "--to", "pets", ...about);
    assert.equal(status, 0, stderr);
    const { classNames, imageSize, variant } = await loadModelConfig(path.join(dir, "pets"));
    assert.deepEqual([classNames, imageSize, variant], [["cat", "dog", "fish"], 64, "lite0"]);
    const wrong = convert(
      "weights.safetensors",
      "--to",
      "none",
      ...about.slice(0, 3),
      "cat,dog",
      ...about.slice(4),
    );
    assert.equal(wrong.status, 1);
    assert.match(
      wrong.stderr,
      /Expected weights of shape \[1280,2\] for predictions\/kernel but found shape \[1280,3\]/,
    );
    assert.equal(readdirSync(dir).includes("none"), false);
  });

  it("asks for what a file of weights does not say", () => {
    const { status, stderr } = convert("weights.safetensors", "--to", "none", "--variant", "lite0");
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^ferkit: Expected --variant, --classes and --image-size with a file of weights at /,
    );
  });
});
