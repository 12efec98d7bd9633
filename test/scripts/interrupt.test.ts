import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { drawClassFolders, environment, launcher, workspace } from "../workspace.js";

describe("ferkit train, interrupted", function () {
  this.timeout(120_000);
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
      /^interrupted( in epoch \d+, after batch \d of \d)?: best validation accuracy .*; the same command resumes there$/m,
    );
    assert.ok(stderr.endsWith(`report: ${report}\n`), stderr);
    assert.match(
      readFileSync(report, "utf8"),
      /of 1000<\/dd><dd class="note">interrupted( in epoch \d+, after batch \d of \d)?</,
    );
  });
});
