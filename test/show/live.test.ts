import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { MimeBundle } from "../../src/charts/format.js";
import type { ChartSpec } from "../../src/charts/theme.js";
import type { KernelHooks } from "../../src/show/kernel.js";
import { showTraining } from "../../src/show/live.js";
import type { BatchEvent, DoneEvent, EpochEvent, TrainEvent } from "../../src/training/events.js";
import { dataMarks, drawnMarks, textsOf } from "../charts/drawn.js";
import { batchEvent, epochEvent } from "../charts/fixtures.js";

const globals = globalThis as { ferkitKernel?: KernelHooks };
const UPDATE_MS = 500;
const VEGA = "application/vnd.vegalite.v5+json";

/** Three batches an epoch, 8 images each, at 100 images/s. */
const batch = (step: number): BatchEvent =>
  batchEvent(step, {
    epoch: Math.ceil(step / 3),
    batch: ((step - 1) % 3) + 1,
    numBatches: 3,
    numImages: 8,
    loss: 2 / step,
    accuracy: step / 10,
  });
/** With 0.24 s of training and 0.26 s of validation. */
const epoch = (number: number, validation: number, isBest: boolean): EpochEvent =>
  epochEvent(number, 0.5, validation, {
    numEpochs: 4,
    step: 3 * number,
    durationMs: 500,
    imagesPerSecond: 100,
    isBest,
  });
const done: DoneEvent = {
  type: "done",
  reason: "completed",
  bestEpoch: 1,
  bestAccuracy: 0.625,
  runDir: "runs/x",
};

async function* streamOf(events: TrainEvent[]): AsyncGenerator<TrainEvent, void, undefined> {
  yield* events;
}

