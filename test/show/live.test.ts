import assert from "node:assert/strict";
import type { MimeBundle } from "../../src/charts/format.js";
import type { KernelHooks } from "../../src/show/kernel.js";
import { showTraining } from "../../src/show/live.js";
import type { BatchEvent, DoneEvent, EpochEvent, TrainEvent } from "../../src/training/events.js";

const globals = globalThis as { ferkitKernel?: KernelHooks };
const REDRAW_MS = 3000;

const batch = (step: number): BatchEvent => ({
  type: "batch",
  phase: "full",
  epoch: 1,
  batch: step,
  numBatches: 3,
  numImages: 8,
  step,
  loss: 2 / step,
  accuracy: step / 10,
  learningRate: 1e-3,
  imagesPerSecond: 100,
});
const epoch: EpochEvent = {
  type: "epoch",
  phase: "full",
  epoch: 1,
  numEpochs: 4,
  step: 3,
  learningRate: 1e-3,
  durationMs: 500,
  imagesPerSecond: 123.4,
  train: { loss: 1.5, accuracy: 0.5 },
  validation: {
    loss: 1.23456,
    accuracy: 0.625,
    macroF1: 0.6,
    perClassRecall: { a: 1, b: 0.25 },
    confusionMatrix: [
      [4, 0],
      [3, 1],
    ],
  },
  isBest: true,
  numTensors: 10,
  numBytes: 1000,
  residentBytes: 1e8,
};
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

  it("prints a line for each epoch and returns how the run ended", async () => {
    const events = [batch(1), epoch, { ...epoch, epoch: 2, isBest: false }, done];
    assert.deepEqual(await showTraining(streamOf(events)), done);
    assert.deepEqual(printed, [
      "epoch 1/4: train 50.0%, validation 62.5%, loss 1.235, 123 images/s, best",
      "epoch 2/4: train 50.0%, validation 62.5%, loss 1.235, 123 images/s",
    ]);
  });

  it("replaces the first output by the chart of all batches", async () => {
    await showTraining(streamOf([batch(1), batch(2), batch(3), epoch, done]));
    const [first, ...updates] = shown;
    assert.deepEqual(first.bundle, { "text/plain": "waiting for the first batches" });
    assert.equal(first.isUpdate, false);
    const last = updates[updates.length - 1];
    assert.deepEqual([last.isUpdate, last.displayId], [true, first.displayId]);
    assert.deepEqual(Object.keys(last.bundle).sort(), [
      "application/vnd.vegalite.v5+json",
      "image/png",
      "image/svg+xml",
      "text/plain",
    ]);
    assert.match(String(last.bundle["image/svg+xml"]), /^<svg/);
  });

  it("draws earlier batches, except those that are repeated", async () => {
    const earlier = [batch(1), batch(2), batch(3), batch(4), epoch];
    await showTraining(streamOf([batch(3), done]), earlier);
    // The mean accuracy of batches 1 to 3: (0.1 + 0.2 + 0.3) / 3
    assert.match(String(shown[1].bundle["text/plain"]), /after step 3: .*accuracy 20\.0%/);
    await showTraining(streamOf([done]), earlier);
    assert.match(String(shown[3].bundle["text/plain"]), /after step 4: /);
  });

  it("draws again after some time, and at the end", async () => {
    const batches = Array.from({ length: 7 }, (_, i) => batch(i + 1));
    await showTraining(streamOnClock(batches, REDRAW_MS / 2));
    // Times 1.5, 3, 4.5, … s: drawn more than 3 s after the last drawing, at 4.5 and 9, and at the end.
    assert.equal(shown.filter(({ isUpdate }) => isUpdate).length, 3);
  });

  it("draws a short run only at the end", async () => {
    await showTraining(streamOnClock([batch(1), batch(2), done], 10));
    assert.deepEqual(
      shown.map(({ isUpdate }) => isUpdate),
      [false, true],
    );
  });

  it("returns undefined for a run without an end, and draws nothing without batches", async () => {
    assert.equal(await showTraining(streamOf([])), undefined);
    assert.equal(shown.length, 1);
  });

  it("rethrows the error that ends a run", async () => {
    const failing = (async function* (): AsyncGenerator<TrainEvent, void, undefined> {
      yield batch(1);
      throw new Error("the loss is not finite");
    })();
    await assert.rejects(showTraining(failing), /the loss is not finite/);
  });

  it("reads the run to its end outside a notebook, where nothing is shown", async () => {
    globals.ferkitKernel = undefined;
    assert.deepEqual(await showTraining(streamOf([batch(1), done])), done);
    assert.equal(shown.length, 0);
  });
});
