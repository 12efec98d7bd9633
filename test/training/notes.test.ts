import assert from "node:assert/strict";
import path from "node:path";
import type { TrainConfig } from "../../src/config.js";
import { NO_AUGMENTATION } from "../../src/data/augment.js";
import type { Dataset, PackedImages } from "../../src/data/dataset.js";
import { PixelArray } from "../../src/data/pixels/pixels.js";
import { saveModel } from "../../src/model/weights/model-folder.js";
import { Random } from "../../src/random.js";
import {
  extensionNote,
  imageNotes,
  settingNotes,
  targetsInWords,
  trainingNotes,
} from "../../src/training/notes.js";
import { buildTrainState, disposeTrainState, type TrainState } from "../../src/training/step.js";
import { train } from "../../src/training/train.js";
import { randomNetwork } from "../model/fixtures.js";
import { config, dataset, runFolder } from "./fixtures.js";

async function withState<Result>(
  overrides: Partial<TrainConfig>,
  { train, classNames }: Dataset,
  body: (state: TrainState) => Result | Promise<Result>,
): Promise<Result> {
  const state = await buildTrainState(config(overrides), train, classNames);
  try {
    return await body(state);
  } finally {
    disposeTrainState(state);
  }
}

const notes = (overrides: Partial<TrainConfig> = {}, given = dataset) =>
  withState(overrides, given, (state) => trainingNotes(state, given.train.numImages));

describe("trainingNotes", function () {
  this.timeout(600_000);
  const folder = runFolder();

  it("has nothing to say when nothing is guessed or left out", async () => {
    assert.deepEqual(await notes(), []);
  });

  it("tells how many images an epoch leaves out, or that batches are smaller", async () => {
    const few = (numImages: number): PackedImages => ({
      ...dataset.train,
      numImages,
      labels: new Int32Array(numImages).map((_, i) => i % 2),
    });
    assert.deepEqual(await notes({ batchSize: 50 }, { ...dataset, train: few(101) }), [
      "each epoch leaves out 1 of 101 training images, different ones each time: they do not fill a batch of 50",
    ]);
    assert.deepEqual(await notes({ batchSize: 32 }, { ...dataset, train: few(63) }), [
      "batches have 31 or 32 images instead of 32, so that an epoch uses all 63 training images",
    ]);
    assert.deepEqual(await notes({ batchSize: 32 }, { ...dataset, train: few(10) }), [
      "batches have 10 images instead of 32, so that an epoch uses all 10 training images",
    ]);
    assert.deepEqual(await notes({ batchSize: 32 }, { ...dataset, train: few(1) }), [
      "batches have 1 image instead of 32, so that an epoch uses all 1 training image",
    ]);
  });

  it("tells that a batch of a single image cannot be mixed", async () => {
    const [single] = await notes({ batchSize: 1, mixup: 0.2 });
    assert.equal(single, "mixup and cutmix have no effect, since each batch is a single image");
    const [two] = await notes({ batchSize: 2, mixup: 0.2 });
    assert.match(two, /^the train loss is against labels of mixed images/);
  });

  it("names each class weight, and what balanced weights mean for the best epoch", async () => {
    assert.deepEqual(await notes({ classWeights: [1, 3] }), ["class weights: across = 1, down = 3"]);
    assert.deepEqual(await notes({ classWeights: { down: 2 } }), ["class weights: across = 1, down = 2"]);
    assert.deepEqual(await notes({ classWeights: "balanced" }), [
      "class weights: across = 1, down = 1",
      "the best epoch is the one of highest macro-F1, since class weights are balanced; monitor=accuracy compares accuracy",
    ]);
  });

  it("tells that the train loss is against other targets than labels", async () => {
    assert.deepEqual(await notes({ labelSmoothing: 0.1 }), []); // which each loss names
    assert.deepEqual(await notes({ labelSmoothing: 0.1, mixup: 0.2 }), [
      "the train loss is against smoothed labels of mixed images, so it cannot be compared with the validation loss; the train accuracy is against the label of a mixed image's larger part",
    ]);
  });

  it("says which teachers see other images than those of their training", async () => {
    const { classNames } = dataset;
    const teachers = ["own", "padded"].map((name) => path.join(folder.dir, name));
    const configs = [{ classNames }, { classNames, decoding: { fit: "pad" as const } }];
    for (const [i, given] of configs.entries()) {
      const network = randomNetwork(given);
      await saveModel(teachers[i], network.config, await network.parameters());
      network.dispose();
    }
    const train = { ...dataset.train, numChannels: 1 as const };
    const worse = "its answers may be worse than for its own images";
    assert.deepEqual((await notes({ teachers }, { ...dataset, train })).slice(1), [
      `the teacher ${teachers[0]} was trained on images in colour, and sees grey ones: ${worse}`,
      `the teacher ${teachers[1]} was trained on images with fit=pad, and sees them with fit=crop: ${worse}`,
      `the teacher ${teachers[1]} was trained on images in colour, and sees grey ones: ${worse}`,
    ]);
  });

  it("shows a line break in the name of a class", async () => {
    const network = randomNetwork({ classNames: ["across", "up\nstairs"] });
    const weights = path.join(folder.dir, "lines");
    await saveModel(weights, network.config, await network.parameters());
    network.dispose();
    assert.deepEqual(await notes({ weights }), [
      `starts from ${weights} with a new last layer, since its classes are others: across, up\\u000astairs`,
    ]);
  });

  it("tells whether the last layer of the starting point is kept", async () => {
    const network = randomNetwork({ classNames: ["across", "up"] });
    const weights = path.join(folder.dir, "model");
    await saveModel(weights, network.config, await network.parameters());
    network.dispose();
    assert.deepEqual(await notes({ weights }), [
      `starts from ${weights} with a new last layer, since its classes are others: across, up`,
    ]);
    assert.deepEqual(await notes({ weights }, { ...dataset, classNames: ["across", "up"] }), [
      `starts from ${weights} with its last layer, since the classes are the same`,
    ]);
  });
});

