// What a training is given: its configuration, data set, paths and weights, and what becomes of them later.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { TrainConfig } from "../../src/config.js";
import type { Dataset } from "../../src/data/dataset.js";
import { saveModel } from "../../src/model/weights/model-folder.js";
import type { LoadProgress } from "../../src/progress.js";
import { ofType, type TrainEvent } from "../../src/training/events.js";
import { loadRunConfig } from "../../src/training/run-config.js";
import { train } from "../../src/training/train.js";
import { loopback, whole } from "../loopback.js";
import { randomNetwork } from "../model/fixtures.js";
import { safetensorsBytes, timmTensors } from "../model/weights/weight-files.js";
import { collect, config, dataset, LAST_LAYER, runFolder } from "./fixtures.js";

describe("train, with what it is given,", function () {
  this.timeout(600_000);
  const run = runFolder();

  it("writes nothing into the working folder if the run's folder is an empty text", async () => {
    const before = readdirSync(".");
    for (const name of ["runDir", "data"])
      await assert.rejects(train(dataset, config(), { runDir: run.dir, data: "a", [name]: "" }).next(), {
        name: "ParameterError",
        message: `Expected a path for ${name} but received "" of type string`,
      });
    assert.deepEqual(readdirSync("."), before);
  });

  it("refuses the data set's folder and those of its images as the run's, and notes another folder in it", async () => {
    const at = (name: string) => path.join(run.dir, name);
    const images: Dataset = {
      ...dataset,
      train: { ...dataset.train, paths: dataset.train.paths.map((file) => `train/${file}`) },
    };
    const given = { ...LAST_LAYER, epochs: 1 };
    const report = { root: at("wrapped") };
    const start = (runDir: string, data: string) =>
      train({ ...images, report } as Dataset, config(given), { runDir: at(runDir), data: at(data) });
    for (const folder of ["wrapped/train/0", "pool"]) mkdirSync(at(folder), { recursive: true });
    writeFileSync(at("wrapped/labels.csv"), "");
    symlinkSync(at("wrapped"), at("link"));
    const inImages = "a folder with images of the data set around it";
    for (const [runDir, data, found] of [
      ["wrapped", "wrapped", "the folder of the data set"],
      ["link", "wrapped", "the folder of the data set"],
      ["wrapped/train/0", "wrapped", inImages],
      ["link/train/1/new/run", "wrapped", inImages],
      ["wrapped/train/0/run", ".", inImages],
      ["wrapped/train/0/run", "wrapped/labels.csv", inImages],
    ])
      await assert.rejects(start(runDir, data).next(), {
        name: "InputError",
        message: `Expected a folder of its own for a run at ${at(runDir)} but found ${found}. Choose another run folder (--run), such as runs/mine.`,
      });
    assert.deepEqual(readdirSync(at("wrapped")), ["labels.csv", "train"]);
    const note = `the run's folder is in that of the data set, ${at("wrapped")}: ferkit passes over it, but others may read it as data`;
    const notesOf = async (runDir: string, data: string) => {
      const events: TrainEvent[] = [];
      for await (const event of start(runDir, data)) events.push(event);
      return ofType(events, "note").filter(({ text }) => text.startsWith("the run's folder"));
    };
    assert.deepEqual(await notesOf("wrapped/runs/train/0", "wrapped"), [{ type: "note", text: note }]);
    assert.deepEqual(await notesOf("pool/0", "wrapped"), []);
  });

  it("trains by the configuration as it was at the start, whatever becomes of it", async () => {
    const given = config({ epochs: 2 });
    const rates: number[] = [];
    const options = { runDir: run.dir, data: "stripes" };
    for await (const event of train(dataset, given, options)) {
      if (event.type === "batch") rates.push(event.learningRate);
      given.learningRate = 1e-6;
      given.augment.rotation = 90;
    }
    assert.deepEqual(new Set(rates), new Set([1e-3]));
    const recorded = (await loadRunConfig(run.dir))?.train;
    assert.deepEqual(recorded, config({ epochs: 2 }));
  });

  it("says that two of its teachers are the same model", async () => {
    const teachers = ["first", "copy", "other"].map((name) => path.join(run.dir, name));
    for (const [i, dir] of teachers.entries()) {
      const network = randomNetwork({ classNames: dataset.classNames, imageSize: 40 }, i < 2 ? 1 : 2);
      await saveModel(dir, network.config, await network.parameters());
      network.dispose();
    }
    const events = await collect(path.join(run.dir, "run"), { ...LAST_LAYER, epochs: 1, teachers });
    const notes = ofType(events, "note").filter(({ text }) => text.includes("the same model"));
    assert.deepEqual(
      notes.map(({ text }) => text),
      [`the teachers ${teachers[0]} and ${teachers[1]} are the same model, which counts twice in their mean`],
    );
  });

  it("says by which seed the images were held out, and records it", async () => {
    const images: Dataset = { ...dataset, split: "held-out", options: { seed: 3 } };
    const note =
      "the data set was split by seed 3, with which it was loaded; everything else uses seed 0 of the configuration";
    const notes = ofType(await collect(run.dir, { epochs: 1 }, images), "note").map(({ text }) => text);
    assert.ok(notes.includes(note), notes.join("\n"));
    assert.deepEqual((await loadRunConfig(run.dir))?.dataOptions, { seed: 3 });
    const own = { ...images, options: { seed: 0 } };
    const events = await collect(path.join(run.dir, "own"), { epochs: 1 }, own);
    assert.ok(!ofType(events, "note").some(({ text }) => text.includes("split by seed")));
    assert.deepEqual((await loadRunConfig(path.join(run.dir, "own")))?.dataOptions, {});
  });
});

