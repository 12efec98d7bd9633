import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gather } from "../../src/data/batches.js";
import { tf } from "../../src/engine/tf.js";
import { loadCheckpoint, restore, saveCheckpoint } from "../../src/training/checkpoint.js";
import { trainBatch } from "../../src/training/epoch.js";
import type { RunConfig } from "../../src/training/run-config.js";
import { buildTrainState, disposeTrainState, type TrainState } from "../../src/training/step.js";
import { config, runFolder, stripes } from "./fixtures.js";

const RUN: RunConfig = {
  train: config(),
  classNames: ["across", "down"],
  data: "stripes",
  numImages: { train: 8, validation: 8 },
};

describe("a checkpoint", function () {
  this.timeout(600_000);
  const folder = runFolder();
  const at = (name: string) => path.join(folder.dir, name);
  const images = stripes(8, 0);
  const best = { epoch: 1, accuracy: 0.75, macroF1: 0.5, loss: 0.25, reached: 1 };
  const progress = { epoch: 1, step: 1, best };

  /** Runs `body` with a state of random weights. */
  async function withState(seed: number, body: (state: TrainState) => Promise<void>): Promise<void> {
    const state = await buildTrainState(config({ emaDecay: 0.9, seed }), images, ["across", "down"]);
    await body(state).finally(() => disposeTrainState(state));
  }
  /** Trains a step and saves the state. */
  const save = (runDir: string) =>
    withState(0, async (state) => {
      const batch = await gather(images, Int32Array.of(0, 1, 2, 3));
      tf.dispose(Object.values(trainBatch(state, batch, 1)));
      await saveCheckpoint(runDir, progress, state, RUN);
    });
  /** Restores another state and saves it again. */
  const copy = (from: string, to: string) =>
    withState(1, async (state) => {
      const checkpoint = await loadCheckpoint(from);
      assert.ok(checkpoint);
      restore(state, checkpoint);
      await saveCheckpoint(to, checkpoint.progress, state, RUN);
    });
  const stateFile = (runDir: string) => path.join(runDir, "last/state.json");
  const json = (runDir: string) => JSON.parse(readFileSync(stateFile(runDir), "utf8"));

  it("restores weights, moments, EMA and their number of updates", async () => {
    await save(at("first"));
    await copy(at("first"), at("second"));
    assert.deepEqual(json(at("second")), json(at("first"))); // the file of values is named by its content
    assert.equal(json(at("first")).progress.emaUpdates, 1);
  });

  it("is read under the names of version 0.1", async () => {
    await save(at("first"));
    const today = readFileSync(stateFile(at("first")), "utf8");
    const then = today
      .replaceAll('"ema/', '"average/')
      .replace("emaUpdates", "averageUpdates")
      .replace(JSON.stringify({ best }).slice(1, -1), '"bestEpoch":1,"bestAccuracy":0.75');
    assert.match(then, /average\/.*averageUpdates|averageUpdates.*average\//);
    writeFileSync(stateFile(at("first")), then);
    const checkpoint = await loadCheckpoint(at("first"));
    assert.deepEqual(checkpoint?.progress.best, {
      epoch: 1,
      accuracy: 0.75,
      macroF1: 0,
      loss: Number.MAX_VALUE,
      reached: 1,
    });
    await copy(at("first"), at("second"));
    const { manifest, progress: copied } = json(at("second"));
    assert.deepEqual(manifest, JSON.parse(today).manifest);
    assert.equal(copied.emaUpdates, 1);
  });

  describe("that is broken", () => {
    const refused = (
      found: string,
      where = "last/state.json",
      expected = "the state that a run resumes from",
    ) => ({
      name: "InputError",
      message:
        `Expected ${expected} at ${path.join(at("run"), where)} but found ${found}. Choose another run folder (--run) to train ` +
        `from scratch; the best model so far is kept in ${path.join(at("run"), "best")}.`,
    });
    const edit = (change: (state: ReturnType<typeof json>) => void) => {
      const state = json(at("run"));
      change(state);
      writeFileSync(stateFile(at("run")), JSON.stringify(state));
    };
    const weightsFile = () => readdirSync(at("run/last")).find((name) => name.endsWith(".bin")) as string;

    beforeEach(async () => {
      await save(at("run"));
      mkdirSync(at("run/best"));
      writeFileSync(at("run/best/model.json"), "{}");
    });

    it("is refused, and the best model is not to be removed", async () => {
      writeFileSync(stateFile(at("run")), "{");
      const end = "line 1, column 2: the end of the file instead of a name in double quotes";
      await assert.rejects(loadCheckpoint(at("run")), refused(`something other than JSON (${end})`));
      writeFileSync(stateFile(at("run")), '{"progress": {"epoch": 1}}');
      await assert.rejects(loadCheckpoint(at("run")), refused("no step in progress"));
      rmSync(at("run/best"), { recursive: true });
      const { message } = refused("no step in progress");
      const withoutBest = message.replace(/; the best model so far.*/, ".");
      await assert.rejects(loadCheckpoint(at("run")), { name: "InputError", message: withoutBest });
    });

    it("is refused with a step or an epoch out of range", async () => {
      edit(({ progress: found }) => {
        found.step = -1;
      });
      await assert.rejects(loadCheckpoint(at("run")), refused("progress.step, which should be >= 0"));
    });

    it("is refused with a flipped bit", async () => {
      const file = path.join(at("run/last"), weightsFile());
      const bytes = readFileSync(file);
      bytes[100] ^= 1;
      writeFileSync(file, bytes);
      await assert.rejects(
        loadCheckpoint(at("run")),
        refused("other bytes", `last/${weightsFile()}`, "the weights that the file's name is the digest of"),
      );
    });

    it("is refused with a missing, another or a surplus array, or NaN, before anything is copied", async () => {
      const name = "first/predictions/bias";
      const cases: [string, (checkpoint: NonNullable<Awaited<ReturnType<typeof loadCheckpoint>>>) => void][] =
        [
          [`no ${name}`, ({ values }) => values.delete(name)],
          [
            `${name} of shape [1] instead of [2]`,
            ({ values }) => values.set(name, { shape: [1], data: new Float32Array(1) }),
          ],
          [
            "model/odd, which the network does not have",
            ({ values }) => values.set("model/odd", { shape: [1], data: new Float32Array(1) }),
          ],
          [`NaN or infinity in ${name}`, ({ values }) => values.get(name)?.data.fill(Number.NaN)],
        ];
      await withState(1, async (state) => {
        const before = await state.network.parameters();
        for (const [found, change] of cases) {
          const checkpoint = await loadCheckpoint(at("run"));
          assert.ok(checkpoint);
          change(checkpoint);
          assert.throws(() => restore(state, checkpoint), refused(found, "last"));
        }
        assert.deepEqual(await state.network.parameters(), before);
      });
    });
  });

  it("is null before the first epoch has ended", async () => {
    assert.equal(await loadCheckpoint(at("none")), null);
  });
});
