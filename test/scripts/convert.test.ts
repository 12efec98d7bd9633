import assert from "node:assert/strict";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { loadModelConfig, saveModel } from "../../src/model/weights/model-folder.js";
import { randomNetwork, TINY } from "../model/fixtures.js";
import { safetensorsBytes, timmTensors } from "../model/weights/weight-files.js";
import { workspace } from "../workspace.js";

describe("ferkit convert", function () {
  this.timeout(600_000);
  const folder = workspace("suite");
  const convert = (...args: string[]) => folder.ferkit("convert", ...args);
  const sizeOfWeights = (model: string) => {
    const file = readdirSync(folder.file(model)).find((name) => name.endsWith(".bin")) as string;
    return statSync(folder.file(model, file)).size;
  };

  it("writes a model folder with smaller weights, and all else as it was", async () => {
    const network = randomNetwork();
    await saveModel(folder.file("whole"), network.config, await network.parameters());
    network.dispose();
    const { status, stdout } = await convert("whole", "--to", "small", "--precision", "uint8");
    assert.deepEqual([status, stdout], [0, `wrote ${folder.file("small")}\n`]);
    assert.deepEqual(await loadModelConfig(folder.file("small")), TINY);
    assert.ok(sizeOfWeights("small") < 0.3 * sizeOfWeights("whole"));
  });

  it("replaces no model, and adds none to other files", async () => {
    mkdirSync(folder.file("images/cat"), { recursive: true });
    for (const [to, found] of [
      ["small", "model.json and 1 more"],
      ["images", "cat"],
    ]) {
      const { status, stderr } = await convert("whole", "--to", to);
      assert.equal(status, 1);
      assert.equal(
        stderr,
        `ferkit: Expected a new or empty folder for --to at ${folder.file(to)} but found one that holds ${found}. Choose another folder, or remove this one first if nothing in it is needed.\n`,
      );
    }
    assert.deepEqual(readdirSync(folder.file("images")), ["cat"]);
  });

  it("refuses what a model folder has already", async () => {
    for (const [option, value] of [
      ["--classes", "a,b"],
      ["--image-size", "96"],
    ]) {
      const { status, stderr } = await convert("whole", "--to", "other", option, value);
      assert.equal(status, 1);
      assert.equal(
        stderr,
        `ferkit: Expected only --to and --precision with a model folder, which has all else at ${folder.file("whole")} but found ${option}. Remove it. For other classes or another size, train with --set weights=FOLDER.\n`,
      );
    }
  });

  it("makes a model folder of weights that were fine-tuned in timm", async () => {
    writeFileSync(folder.file("weights.safetensors"), safetensorsBytes(timmTensors("lite0", 3)));
    const about = ["--variant", "lite0", "--classes", "cat, dog,fish", "--image-size", "64"];
    const { status, stderr } = await convert("weights.safetensors", "--to", "pets", ...about);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^note: \S+weights\.safetensors does not say which family/);
    const { classNames, imageSize, variant } = await loadModelConfig(folder.file("pets"));
    assert.deepEqual([classNames, imageSize, variant], [["cat", "dog", "fish"], 64, "lite0"]);
    const wrong = await convert(
      "weights.safetensors",
      "--to",
      "none",
      ...about.slice(0, 3),
      "cat,dog",
      ...about.slice(4),
    );
    assert.equal(wrong.status, 1);
    assert.equal(
      wrong.stderr.split("\n")[0],
      `ferkit: Expected a last layer of 2 outputs, one for each class (cat, dog), at ${folder.file("weights.safetensors")} but found one of 3. Choose 3 classes (--classes), in the order of the outputs, or train a new last layer: npx ferkit train --set weights=PATH`,
    );
    assert.equal(readdirSync(folder.path).includes("none"), false);
  });

  it("takes names of classes with commas from a text file", async () => {
    writeFileSync(folder.file("names.txt"), "bus, red\ncar\r\nvan\n");
    const about = ["--variant", "lite0", "--classes", "names.txt", "--image-size", "64"];
    const { status, stdout, stderr } = await convert("weights.safetensors", "--to", "cars", ...about);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /\nclasses bus, red, car, van\n/);
    assert.deepEqual((await loadModelConfig(folder.file("cars"))).classNames, ["bus, red", "car", "van"]);
  });

  it("refuses mean and deviation on the scale of 0 to 255, which would make all images black", async () => {
    const about = ["--variant", "lite0", "--classes", "cat,dog,fish", "--image-size", "64"];
    const scale = ["--mean", "123.675,116.28,103.53", "--std", "58.395,57.12,57.375"];
    const { status, stderr } = await convert("weights.safetensors", "--to", "none", ...about, ...scale);
    assert.equal(status, 1);
    assert.equal(
      stderr.split("\n")[0],
      "ferkit: Expected numbers in [0, 1] for --mean but found 123.675,116.28,103.53. For the scale of 0–255, divide by 255: --mean 0.485,0.456,0.406",
    );
  });

  it("says how it guesses that images became square if no option does", async () => {
    const about = ["--variant", "lite0", "--classes", "cat,dog,fish", "--image-size", "64"];
    const guessed = await convert("weights.safetensors", "--to", "guessed", ...about);
    assert.match(
      guessed.stderr,
      /does not say how its training images became square; their central squares are taken\./,
    );
    assert.match(guessed.stdout, /, fit crop\n/);
    const told = await convert("weights.safetensors", "--to", "squashed", ...about, "--fit", "squash");
    assert.doesNotMatch(told.stderr, /square/);
    assert.deepEqual((await loadModelConfig(folder.file("squashed"))).decoding, { fit: "squash" });
  });

  it("asks for what a file of weights does not say", async () => {
    const { status, stderr } = await convert("weights.safetensors", "--to", "none", "--variant", "lite0");
    assert.equal(status, 1);
    assert.match(stderr, /^ferkit: Expected --variant and --image-size with a file of weights at /);
    const about = ["--variant", "lite0", "--image-size", "64"];
    const unnamed = await convert("weights.safetensors", "--to", "none", ...about);
    assert.match(unnamed.stderr, /^ferkit: Expected names of classes in the order of the outputs /);
  });
});
