// Tests that the images load, and that a small network trains on them and classifies them.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { bestModelDir, evaluate, loadClassifier, loadDataset, train, trainConfig } from "ferkit";

const data = "data";
const config = trainConfig("tutorial", { weights: "random", imageSize: 33, epochs: 1, headEpochs: 0 });

/** @type {Awaited<ReturnType<typeof loadDataset>>} */
let dataset;
let folder = "";

before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "run-"));
  dataset = await loadDataset({ data, imageSize: config.imageSize, seed: config.seed });
});

after(() => rm(folder, { recursive: true }));

test("the images have two classes or more, and some are held out", () => {
  assert.ok(dataset.classNames.length >= 2);
  assert.ok(dataset.train.numImages > 0);
  assert.ok(dataset.validation.numImages > 0);
});

test("a small network trains on them and classifies those held out", async () => {
  const runDir = path.join(folder, "run");
  for await (const event of train(dataset, config, { runDir, data }))
    if (event.type === "epoch") assert.ok(Number.isFinite(event.train.loss));
  const classifier = await loadClassifier(bestModelDir(runDir));
  const { accuracy, predicted } = await evaluate(classifier.network, dataset.validation);
  assert.equal(predicted.length, dataset.validation.numImages);
  assert.ok(accuracy >= 0 && accuracy <= 1);
  classifier.dispose();
});
