import assert from "node:assert/strict";
import {
  type AugmentOptions,
  augmentBatch,
  augmentPreview,
  NO_AUGMENTATION,
} from "../../src/data/augment.js";
import { gather } from "../../src/data/batches.js";
import { type Tensor4D, tf } from "../../src/engine/tf.js";
import { Random } from "../../src/random.js";
import { trainBatch } from "../../src/training/epoch.js";
import { ofType } from "../../src/training/events.js";
import { buildTrainState, disposeTrainState, type TrainState } from "../../src/training/step.js";
import { collect, config, dataset, LAST_LAYER, runFolder, stripes } from "./fixtures.js";

describe("an epoch", function () {
  this.timeout(600_000);
  const run = runFolder();

  it("names the classes of the confusion matrix, whose order keys that are numbers do not keep", async () => {
    const numbered = { ...dataset, classNames: ["10", "2"] };
    const [{ validation }] = ofType(await collect(run.dir, { ...LAST_LAYER, epochs: 1 }, numbered), "epoch");
    assert.deepEqual(Object.keys(validation.perClassRecall), ["2", "10"]);
    assert.deepEqual(validation.classNames, ["10", "2"]);
    const recalls = validation.confusionMatrix.map((row, label) => row[label] / (row[0] + row[1]));
    assert.deepEqual(validation.perClassRecall, { "10": recalls[0], "2": recalls[1] });
  });
});

describe("trainBatch", () => {
  const images = stripes(8, 0);
  const augment = { ...NO_AUGMENTATION, horizontalFlip: 0.5, rotation: 10 };
  const noisy = { ...augment, noise: 0.5, blur: 0.2, corruptionShare: 1 };

  /** Trains a step and returns its loss, and the images that a teacher saw. */
  async function trained(options: AugmentOptions): Promise<{ loss: number; seen: number[] }> {
    const settings = { augment: options, mixup: 0.4, teacherShare: 0.5, ...LAST_LAYER };
    const state = await buildTrainState(config(settings), images, ["across", "down"]);
    let seen: number[] = [];
    const teacher = {
      config: state.network.config,
      logits: (batch: Tensor4D) => {
        seen = [...batch.dataSync()];
        return tf.zeros([batch.shape[0], 2]);
      },
    };
    try {
      const taught = { ...state, teachers: [teacher] } as unknown as TrainState;
      const step = async () => {
        const batch = await gather(images, Int32Array.of(0, 1, 2, 3));
        const { loss, logits, labels } = trainBatch(taught, batch, 1);
        const value = loss.dataSync()[0];
        tf.dispose([loss, logits, labels]);
        return value;
      };
      const loss = await step();
      const numTensors = tf.memory().numTensors; // with the moments that the first step made
      await step();
      assert.equal(tf.memory().numTensors, numTensors);
      return { loss, seen };
    } finally {
      disposeTrainState(state);
    }
  }

  it("shows teachers the images without noise and blur, but changed and mixed in the same way", async () => {
    const [clean, corrupted] = [await trained(augment), await trained(noisy)];
    assert.deepEqual(corrupted.seen, clean.seen);
    assert.notEqual(corrupted.loss, clean.loss); // the network sees noise and blur
    const batch = await gather(images, Int32Array.of(0, 1, 2, 3));
    const unmixed = augmentBatch(batch.images, augment, new Random(0, "augment", 1));
    assert.equal(clean.seen.length, unmixed.size);
    assert.notDeepEqual(clean.seen, [...unmixed.dataSync()]);
    tf.dispose([batch.images, unmixed]);
  });

  it("shows grey images on a grey border, whatever the colour of the fill", async () => {
    const red = { ...NO_AUGMENTATION, rotation: 45, fill: [255, 0, 0] as [number, number, number] };
    const grey = { ...red, fill: 0.299 * 255 };
    const [first, second] = [await trained(red), await trained(grey)];
    assert.deepEqual(first, second);
    assert.deepEqual(
      await augmentPreview(images, [0], 2, red, 0),
      await augmentPreview(images, [0], 2, grey, 0),
    );
  });
});
