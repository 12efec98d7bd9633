import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { endInWords, ofType } from "../../src/training/events.js";
import { loadMetrics } from "../../src/training/run.js";
import { startClock } from "../../src/training/session.js";
import { collect, runFolder } from "./fixtures.js";

/** A time limit that is over after the first batch of each session. */
const ONE_BATCH = 1e-9;

describe("startClock", () => {
  const { now } = performance;
  afterEach(() => {
    performance.now = now;
  });

  it("is over after the given minutes, and never without a limit", () => {
    performance.now = () => 0;
    const [limited, unlimited] = [startClock(0.5), startClock(0)];
    performance.now = () => 29_999;
    assert.deepEqual([limited(), unlimited()], [false, false]);
    performance.now = () => 30_000;
    assert.deepEqual([limited(), unlimited()], [true, false]);
  });
});

describe("train with maxMinutes", function () {
  this.timeout(120_000);
  const run = runFolder();
  const weights = (dir: string) =>
    JSON.parse(readFileSync(path.join(dir, "last/state.json"), "utf8")).manifest.paths[0];

  it("ends within its first epoch, says so, and resumes to the same weights as without a limit", async () => {
    const options = { epochs: 2, emaDecay: 0.9 };
    const [whole, limited] = ["whole", "limited"].map((name) => path.join(run.dir, name));
    const expected = await collect(whole, options);
    const ends: string[] = [];
    for (let session = 1; session <= 9 && ends[ends.length - 1] !== "completed"; session++) {
      const [done] = ofType(await collect(limited, { ...options, maxMinutes: ONE_BATCH }), "done");
      ends.push(endInWords(done));
      assert.equal(done.maxMinutes, done.reason === "completed" ? undefined : ONE_BATCH);
      assert.equal(done.bestEpoch === null, session < 3); // three batches an epoch
    }
    const limit = `interrupted by the time limit of ${ONE_BATCH} minutes`;
    assert.deepEqual(ends, [
      `${limit} in epoch 1, after batch 1 of 3`,
      `${limit} in epoch 1, after batch 2 of 3`,
      limit, // after the epoch
      `${limit} in epoch 2, after batch 1 of 3`,
      `${limit} in epoch 2, after batch 2 of 3`,
      "completed",
    ]);
    assert.equal(weights(limited), weights(whole));
    const scores = ofType(await loadMetrics(limited), "epoch").map(({ validation }) => validation);
    assert.deepEqual(
      scores,
      ofType(expected, "epoch").map(({ validation }) => validation),
    );
  });

  it("says before the training what the limit means for the schedule", async () => {
    const notes = async (name: string, schedule: "cosine" | "constant") =>
      ofType(await collect(path.join(run.dir, name), { epochs: 1, maxMinutes: 5, schedule }), "note").map(
        ({ text }) => text,
      );
    const limit =
      "training stops after 5 minutes (maxMinutes) if it is not completed by then, and resumes when it is started again";
    assert.deepEqual(await notes("a", "constant"), [limit]);
    assert.deepEqual(await notes("b", "cosine"), [
      `${limit}; the learning rate falls as if there were no limit`,
    ]);
  });
});

describe("a run that resumes", function () {
  this.timeout(60_000);
  const run = runFolder();
  const at = (...names: string[]) => path.join(run.dir, ...names);
  const notes = async (epochs: number) =>
    ofType(await collect(run.dir, { epochs }), "note")
      .map(({ text }) => text)
      .filter((text) => /environment/.test(text));

  it("removes the temporary files that a killed process left, and no others", async () => {
    await collect(run.dir, { epochs: 1 });
    const left = [
      "config.json.0123abcd.tmp",
      "best/weights-1.bin.0123abcd.tmp",
      "last/state.json.0123abcd.tmp",
    ];
    for (const name of [...left, "own.tmp"]) writeFileSync(at(name), "x");
    await collect(run.dir, { epochs: 1 });
    for (const name of left) assert.ok(!existsSync(at(name)), name);
    assert.ok(existsSync(at("own.tmp")));
  });

  it("says how cores, instruction set and versions differ from those of its last session", async () => {
    await collect(run.dir, { epochs: 1 });
    assert.deepEqual(await notes(2), []);
    const [session] = JSON.parse(readFileSync(at("environment.json"), "utf8"));
    const { machine, kernels, versions } = session;
    const other = {
      ...session,
      machine: { ...machine, cores: 99 },
      kernels: "other",
      versions: { ...versions, tensorflow: "1.0" },
    };
    writeFileSync(at("environment.json"), JSON.stringify([other]));
    assert.deepEqual(await notes(3), [
      `the run resumes in another environment (cores 99 → ${machine.cores}, kernels other → ${kernels}, TensorFlow 1.0 → ${versions.tensorflow}), so its weights differ in their last bits from those of a run that stayed in one`,
    ]);
  });
});
