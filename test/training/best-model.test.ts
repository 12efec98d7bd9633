import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { type ImageList, listCalibration, readImageList } from "../../src/data/image-list.js";
import { fitTemperature } from "../../src/metrics/calibration.js";
import {
  loadModel,
  loadModelConfig,
  loadParameters,
  saveModel,
} from "../../src/model/weights/model-folder.js";
import { bestModelDir, calibratedModel, saveBestModel } from "../../src/training/best-model.js";
import { keptEpoch, ofType } from "../../src/training/events.js";
import { loadMetrics } from "../../src/training/metrics-log.js";
import { randomNetwork, TINY } from "../model/fixtures.js";
import { collect, runFolder, trainedRun } from "./fixtures.js";

/** Gives every image the probabilities `row`; the first `numRight` are of class 0, the others of class 1. */
function evaluated(numImages: number, numRight: number, row: number[]) {
  const probs = new Float32Array(3 * numImages);
  for (let i = 0; i < numImages; i++) probs.set(row, 3 * i);
  return { probs, labels: Int32Array.from({ length: numImages }, (_, i) => (i < numRight ? 0 : 1)) };
}

const IMAGES: ImageList = {
  options: { seed: 3 },
  images: [{ split: "train", className: "circle", digest: "0123456789abcdef", path: "circle/1.png" }],
};

describe("a best model", () => {
  const folder = runFolder();
  const best = () => bestModelDir(folder.dir);

  async function save(numImages: number, numRight: number, row = [0.9, 0.05, 0.05]) {
    const network = randomNetwork();
    const parameters = await network.parameters();
    network.dispose();
    const { probs, labels } = evaluated(numImages, numRight, row);
    const model = await calibratedModel(
      TINY,
      { scores: { probs }, parameters },
      { validation: { labels }, aside: null },
    );
    await saveBestModel(folder.dir, model, IMAGES);
    assert.equal((await loadParameters(best())).weightFile, model.weightFile);
    return parameters;
  }

  it("lowers the confidence of an overconfident network, by the validation images", async () => {
    const parameters = await save(200, 100);
    // With logits ln 18, 0, 0: half are right, and half of the other probability goes to a class without images.
    const { temperature, numImages } = (await loadModelConfig(best())).calibration ?? {};
    assert.equal(numImages, 200);
    assert.ok((temperature as number) > 2);
    const saved = await loadModel(best());
    const [before, after] = [parameters, await saved.parameters()].map(
      (values) => values.get("predictions/kernel")?.data ?? new Float32Array(),
    );
    saved.dispose();
    after.forEach((value, i) => {
      assert.ok(Math.abs(value * (temperature as number) - before[i]) < 1e-6);
    });
  });

  it("saves the model unchanged if it is calibrated, even if a temperature lowers the cross-entropy", async () => {
    const row = [0.6, 0.01, 0.39]; // class 0 as often as it says, but the other images are of the class of lowest probability
    const { probs, labels } = evaluated(200, 120, row);
    assert.ok(fitTemperature(probs, labels, 3) > 1.5);
    await save(200, 120, row);
    assert.equal((await loadModelConfig(best())).calibration, undefined);
  });

  it("saves the model unchanged with fewer than 100 images", async () => {
    const parameters = await save(99, 50);
    assert.equal((await loadModelConfig(best())).calibration, undefined);
    const saved = await loadModel(best());
    assert.deepEqual((await saved.parameters()).get("predictions/bias"), parameters.get("predictions/bias"));
    saved.dispose();
  });

  it("adds the list of the run's images, without paths", async () => {
    await save(1, 1);
    const { path: _, ...image } = IMAGES.images[0];
    assert.deepEqual(await readImageList(path.join(best(), "images.jsonl.gz")), {
      ...IMAGES,
      images: [image],
    });
  });
});

