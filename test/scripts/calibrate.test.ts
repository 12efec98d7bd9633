import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { loadModelConfig, saveModel } from "../../src/model/weights/model-folder.js";
import { randomNetwork } from "../model/fixtures.js";
import { drawClassFolders, workspace } from "../workspace.js";

describe("ferkit calibrate", function () {
  this.timeout(600_000);
  const folder = workspace("suite");
  const calibrate = (...args: string[]) =>
    folder.ferkit("calibrate", "--data", "images", "--model", "model", ...args);
  const weightsOf = (model: string) => {
    const { weightsManifest } = JSON.parse(readFileSync(folder.file(model, "model.json"), "utf8"));
    return weightsManifest[0].weights as { name: string; quantization?: { dtype: string } }[];
  };

  before("saves a model in half precision, and draws images", async () => {
    const network = randomNetwork({ imageSize: 33, classNames: ["disc", "square"] });
    await saveModel(folder.file("model"), network.config, await network.parameters(), "float16");
    network.dispose();
    await drawClassFolders(folder.file("images"), 86); // 62 discs are larger than the image, and alike
    await drawClassFolders(folder.file("few"), 40);
  });

  it("writes thresholds into a copy, which keeps its precision, and prints them", async () => {
    const before = readFileSync(folder.file("model/model.json"), "utf8");
    const { status, stdout, stderr } = await calibrate("--to", "copy", "--json");
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^note: the model has no list of the images of its training/m);
    assert.equal(readFileSync(folder.file("model/model.json"), "utf8"), before);
    const { numImages, thresholds } = JSON.parse(stdout);
    assert.equal(numImages, 110);
    assert.deepEqual((await loadModelConfig(folder.file("copy"))).predictionSets, { thresholds, numImages });
    assert.deepEqual(
      weightsOf("copy").map(({ name, quantization }) => [name, quantization?.dtype]),
      weightsOf("model").map(({ name, quantization }) => [name, quantization?.dtype]),
    );
  });

  it("replaces no other model, before it loads images", async () => {
    const flags = ["--data", "none", "--model", "model", "--to", "copy"];
    const { status, stderr } = await folder.ferkit("calibrate", ...flags);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^ferkit: Expected a new or empty folder for --to at \S+copy but found one that holds /,
    );
  });

  it("refuses a choice of validation images, which it does not need", async () => {
    for (const [option, value] of [
      ["--validation-share", "0.5"],
      ["--fold", "1/2"],
    ]) {
      const { status, stderr } = await calibrate("--to", "other", option, value);
      assert.equal(status, 1);
      assert.equal(
        stderr,
        `ferkit: Expected no choice of validation images, since all images are used that the model's run did not have but found ${option}. Remove it; --leave-out leaves out folders.\n`,
      );
    }
  });

  it("changes no bundled model", async () => {
    const { status, stderr } = await folder.ferkit("calibrate", "--data", "none", "--model", "ferplus");
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^ferkit: Expected --to with a bundled model, which all projects share at \S+models\/ferplus but found none\. Add --to FOLDER for a copy\.$/m,
    );
  });

  it("calibrates the model itself, whose sets evaluate then scores", async () => {
    const { status, stdout } = await calibrate();
    assert.equal(status, 0);
    assert.match(
      stdout,
      /^calibrated on 110 images: .*model\n(logits divided by .*\n)?sets for 90%: classes of at least .*%\nsets for 95%: /,
    );
    const evaluation = ["evaluate", "--data", "images", "--model", "model", "--json"];
    const refused = await folder.ferkit(...evaluation);
    assert.equal(refused.status, 1);
    assert.match(
      refused.stderr,
      /Expected images that the model was not calibrated on at images but found \d+ images, all from its calibration\./,
    );
    const evaluated = await folder.ferkit(...evaluation, "--validation-share", "1");
    assert.match(
      evaluated.stderr,
      /^note: the model was calibrated on (\d+) of these \1 images, which makes its calibration error and its prediction sets look better$/m,
    );
    const { predictionSets } = JSON.parse(evaluated.stdout) as { predictionSets: { coverage: number }[] };
    assert.deepEqual(
      predictionSets.map(({ coverage }) => coverage),
      [0.9, 0.95],
    );
  });

  it("says which classes have no images", async () => {
    await drawClassFolders(folder.file("lacking"), 160);
    for (const name of readdirSync(folder.file("lacking/square")))
      rmSync(folder.file("lacking/square", name));
    const args = ["--data", "lacking", "--model", "model", "--to", "lacking-model"];
    const { stderr } = await folder.ferkit("calibrate", ...args);
    assert.match(
      stderr,
      /^note: no image to calibrate on is of square: what the model says of them is calibrated by the other classes$/m,
    );
  });

  it("refuses fewer than 100 images", async () => {
    const { status, stderr } = await folder.ferkit("calibrate", "--data", "few", "--model", "model");
    assert.equal(status, 1);
    assert.match(
      stderr,
      /Expected 100 images or more that the model's run did not have at few but found 64\. Choose other images, or train with --set calibrationShare=0\.1, which sets some aside\.$/m,
    );
  });
});
