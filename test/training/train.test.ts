import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { TrainConfig } from "../../src/config.js";
import { NO_AUGMENTATION } from "../../src/data/augment.js";
import type { PackedImages } from "../../src/data/dataset.js";
import { groupImages } from "../../src/data/groups.js";
import { backend } from "../../src/engine/device.js";
import { tf } from "../../src/engine/tf.js";
import { environment } from "../../src/environment.js";
import { evaluate } from "../../src/inference/evaluate.js";
import { bootstrapIntervals, INTERVAL_SEED } from "../../src/metrics/bootstrap.js";
import { loadModel, saveModel } from "../../src/model/weights/model-folder.js";
import { type EpochEvent, ofType, type TrainEvent } from "../../src/training/events.js";
import { loadMetrics } from "../../src/training/metrics-log.js";
import { loadRunConfig } from "../../src/training/run-config.js";
import { loadRun } from "../../src/training/runs.js";
import { loadSessions } from "../../src/training/sessions.js";
import { train } from "../../src/training/train.js";
import { randomNetwork } from "../model/fixtures.js";
import { workspace } from "../workspace.js";
import { collect, config, dataset, LAST_LAYER, repeated, runFolder, stripes } from "./fixtures.js";

/** Trains until some batches have ended, then interrupts; returns all events. */
async function interrupted(
  runDir: string,
  overrides: Partial<TrainConfig>,
  numBatches: number,
): Promise<TrainEvent[]> {
  const interrupt = new AbortController();
  const events: TrainEvent[] = [];
  const options = { runDir, data: "stripes", signal: interrupt.signal };
  for await (const event of train(dataset, config(overrides), options)) {
    events.push(event);
    if (ofType(events, "batch").length === numBatches) interrupt.abort();
  }
  return events;
}

const lastWeights = (dir: string) =>
  JSON.parse(readFileSync(path.join(dir, "last/state.json"), "utf8")).manifest.paths[0];