describe("settingNotes", () => {
  const notes = (overrides: Partial<TrainConfig>, isFile = false) => settingNotes(config(overrides), isFile);

  it("says what numbers mean that are probably the complement of a setting", () => {
    const others = { labelSmoothing: 0.9, dropPathRate: 0.8, emaDecay: 0.001, learningRate: 1e-9 };
    assert.deepEqual(notes(others), [
      "learningRate=1e-9 is so small that the weights hardly change",
      "labelSmoothing=0.9 spreads most of a target over all classes; a confidence of 0.9 is labelSmoothing=0.1 here",
      "dropPathRate=0.8 leaves out most of the last blocks; a survival probability of 0.8 is dropPathRate=0.2 here",
      "emaDecay=0.001 averages hardly more than the last step; a share of 0.001 for each step is emaDecay=0.999 here",
    ]);
    assert.deepEqual(
      notes({ labelSmoothing: 0.5, dropPathRate: 0.5, emaDecay: 0.5, learningRate: 1e-8 }),
      [],
    );
  });

  it("names settings without effect", () => {
    assert.deepEqual(notes({}), []);
    assert.deepEqual(
      notes({ headLearningRate: 0.01, mixShare: 0.5, teacherShare: 1, weightsFamily: "pytorch" }),
      [
        "headLearningRate has no effect, since headEpochs is 0",
        "weightsFamily has no effect, since weights is no file",
        "mixShare has no effect, since mixup and cutmix are 0",
        "teacherShare has no effect, since there are no teachers",
      ],
    );
    assert.deepEqual(
      notes({ epochs: 3, headEpochs: 3, mixup: 0.2, mixShare: 0, teachers: ["t"], teacherShare: 0 }),
      [
        "every epoch trains the last layer alone, at headLearningRate, since headEpochs is 3: learningRate, schedule, warmupShare and trainableFrom have no effect",
        "mixup and cutmix have no effect, since mixShare is 0",
        "teachers have no effect, since teacherShare is 0",
      ],
    );
    assert.deepEqual(notes({ augment: { ...NO_AUGMENTATION, corruptionShare: 1, fill: "edge" } }), [
      "corruptionShare has no effect, since noise and blur are 0",
      "fill has no effect, since neither rotation, translation nor zoom shows what is outside of an image",
    ]);
    const used = {
      headEpochs: 1,
      headLearningRate: 0.01,
      mixup: 0.2,
      mixShare: 0.5,
      teachers: ["t"],
      teacherShare: 1,
    };
    assert.deepEqual(notes({ ...used, weightsFamily: "pytorch" }, true), []);
    const shown = {
      ...NO_AUGMENTATION,
      zoom: [0.9, 1] as [number, number],
      fill: 9,
      blur: 0.1,
      corruptionShare: 1,
    };
    assert.deepEqual(notes({ augment: shown }), []);
  });

  it("names numbers that are those of Keras", () => {
    assert.deepEqual(notes({ batchNormMomentum: 0.99, augment: { ...NO_AUGMENTATION, rotation: 0.1 } }), [
      "batchNormMomentum=0.99 is the share of each batch, as in PyTorch, so the moving statistics are nearly those of the last batch; momentum=0.99 in Keras is batchNormMomentum=0.01 here",
      "rotation=0.1 is in degrees, so images hardly rotate; factor=0.1 in Keras is rotation=36 here",
    ]);
  });
});

describe("extensionNote", () => {
  const note = (now: Partial<TrainConfig>, earlier: Partial<TrainConfig>) =>
    withState(now, dataset, (state) => extensionNote(state, config(earlier), 3));

  it("says nothing about the same epochs, and that a constant rate stays", async () => {
    assert.deepEqual(await note({ epochs: 2 }, { epochs: 2 }), []);
    assert.deepEqual(await note({ epochs: 2 }, { epochs: 1 }), [
      "the run has 2 epochs instead of 1: its learning rate stays at 0.001",
    ]);
  });
});

