import assert from "node:assert/strict";
import { readFileSync, renameSync, rmSync } from "node:fs";
import { BUNDLED_MODELS } from "../../src/bundled-models.js";
import type { PackedImages } from "../../src/data/dataset.js";
import {
  IMAGE_LIST,
  listCalibration,
  listImages,
  modelListDigest,
  writeImageList,
} from "../../src/data/image-list.js";
import { loadDataset } from "../../src/data/load.js";
import { loadEvaluationData, loadUnseenImages } from "../../src/inference/held-out.js";
import { loadParameters, saveModel } from "../../src/model/weights/model-folder.js";
import { drawImage, drawImages, temporaryFolder, valuesOf, writeFiles } from "../data/fixtures.js";
import { randomNetwork } from "../model/fixtures.js";

/** Ten images of each class, each of another grey. */
const IMAGES = Object.fromEntries(
  ["a", "b"].flatMap((name, c) =>
    Array.from({ length: 10 }, (_, i) => {
      const grey = (40 + 100 * c + 5 * i).toString(16).padStart(2, "0");
      return [`${name}/${i}.png`, `#${grey}${grey}${grey}`];
    }),
  ),
);

describe("loadEvaluationData", () => {
  const file = temporaryFolder();
  const given = () => ({ data: file("data") });
  beforeEach(async () => {
    const network = randomNetwork({ imageSize: 33, classNames: ["a", "b"], grey: true });
    await saveModel(file("model"), network.config, await network.parameters());
    network.dispose();
  });
  const evaluate = (options: object = {}) => loadEvaluationData(file("model"), { ...given(), ...options });
  const content = async ({ paths, labels, digests, numImages, pixels }: PackedImages) => ({
    paths: [...paths].sort(),
    values: (await valuesOf(pixels, numImages)).filter((_, i) => i % 33 ** 2 === 0).sort(),
    labels: [...labels].sort(),
    digests: digests && [...digests].sort(),
  });

  /** Draws the images and "trains" on them: leaves the list that a run would. */
  async function train(seed = 1, images = IMAGES) {
    await drawImages(file("data"), images);
    const dataset = await loadDataset({ ...given(), imageSize: 33, grey: true, seed, validationShare: 0.2 });
    await writeImageList(file("model", IMAGE_LIST), await listImages(dataset), false);
    return dataset;
  }

  for (const seed of [0, 1, 7])
    it(`takes the images that a run with seed ${seed} held out`, async () => {
      const { train: trained, validation } = await train(seed);
      const { dataset, isTrainedOn, notes } = await evaluate();
      assert.equal(dataset.split, "run");
      assert.deepEqual(await content(dataset.validation), await content(validation));
      assert.deepEqual(await content(dataset.train), await content(trained));
      assert.equal(isTrainedOn, null);
      assert.deepEqual(notes, [
        `the model's run was trained on this data set; the images are those that it held out (seed ${seed}, share 0.2)`,
      ]);
    });

  it("says which fold a run held out", async () => {
    await drawImages(file("data"), IMAGES);
    const dataset = await loadDataset({ ...given(), imageSize: 33, grey: true, seed: 1, fold: "2/5" });
    await writeImageList(file("model", IMAGE_LIST), await listImages(dataset), false);
    const [how] = (await evaluate()).notes;
    assert.match(how, /; the images are those that it held out \(seed 1, fold 2\/5\)$/);
  });

  it("keeps the groups by which a run split, unless others are given", async () => {
    await drawImages(file("data"), IMAGES);
    const group = "(\\d)\\.png$";
    const dataset = await loadDataset({ ...given(), imageSize: 33, grey: true, group });
    await writeImageList(file("model", IMAGE_LIST), await listImages(dataset), false);
    const groupOf = async (options?: object) => (await evaluate(options)).dataset.options?.group;
    assert.equal(await groupOf(), group);
    assert.equal(await groupOf({ group: "^(.)" }), "^(.)");
  });

  it("keeps the column of groups by which a run split", async () => {
    await drawImages(file("data"), IMAGES);
    const rows = Object.keys(IMAGES).map((name) => `${name},s${/\d/.exec(name)}\n`);
    writeFiles(file("data"), { "subjects.csv": `file,subject\n${rows.join("")}` });
    const options = { ...given(), imageSize: 33, grey: true, group: "subject" };
    const dataset = await loadDataset(options);
    await writeImageList(file("model", IMAGE_LIST), await listImages(dataset), false);
    const { validation } = (await evaluate({ labels: "folders" })).dataset;
    assert.deepEqual(
      validation.groupNames,
      validation.paths.map((name) => `s${/\d/.exec(name)}`),
    );
  });

  it("says which of them are missing or have another label since", async () => {
    const { validation } = await train();
    const [moved, ...removed] = validation.paths.filter((path) => path.startsWith("a/"));
    renameSync(file("data", moved), file("data", "b", "moved.png"));
    rmSync(file("data", removed[0]));
    const { dataset, notes } = await evaluate();
    assert.equal(dataset.validation.numImages, validation.numImages - 1);
    assert.deepEqual(notes.slice(1), [
      `1 of the ${validation.numImages} images that the run held out are missing`,
      "1 image has another label than in the run (b/moved.png)",
    ]);
  });

  it("says which of them its starting weights or teachers were trained on", async () => {
    const { train: trained, validation } = await train();
    const list = await listImages({
      ...(await loadDataset({ ...given(), imageSize: 33, grey: true, seed: 1 })),
    });
    const digestAt = (path: string) => list.images.find((image) => image.path === path)?.digest as string;
    const trainedBefore = [digestAt(trained.paths[0]), digestAt(validation.paths[1])];
    await writeImageList(file("model", IMAGE_LIST), { ...list, trainedBefore }, false);
    const { dataset, isTrainedOn } = await evaluate();
    assert.deepEqual(
      isTrainedOn,
      dataset.validation.paths.map((path) => path === validation.paths[1]),
    );
    assert.deepEqual((await loadUnseenImages(file("model"), given())).digests, []);
  });

  it("says that its starting weights or teachers may have been trained on some, if that is not known", async () => {
    await train();
    const list = await listImages(await loadDataset({ ...given(), imageSize: 33, grey: true, seed: 1 }));
    await writeImageList(file("model", IMAGE_LIST), { ...list, unlistedModels: ["fer2013", "other"] }, false);
    const expected = [
      "the model's run started or learned from the bundled model fer2013, which was trained on FER-2013's folder train, so some of these may be among them",
      "the model's run started or learned from a model that has no list of the images that it was trained on, so some of these may be among them",
    ];
    const own = await evaluate();
    assert.deepEqual([own.notes.slice(1), own.isTrainedOn], [expected, null]);
    await drawImages(file("others"), { "a/1.png": "#010203", "b/1.png": "#040506" });
    const others = await evaluate({ data: file("others") });
    assert.deepEqual([others.notes, others.isTrainedOn], [expected, null]);
    const again = await evaluate({ validationShare: 1 });
    assert.deepEqual([again.notes, again.isTrainedOn?.filter(Boolean).length], [expected, 16]);
    const { notes } = await loadUnseenImages(file("model"), { data: file("others") });
    assert.deepEqual(notes, expected);
  });

  it("says what a bundled model was trained on", async () => {
    await drawImages(file("data"), { "angry/1.png": "#010203", "happy/1.png": "#040506" });
    const { isTrainedOn, notes } = await loadEvaluationData(BUNDLED_MODELS.fer2013, given());
    assert.equal(isTrainedOn, null);
    assert.deepEqual(notes, [
      "the bundled model fer2013 was trained on FER-2013's folder train, so some of these may be among them",
    ]);
    for (const dir of Object.values(BUNDLED_MODELS))
      assert.match(readFileSync(`${dir}/README.md`, "utf8"), /trained on the folder `train` of \[FER-2013\]/);
  });

  it("takes them with the options of a run that left out a class of train alone", async () => {
    const split = (name: string, i: number) => `${i % 5 === 0 ? "validation" : "train"}/${name}`;
    const images = Object.fromEntries(
      Object.entries(IMAGES).flatMap(([name, grey], i) => [
        [split(name, i), grey],
        [split(name.replace(/^[ab]/, "c"), i), `${grey.slice(0, 5)}01`],
      ]),
    );
    await drawImages(file("data"), images);
    const options = { ...given(), leaveOut: ["train/c"] };
    const trained = await loadDataset({ ...options, imageSize: 33, grey: true });
    assert.deepEqual(trained.classNames, ["a", "b"]);
    await writeImageList(file("model", IMAGE_LIST), await listImages(trained), false);
    const { dataset } = await evaluate(options);
    assert.deepEqual(dataset.validation.paths, trained.validation.paths);
  });

  it("takes them from a folder of another name and from the validation folder alone", async () => {
    const images = Object.fromEntries(
      Object.entries(IMAGES).map(([name, grey], i) => [
        `${i % 5 === 0 ? "validation" : "train"}/${name}`,
        grey,
      ]),
    );
    const { validation } = await train(0, images);
    renameSync(file("data"), file("moved"));
    const moved = await evaluate({ data: file("moved") });
    assert.deepEqual(moved.dataset.validation.paths, validation.paths);
    const alone = await evaluate({ data: file("moved/validation") });
    assert.equal(alone.dataset.validation.numImages, validation.numImages);
    await assert.rejects(evaluate({ data: file("moved/train") }), {
      name: "InputError",
      message:
        "Expected images that the model was not trained on at train but found 16 images, all from its training. " +
        "Choose other images, or --validation-share 1 to score these all the same.",
    });
  });

  it("says which images the model was trained on when another split is chosen", async () => {
    const { train: trained } = await train(1);
    const all = await evaluate({ validationShare: 1 });
    assert.equal(all.dataset.validation.numImages, 20);
    assert.equal(all.isTrainedOn?.filter(Boolean).length, trained.numImages);
    assert.deepEqual(
      all.dataset.validation.paths.filter((_, i) => all.isTrainedOn?.[i]),
      trained.paths,
    );
    // The run's own seed splits as the run did; another one does not.
    const same = await evaluate({ validationShare: 0.2 });
    assert.equal(same.isTrainedOn?.filter(Boolean).length, 0);
    const other = await evaluate({ validationShare: 0.2, seed: 0 });
    assert.ok((other.isTrainedOn?.filter(Boolean).length ?? 0) > 0);
  });

  it("leaves out images that the run did not have, but scores other data sets as they are", async () => {
    const { validation } = await train(1);
    await drawImage(file("data/a/new.png"), "#010101");
    const more = await evaluate();
    assert.deepEqual(more.dataset.validation.paths, validation.paths);
    assert.equal(more.notes[1], "1 images that the run did not have are left out");
    const others = Object.fromEntries(
      Object.keys(IMAGES).map((name, i) => [name, `#${(10 + i).toString()}0000`]),
    );
    rmSync(file("data"), { recursive: true });
    await drawImages(file("data"), others);
    const { dataset, isTrainedOn, notes } = await evaluate();
    assert.equal(dataset.validation.numImages, 20);
    assert.deepEqual([isTrainedOn?.some(Boolean), notes], [false, []]);
  });

  it("counts byte-identical images of both splits once each, and leaves out leaked ones on request", async () => {
    const images = { ...IMAGES, "a/copy1.png": IMAGES["a/1.png"], "a/copy2.png": IMAGES["a/1.png"] };
    const { validation } = await train(3, images);
    const { dataset } = await evaluate();
    assert.equal(dataset.validation.numImages, validation.numImages);
    assert.deepEqual([...dataset.validation.labels].sort(), [...validation.labels].sort());
    const trained = new Set(dataset.train.digests);
    const { dataset: clean } = await evaluate({ dropLeaked: true });
    assert.deepEqual(
      clean.validation.digests,
      dataset.validation.digests?.filter((digest) => !trained.has(digest)),
    );
  });

  it("refuses the list of another model", async () => {
    const dataset = await train(1);
    const recorded = modelListDigest(await listImages(dataset));
    const { config, parameters } = await loadParameters(file("model"));
    await saveModel(file("model"), { ...config, imageList: recorded }, parameters);
    assert.equal((await evaluate()).dataset.split, "run");
    await saveModel(file("model"), { ...config, imageList: "0123456789abcdef" }, parameters);
    const refused = {
      name: "InputError",
      message:
        `Expected the list of the images that the model was trained on at ${file("model", IMAGE_LIST)} but found that of another model. ` +
        "Remove it; then nothing is known about the images of the training.",
    };
    await assert.rejects(evaluate(), refused);
    await assert.rejects(loadUnseenImages(file("model"), given()), refused);
  });

  it("says that it cannot know for a model without a list", async () => {
    await drawImages(file("data"), IMAGES);
    const { dataset, isTrainedOn, notes } = await evaluate();
    assert.equal(dataset.validation.numImages, 20);
    assert.equal(isTrainedOn, null);
    assert.deepEqual(notes, [
      "the model has no list of the images that it was trained on, so some of these may be among them",
    ]);
  });

  describe("for a model that was calibrated on some images", () => {
    const NEW = { "a/new.png": "#010203", "b/new.png": "#040506" };
    /** Calibrates the model on all images that it has not seen. */
    const calibrate = async () => {
      const { digests } = await loadUnseenImages(file("model"), given());
      await listCalibration(file("model"), file("model"), digests);
    };

    it("leaves them out beside those that the run held out", async () => {
      const { validation } = await train(1);
      await drawImages(file("data"), NEW);
      await calibrate();
      const { dataset, notes } = await evaluate();
      assert.deepEqual(dataset.validation.paths, validation.paths);
      assert.deepEqual(notes.slice(1), ["2 images are left out: the model was calibrated on them"]);
      await calibrate(); // again on the same images, which are still unseen
      assert.deepEqual((await evaluate()).notes, notes);
    });

    it("leaves them out of another data set, and scores them on request with a note", async () => {
      await train(1);
      rmSync(file("data"), { recursive: true });
      await drawImages(file("data"), NEW);
      await calibrate();
      await assert.rejects(evaluate(), {
        name: "InputError",
        message:
          "Expected images that the model was not calibrated on at data but found 2 images, all from its calibration. " +
          "Choose other images, or --validation-share 1 to score these all the same.",
      });
      await drawImages(file("data"), { "a/more.png": "#070809" });
      const { dataset, isTrainedOn, notes } = await evaluate();
      assert.deepEqual(dataset.validation.paths, ["a/more.png"]);
      assert.deepEqual(
        [isTrainedOn, notes],
        [[false], ["2 images are left out: the model was calibrated on them"]],
      );
      const all = await evaluate({ validationShare: 1 });
      assert.equal(all.dataset.validation.numImages, 3);
      assert.deepEqual(all.notes, [
        "the model was calibrated on 2 of these 3 images, which makes its calibration error and its prediction sets look better",
      ]);
    });

    it("leaves them out also if nothing is known of its training", async () => {
      await drawImages(file("data"), NEW);
      await calibrate();
      await drawImages(file("data"), { "a/more.png": "#070809" });
      const { dataset, isTrainedOn, notes } = await evaluate();
      assert.deepEqual(dataset.validation.paths, ["a/more.png"]);
      assert.deepEqual(
        [isTrainedOn, notes],
        [
          null,
          [
            "the model has no list of the images that it was trained on, so some of these may be among them",
            "2 images are left out: the model was calibrated on them",
          ],
        ],
      );
    });
  });

  describe("loadUnseenImages", () => {
    const unseen = () => loadUnseenImages(file("model"), given());

    it("leaves out what the model's run had, in train and in validation, and copies", async () => {
      await train(1);
      await drawImages(file("data"), {
        "a/new.png": "#010203",
        "a/copy.png": "#010203",
        "b/new.png": "#040506",
      });
      const { images, notes } = await unseen();
      assert.equal(images.numImages, 2);
      assert.deepEqual([...images.labels].sort(), [0, 1]);
      assert.deepEqual(notes, [
        "21 images are left out: the model's run had them, or another has the same bytes", // 20 and a copy
      ]);
    });

    it("takes all images for a model without a list, of both parts, and says what is not known", async () => {
      await drawImages(file("data"), {
        "train/a/1.png": "#101010",
        "train/b/2.png": "#202020",
        "validation/a/3.png": "#303030",
        "validation/b/4.png": "#404040",
      });
      const { images, notes } = await unseen();
      assert.deepEqual([...images.paths].sort(), [
        "train/a/1.png",
        "train/b/2.png",
        "validation/a/3.png",
        "validation/b/4.png",
      ]);
      assert.deepEqual(notes, [
        "the model has no list of the images of its training, so it is not known whether these are among them",
      ]);
    });
  });
});
