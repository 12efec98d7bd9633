import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { type TrainConfig, trainConfig } from "../../src/config.js";
import { NO_AUGMENTATION } from "../../src/data/augment.js";
import type { Dataset, PackedImages } from "../../src/data/packed.js";
import { tf } from "../../src/engine/tf.js";
import { evaluate } from "../../src/inference/evaluate.js";
import { loadModel } from "../../src/model/model-folder.js";
import { Random } from "../../src/random.js";
import type { TrainEvent } from "../../src/training/events.js";
import { loadMetrics } from "../../src/training/run-folder.js";
import { train } from "../../src/training/train.js";

const IMAGE_SIZE = 40;

/** Noise with a bright stripe, across or down: two classes that a network can tell apart. */
function stripes(numImages: number, seed: number): PackedImages {
  const pixels = new Uint8Array(numImages * IMAGE_SIZE * IMAGE_SIZE);
  const labels = Int32Array.from({ length: numImages }, (_, i) => i % 2);
  labels.forEach((label, i) => {
    const random = new Random(seed, i);
    const at = 8 + random.integer(24);
    for (let p = 0; p < IMAGE_SIZE * IMAGE_SIZE; p++) {
      const place = label === 0 ? Math.floor(p / IMAGE_SIZE) : p % IMAGE_SIZE;
      pixels[i * IMAGE_SIZE * IMAGE_SIZE + p] = Math.abs(place - at) < 4 ? 230 : random.integer(120);
    }
  });
  const paths = Array.from(labels, (label, i) => `${label}/${i}.png`);
  return { pixels, labels, numImages, imageSize: IMAGE_SIZE, numChannels: 1, paths };
}

const dataset: Dataset = {
  name: "stripes",
  classNames: ["across", "down"],
  train: stripes(24, 1),
  validation: stripes(10, 2),
};
const config = (overrides: Partial<TrainConfig> = {}): TrainConfig =>
  trainConfig("seed", {
    weights: "random",
    imageSize: IMAGE_SIZE,
    batchSize: 8,
    epochs: 2,
    augment: { ...NO_AUGMENTATION, horizontalFlip: 0.5 },
    ...overrides,
  });

let runDir: string;
beforeEach(() => {
  runDir = mkdtempSync(path.join(os.tmpdir(), "ferkit-run-"));
});
afterEach(() => rmSync(runDir, { recursive: true }));

async function collect(
  overrides: Partial<TrainConfig> = {},
  dir = runDir,
  signal?: AbortSignal,
): Promise<TrainEvent[]> {
  const events: TrainEvent[] = [];
  for await (const event of train(dataset, config(overrides), { runDir: dir, data: "stripes", signal }))
    events.push(event);
  return events;
}
const ofType = <T extends TrainEvent["type"]>(events: TrainEvent[], type: T) =>
  events.filter((event) => event.type === type) as Extract<TrainEvent, { type: T }>[];
const lastWeights = (dir: string) =>
  JSON.parse(readFileSync(path.join(dir, "last/state.json"), "utf8")).manifest.paths[0];

