import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { recordRun } from "../../src/training/run-record.js";
import { loadRun, summarizeRun } from "../../src/training/runs.js";
import { runFolder } from "./fixtures.js";
import { runConfig, runEvents, writeRun } from "./recorded-runs.js";

describe("recordRun", () => {
  const root = runFolder();
  const at = (name: string) => path.join(root.dir, name);
  const environment = [{ epoch: 1, started: "2026-01-02T03:04:05Z" }];

  it("copies all that a run is listed by, without batches and without paths of this computer", async () => {
    writeRun(at("run"), { events: runEvents([0.25, 0.5], "interrupted"), environment });
    const run = await loadRun(at("run"));
    await recordRun(run, at("kept/mine"));
    const kept = await loadRun(at("kept/mine"));
    assert.deepEqual(summarizeRun(kept), summarizeRun(run));
    assert.deepEqual(kept.epochs, run.epochs);
    assert.deepEqual(kept.stretches, run.stretches);
    assert.deepEqual(readdirSync(at("kept/mine")).sort(), [
      "config.json",
      "environment.json",
      "metrics.jsonl",
    ]);
    for (const name of readdirSync(at("kept/mine")))
      assert.doesNotMatch(readFileSync(path.join(at("kept/mine"), name), "utf8"), /\/my\/|"batch"/);
  });

  it("replaces an earlier copy of the same run, and refuses the place of another", async () => {
    writeRun(at("run"), { events: runEvents([0.25]) });
    await recordRun(await loadRun(at("run")), at("kept"));
    writeRun(at("run"), { events: runEvents([0.25, 0.5], "completed") });
    await recordRun(await loadRun(at("run")), at("kept"));
    assert.equal((await loadRun(at("kept"))).epochs.length, 2);
    writeRun(at("other"), { config: runConfig({ seed: 1 }), events: runEvents([0.75]) });
    await assert.rejects(recordRun(await loadRun(at("other")), at("kept")), {
      name: "InputError",
      message: `Expected no run but ${at("other")} at ${at("kept")} but found one of another configuration. Rename one of them, or remove the earlier record.`,
    });
    assert.equal((await loadRun(at("kept"))).epochs.length, 2);
  });
});
