import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { lockRun } from "../../src/training/lock.js";
import { train } from "../../src/training/train.js";
import { config, dataset, runFolder } from "./fixtures.js";

describe("lockRun", function () {
  this.timeout(60_000);
  const run = runFolder();
  const file = () => path.join(run.dir, "lock");

  it("refuses a second lock, with the process that holds the first", () => {
    const lock = lockRun(run.dir);
    assert.ok(lock.isHeld);
    const { pid, host, started } = JSON.parse(readFileSync(file(), "utf8"));
    assert.equal(pid, process.pid);
    assert.throws(() => lockRun(run.dir), {
      name: "InputError",
      message: `Expected a run that nothing else trains at ${run.dir} but found this process, ${pid} on ${host}, since ${started}. Choose another run folder, or restart the kernel first.`,
    });
    lock.release();
    lockRun(run.dir).release();
  });

  it("is free again when the process that held it was killed", async () => {
    mkdirSync(run.dir, { recursive: true });
    const args = ["-x", file(), "sh", "-c", "echo held; exec sleep 60"];
    const holder = spawn("flock", args, { detached: true });
    const end = once(holder, "close"); // when all of its processes are gone
    await once(holder.stdout, "data");
    assert.throws(() => lockRun(run.dir), {
      name: "InputError",
      message: /but found another process\. Choose/,
    });
    process.kill(-(holder.pid as number), "SIGKILL"); // the program and what it started
    await end;
    lockRun(run.dir).release();
  });

  it("is held while a run trains, and released when the training is left", async () => {
    const runDir = path.join(run.dir, "run");
    const events = train(dataset, config(), { runDir, data: "stripes" });
    await events.next();
    assert.ok(existsSync(path.join(runDir, "lock")));
    assert.throws(() => lockRun(runDir), { name: "InputError" });
    await events.return();
    lockRun(runDir).release();
  });
});