describe("showTraining", () => {
  const saved = { hooks: globals.ferkitKernel, log: console.log, now: performance.now };
  let shown: { bundle: MimeBundle; displayId: string; isUpdate: boolean }[];
  let printed: string[];
  beforeEach(() => {
    [shown, printed] = [[], []];
    globals.ferkitKernel = {
      display: (bundle, displayId, isUpdate) => shown.push({ bundle, displayId, isUpdate }),
    };
    console.log = (line: string) => printed.push(line);
  });
  afterEach(() => {
    globals.ferkitKernel = saved.hooks;
    console.log = saved.log;
    performance.now = saved.now;
  });

  /** Sets the clock to the step of each batch times `stepMs`. */
  function streamOnClock(events: TrainEvent[], stepMs: number): AsyncIterable<TrainEvent> {
    let time = 0;
    performance.now = () => time;
    return (async function* () {
      for (const event of events) {
        if (event.type === "batch") time = event.step * stepMs;
        yield event;
      }
    })();
  }

  const statusOf = ({ bundle }: (typeof shown)[number]) => String(bundle["text/plain"]).split("\n")[1];
  const chartOf = ({ bundle }: (typeof shown)[number]) => bundle[VEGA] as ChartSpec;

  it("updates one display, and leaves the last state in every form", async () => {
    const events = [batch(1), batch(2), batch(3), epoch(1, 0.625, true), done];
    assert.deepEqual(await showTraining(streamOf(events)), done);
    const [first, ...updates] = shown;
    assert.deepEqual(first.bundle, { "text/plain": "waiting for the first batches" });
    assert.ok(updates.length > 0 && updates.every(({ displayId }) => displayId === first.displayId));
    assert.deepEqual(
      shown.map(({ isUpdate }) => isUpdate),
      [false, ...updates.map(() => true)],
    );
    const { bundle } = updates[updates.length - 1];
    assert.deepEqual(Object.keys(bundle), [VEGA, "image/svg+xml", "image/png", "text/plain"]);
    assert.equal(statusOf(updates[updates.length - 1]), "completed · best: 62.5% in epoch 1");
    assert.deepEqual(printed, []);
  });

  it("updates at most twice a second, with the specification alone", async () => {
    const batches = Array.from({ length: 9 }, (_, i) => batch(i + 1));
    await showTraining(streamOnClock(batches, UPDATE_MS / 2));
    // at batches 2, 4, 6, 8, and at the end
    const updates = shown.filter(({ isUpdate }) => isUpdate);
    assert.equal(updates.length, 5);
    assert.deepEqual(Object.keys(updates[0].bundle), [VEGA, "text/plain"]);
  });

  it("says how far the run is, how fast, how long it still takes, and what was best", async () => {
    const events = [1, 2, 3].map(batch);
    await showTraining(streamOnClock([...events, epoch(1, 0.625, true), batch(4), batch(5)], UPDATE_MS), {
      epochs: 4,
    });
    // 4 · 3 − 1 batches of 8 images at 100 images/s
    assert.equal(statusOf(shown[1]), "epoch 1 of 4 · batch 1 of 3 · 100 images/s · 1 s left");
    // 4 · 3 − 5 batches take 0.56 s, three validations 0.78 s
    assert.equal(
      statusOf(shown[shown.length - 1]),
      "epoch 2 of 4 · batch 2 of 3 · 100 images/s · 1 s left · best so far: 62.5% in epoch 1",
    );
  });

  it("draws batches and validation over the axis of the whole run, and marks the best epoch", async () => {
    const events = [1, 2, 3].map(batch);
    await showTraining(
      streamOf([...events, epoch(1, 0.5, true), ...[4, 5, 6].map(batch), epoch(2, 0.25, false)]),
      {
        epochs: 4,
      },
    );
    const marks = await drawnMarks(chartOf(shown[shown.length - 1]));
    const points = dataMarks(marks, "symbol");
    assert.equal(points.length, 2 * 2); // of the validation, in two panels
    const [rule, second] = dataMarks(marks, "rule");
    assert.ok(Math.abs(rule.x - points[0].x) < 1e-6 && second.x > rule.x);
    // 12 steps on 310 px: the last validation is at step 6
    const left = points[0].x - (310 * 2) / 11;
    assert.ok(Math.abs(points[1].x - left - (310 * 5) / 11) < 1e-6);
    const [whole, bar] = dataMarks(marks, "rect").filter(({ height }) => height <= 6);
    assert.equal(bar.width / whole.width, 0.5);
    assert.match(textsOf(marks, "title-subtitle")[0], /^epoch 2 of 4 · .*blue: training, orange: validation/);
  });

  it("draws earlier batches and epochs, except those that are repeated", async () => {
    const earlier = [batch(1), batch(2), batch(3), epoch(1, 0.5, true), batch(4), batch(5)];
    const runDir = mkdtempSync(path.join(os.tmpdir(), "ferkit-live-"));
    writeFileSync(
      path.join(runDir, "metrics.jsonl"),
      earlier.map((event) => JSON.stringify(event)).join("\n"),
    );
    await showTraining(streamOf([batch(4), done]), { runDir });
    rmSync(runDir, { recursive: true });
    // The mean accuracy of batches 1 to 4: (0.1 + 0.2 + 0.3 + 0.4) / 4
    const { bundle } = shown[shown.length - 1];
    assert.match(String(bundle["text/plain"]), /after step 4: .*accuracy 25\.0%[\s\S]*epoch 1: /);
  });

  it("returns undefined for a run without an end, and says if no batch was trained", async () => {
    assert.equal(await showTraining(streamOf([])), undefined);
    assert.deepEqual(shown[shown.length - 1].bundle, { "text/plain": "no batch was trained" });
  });

  it("rethrows the error that ends a run, and leaves the last state", async () => {
    const failing = (async function* (): AsyncGenerator<TrainEvent, void, undefined> {
      yield batch(1);
      throw new Error("the loss is not finite");
    })();
    await assert.rejects(showTraining(failing), /the loss is not finite/);
    assert.ok("image/png" in shown[shown.length - 1].bundle);
  });

  it("prints a line for each epoch outside a notebook, and notes everywhere", async () => {
    await showTraining(streamOf([{ type: "note", text: "grey images" }, batch(1)]));
    assert.deepEqual(printed, ["note: grey images"]);
    globals.ferkitKernel = undefined;
    const events = [batch(1), epoch(1, 0.625, true), epoch(2, 0.5, false), done];
    assert.deepEqual(await showTraining(streamOf(events)), done);
    assert.deepEqual(printed.slice(1), [
      "epoch 1/4: train 50.0%, validation 62.5%, loss 0.375, 100 images/s, best",
      "epoch 2/4: train 50.0%, validation 50.0%, loss 0.500, 100 images/s",
    ]);
  });
});