describe("train", function () {
  this.timeout(120_000);

  it("yields each batch, each epoch, the files written, and the end", async () => {
    const events = await collect({ headEpochs: 1 });
    assert.equal(ofType(events, "batch").length, 2 * 3); // 24 images, batches of 8, 2 epochs
    assert.deepEqual(
      ofType(events, "batch").map(({ step }) => step),
      [1, 2, 3, 4, 5, 6],
    );
    assert.deepEqual(
      ofType(events, "epoch").map(({ phase }) => phase),
      ["head", "full"],
    );
    assert.equal(ofType(events, "checkpoint").filter(({ kind }) => kind === "last").length, 2);
    const [done] = ofType(events, "done");
    assert.equal(done.reason, "completed");
    assert.equal(
      done.bestAccuracy,
      Math.max(...ofType(events, "epoch").map(({ validation }) => validation.accuracy)),
    );
    assert.deepEqual(events[events.length - 1], done);
  });

  it("logs batches, epochs and the end as they were yielded", async () => {
    const events = await collect();
    assert.deepEqual(
      await loadMetrics(runDir),
      events.filter(({ type }) => type !== "checkpoint"),
    );
  });

  it("learns eight images by heart", async () => {
    const few = { ...dataset, train: stripes(8, 3), validation: stripes(8, 3) };
    const byHeart = config({
      epochs: 40,
      learningRate: 3e-3,
      batchNormMomentum: 0.3,
      augment: NO_AUGMENTATION,
    });
    let accuracy = 0;
    for await (const event of train(few, byHeart, { runDir, data: "stripes" }))
      if (event.type === "done") accuracy = event.bestAccuracy;
    assert.equal(accuracy, 1);
  });

  it("keeps the model of best validation accuracy, which scores the same when it is loaded", async () => {
    const events = await collect({ epochs: 4 });
    const [{ bestAccuracy }] = ofType(events, "done");
    const network = await loadModel(path.join(runDir, "best"));
    assert.deepEqual(network.config.classNames, ["across", "down"]);
    assert.equal((await evaluate(network, dataset.validation)).accuracy, bestAccuracy);
    network.dispose();
  });

  it("gives the same numbers for the same seed, and others for another", async () => {
    const losses = (events: TrainEvent[]) => ofType(events, "batch").map(({ loss }) => loss);
    const first = losses(await collect({ dropoutRate: 0.2, dropPathRate: 0.2, mixup: 0.2, epochs: 1 }));
    rmSync(runDir, { recursive: true });
    assert.deepEqual(
      losses(await collect({ dropoutRate: 0.2, dropPathRate: 0.2, mixup: 0.2, epochs: 1 })),
      first,
    );
    rmSync(runDir, { recursive: true });
    assert.notDeepEqual(
      losses(await collect({ dropoutRate: 0.2, dropPathRate: 0.2, mixup: 0.2, epochs: 1, seed: 1 })),
      first,
    );
  });

  it("goes on after a kill to the same weights and metrics as a run that was never stopped", async () => {
    const options = { epochs: 3, headEpochs: 1, averageDecay: 0.9, dropoutRate: 0.2 };
    const whole = path.join(runDir, "whole");
    const killed = path.join(runDir, "killed");
    await collect(options, whole);
    for await (const event of train(dataset, config(options), { runDir: killed, data: "stripes" }))
      if (event.type === "batch" && event.epoch === 3) break; // as a kill in the third epoch
    const events = await collect(options, killed);
    assert.deepEqual(
      ofType(events, "epoch").map(({ epoch }) => epoch),
      [3],
    );
    assert.equal(lastWeights(killed), lastWeights(whole)); // named by content
    const losses = async (dir: string) => ofType(await loadMetrics(dir), "batch").map(({ loss }) => loss);
    assert.deepEqual(await losses(killed), await losses(whole));
  });

  it("stops after the current batch when it is interrupted, and keeps a model", async () => {
    const interrupt = new AbortController();
    const events: TrainEvent[] = [];
    for await (const event of train(dataset, config(), {
      runDir,
      data: "stripes",
      signal: interrupt.signal,
    })) {
      events.push(event);
      if (event.type === "batch") interrupt.abort();
    }
    assert.ok(ofType(events, "batch").length <= 2);
    assert.equal(ofType(events, "done")[0].reason, "interrupted");
    assert.ok(existsSync(path.join(runDir, "best/model.json")));
  });

  it("stops early when nothing gets better for `patience` epochs", async () => {
    const events = await collect({ epochs: 9, patience: 1, learningRate: 1e-9 });
    assert.equal(ofType(events, "done")[0].reason, "earlyStopping");
    assert.equal(ofType(events, "epoch").length, 2);
  });

  it("leaves frozen blocks and their moving statistics as they were", async () => {
    const weightsOf = async () => {
      const network = await loadModel(path.join(runDir, "best"));
      const parameters = await network.parameters();
      network.dispose();
      return parameters;
    };
    await collect({ epochs: 1, trainableFrom: "top", learningRate: 1e-9 });
    const before = await weightsOf();
    rmSync(runDir, { recursive: true });
    await collect({ epochs: 1, trainableFrom: "top", learningRate: 1e-2 });
    const after = await weightsOf();
    for (const name of ["block7a_project_conv/kernel", "block7a_bn/moving_mean", "stem_conv/kernel"])
      assert.deepEqual(after.get(name), before.get(name), name);
    for (const name of ["top_conv/kernel", "top_bn/gamma", "predictions/kernel"])
      assert.notDeepEqual(after.get(name), before.get(name), name);
  });

  it("holds as many tensors after an epoch as after the one before, and none after the run", async () => {
    const before = tf.memory().numTensors;
    const events = await collect({ epochs: 3, averageDecay: 0.9 });
    const counts = ofType(events, "epoch").map(({ numTensors }) => numTensors);
    assert.equal(counts[1], counts[2]);
    assert.ok(tf.memory().numTensors - before < 60, "shape constants of the kernels are kept, nothing else");
  });

  it("refuses to go on with a run of another configuration, and names what differs", async () => {
    await collect({ epochs: 1 });
    await assert.rejects(collect({ epochs: 2, learningRate: 0.1 }), {
      name: "InputError",
      message: `Expected a run of the same configuration at ${runDir} but found one that differs in train.epochs, train.learningRate. Give another run name, or remove the folder to start anew.`,
    });
  });

  it("stops with the step when the loss is no longer finite", async () => {
    await assert.rejects(
      collect({ learningRate: 10, weightDecay: 1, epochs: 30 }).then(() => assert.fail("trained")),
      (error: Error) => {
        if (error.message === "trained") throw error;
        assert.match(
          error.message,
          /^Expected a finite loss at step \d+ but found (NaN|Infinity)\. Train with a lower learningRate/,
        );
        return true;
      },
    );
  });
});
