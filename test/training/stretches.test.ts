import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { environment } from "../../src/environment.js";
import { loadSessions, recordSession, type Session } from "../../src/training/run-folder.js";
import { train } from "../../src/training/train.js";
import { collect, config, dataset, runFolder } from "./fixtures.js";

const AT = "2026-01-02T03:04:05.678Z";

/** A part of a run, from an epoch on. */
function stretch(epoch: number, started = AT): Session {
  const versions = { ferkit: "0.1.0", node: "20.20.2", tfjs: "4.22.0", tensorflow: "2.21.0" };
  const machine = { cpu: "AMD EPYC", cores: 2, memoryGiB: 24 };
  return { epoch, started, versions, commit: null, machine, device: "CPU", kernels: "avx2" };
}

describe("recordStretch", () => {
  const run = runFolder();

  it("adds to what was noted of the epochs before, and replaces what is done again", async () => {
    for (const one of [stretch(1), stretch(3), stretch(5, "lost"), stretch(5), stretch(7)])
      await recordSession(run.dir, one);
    assert.deepEqual(await loadSessions(run.dir), [stretch(1), stretch(3), stretch(5), stretch(7)]);
  });

  it("begins anew in place of a file that cannot be read", async () => {
    writeFileSync(path.join(run.dir, "environment.json"), "[{");
    assert.deepEqual(await loadSessions(run.dir), []);
    await recordSession(run.dir, stretch(2));
    assert.deepEqual(await loadSessions(run.dir), [stretch(2)]);
  });
});

describe("train", function () {
  this.timeout(120_000);
  const run = runFolder();
  const noted = async () => (await loadSessions(run.dir)).map(({ epoch }) => epoch);

  it("notes what each part of a run was done on", async () => {
    const before = new Date().toISOString();
    for await (const event of train(dataset, config(), { runDir: run.dir, data: "stripes" }))
      if (event.type === "batch" && event.epoch === 2) break; // as a kill in the second epoch
    await collect(run.dir);
    assert.deepEqual(await noted(), [1, 2]);
    const [{ epoch, started, ...rest }] = await loadSessions(run.dir);
    assert.ok(started >= before && started <= new Date().toISOString(), started);
    assert.deepEqual(rest, await environment());
    await collect(run.dir); // there is nothing to do
    assert.deepEqual(await noted(), [1, 2]);
  });

  it("goes on with a run that was begun elsewhere, or whose notes are broken", async () => {
    for await (const event of train(dataset, config(), { runDir: run.dir, data: "stripes" }))
      if (event.type === "batch" && event.epoch === 2) break;
    const file = path.join(run.dir, "environment.json");
    writeFileSync(file, readFileSync(file, "utf8").replace(/"cpu": ".*"/, '"cpu": "another"'));
    await collect(run.dir);
    assert.deepEqual(await noted(), [1, 2]);
    writeFileSync(file, "broken");
    await collect(run.dir);
    assert.deepEqual(await noted(), []);
  });
});
