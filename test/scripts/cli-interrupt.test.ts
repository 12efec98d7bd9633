import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { drawClassFolders, environment, launcher } from "./fixtures.js";

describe("ferkit train, interrupted", function () {
  this.timeout(120_000);
  let dir: string;
  beforeEach(async () => {
    dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-interrupt-"));
    await drawClassFolders(path.join(dir, "images"), 3);
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("keeps what it has, and reports on it", async () => {
    const values = ["weights=random", "epochs=1000", "imageSize=33", "batchSize=4"];
    const set = values.flatMap((value) => ["--set", value]);
    const args = [launcher, "train", "--data", "images", "--run", "run", "--json", ...set];
    const child = spawn(process.execPath, args, { cwd: dir, env: environment(dir) });
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
    const report = path.join(dir, "run/report.html");
    assert.match(stderr, /^interrupted: best validation accuracy /m);
    assert.ok(stderr.endsWith(`report: ${report}\n`), stderr);
    assert.match(readFileSync(report, "utf8"), /of 1000<\/dd><dd class="note">interrupted</);
  });
});
