import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { drawClassFolders, environment, launcher, workspace } from "../workspace.js";

describe("ferkit train, interrupted", function () {
  this.timeout(600_000);
  const folder = workspace();

  it("keeps what it has, and reports on it", async () => {
    await drawClassFolders(folder.file("images"), 3);
    const values = ["weights=random", "epochs=1000", "imageSize=33", "batchSize=4"];
    const set = values.flatMap((value) => ["--set", value]);
    const args = [launcher, "train", "--data", "images", "--run", "run", "--json", ...set];
    const child = spawn(process.execPath, args, { cwd: folder.path, env: environment(folder.path) });
    let [stdout, stderr] = ["", ""];
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.stdout.on("data", (chunk) => {
      if (!stdout) child.kill("SIGINT"); // after the first epoch
      stdout += chunk;
    });
    const status = await new Promise((resolve) => child.on("close", resolve));
    assert.equal(status, 130, stderr);
    const report = folder.file("run/report.html");
    assert.match(
      stderr,
      /^interrupted( in epoch \d+, after batch \d of \d)?: the best model so far by validation accuracy is of epoch \d+, kept in .*; the same command resumes there$/m,
    );
    assert.ok(stderr.endsWith(`report: ${report}\n`), stderr);
    assert.match(
      readFileSync(report, "utf8"),
      /of 1000<\/dd><dd class="note">interrupted( in epoch \d+, after batch \d of \d)?</,
    );
  });

  for (const name of ["SIGTERM", "SIGHUP"] as const)
    it(`says in the first epoch what is kept and how to resume after ${name}`, async () => {
      await drawClassFolders(folder.file("images"), 40);
      const values = ["weights=random", "epochs=2", "imageSize=33", "batchSize=1"];
      const args = [
        "train",
        "--data",
        "images",
        "--run",
        "run",
        ...values.flatMap((value) => ["--set", value]),
      ];
      const child = spawn(process.execPath, [launcher, ...args], {
        cwd: folder.path,
        env: environment(folder.path),
      });
      let stderr = "";
      child.stderr.on("data", (chunk) => {
        stderr += chunk;
      });
      const begun = setInterval(() => {
        if (!existsSync(folder.file("run/environment.json"))) return; // written before the first batch
        clearInterval(begun);
        child.kill(name);
      }, 20);
      const status = await new Promise((resolve) => child.on("close", resolve));
      clearInterval(begun);
      assert.equal(status, 130, stderr);
      assert.match(
        stderr,
        /^note: stopping after this batch, where the same command resumes; a second signal/m,
      );
      assert.match(
        stderr,
        /^interrupted in epoch 1, after batch \d+ of \d+: no epoch has ended, so there is no model yet; the same command resumes there$/m,
      );
      assert.ok(readdirSync(folder.file("run/last")).includes("state.json"));
    });

  it("says what is kept if the signal comes while it loads images", async () => {
    await drawClassFolders(folder.file("images"), 40);
    const args = [launcher, "train", "--data", "images", "--run", "run", "--set", "weights=random"];
    const child = spawn(process.execPath, args, { cwd: folder.path, env: environment(folder.path) });
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    const begun = setInterval(() => {
      if (!existsSync(folder.file("cache/ferkit/pixels"))) return; // images are being decoded
      clearInterval(begun);
      child.kill("SIGTERM");
    }, 1);
    const status = await new Promise((resolve) => child.on("close", resolve));
    clearInterval(begun);
    assert.equal(status, 130, stderr);
    // The training may have begun by then on a fast machine.
    assert.match(
      stderr,
      /^interrupted (before the training: nothing is trained yet; the same command starts again|in epoch 1, .*)$/m,
    );
  });
});
