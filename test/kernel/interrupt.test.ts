import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { BatchEvent, DoneEvent } from "../../src/training/events.js";
import { type CellResult, contentsOf, printed, runCells } from "./kernel.js";

describe("an interrupt of the kernel", function () {
  this.timeout(600_000);
  let dir: string;
  let results: CellResult[];

  before(async () => {
    dir = await mkdtemp(path.join(os.tmpdir(), "ferkit-interrupt-"));
    const prepare = `
      import * as ferkit from "./src/index.js";
      import { drawSyntheticFaces } from "./src/cartoons/draw.js";
      const faces = ${JSON.stringify(path.join(dir, "faces"))};
      const imagesPerClass = { train: 40, validation: 2 };
      await drawSyntheticFaces(faces, { seed: 0, imageSize: 33, imagesPerClass });
      const dataset = await ferkit.loadDataset({ data: faces, imageSize: 33 });
      const config = ferkit.trainConfig("baseline", { weights: "random", imageSize: 33, batchSize: 7, epochs: 500 });`;
    const training = `
      const { signal, release } = ferkit.interruptSignal();
      const runDir = ${JSON.stringify(path.join(dir, "run"))};
      for await (const event of ferkit.train(dataset, config, { runDir, data: "faces", signal })) {
        if (event.type === "batch") console.log("batch", event.step);
      }
      release();`;
    results = await runCells("tslab", [
      prepare,
      { code: training, interruptAt: "batch 3\n" },
      // Node.js loses an interrupt at the very end of a cell's synchronous part, so this one speaks after it.
      {
        code: 'await new Promise(setImmediate); console.log("waiting"); await new Promise(() => {});',
        interruptAt: "waiting",
      },
      'console.log("alive");',
    ]);
  });

  after(() => rm(dir, { recursive: true, force: true }));

  it("stops a training after the current batch and saves what it resumes from", async () => {
    assert.equal(results[0].status, "ok");
    assert.deepEqual(contentsOf(results[1], "error"), []);
    const log = await readFile(path.join(dir, "run/metrics.jsonl"), "utf8");
    const events = log
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as BatchEvent | DoneEvent);
    const done = events[events.length - 1];
    assert.ok(done.type === "done" && done.reason === "interrupted");
    // Of 40 batches an epoch: three, and those that ran while the signal was under way.
    const numBatches = printed(results[1]).trim().split("\n").length;
    assert.ok(numBatches >= 3 && numBatches < 40, `${numBatches} batches`);
    assert.ok((await readdir(path.join(dir, "run/last"))).includes("state.json"));
  });

  it("abandons a cell that does not listen, with an error", () => {
    const [{ evalue }] = contentsOf(results[2], "error");
    assert.equal(evalue, "The cell was stopped.");
  });

  it("leaves the kernel alive", () => {
    assert.equal(printed(results[3]), "alive\n");
  });
});
