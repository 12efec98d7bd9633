import assert from "node:assert/strict";
import { cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { BUNDLED_MODELS } from "../../src/bundled-models.js";
import type { TrainConfig } from "../../src/config.js";
import {
  IMAGE_LIST,
  type ImageList,
  listCalibration,
  listImages,
  readImageList,
  writeImageList,
} from "../../src/data/image-list.js";
import { earlierTraining, earlierTrainingNotes } from "../../src/training/earlier-training.js";
import { ofType } from "../../src/training/events.js";
import { temporaryFolder } from "../data/fixtures.js";
import { collect, config, dataset, LAST_LAYER, randomModel } from "./fixtures.js";

describe("earlierTraining", () => {
  const inFolder = temporaryFolder();

  it("lists what models were trained on, and those that they began with", async () => {
    const images: ImageList["images"] = [
      { split: "train", className: "a", digest: "2" },
      { split: "validation", className: "a", digest: "3" },
    ];
    const [one, two] = [await randomModel(inFolder("one"), 1), await randomModel(inFolder("two"), 2)];
    const earlier = { trainedBefore: ["1"], unlistedModels: ["fer2013"] };
    await writeImageList(path.join(one, IMAGE_LIST), { options: {}, images, ...earlier }, false);
    assert.deepEqual(await earlierTraining([one]), { ...earlier, trainedBefore: ["1", "2"] });
    assert.deepEqual(await earlierTraining([one, two]), {
      trainedBefore: ["1", "2"],
      unlistedModels: ["fer2013", "other"],
    });
    assert.deepEqual(await earlierTraining([]), {});
  });

  it("leaves out images that were set aside to calibrate on", async () => {
    const images = ["1", "2"].map((digest) => ({ split: "train" as const, className: "a", digest }));
    const model = await randomModel(inFolder("aside"), 1);
    await writeImageList(path.join(model, IMAGE_LIST), { options: {}, images, setAside: ["2"] }, false);
    assert.deepEqual(await earlierTraining([model]), { trainedBefore: ["1"] });
  });

  it("names models without a list: bundled ones, files, and imported ones that were calibrated", async () => {
    writeFileSync(inFolder("weights.bin"), "");
    const imported = await randomModel(inFolder("imported"), 1);
    await listCalibration(imported, imported, ["1"]);
    const named = async (model: string) => (await earlierTraining([model])).unlistedModels;
    assert.deepEqual(await named(inFolder("weights.bin")), ["other"]);
    assert.deepEqual(await named(imported), ["other"]);
    assert.deepEqual(await named(BUNDLED_MODELS.ferplus), ["ferplus"]);
    assert.deepEqual(await named(path.relative(process.cwd(), BUNDLED_MODELS.fer2013)), ["fer2013"]);
  });

  it("refuses the list of another model", async () => {
    const model = await randomModel(inFolder("model"), 1, { imageList: "0123456789abcdef" });
    const images: ImageList["images"] = [{ split: "train", className: "a", digest: "2" }];
    await writeImageList(path.join(model, IMAGE_LIST), { options: {}, images }, false);
    await assert.rejects(earlierTraining([model]), {
      name: "InputError",
      message:
        `Expected the list of the images that the model was trained on at ${path.join(model, IMAGE_LIST)} but found that of another model. ` +
        "Remove it; then nothing is known about the images of the training.",
    });
  });
});

describe("earlierTrainingNotes", () => {
  const image = (split: "train" | "validation", digest: string) => ({ split, className: "a", digest });
  const images = [
    image("train", "1"),
    image("validation", "2"),
    image("validation", "3"),
    image("validation", "1"),
  ];
  const models = config({ weights: "runs/a/best", teachers: ["runs/b/best"] });

  it("say how many validation images other models had in their training, beside those of the run's own", () => {
    const list = { options: {}, images, trainedBefore: ["1", "3", "4"] };
    assert.deepEqual(earlierTrainingNotes(list, models), [
      "1 of 3 validation images were in the training of runs/a/best or runs/b/best, so scores on them are too high. " +
        "Choose the seed and the split of that training, or other validation images.",
    ]);
  });

  it("say how many images that were set aside to calibrate on", () => {
    const list = { options: {}, images, trainedBefore: ["1", "4"], setAside: ["1", "5"] };
    assert.deepEqual(earlierTrainingNotes(list, models), [
      "1 of 2 images set aside by calibrationShare were in the training of runs/a/best or runs/b/best, so the calibrated " +
        "probabilities are too high. Choose the seed and the calibrationShare of that training, or calibrate on other images with " +
        "npx ferkit calibrate.",
    ]);
  });

  it("say of which models that is not known", () => {
    const list = { options: {}, images, unlistedModels: ["ferplus", "other"] };
    assert.deepEqual(earlierTrainingNotes(list, models), [
      "the bundled model ferplus, from which this training starts or learns, was trained on FER-2013's folder train, so validation images may be among them",
      "there is no full list of the images that runs/a/best or runs/b/best was trained on, so validation images may be among them",
    ]);
  });

  it("are none if there is nothing to say", () => {
    assert.deepEqual(earlierTrainingNotes({ options: {}, images }, config()), []);
    assert.deepEqual(earlierTrainingNotes({ options: {}, images, trainedBefore: ["1"] }, config()), []);
  });
});

describe("a run that starts from a model, or learns from one", function () {
  this.timeout(600_000);
  const root = mkdtempSync(path.join(os.tmpdir(), "ferkit-earlier-"));
  const at = (...names: string[]) => path.join(root, "now", ...names);
  const listOf = async (...names: string[]) => (await readImageList(at(...names, IMAGE_LIST))) as ImageList;
  /** What is recorded, in the run's list and in its best model's. */
  const recorded = async () => {
    const [ofRun, ofBest] = [await listOf("run"), await listOf("run", "best")].map(
      ({ trainedBefore, unlistedModels }) => ({ trainedBefore, unlistedModels }),
    );
    assert.deepEqual(ofRun, ofBest);
    return ofRun;
  };
  /** Saves a model whose training had the first three validation images. */
  const earlierModel = async (name: string) => {
    const dir = await randomModel(at(name), 1);
    const { images, ...list } = await listImages(dataset);
    const seen = images.filter(({ split }) => split === "validation").slice(0, 3);
    const trained = seen.map((image) => ({ ...image, split: "train" as const }));
    await writeImageList(path.join(dir, IMAGE_LIST), { ...list, images: trained }, false);
    return { known: { trainedBefore: seen.map(({ digest }) => digest).sort(), unlistedModels: undefined } };
  };
  const notes = async (epochs: number, more: Partial<TrainConfig>) =>
    ofType(await collect(at("run"), { ...LAST_LAYER, epochs, ...more }), "note").map(({ text }) => text);
  const SEEN = "3 of 10 validation images were in the training of ";
  const UNKNOWN = "there is no full list of the images that ";
  const said = async (start: string, ...given: Parameters<typeof notes>) => {
    const all = await notes(...given);
    assert.equal(all.filter((note) => note.startsWith(start)).length, 1, all.join("\n"));
  };

  const weights = at("start");
  let known: Awaited<ReturnType<typeof recorded>>;
  before("trains a run", async () => {
    ({ known } = await earlierModel("start"));
    await said(SEEN, 1, { weights });
    assert.deepEqual(await recorded(), known);
    renameSync(at(), path.join(root, "trained"));
  });
  beforeEach(() => cpSync(path.join(root, "trained"), at(), { recursive: true }));
  afterEach(() => rmSync(at(), { recursive: true }));
  after(() => rmSync(root, { recursive: true }));

  it("remembers what that model was trained on when the model is gone, and at the next resumption", async () => {
    renameSync(weights, at("moved"));
    for (const epochs of [2, 3]) {
      await said(SEEN, epochs, { weights });
      assert.deepEqual(await recorded(), known);
    }
  });

  for (const [what, change] of [
    ["has no list any more", (dir: string) => rmSync(path.join(dir, IMAGE_LIST))],
    ["has a broken list", (dir: string) => writeFileSync(path.join(dir, IMAGE_LIST), "broken")],
    ["is another one", (dir: string) => randomModel(dir, 2)],
  ] as const)
    it(`remembers it when the model ${what}`, async () => {
      await change(weights);
      await said(SEEN, 2, { weights });
      assert.deepEqual(await recorded(), known);
    });

  it("remembers it by its best model's list if its own is gone too, or by the model at hand", async () => {
    renameSync(weights, at("moved"));
    rmSync(at("run", IMAGE_LIST));
    await said(SEEN, 2, { weights });
    assert.deepEqual(await recorded(), known);
    renameSync(at("moved"), weights);
    rmSync(at("run", IMAGE_LIST));
    rmSync(at("run/best", IMAGE_LIST));
    await said(SEEN, 3, { weights });
    assert.deepEqual(await recorded(), known);
  });

  it("says that it is not known if nothing tells any more", async () => {
    rmSync(at("run", IMAGE_LIST));
    rmSync(at("run/best", IMAGE_LIST));
    await randomModel(weights, 2);
    await said(UNKNOWN, 2, { weights });
    assert.deepEqual(await recorded(), { trainedBefore: undefined, unlistedModels: ["other"] });
  });

  it("remembers it of a teacher", async () => {
    rmSync(at("run"), { recursive: true });
    const teachers = [weights];
    await said(SEEN, 1, { teachers });
    rmSync(path.join(weights, IMAGE_LIST));
    await said(SEEN, 2, { teachers });
    assert.deepEqual(await recorded(), known);
  });

  it("says that it is not known for a model without a list, and for what begins with that", async () => {
    rmSync(at(), { recursive: true });
    await randomModel(weights, 1);
    await said(`${UNKNOWN}${weights} was trained on`, 1, { weights });
    assert.deepEqual(await recorded(), { trainedBefore: undefined, unlistedModels: ["other"] });
    assert.deepEqual((await earlierTraining([at("run/best")])).unlistedModels, ["other"]);
  });
});
