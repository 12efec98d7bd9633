import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { lockRun } from "../../src/training/lock.js";
import { train } from "../../src/training/train.js";
import { projectDir, runProgram } from "../workspace.js";
import { config, dataset, runFolder } from "./fixtures.js";

describe("lockRun", function () {
  this.timeout(600_000);
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

  it("takes what a process that was killed left, and no file of another program", () => {
    for (const left of ["", '{"pi', '{"pid":1,"host":"a","sta']) {
      writeFileSync(file(), left);
      lockRun(run.dir).release();
    }
    writeFileSync(file(), "mine");
    assert.throws(() => lockRun(run.dir), {
      name: "InputError",
      message: `Expected a file that locks the run at ${file()} but found another one, which it would replace. Rename it, or choose another run folder (--run).`,
    });
    assert.equal(readFileSync(file(), "utf8"), "mine");
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

  it("refuses a second process, which is told who holds the lock, since when", async () => {
    const lock = lockRun(run.dir);
    const { pid, host, started } = JSON.parse(readFileSync(file(), "utf8"));
    const program = `require("tsx/cjs");
      const { lockRun } = require(${JSON.stringify(path.join(projectDir, "src/training/lock.ts"))});
      try { lockRun(${JSON.stringify(run.dir)}); } catch (error) { console.log(error.message); }`;
    const { stdout } = runProgram(process.execPath, ["-e", program], projectDir);
    assert.equal(
      stdout,
      `Expected a run that nothing else trains at ${run.dir} but found process ${pid} on ${host}, since ${started}. Choose another run folder, or stop that process first.\n`,
    );
    lock.release();
  });

  it("notices that the folder was removed, renamed or replaced", () => {
    const runDir = path.join(run.dir, "run");
    const gone = "none: it was removed or renamed meanwhile";
    const changes: [() => void, string][] = [
      [() => rmSync(runDir, { recursive: true }), gone],
      [() => renameSync(runDir, path.join(run.dir, "renamed")), gone],
      [
        () => {
          renameSync(runDir, path.join(run.dir, "moved"));
          lockRun(runDir).release();
        },
        "another one in its place",
      ],
    ];
    for (const [change, found] of changes) {
      const lock = lockRun(runDir);
      lock.check();
      change();
      assert.throws(() => lock.check(), {
        name: "InputError",
        message: `Expected the folder of the run that trains at ${runDir} but found ${found}. Run the training again, with a folder that stays.`,
      });
      lock.release();
    }
  });

  for (const [kind, make] of [
    ["a folder", () => mkdirSync(file())],
    ["a named pipe", () => execFileSync("mkfifo", [file()])],
  ] as const)
    it(`refuses ${kind} in place of the lock`, () => {
      make();
      assert.throws(() => lockRun(run.dir), {
        name: "InputError",
        message: `Expected a file that locks the run at ${file()} but found ${kind}. Remove it, or choose another run folder (--run).`,
      });
    });

  it("ends a training whose folder vanishes, and makes no new one", async () => {
    const runDir = path.join(run.dir, "run");
    await assert.rejects(
      async () => {
        for await (const { type } of train(dataset, config(), { runDir, data: "stripes" }))
          if (type === "batch") rmSync(runDir, { recursive: true, force: true });
      },
      { name: "InputError", message: /^Expected the folder of the run that trains at / },
    );
    assert.deepEqual(readdirSync(run.dir), []);
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
