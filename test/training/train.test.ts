import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import path from "node:path";
import { NO_AUGMENTATION } from "../../src/data/augment.js";
import { tf } from "../../src/engine/tf.js";
import { evaluate } from "../../src/inference/evaluate.js";
import { loadModel } from "../../src/model/weights/model-folder.js";
import { ofType, type TrainEvent } from "../../src/training/events.js";
import { loadMetrics } from "../../src/training/run-folder.js";
import { train } from "../../src/training/train.js";
import { collect, config, dataset, runFolder, stripes } from "./fixtures.js";

describe("train", function () {
  this.timeout(120_000);
  const run = runFolder();

  it("yields each batch, each epoch, the files written, and the end", async () => {
    const events = await collect(run.dir, { headEpochs: 1 });
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
    const events = await collect(run.dir);
    assert.deepEqual(
      await loadMetrics(run.dir),
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
    for await (const event of train(few, byHeart, { runDir: run.dir, data: "stripes" }))
      if (event.type === "done") accuracy = event.bestAccuracy;
    assert.equal(accuracy, 1);
  });

  it("keeps the model of best validation accuracy, which scores the same when it is loaded", async () => {
    const events = await collect(run.dir, { epochs: 4 });
    const [{ bestAccuracy }] = ofType(events, "done");
    const network = await loadModel(path.join(run.dir, "best"));
    assert.deepEqual(network.config.classNames, ["across", "down"]);
    assert.equal((await evaluate(network, dataset.validation)).accuracy, bestAccuracy);
    network.dispose();
  });

  it("gives the same numbers for the same seed, and others for another", async () => {
    const losses = (events: TrainEvent[]) => ofType(events, "batch").map(({ loss }) => loss);
    const first = losses(
      await collect(run.dir, { dropoutRate: 0.2, dropPathRate: 0.2, mixup: 0.2, epochs: 1 }),
    );
    rmSync(run.dir, { recursive: true });
    assert.deepEqual(
      losses(await collect(run.dir, { dropoutRate: 0.2, dropPathRate: 0.2, mixup: 0.2, epochs: 1 })),
      first,
    );
    rmSync(run.dir, { recursive: true });
    assert.notDeepEqual(
      losses(await collect(run.dir, { dropoutRate: 0.2, dropPathRate: 0.2, mixup: 0.2, epochs: 1, seed: 1 })),
      first,
    );
  });

  it("leaves frozen blocks and their moving statistics as they were", async () => {
    const weightsOf = async () => {
      const network = await loadModel(path.join(run.dir, "best"));
      const parameters = await network.parameters();
      network.dispose();
      return parameters;
    };
    await collect(run.dir, { epochs: 1, trainableFrom: "top", learningRate: 1e-9 });
    const before = await weightsOf();
    rmSync(run.dir, { recursive: true });
    await collect(run.dir, { epochs: 1, trainableFrom: "top", learningRate: 1e-2 });
    const after = await weightsOf();
    for (const name of ["block7a_project_conv/kernel", "block7a_bn/moving_mean", "stem_conv/kernel"])
      assert.deepEqual(after.get(name), before.get(name), name);
    for (const name of ["top_conv/kernel", "top_bn/gamma", "predictions/kernel"])
      assert.notDeepEqual(after.get(name), before.get(name), name);
  });

  it("holds as many tensors after an epoch as after the one before, and none after the run", async () => {
    const before = tf.memory().numTensors;
    const events = await collect(run.dir, { epochs: 3, emaDecay: 0.9 });
    const counts = ofType(events, "epoch").map(({ numTensors }) => numTensors);
    assert.equal(counts[1], counts[2]);
    assert.ok(tf.memory().numTensors - before < 60, "shape constants of the kernels are kept, nothing else");
  });
});
