import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { runConfig, runEvents, writeRun } from "../training/recorded-runs.js";
import { environment, launcher, runFerkit } from "./fixtures.js";

describe("ferkit runs", function () {
  this.timeout(60_000);
  let dir: string;
  const runs = (...args: string[]) => runFerkit(["runs", ...args], dir);

  before(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-runs-"));
    const at = (name: string) => path.join(dir, "runs", name);
    writeRun(at("worse"), { events: runEvents([0.25, 0.5], "completed") });
    writeRun(at("sweep/better"), { config: runConfig({ seed: 7 }), events: runEvents([0.75]) });
    writeRun(at("new"), {});
    writeRun(at("broken"), { config: null });
    mkdirSync(path.join(dir, "empty"));
  });
  after(() => rmSync(dir, { recursive: true }));

  it("lists those in runs/, the best first, and passes over what is broken", () => {
    const { status, stdout, stderr } = runs();
    assert.equal(status, 0);
    assert.deepEqual(
      stdout.split("\n").map((line) => line.split(" ")[0]),
      ["run", "sweep/better", "worse", "new", ""],
    );
    const broken = path.join(dir, "runs/broken");
    assert.equal(stderr, `passed over ${broken}: expected the config.json of a run, found none\n`);
  });

  it("starts without the engine, which takes a second and says so", () => {
    const { stdout, stderr } = spawnSync(process.execPath, [launcher, "runs", "runs/worse"], {
      cwd: dir,
      env: environment(dir),
      encoding: "utf8",
    });
    assert.match(stdout, /^worse /m);
    assert.equal(stderr, "");
  });

  it("prints a line of JSON for each, with configuration and environment", () => {
    const lines = runs("--json", "runs/sweep", "runs/worse").stdout.trim().split("\n");
    const [better, worse] = lines.map((line) => JSON.parse(line));
    assert.deepEqual([better.name, better.bestAccuracy, better.state], ["better", 0.75, "interrupted"]);
    assert.deepEqual([worse.name, worse.durationMs, worse.environment], ["worse", 120_000, []]);
    assert.deepEqual(better.config, JSON.parse(JSON.stringify(runConfig({ seed: 7 }))));
    assert.equal(worse.folder, path.join(dir, "runs/worse"));
  });

  it("ends without a word when nobody reads its output any more", async () => {
    const child = spawn(process.execPath, [launcher, "runs", "--json"], { cwd: dir, env: environment(dir) });
    child.stdout.destroy();
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    const status = await new Promise((resolve) => child.on("close", resolve));
    assert.equal(status, 141, stderr);
    assert.doesNotMatch(stderr, /EPIPE/);
  });

  it("shows in which values the configurations differ", () => {
    const { stdout } = runs("--diff", "runs/sweep", "runs/worse");
    assert.match(stdout, /\n\ndiffers {2}better {2}worse\nseed {10}7 {6}0\n$/);
    assert.match(runs("--diff", "runs/worse").stdout, /\n\nThe configurations do not differ\.\n$/);
  });

  it("draws them, with the data set in the title", () => {
    assert.equal(runs("--chart", "runs.svg").status, 0);
    const svg = readFileSync(path.join(dir, "runs.svg"), "utf8");
    for (const text of ["Runs on faces", "75.0% sweep/better", "50.0% worse"])
      assert.ok(svg.includes(`>${text}<`), text);
  });

  it("keeps a record of them, which it lists like the runs themselves", () => {
    assert.equal(runs("--record", "kept").status, 0);
    assert.equal(existsSync(path.join(dir, "kept/sweep/better/metrics.jsonl")), true);
    assert.equal(runs("kept").stdout, runs().stdout);
  });

  it("says so when there are none", () => {
    assert.deepEqual(runs("empty"), {
      status: 0,
      stdout: "",
      stderr: "no runs in there; `npx ferkit train` makes one\n",
    });
    const { status, stderr } = runs("nowhere");
    assert.equal(status, 1);
    assert.match(stderr, /^ferkit: Expected a folder of runs at \S+\/nowhere but found no such path\. /);
  });
});
