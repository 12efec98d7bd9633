import assert from "node:assert/strict";
import type { TrainConfig } from "../../src/config.js";
import type { Dataset } from "../../src/data/dataset.js";
import {
  checkSameRun,
  describeRun,
  loadRunConfig,
  type RunConfig,
  saveRunConfig,
} from "../../src/training/run-config.js";
import { config, dataset, runFolder } from "./fixtures.js";
import { writeRun } from "./recorded-runs.js";

describe("checkSameRun", () => {
  const run = runFolder();
  const start = async () => {
    const { config: started, images } = await describeRun(dataset, config(), "stripes");
    await saveRunConfig(run.dir, started, images);
  };
  const check = async (
    other: Partial<Dataset> = {},
    overrides: Partial<TrainConfig> = {},
    data = "stripes",
  ) => {
    const present = await loadRunConfig(run.dir);
    assert.ok(present);
    const { config: given, images } = await describeRun({ ...dataset, ...other }, config(overrides), data);
    await checkSameRun(run.dir, present, given, images);
  };
  const refused = (found: string, folder = " (--run runs/NAME)", repeat = "") => ({
    name: "InputError",
    message:
      `Expected a run of the same configuration and images at ${run.dir} but found ${found}. ` +
      `Choose another run folder${folder}, ${repeat ? `repeat ${repeat} to continue this run, ` : ""}or remove this one to start from scratch.`,
  });
  const { train } = dataset;
  // Two splits of the same paths are a special case that no data set on disk has.
  const apart = {
    ...dataset.validation,
    paths: dataset.validation.paths.map((name) => `validation/${name}`),
  };
  const labelled = (labels: Int32Array) => ({ train: { ...train, labels } });

  it("accepts the same configuration and images, also from another place", async () => {
    await start();
    await check();
    await check({}, {}, "/elsewhere/stripes");
  });

  it("accepts other epochs and patience", async () => {
    await start();
    await check({}, { epochs: 9, patience: 3 });
  });

  it("says which settings differ, and how to repeat those of the run", async () => {
    await start();
    const { learningRate, augment } = config();
    const zoom = JSON.stringify(augment.zoom);
    await assert.rejects(
      check({}, { learningRate: 0.1, epochs: 9, augment: { ...augment, noise: 0.3, zoom: [0.5, 2] } }),
      refused(
        `one that differs in learningRate (${learningRate} in the run, 0.1 now), zoom (${zoom} in the run, [0.5,2] now), noise (0 in the run, 0.3 now)`,
        " (--run runs/NAME)",
        `--set learningRate=${learningRate} --set 'zoom=${zoom}' --set noise=0`,
      ),
    );
  });

  it("repeats no settings where the images differ too", async () => {
    await start();
    await assert.rejects(
      check(labelled(train.labels.map((label, i) => (i === 3 ? 1 - label : label))), { seed: 7 }),
      refused(
        `one that differs in seed (${config().seed} in the run, 7 now); and other images: 1 image with another label (1/3.png)`,
      ),
    );
  });

  it("names an image whose label was corrected", async () => {
    await start();
    await assert.rejects(
      check(labelled(train.labels.map((label, i) => (i === 3 ? 1 - label : label)))),
      refused("other images: 1 image with another label (1/3.png)"),
    );
  });

  it("names the other data set, and a folder for the run of this one", async () => {
    await start();
    await assert.rejects(
      check(labelled(train.labels.map((label) => 1 - label)), {}, "/data/pets.zip"),
      ({ message }: Error) =>
        /found other images, those of stripes: \d+ images with another label/.test(message) &&
        message.endsWith(
          "Choose another run folder, such as --run runs/pets, or remove this one to start from scratch.",
        ),
    );
  });

  it("names images that were replaced, added, removed, renamed or put into another split", async () => {
    const digests = train.paths.map((name) => `${name} as it was`);
    const before = { ...train, digests };
    const own = { ...dataset, train: before, validation: apart };
    const { config: started, images } = await describeRun(own, config(), "stripes");
    await saveRunConfig(run.dir, started, images);
    await check(own);
    const changed = (change: object) => check({ ...own, train: { ...before, ...change } });
    await assert.rejects(
      changed({ digests: digests.map((digest, i) => (i < 5 ? `new ${i}` : digest)) }),
      refused("other images: 5 images replaced (0/0.png, 1/1.png, 0/2.png and 2 more)"),
    );
    await assert.rejects(
      changed({ paths: train.paths.map((name, i) => (i === 0 ? "0/new.png" : name)) }),
      refused("other images: 1 image moved (0/0.png → 0/new.png)"),
    );
    const paths = train.paths.map((name, i) => (i === 0 ? "1/0.png" : name));
    await assert.rejects(
      changed({ paths, labels: train.labels.map((label, i) => (i === 0 ? 1 : label)) }),
      refused("other images: 1 image with another label (0/0.png → 1/0.png)"),
    );
    const less = { paths: train.paths.slice(1), labels: train.labels.slice(1), digests: digests.slice(1) };
    await assert.rejects(
      changed({ ...less, numImages: train.numImages - 1 }),
      refused("other images: 1 image removed (0/0.png)"),
    );
  });

  it("names an image whose votes changed", async () => {
    const labelShares = Float32Array.from({ length: 2 * train.numImages }, (_, i) => (i % 2 ? 0.25 : 0.75));
    const { config: started, images } = await describeRun(
      { ...dataset, train: { ...train, labelShares } },
      config(),
      "stripes",
    );
    await saveRunConfig(run.dir, started, images);
    await check({ train: { ...train, labelShares } });
    const changed = labelShares.map((share, i) => (i < 2 ? 0.5 : share));
    await assert.rejects(
      check({ train: { ...train, labelShares: changed } }),
      refused("other images: 1 image with other votes (0/0.png)"),
    );
  });

  it("names an option of the loader that changes what images look like", async () => {
    const options = { fit: "crop", validationShare: 0.2 };
    const { config: started, images } = await describeRun({ ...dataset, options }, config(), "stripes");
    await saveRunConfig(run.dir, started, images);
    await check({ options: { ...options, validationShare: 0.3 } }); // the same images came of it
    await assert.rejects(
      check({ options: { ...options, fit: "pad" } }),
      refused("one that differs in dataOptions.fit (crop in the run, pad now)"),
    );
  });

  it("names a setting once that is an option of the loader, too", async () => {
    const crop = { ...dataset, options: { fit: "crop" } };
    const { config: started, images } = await describeRun(crop, config({ fit: "crop" }), "stripes");
    await saveRunConfig(run.dir, started, images);
    await assert.rejects(
      check({ options: { fit: "pad" } }, { fit: "pad" }),
      refused("one that differs in fit (crop in the run, pad now)", undefined, "--set fit=crop"),
    );
  });

  it("takes a table of labels that was moved, since the images and labels are compared", async () => {
    const options = { labels: "a/labels.csv" };
    const { config: started, images } = await describeRun({ ...dataset, options }, config(), "stripes");
    await saveRunConfig(run.dir, started, images);
    await check({ options: { labels: "b/labels.csv" } });
  });

  it("compares the images that are set aside, or the group if it did not record these", async () => {
    const changes = { calibrationShare: 0.5 };
    const resume = async (paths: string[], group: string) => {
      const grouped = { ...dataset, options: { group } };
      const given = await describeRun(grouped, config(changes), "stripes", { paths });
      const present = (await loadRunConfig(run.dir)) as RunConfig;
      await checkSameRun(run.dir, present, given.config, given.images);
    };
    const grouped = { ...dataset, options: { group: "(a)" } };
    const aside = { paths: ["0/0.png"] };
    const { config: started, images } = await describeRun(grouped, config(changes), "stripes", aside);
    await saveRunConfig(run.dir, started, images);
    await resume(["0/0.png"], "(b)");
    await assert.rejects(
      check(grouped),
      refused(
        "one that differs in calibrationShare (0.5 in the run, 0 now)",
        " (--run runs/NAME)",
        "--set calibrationShare=0.5",
      ),
    );
    const another = "other images set aside by calibrationShare, as another --group sets aside";
    await assert.rejects(resume(["0/1.png"], "(b)"), refused(another));
    const { asideDigest: _, ...older } = started;
    await saveRunConfig(run.dir, older, images);
    await resume(["0/1.png"], "(a)");
    await assert.rejects(
      resume(["0/0.png"], "(b)"),
      refused("one that differs in dataOptions.group ((a) in the run, (b) now)"),
    );
  });

  it("compares a run of version 0.1 by its numbers of images, and knows it by averageDecay", async () => {
    const { config: today } = await describeRun(dataset, config({ emaDecay: 0.9 }), "stripes");
    const { dataDigest, train: options, ...others } = today;
    const { emaDecay, monitor, augment, ...then } = options;
    const { noise, blur, corruptionShare, fill, ...augmentThen } = augment;
    const changed = { augment: augmentThen, averageDecay: 0.9 };
    writeRun(run.dir, { config: { ...others, train: { ...then, ...changed } } });
    assert.deepEqual((await loadRunConfig(run.dir))?.train, options);
    await check({}, { emaDecay: 0.9 });
    const less = { ...train, numImages: 23, labels: train.labels.slice(1), paths: train.paths.slice(1) };
    await assert.rejects(
      check({ train: less }, { emaDecay: 0.9 }),
      refused("one that differs in numImages.train (24 in the run, 23 now)"),
    );
  });
});