describe("train", function () {
  this.timeout(600_000);
  const run = runFolder();

  it("yields batches, epochs, files written and the end", async () => {
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

  it("logs batches, epochs and the end as it yields them", async () => {
    const events = await collect(run.dir, LAST_LAYER);
    assert.deepEqual(
      await loadMetrics(run.dir),
      events.filter(({ type }) => type !== "checkpoint"),
    );
  });

  describe("on eight images", () => {
    const folder = workspace("suite");
    const few = { ...dataset, train: repeated(stripes(8, 3), 10), validation: stripes(8, 3) };
    let epochs: EpochEvent[];

    const trained = async (name: string, overrides: Partial<TrainConfig>) =>
      ofType(await collect(folder.file(name), { augment: NO_AUGMENTATION, ...overrides }, few), "epoch");
    before("trains", async () => {
      epochs = await trained("start", { epochs: 5, learningRate: 3e-3, batchNormMomentum: 0.3 });
    });

    it("overfits", () => {
      assert.equal(Math.max(...epochs.map(({ validation }) => validation.accuracy)), 1);
    });

    it("starts from a model of the same classes with its last layer", async () => {
      const weights = folder.file("start/best");
      const options = { epochs: 1, seed: 1, learningRate: 1e-9, batchNormMomentum: 0, weights };
      const [{ validation }] = await trained("next", options);
      assert.equal(validation.accuracy, 1);
    });
  });

  it("saves the model of best validation accuracy, which scores the same after loading", async () => {
    const events = await collect(run.dir, { epochs: 4 });
    const [{ bestEpoch, bestAccuracy }] = ofType(events, "done");
    const network = await loadModel(path.join(run.dir, "best"));
    assert.deepEqual(network.config.classNames, ["across", "down"]);
    const { accuracy, predicted } = await evaluate(network, dataset.validation);
    assert.equal(accuracy, bestAccuracy);
    network.dispose();
    const { groups } = await groupImages(dataset.validation, undefined);
    const { intervals, numGroups } = ofType(events, "epoch")[(bestEpoch ?? 0) - 1].validation;
    assert.deepEqual(
      intervals,
      bootstrapIntervals(dataset.validation.labels, predicted, 2, INTERVAL_SEED, groups),
    );
    assert.equal(numGroups, new Set(groups).size);
    for (const { isBest, validation } of ofType(events, "epoch"))
      assert.equal("intervals" in validation, isBest);
    // Of the most accurate epochs, the one of lowest validation loss is kept.
    const validations = ofType(events, "epoch").map(({ validation }) => validation);
    const best = validations.filter(({ accuracy }) => accuracy === bestAccuracy).map(({ loss }) => loss);
    assert.equal(validations[(bestEpoch ?? 0) - 1].loss, Math.min(...best));
  });

  it("gives the same numbers for the same seed, and others for another seed", async () => {
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

  it("leaves frozen blocks and their moving statistics unchanged", async () => {
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

  it("holds as many tensors after each epoch, and none after the run", async () => {
    const before = tf.memory().numTensors;
    const events = await collect(run.dir, { epochs: 3, emaDecay: 0.9 });
    const counts = ofType(events, "epoch").map(({ numTensors }) => numTensors);
    assert.equal(counts[1], counts[2]);
    assert.ok(tf.memory().numTensors - before < 60, "only shape constants of the kernels are kept");
  });

  for (const [split, recorded] of [
    ["official-test", "official-test"],
    ["folders", undefined],
  ] as const)
    it(`records ${recorded ?? "nothing"} in the configuration for the split ${split}`, async () => {
      const options = { runDir: run.dir, data: "stripes" };
      const events = train({ ...dataset, split }, config({ ...LAST_LAYER, epochs: 1 }), options);
      await events.next();
      await events.return();
      assert.equal((await loadRunConfig(run.dir))?.split, recorded);
    });

  it("learns from teachers, and leaves no tensor", async () => {
    const teacher = path.join(run.dir, "teacher");
    const network = randomNetwork({ classNames: ["across", "down"] }, 3);
    await saveModel(teacher, network.config, await network.parameters());
    network.dispose();
    const lossesOf = async (name: string, teachers: string[]) =>
      ofType(await collect(path.join(run.dir, name), { epochs: 1, teachers }), "batch").map(
        ({ loss }) => loss,
      );
    const alone = await lossesOf("alone", []);
    const { numTensors } = tf.memory();
    const taught = await lossesOf("taught", [teacher]);
    assert.notDeepEqual(taught, alone);
    assert.deepEqual(await lossesOf("again", [teacher]), taught);
    assert.equal(tf.memory().numTensors, numTensors);
  });

  for (const activations of ["float32", "bfloat16"] as const)
    it(`resumes after a kill to the same weights and metrics as an uninterrupted run, ${activations}`, async function () {
      if (activations === "bfloat16" && !backend().buildTrainingPlan) this.skip();
      const options = { epochs: 3, headEpochs: 1, emaDecay: 0.9, dropoutRate: 0.2, activations };
      const whole = path.join(run.dir, "whole");
      const killed = path.join(run.dir, "killed");
      await collect(whole, options);
      for await (const event of train(dataset, config(options), { runDir: killed, data: "stripes" }))
        if (event.type === "batch" && event.epoch === 3) break; // as a kill in the third epoch
      const events = await collect(killed, options);
      assert.deepEqual(
        ofType(events, "epoch").map(({ epoch }) => epoch),
        [3],
      );
      assert.equal(lastWeights(killed), lastWeights(whole)); // named by content
      const losses = async (dir: string) => ofType(await loadMetrics(dir), "batch").map(({ loss }) => loss);
      assert.deepEqual(await losses(killed), await losses(whole));
    });

  it("yields only the end of a run that is complete or stopped early, and keeps its log", async () => {
    for (const [name, ending] of Object.entries({
      completed: { epochs: 1 },
      "stopped early": { epochs: 9, patience: 1, learningRate: 1e-8 },
    })) {
      const runDir = path.join(run.dir, name);
      const options = { ...LAST_LAYER, ...ending, batchSize: 7 };
      const first = await collect(runDir, options);
      assert.equal(ofType(first, "done")[0].reason, name);
      const log = await loadMetrics(runDir);
      assert.equal(ofType(log, "note").length, 1); // 24 images are no batches of 7
      assert.deepEqual(await collect(runDir, options), [first[first.length - 1]]);
      const order = ({ type }: TrainEvent) => (type === "note" ? 0 : 1);
      assert.deepEqual(
        await loadMetrics(runDir),
        log.sort((a, b) => order(a) - order(b)),
      );
    }
  });

  it("resumes where it was interrupted, within an epoch too, as if it had never stopped", async () => {
    const options = { emaDecay: 0.9, dropoutRate: 0.2 };
    const [whole, stopped] = ["whole", "stopped"].map((name) => path.join(run.dir, name));
    const expected = await collect(whole, options);
    const first = await interrupted(stopped, options, 1);
    const [done] = ofType(first, "done");
    assert.ok(ofType(first, "batch").length <= 2);
    const resumesAt = { epoch: 1, batch: ofType(first, "batch").length, numBatches: 3 };
    assert.deepEqual([done.reason, done.bestEpoch, done.bestAccuracy], ["interrupted", null, null]);
    assert.deepEqual(done.resumesAt, resumesAt);
    // Every other view tells the same: no epoch, no model.
    const { state, epochs } = await loadRun(stopped);
    assert.deepEqual([state, epochs], ["interrupted", []]);
    assert.ok(!existsSync(path.join(stopped, "best")));
    await interrupted(stopped, options, 2 - resumesAt.batch + 3); // in the second epoch
    await collect(stopped, options);
    assert.equal(lastWeights(stopped), lastWeights(whole));
    const figures = (events: TrainEvent[]) => [
      ofType(events, "batch").map(({ step, loss }) => [step, loss]),
      ofType(events, "epoch").map(({ train, validation, isBest }) => [train, validation, isBest]),
    ];
    assert.deepEqual(figures(await loadMetrics(stopped)), figures(expected));
  });

  it("does not start an epoch when it is interrupted before", async () => {
    const events: TrainEvent[] = [];
    const options = { runDir: run.dir, data: "stripes", signal: AbortSignal.abort() };
    for await (const event of train(dataset, config(), options)) events.push(event);
    assert.deepEqual(
      events.map(({ type }) => type),
      ["done"],
    );
  });

  it("stops early after `patience` epochs without a better one", async () => {
    const still = { ...LAST_LAYER, epochs: 9, patience: 1, learningRate: 1e-9, headLearningRate: 1e-9 };
    const events = await collect(path.join(run.dir, "a"), still);
    assert.equal(ofType(events, "done")[0].reason, "stopped early");
    assert.equal(ofType(events, "epoch").length, 2);
    const after = await collect(path.join(run.dir, "b"), { ...still, headEpochs: 3 });
    assert.equal(ofType(after, "epoch").length, 4); // epochs of the last layer alone do not count
  });

  it("leaves no folder when the configuration does not fit the data", async () => {
    const runDir = path.join(run.dir, "none");
    await assert.rejects(collect(runDir, { classWeights: [1, 2, 3] }), { name: "ParameterError" });
    assert.ok(!existsSync(runDir));
  });

  it("keeps the epoch of lowest validation loss if it monitors that", async () => {
    const events = await collect(run.dir, { epochs: 3, monitor: "loss" });
    const losses = ofType(events, "epoch").map(({ validation }) => validation.loss);
    const [{ bestEpoch, bestLoss, monitor }] = ofType(events, "done");
    assert.deepEqual(
      [losses[(bestEpoch ?? 0) - 1], bestLoss, monitor],
      [Math.min(...losses), bestLoss, "loss"],
    );
    assert.equal(bestLoss, Math.min(...losses));
  });

  it("trains a finished run longer, and tells what its learning rate does", async () => {
    await collect(run.dir, { epochs: 1, schedule: "cosine", ...LAST_LAYER });
    const events = await collect(run.dir, { epochs: 2, schedule: "cosine", ...LAST_LAYER });
    assert.deepEqual(
      ofType(events, "epoch").map(({ epoch, numEpochs }) => [epoch, numEpochs]),
      [[2, 2]],
    );
    // Three steps an epoch: the last of 3 is at cos(2π/3), the fourth of 6 at cos(3π/6).
    assert.deepEqual(
      ofType(events, "note").map(({ text }) => text),
      [
        "the run has 2 epochs instead of 1: its learning rate, 0.00025 in the last step, is 0.0005 in the next one, as in a cosine schedule of 2 epochs",
      ],
    );
    assert.equal((await loadRun(run.dir)).epochs.length, 2);
    await assert.rejects(collect(run.dir, { epochs: 1, schedule: "cosine", ...LAST_LAYER }), {
      name: "InputError",
      message: `Expected epochs=2 or more for a run that has trained as many at ${run.dir} but found epochs=1. Choose more epochs, or another run folder (--run).`,
    });
    assert.equal((await loadRunConfig(run.dir))?.train.epochs, 2);
  });

  it("counts the train accuracy by the labels, whatever teachers say", async () => {
    const teacher = path.join(run.dir, "teacher");
    const swap = (images: PackedImages) => ({ ...images, labels: images.labels.map((label) => 1 - label) });
    const long = { ...dataset, train: repeated(dataset.train, 4) };
    const swapped = { ...dataset, train: swap(long.train), validation: swap(dataset.validation) };
    const overfit = { epochs: 3, learningRate: 3e-3, batchNormMomentum: 0.3, augment: NO_AUGMENTATION };
    await collect(teacher, overfit, swapped);
    const taught = { ...overfit, teachers: [path.join(teacher, "best")], teacherShare: 1 };
    const events = await collect(path.join(run.dir, "taught"), taught, long);
    const last = ofType(events, "epoch")[2];
    assert.ok(last.train.accuracy < 0.25, `${last.train.accuracy}`); // it learned what the teacher says: the opposite
    assert.equal(last.trainTargets, "the teachers' probabilities");
  });

  it("keeps no model whose probabilities are not finite, and fails with the epoch", async () => {
    const broken = config({ epochs: 3, batchSize: 24, learningRate: 10, weights: "random", variant: "b0" });
    const events: TrainEvent[] = [];
    const training = async () => {
      for await (const event of train(dataset, broken, { runDir: run.dir, data: "stripes" }))
        events.push(event);
    };
    await assert.rejects(training(), (error: Error) => {
      assert.match(
        error.message,
        /^Expected (finite (weights|probabilities of the validation images) at epoch 1|a finite loss at step 2) but found .*\. Choose a lower learningRate/,
      );
      return true;
    });
    assert.ok(!existsSync(path.join(run.dir, "best")));
  });

  it("fails with the step when the loss is not finite", async () => {
    await assert.rejects(
      collect(run.dir, { learningRate: 10, weightDecay: 1, epochs: 30 }).then(() => assert.fail("trained")),
      (error: Error) => {
        if (error.message === "trained") throw error;
        assert.match(
          error.message,
          /^Expected a finite loss at step \d+ but found (NaN|Infinity)\. Choose a lower learningRate/,
        );
        return true;
      },
    );
  });

  const sessions = async () => (await loadSessions(run.dir, undefined)).sessions;
  const recorded = async () => (await sessions()).map(({ epoch }) => epoch);

  it("records what each session ran on", async () => {
    const before = new Date().toISOString();
    for await (const event of train(dataset, config(LAST_LAYER), { runDir: run.dir, data: "stripes" }))
      if (event.type === "batch" && event.epoch === 2) break; // as a kill in the second epoch
    await collect(run.dir, LAST_LAYER);
    assert.deepEqual(await recorded(), [1, 2]);
    const [{ run: id, epoch, batch, epochs, started, ...rest }] = await sessions();
    assert.deepEqual([id, batch, epochs], [(await loadRunConfig(run.dir))?.id, 1, 2]);
    assert.ok(started >= before && started <= new Date().toISOString(), started);
    assert.deepEqual(rest, await environment());
    await collect(run.dir, LAST_LAYER); // nothing to train
    assert.deepEqual(await recorded(), [1, 2]);
  });

  it("resumes a run that was started on another machine, or whose record is broken", async () => {
    for await (const event of train(dataset, config(LAST_LAYER), { runDir: run.dir, data: "stripes" }))
      if (event.type === "batch" && event.epoch === 2) break;
    const file = path.join(run.dir, "environment.json");
    writeFileSync(file, readFileSync(file, "utf8").replace(/"cpu": ".*"/, '"cpu": "another"'));
    await collect(run.dir, LAST_LAYER);
    assert.deepEqual(await recorded(), [1, 2]);
    writeFileSync(file, "broken");
    await collect(run.dir, LAST_LAYER);
    assert.deepEqual(await recorded(), []);
  });
});