describe("the best model of a run that resumes", function () {
  this.timeout(600_000);
  const run = runFolder();
  const at = (...names: string[]) => path.join(run.dir, "run", ...names);
  /** The second of the first three epochs is the best. */
  const options = { monitor: "loss", learningRate: 1e-4, batchNormMomentum: 0.9 } as const;
  const copyTrained = trainedRun({ ...options, epochs: 1 });
  beforeEach("begins with a run of one epoch", () => copyTrained(at()));
  /** Trains up to an epoch. */
  const train = (epochs: number) => collect(at(), { ...options, epochs });
  const notes = async (epochs: number) => ofType(await train(epochs), "note").map(({ text }) => text);
  const model = () => readFileSync(at("best/model.json"), "utf8");
  const state = () => JSON.parse(readFileSync(at("last/state.json"), "utf8"));
  const edit = (change: (saved: ReturnType<typeof state>) => void) => {
    const saved = state();
    change(saved);
    writeFileSync(at("last/state.json"), JSON.stringify(saved));
  };
  const otherModel = async (dir: string) => {
    const network = randomNetwork({ classNames: ["across", "down"] }, 3);
    await saveModel(dir, network.config, await network.parameters());
    network.dispose();
  };

  it("is recorded in the state, and stays if it is that", async () => {
    assert.equal(state().progress.best.weightFile, (await loadParameters(at("best"))).weightFile);
    const before = model();
    assert.deepEqual(await notes(1), []);
    assert.equal(model(), before);
    assert.deepEqual(
      readdirSync(at()).filter((name) => name.startsWith("best")),
      ["best"],
    );
  });

  it("is saved again, to the same bytes, if it is the last epoch's and was removed or damaged", async () => {
    const [before, weights] = [model(), state().progress.best.weightFile];
    const damages: [string, () => void, string][] = [
      ["none", () => rmSync(at("best"), { recursive: true }), ""],
      ["no model.json", () => rmSync(at("best/model.json")), ""],
      [
        `a damaged one (expected a model saved by ferkit, found something other than JSON (line 1, column 1: the end of the file instead of a value))`,
        () => writeFileSync(at("best/model.json"), ""),
        "best.1",
      ],
      [
        "a damaged one (expected the weights that the file's name is the digest of, found other bytes)",
        () => {
          const bytes = readFileSync(at("best", weights));
          bytes[7] ^= 1;
          writeFileSync(at("best", weights), bytes);
        },
        "best.2",
      ],
      [
        "a file",
        () => {
          rmSync(at("best"), { recursive: true });
          writeFileSync(at("best"), "x");
        },
        "best.3",
      ],
    ];
    for (const [found, damage, moved] of damages) {
      damage();
      const where = moved ? `, which is now in ${at(moved)}` : "";
      assert.deepEqual(await notes(1), [
        `best/ should hold the model of epoch 1, but held ${found}${where}; it is saved again from last/`,
      ]);
      assert.equal(model(), before);
      await loadParameters(at("best"));
      assert.equal(moved === "" || existsSync(at(moved)), true);
    }
    assert.deepEqual(await notes(1), []);
  });

  it("is not taken for another run's, which is moved aside", async () => {
    const before = model();
    await otherModel(path.join(run.dir, "other"));
    rmSync(at("best"), { recursive: true });
    cpSync(path.join(run.dir, "other"), at("best"), { recursive: true });
    assert.deepEqual(await notes(1), [
      `best/ should hold the model of epoch 1, but held another model, which is now in ${at("best.1")}; it is saved again from last/`,
    ]);
    assert.equal(model(), before);
    assert.equal(
      readFileSync(at("best.1/model.json"), "utf8"),
      readFileSync(path.join(run.dir, "other/model.json"), "utf8"),
    );
  });

  it("is saved after a kill between the state and the model, without its predecessor", async () => {
    cpSync(at("best"), path.join(run.dir, "first"), { recursive: true });
    await train(2);
    assert.equal(state().progress.best.epoch, 2);
    const before = model();
    rmSync(at("best"), { recursive: true });
    renameSync(path.join(run.dir, "first"), at("best"));
    assert.deepEqual(await notes(2), [
      "best/ should hold the model of epoch 2, but held another model; it is saved again from last/",
    ]);
    assert.equal(model(), before);
    assert.ok(!existsSync(at("best.1")));
  });

  it("gives its place to the last epoch's if it is lost, and every view says so", async () => {
    await train(3);
    assert.equal(state().progress.best.epoch, 2);
    rmSync(at("best"), { recursive: true });
    assert.deepEqual(await notes(3), [
      "best/ should hold the model of epoch 2, but held none; the model of epoch 3, the last one, takes its place",
    ]);
    const epochs = ofType(await loadMetrics(at()), "epoch");
    assert.equal(keptEpoch(epochs)?.epoch, 3);
    const { best } = state().progress;
    assert.deepEqual(
      [best.epoch, best.reached, best.accuracy, best.loss],
      [3, 3, epochs[2].validation.accuracy, epochs[2].validation.loss],
    );
    assert.equal((await loadParameters(at("best"))).weightFile, best.weightFile);
    assert.deepEqual(await notes(3), []);
  });

  it("gives its place to the next epoch's if it is lost within an epoch", async () => {
    edit(({ progress }) => {
      progress.step++; // as if the second epoch had been interrupted after its first batch
    });
    rmSync(at("best"), { recursive: true });
    const [repair] = await notes(2);
    assert.equal(
      repair,
      "best/ should hold the model of epoch 1, but held none; the next epoch's takes its place",
    );
    assert.equal(keptEpoch(ofType(await loadMetrics(at()), "epoch"))?.epoch, 2);
    assert.equal(state().progress.best.epoch, 2);
  });

  it("gets its list of images again, unless it is the run's with images that it was calibrated on", async () => {
    const list = at("best/images.jsonl.gz");
    const before = readFileSync(list);
    let copies = 0;
    const aside = () => (copies++ === 0 ? "" : `, is now ${list}.${copies - 1},`);
    const damages: [string, () => void][] = [
      ["was missing", () => rmSync(list)],
      ["was a broken file", () => writeFileSync(list, before.subarray(0, 40))],
      [
        "was of other images",
        () => writeFileSync(list, gzipSync('{"options":{}}\n["train","across","0"]\n')),
      ],
    ];
    for (const [found, damage] of damages) {
      damage();
      assert.deepEqual(await notes(1), [`best/images.jsonl.gz ${found}${aside()} and is written again`]);
      assert.deepEqual(readFileSync(list), before);
    }
    await listCalibration(at("best"), at("best"), ["0123456789abcdef"]);
    const calibrated = readFileSync(list);
    assert.deepEqual(await notes(1), []);
    assert.deepEqual(readFileSync(list), calibrated);
  });

  it("stays if it was calibrated since", async () => {
    const { config, parameters, weightFile } = await loadParameters(at("best"));
    const bias = parameters.get("predictions/bias");
    bias?.data.fill(0.5);
    await saveModel(at("best"), { ...config, calibratedFrom: weightFile }, parameters);
    const before = model();
    assert.deepEqual(await notes(1), []);
    assert.equal(model(), before);
  });

  it("is trusted, and that is said, in a run that did not record it", async () => {
    edit(({ progress }) => {
      delete progress.best.weightFile;
    });
    const note =
      "the run did not record which model is its best, as it does since version 0.3: the one in best/ is taken for it";
    const found = await notes(2);
    assert.ok(found.includes(note), found.join("\n"));
    assert.deepEqual(await notes(2), []);
  });
});