describe("targetsInWords", () => {
  const cases: [Partial<TrainConfig>, string | null][] = [
    [{}, null],
    [{ labelSmoothing: 0.1 }, "smoothed labels"],
    [{ cutmix: 1 }, "labels of mixed images"],
    [{ cutmix: 1, mixShare: 0 }, null],
    [
      { teachers: ["t"], teacherShare: 0.5, labelSmoothing: 0.1 },
      "smoothed labels and the teachers' probabilities",
    ],
    [{ teachers: ["t"], teacherShare: 1 }, "the teachers' probabilities"],
    [{ teachers: ["t"], teacherShare: 0 }, null],
  ];
  it("names shares of votes", () => {
    assert.equal(targetsInWords(config(), true), "shares of votes");
    assert.equal(targetsInWords(config({ labelSmoothing: 0.1 }), true), "smoothed shares of votes");
  });

  for (const [overrides, words] of cases)
    it(`is ${words ?? "nothing"} for ${JSON.stringify(overrides)}`, () => {
      assert.equal(targetsInWords(config(overrides)), words);
    });
});

describe("imageNotes", function () {
  this.timeout(600_000);
  const folder = runFolder();
  const classNames = ["left", "right"];

  /** Labels images by the side of their stripe, so that each class is the other's mirror image. */
  function sides(numImages: number, seed: number): PackedImages {
    const SIDE = 40;
    const bytes = new Uint8Array(numImages * SIDE * SIDE);
    const labels = Int32Array.from({ length: numImages }, (_, i) => i % 2);
    labels.forEach((label, i) => {
      const random = new Random(seed, i);
      const at = (label === 0 ? 6 : 30) + random.integer(4);
      for (let p = 0; p < SIDE * SIDE; p++)
        bytes[i * SIDE * SIDE + p] = Math.abs((p % SIDE) - at) < 4 ? 230 : random.integer(120);
    });
    const paths = Array.from(labels, (label, i) => `${label}/${i}.png`);
    return {
      pixels: new PixelArray(bytes, SIDE * SIDE),
      labels,
      numImages,
      imageSize: SIDE,
      numChannels: 1,
      paths,
    };
  }
  const mirrored: Dataset = { name: "sides", classNames, train: sides(24, 1), validation: sides(10, 2) };

  it("says that mirroring makes two classes one, as `data` does", async () => {
    const [text, ...others] = await imageNotes(mirrored, config());
    assert.deepEqual(others, []);
    assert.match(
      text,
      /mirroring mixes up these classes\. Train with --set horizontalFlip=0, and evaluate without --flip\.$/,
    );
    const noted: string[] = [];
    for await (const event of train(mirrored, config({ epochs: 1 }), { runDir: folder.dir, data: "sides" }))
      if (event.type === "note") noted.push(event.text);
    assert.ok(noted.includes(text), noted.join("\n"));
  });

  it("says that validation images are changed copies of training images, as `data` does", async () => {
    const { train: images, classNames: names } = dataset;
    const bytes = await images.pixels.read(Int32Array.of(0, 1, 2, 3));
    const lighter: PackedImages = {
      ...images,
      pixels: new PixelArray(
        bytes.map((value) => 20 + Math.round(0.8 * value)),
        bytes.length / 4,
      ),
      labels: images.labels.slice(0, 4),
      numImages: 4,
      paths: ["v/0.png", "v/1.png", "v/2.png", "v/3.png"],
    };
    const leaking: Dataset = { ...dataset, train: images, validation: lighter, classNames: names };
    const still = config({ augment: NO_AUGMENTATION });
    const [text, ...others] = await imageNotes(leaking, still);
    assert.deepEqual(others, []);
    assert.equal(
      text,
      `4 of 4 validation images look like one in train (v/0.png and ${images.paths[0]}), so scores on them are too high. ` +
        "Remove them from one of the splits.",
    );
  });

  it("says that images are much larger than they are used, but not if their size was chosen", async () => {
    const conclusion = { about: "size", text: "Images are much larger.", examples: [] };
    const large = { ...mirrored, report: { conclusions: [conclusion] } };
    const notesAt = (imageSize: number) => imageNotes(large, config({ imageSize, augment: NO_AUGMENTATION }));
    assert.deepEqual([await notesAt(48), await notesAt(40)], [[conclusion.text], []]);
  });

  it("says nothing if images are not mirrored, or if classes stay apart", async () => {
    assert.deepEqual(await imageNotes(mirrored, config({ augment: NO_AUGMENTATION })), []);
    assert.deepEqual(await imageNotes(dataset, config()), []);
  });
});