describe("a run that resumes after files were moved", function () {
  this.timeout(600_000);
  const run = runFolder();
  const at = (...names: string[]) => path.join(run.dir, ...names);
  const train = (epochs: number, more: Partial<TrainConfig>) =>
    collect(at("run"), { ...LAST_LAYER, epochs, ...more });
  const refusal = (message: string) => ({ name: "InputError", message });
  const randomModel = async (dir: string, seed: number) => {
    const network = randomNetwork({ classNames: ["across", "down"], imageSize: 40 }, seed);
    await saveModel(dir, network.config, await network.parameters());
    network.dispose();
    return dir;
  };

  it("resumes after its weights and teachers were moved, and refuses others in their place", async () => {
    const options = { weights: await randomModel(at("start"), 1), teachers: [await randomModel(at("a"), 2)] };
    await train(1, options);
    mkdirSync(at("elsewhere"));
    for (const name of ["start", "a"]) renameSync(at(name), at("elsewhere", name));
    const moved = { weights: at("elsewhere/start"), teachers: [at("elsewhere/a")] };
    assert.equal(ofType(await train(2, moved), "epoch").length, 1);
    assert.equal(ofType(await train(3, moved), "epoch").length, 1);
    const other = await randomModel(at("other"), 3);
    await assert.rejects(
      train(4, { ...moved, weights: other }),
      refusal(
        `Expected a run of the same configuration and images at ${at("run")} but found one that differs in weights (${moved.weights} in the run, ${other} now). Choose another run folder (--run runs/NAME), repeat --set weights=${moved.weights} to continue this run, or remove this one to start from scratch.`,
      ),
    );
    await assert.rejects(
      train(4, { ...moved, teachers: [other] }),
      refusal(
        `Expected the teacher that the run was started with at ${other} but found other weights. Choose another run folder (--run), or put the weights back that were there.`,
      ),
    );
    await assert.rejects(
      train(4, { ...moved, teachers: [...moved.teachers, other] }),
      /differs in teachers \(/,
    );
  });
});

describe("train on pre-trained weights", () => {
  const run = runFolder();
  const hub = loopback();
  const { FERKIT_CACHE, FERKIT_HUB_URL } = process.env;
  beforeEach(() => {
    process.env.FERKIT_CACHE = path.join(run.dir, "cache");
    process.env.FERKIT_HUB_URL = new URL(hub.url).origin;
  });
  afterEach(() => {
    for (const [name, value] of Object.entries({ FERKIT_CACHE, FERKIT_HUB_URL }))
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  });

  it("reports the download of pre-trained weights before the first batch", async () => {
    const content = safetensorsBytes(timmTensors("b0"));
    hub.answers = [whole(content)];
    const progress: LoadProgress[] = [];
    const options = {
      runDir: path.join(run.dir, "run"),
      data: "stripes",
      onProgress: (step: LoadProgress) => progress.push(step),
    };
    const pretrained = config({ variant: "b0", weights: "imagenet" });
    for await (const event of train(dataset, pretrained, options)) {
      assert.equal(event.type, "batch");
      break;
    }
    const { length } = content;
    assert.deepEqual(progress.at(-1), { stage: "download", done: length, total: length, unit: "bytes" });
  });
});
