import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { ofType, type TrainEvent } from "../../src/training/events.js";
import { loadMetrics } from "../../src/training/run-folder.js";
import { train } from "../../src/training/train.js";
import { collect, config, dataset, runFolder } from "./fixtures.js";

const lastWeights = (dir: string) =>
  JSON.parse(readFileSync(path.join(dir, "last/state.json"), "utf8")).manifest.paths[0];

describe("train", function () {
  this.timeout(120_000);
  const run = runFolder();

  it("goes on after a kill to the same weights and metrics as a run that was never stopped", async () => {
    const options = { epochs: 3, headEpochs: 1, emaDecay: 0.9, dropoutRate: 0.2 };
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

  it("says of a run that is complete how it ended, and nothing else", async () => {
    const first = await collect(run.dir, { epochs: 1 });
    assert.deepEqual(await collect(run.dir, { epochs: 1 }), [first[first.length - 1]]);
  });

  it("stops after the current batch when it is interrupted, and keeps a model", async () => {
    const interrupt = new AbortController();
    const events: TrainEvent[] = [];
    for await (const event of train(dataset, config(), {
      runDir: run.dir,
      data: "stripes",
      signal: interrupt.signal,
    })) {
      events.push(event);
      if (event.type === "batch") interrupt.abort();
    }
    assert.ok(ofType(events, "batch").length <= 2);
    assert.equal(ofType(events, "done")[0].reason, "interrupted");
    assert.ok(existsSync(path.join(run.dir, "best/model.json")));
  });

  it("stops early when nothing gets better for `patience` epochs", async () => {
    const events = await collect(run.dir, { epochs: 9, patience: 1, learningRate: 1e-9 });
    assert.equal(ofType(events, "done")[0].reason, "earlyStopping");
    assert.equal(ofType(events, "epoch").length, 2);
  });

  it("refuses to go on with a run of another configuration, and names what differs", async () => {
    await collect(run.dir, { epochs: 1 });
    await assert.rejects(collect(run.dir, { epochs: 2, learningRate: 0.1 }), {
      name: "InputError",
      message: `Expected a run of the same configuration at ${run.dir} but found one that differs in train.epochs, train.learningRate. Give another run name, or remove the folder to start anew.`,
    });
  });

  it("stops with the step when the loss is no longer finite", async () => {
    await assert.rejects(
      collect(run.dir, { learningRate: 10, weightDecay: 1, epochs: 30 }).then(() => assert.fail("trained")),
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
