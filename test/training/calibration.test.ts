import assert from "node:assert/strict";
import { classify } from "../../src/inference/evaluate.js";
import { setScores } from "../../src/metrics/conformal.js";
import { Network } from "../../src/model/network.js";
import { loadModel, loadModelConfig } from "../../src/model/weights/model-folder.js";
import { bestModelDir } from "../../src/training/best-model.js";
import { asideNote, calibrateOn, setAside } from "../../src/training/calibration.js";
import { ofType } from "../../src/training/events.js";
import { train } from "../../src/training/train.js";
import { randomNetwork } from "../model/fixtures.js";
import { config, dataset, runFolder, stripes } from "./fixtures.js";

describe("setAside", () => {
  const images = stripes(100, 5);
  const options = { calibrationShare: 0.2, seed: 3 };

  it("sets aside the share of each class, the same for the same seed", () => {
    const { kept, aside } = setAside(images, dataset.classNames, options);
    assert.deepEqual([kept.numImages, aside?.numImages], [80, 20]);
    assert.equal(aside?.labels.filter((label) => label === 0).length, 10);
    assert.equal(new Set([...kept.paths, ...(aside?.paths ?? [])]).size, 100);
    assert.deepEqual(setAside(images, dataset.classNames, options).aside?.paths, aside?.paths);
    assert.notDeepEqual(
      setAside(images, dataset.classNames, { ...options, seed: 4 }).aside?.paths,
      aside?.paths,
    );
  });

  it("keeps the pixels and labels of each image", async () => {
    const { kept, aside } = setAside(images, dataset.classNames, options);
    for (const part of [kept, aside])
      for (const [i, path] of (part?.paths ?? []).slice(0, 5).entries()) {
        const index = images.paths.indexOf(path);
        assert.equal(part?.labels[i], images.labels[index]);
        assert.deepEqual(
          await part?.pixels.read(Int32Array.of(i)),
          await images.pixels.read(Int32Array.of(index)),
        );
      }
  });

  it("keeps files of the same bytes together", () => {
    const digests = images.paths.map((_, i) => `content ${i >> 2}`); // two of each class
    const { kept, aside } = setAside({ ...images, digests }, dataset.classNames, options);
    const held = new Set(aside?.digests);
    assert.ok(held.size > 0);
    assert.ok(kept.digests?.every((digest) => !held.has(digest)));
  });

  it("sets nothing aside for a share of 0", () => {
    const { kept, aside } = setAside(images, dataset.classNames, { calibrationShare: 0, seed: 0 });
    assert.equal(kept, images);
    assert.equal(aside, null);
  });

  it("says what the images are for, and that a few are not enough", () => {
    assert.equal(
      asideNote(stripes(100, 0)),
      "100 training images are set aside by calibrationShare, to calibrate the model on",
    );
    assert.equal(
      asideNote(stripes(99, 0)),
      "99 training images are set aside by calibrationShare, too few to calibrate the model on, which takes 100",
    );
  });
});

describe("calibrateOn", () => {
  it("gives sets that cover the images they were fitted on as often as promised", async () => {
    const network = randomNetwork({ classNames: ["across", "down"] });
    const parameters = await network.parameters();
    network.dispose();
    const images = stripes(199, 6);
    const model = await calibrateOn({ config: network.config, parameters }, images);
    const { thresholds = [], numImages } = model.config.predictionSets ?? {};
    assert.equal(numImages, 199);
    const calibrated = new Network(model.config, model.parameters);
    const probs = await classify(calibrated, images);
    calibrated.dispose();
    for (const threshold of thresholds) {
      const { covered, coverage } = setScores(probs, images.labels, ["across", "down"], threshold);
      // Of 199 images, 0.9 · 200 = 180 and 0.95 · 200 = 190 are covered; the top class may cover more.
      assert.ok(covered >= (200 * coverage) / 199 - 0.01, `${covered} of ${coverage}`);
    }
  });

  it("leaves a model as it is with fewer than 100 images", async () => {
    const network = randomNetwork();
    const model = { config: network.config, parameters: await network.parameters() };
    network.dispose();
    assert.equal(await calibrateOn(model, stripes(99, 0)), model);
  });
});

describe("train with calibrationShare", function () {
  this.timeout(600_000);
  const run = runFolder();

  it("calibrates the best model on images that it does not train on", async () => {
    const images = { ...dataset, train: stripes(240, 1) };
    const settings = config({ calibrationShare: 0.5, epochs: 1, batchSize: 40 });
    const events = [];
    for await (const event of train(images, settings, { runDir: run.dir, data: "stripes" }))
      events.push(event);
    assert.ok(
      ofType(events, "note").some(({ text }) => text.startsWith("120 training images are set aside")),
    );
    assert.equal(ofType(events, "batch").length, 3); // 120 images, batches of 40
    const { predictionSets } = await loadModelConfig(bestModelDir(run.dir));
    assert.equal(predictionSets?.numImages, 120);
    assert.deepEqual(
      predictionSets?.thresholds.map(({ coverage }) => coverage),
      [0.9, 0.95],
    );
    const saved = await loadModel(bestModelDir(run.dir));
    assert.deepEqual(saved.config.predictionSets, predictionSets);
    saved.dispose();
  });
});
