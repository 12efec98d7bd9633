import assert from "node:assert/strict";
import path from "node:path";
import type { PackedImages } from "../../src/data/dataset.js";
import { IMAGE_LIST, readImageList } from "../../src/data/image-list.js";
import { PixelArray } from "../../src/data/pixels/pixels.js";
import { classify } from "../../src/inference/evaluate.js";
import { setScores } from "../../src/metrics/conformal.js";
import { Network } from "../../src/model/network.js";
import { loadModel, loadModelConfig } from "../../src/model/weights/model-folder.js";
import { Random } from "../../src/random.js";
import { bestModelDir } from "../../src/training/best-model.js";
import { calibrateOn, setAside, temperatureNotes } from "../../src/training/calibration.js";
import { ofType } from "../../src/training/events.js";
import { train } from "../../src/training/train.js";
import { randomNetwork } from "../model/fixtures.js";
import { config, dataset, runFolder, stripes } from "./fixtures.js";

/** Noise of 8 × 8 blocks, which no two pictures share; `brightness` is for copies. */
function picture(seed: number, brightness = 1): Uint8Array {
  const levels = Array.from({ length: 64 }, (_, i) => new Random(seed, i).integer(200));
  return Uint8Array.from({ length: 40 * 40 }, (_, p) => {
    const [x, y] = [p % 40, Math.floor(p / 40)];
    return Math.round(brightness * levels[8 * Math.floor(y / 5) + Math.floor(x / 5)]);
  });
}

/** Pictures of two classes by turns. @param copies - How often each picture comes, one after the other. */
function pictures(numImages: number, copies: number, nameOf = (i: number) => `${i % 2}/${i}.png`) {
  const images = Array.from({ length: numImages }, (_, i) =>
    picture(Math.floor(i / (2 * copies)) * 2 + (i % 2), 1 + (Math.floor(i / 2) % copies) / 20),
  );
  const train: PackedImages = {
    pixels: new PixelArray(Uint8Array.from(images.flatMap((one) => [...one])), 40 * 40),
    labels: Int32Array.from(images, (_, i) => i % 2),
    ...{ numImages, imageSize: 40, numChannels: 1 },
    paths: images.map((_, i) => nameOf(i)),
  };
  return { train, classNames: ["across", "down"] };
}

describe("setAside", () => {
  const images = pictures(100, 1);
  const options = { calibrationShare: 0.2, seed: 3 };

  it("sets aside the share of each class, the same for the same seed", async () => {
    const { kept, aside, notes } = await setAside(images, options);
    assert.deepEqual([kept.numImages, aside?.numImages], [80, 20]);
    assert.equal(aside?.labels.filter((label) => label === 0).length, 10);
    assert.equal(new Set([...kept.paths, ...(aside?.paths ?? [])]).size, 100);
    assert.deepEqual((await setAside(images, options)).aside?.paths, aside?.paths);
    assert.notDeepEqual((await setAside(images, { ...options, seed: 4 })).aside?.paths, aside?.paths);
    assert.deepEqual(notes, [
      "20 training images are set aside by calibrationShare, too few to calibrate the model on, which takes 100",
    ]);
  });

  it("keeps the pixels and labels of each image", async () => {
    const { kept, aside } = await setAside(images, options);
    for (const part of [kept, aside])
      for (const [i, path] of (part?.paths ?? []).slice(0, 5).entries()) {
        const index = images.train.paths.indexOf(path);
        assert.equal(part?.labels[i], images.train.labels[index]);
        assert.deepEqual(
          await part?.pixels.read(Int32Array.of(i)),
          await images.train.pixels.read(Int32Array.of(index)),
        );
      }
  });

  it("keeps near-duplicates together", async () => {
    const { kept, aside } = await setAside(pictures(120, 3), options);
    const pictureOf = (path: string) => {
      const i = Number(/(\d+)\.png/.exec(path)?.[1]);
      return `${Math.floor(i / 6)} ${i % 2}`;
    };
    const held = new Set(aside?.paths.map(pictureOf));
    assert.ok(held.size > 0);
    assert.deepEqual(
      kept.paths.filter((path) => held.has(pictureOf(path))),
      [],
    );
  });

  it("keeps the images of a group together, as the data set's split does", async () => {
    const set = pictures(120, 1, (i) => `${i % 2}/S${Math.floor(i / 12)}-${i}.png`);
    const { kept, aside, notes } = await setAside({ ...set, options: { group: "(S\\d+)-" } }, options);
    const persons = ({ paths }: PackedImages) => paths.map((path) => /S\d+/.exec(path)?.[0]);
    assert.equal(aside?.numImages, 24); // 2 of 10 persons, each with 12 images
    assert.ok(persons(kept).every((person) => !persons(aside).includes(person)));
    assert.equal(notes[1], "10 groups by --group.");
  });

  it("says which images set aside belong with images that are trained on", async () => {
    const set = pictures(40, 1, (i) => `${i % 2}/S${i % 2}-${i}.png`);
    const { aside, notes } = await setAside({ ...set, options: { group: "(S\\d+)-" } }, options);
    assert.equal(
      notes[2],
      `8 of the images set aside, such as ${aside?.paths[0]}, belong with images that are trained on, since a class is a single group.`,
    );
  });

  it("sets nothing aside for a share of 0", async () => {
    const { kept, aside } = await setAside(images, { calibrationShare: 0, seed: 0 });
    assert.equal(kept, images.train);
    assert.equal(aside, null);
  });

  it("says what enough images are for", async () => {
    assert.equal(
      (await setAside(pictures(200, 1), { calibrationShare: 0.5, seed: 0 })).notes[0],
      "100 training images are set aside by calibrationShare, to calibrate the model on",
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
    assert.deepEqual(await calibrateOn(model, stripes(99, 0)), { ...model, temperature: 1 });
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
    const list = await readImageList(path.join(bestModelDir(run.dir), IMAGE_LIST));
    const known = new Set(list?.images.map(({ digest }) => digest));
    assert.ok(
      list?.setAside && list.setAside.length > 0 && list.setAside.every((digest) => known.has(digest)),
    );
  });
});

describe("temperatureNotes", () => {
  it("says that a temperature is the largest that is tried", () => {
    assert.deepEqual(temperatureNotes({ temperature: 4 }), []);
    assert.deepEqual(temperatureNotes({ temperature: 99.9999 }), [
      "the temperature of the calibration is 100, the largest that is tried: the model's probabilities say next to nothing about these images",
    ]);
  });
});
