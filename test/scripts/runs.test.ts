import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { closeSync, cpSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { runConfig, runEvents, writeRun } from "../training/recorded-runs.js";
import { environment, launcher, runProgram, workspace } from "../workspace.js";

describe("ferkit runs", function () {
  this.timeout(600_000);
  const folder = workspace("suite");
  const runs = (...args: string[]) => folder.ferkit("runs", ...args);

  before("writes runs", () => {
    const at = (name: string) => folder.file("runs", name);
    const withoutBatches = runEvents([0.25, 0.5], "completed").filter(({ type }) => type !== "batch");
    writeRun(at("worse"), { events: withoutBatches });
    writeRun(at("sweep/better"), { config: runConfig({ seed: 7 }), events: runEvents([0.75]) });
    writeRun(at("new"), {});
    writeRun(at("broken"), { config: null });
    mkdirSync(folder.file("empty"));
  });

  it("lists those in runs/, the best first, passes over what is broken, and says what is damaged", async () => {
    const { status, stdout, stderr } = await runs();
    assert.equal(status, 0);
    assert.deepEqual(
      stdout.split("\n").map((line) => line.split(" ")[0]),
      ["run", "sweep/better", "worse", "new", ""],
    );
    const [broken, better] = ["runs/broken", "runs/sweep/better"].map((name) => folder.file(name));
    assert.deepEqual(stderr.split("\n"), [
      `passed over ${broken}: expected the config.json of a run, found none`,
      `damaged ${better}: best/ should hold the model of epoch 1, but holds none`,
      `damaged ${better}: last/ should hold the state that the run resumes from, but holds none`,
      "",
    ]);
  });

  it("starts without the engine, which takes a second and prints notices", async () => {
    const { stdout, stderr } = runProgram(process.execPath, [launcher, "runs", "runs/worse"], folder.path);
    assert.match(stdout, /^worse /m);
    assert.equal(stderr, "");
  });

  it("prints a line of JSON for each, with configuration and environment", async () => {
    const lines = (await runs("--json", "runs/sweep", "runs/worse")).stdout.trim().split("\n");
    const [better, worse] = lines.map((line) => JSON.parse(line));
    assert.deepEqual([better.name, better.bestAccuracy, better.state], ["better", 0.75, "interrupted"]);
    assert.deepEqual([worse.name, worse.durationMs, worse.environment], ["worse", 120_000, []]);
    assert.deepEqual(better.config, JSON.parse(JSON.stringify(runConfig({ seed: 7 }))));
    assert.equal(worse.folder, folder.file("runs/worse"));
  });

  it("records no run over itself, which would lose its batches", async () => {
    const before = readFileSync(folder.file("runs/worse/metrics.jsonl"), "utf8");
    const { status, stderr } = await runs("runs/worse", "--record", "runs");
    assert.deepEqual([status, readFileSync(folder.file("runs/worse/metrics.jsonl"), "utf8")], [1, before]);
    assert.equal(
      stderr,
      `ferkit: Expected a path that is no input for --record but found ${folder.file("runs/worse")}. Choose another name, so that the input is kept.\n`,
    );
  });

  it("records no run below a file", async () => {
    const { status, stderr } = await runs("runs/worse", "--record", "runs/worse/config.json");
    const [where, file] = ["runs/worse/config.json/worse", "runs/worse/config.json"].map((name) =>
      folder.file(name),
    );
    const message = `Expected a path in a folder for --record at ${where} but found that ${file} is a file. Choose another path.`;
    assert.deepEqual([status, stderr], [1, `ferkit: ${message}\n`]);
  });

  it("ends quietly when nobody reads its output any more", async () => {
    const child = spawn(process.execPath, [launcher, "runs", "--json"], {
      cwd: folder.path,
      env: environment(folder.path),
    });
    child.stdout.destroy();
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    const status = await new Promise((resolve) => child.on("close", resolve));
    assert.equal(status, 141, stderr);
    assert.doesNotMatch(stderr, /EPIPE/);
  });

  it("says that its output goes to a full disk", async () => {
    const full = openSync("/dev/full", "w");
    const { status, stderr } = spawnSync(process.execPath, [launcher, "runs", "--json", "runs/worse"], {
      cwd: folder.path,
      env: environment(folder.path),
      stdio: ["ignore", full, "pipe"],
      encoding: "utf8",
    });
    closeSync(full);
    const message =
      "ferkit: Expected to write at standard output but found a full disk. Make room, or choose another place for the output.\n";
    assert.deepEqual([status, stderr], [1, message]);
  });

  it("says that the working folder was removed", () => {
    const script = `mkdir gone && cd gone && rmdir ../gone && exec "${process.execPath}" "${launcher}" runs`;
    const { status, stderr } = spawnSync("sh", ["-c", script], {
      cwd: folder.path,
      env: environment(folder.path),
      encoding: "utf8",
    });
    const message =
      "ferkit: Expected a working folder but found that it was removed. Run ferkit from another folder.\n";
    assert.deepEqual([status, stderr], [1, message]);
  });

  it("shows in which values the configurations differ", async () => {
    const { stdout } = await runs("--diff", "runs/sweep", "runs/worse");
    assert.match(stdout, /\n\ndiffers {2}better {2}worse\nseed {10}7 {6}0\n$/);
    assert.match((await runs("--diff", "runs/worse")).stdout, /\n\nThe configurations do not differ\.\n$/);
  });

  it("prints the mean over ended runs that differ only in their seed", async () => {
    for (const [seed, accuracy] of [0.7, 0.72, 0.77].entries())
      writeRun(folder.file("seeds", `seed-${seed}`), {
        config: { ...runConfig({ seed }), dataDigest: `${seed}` },
        events: runEvents([accuracy], "completed"),
      });
    writeRun(folder.file("seeds/other"), {
      config: runConfig({ epochs: 5 }),
      events: runEvents([0.5], "completed"),
    });
    writeRun(folder.file("seeds/stopped"), { config: runConfig({ seed: 3 }), events: runEvents([0.1]) });
    const [heading, mean, other, ...rest] = (await runs("--mean", "seeds")).stdout.split("\n");
    assert.match(heading, /^runs +data +network +pixels +seeds +accuracy +macro-F1$/);
    // deviations −3, −1 and 4: √(26 / 2) = 3.6
    assert.match(mean, /^seed-0, seed-1, seed-2 +faces +lite0 +48 +0, 1, 2 +73\.0% ± 3\.6% /);
    assert.match(other, /^other +faces +lite0 +48 +0 +50\.0% /);
    assert.deepEqual(rest, [""]);
    const [first] = (await runs("--mean", "--json", "seeds")).stdout.split("\n");
    assert.deepEqual(JSON.parse(first).seeds, [0, 1, 2]);
    assert.equal((await runs("--mean", "seeds/stopped")).stdout, "No run has ended.\n");
  });

  it("averages no runs on other images, and counts a copy of a run once", async () => {
    const at = (name: string) => folder.file("copies", name);
    const environment = [{ epoch: 1, started: "2026-01-02T03:04:05Z" }];
    const write = (name: string, seed: number, imagesDigest: string, accuracy: number) =>
      writeRun(at(name), {
        config: { ...runConfig({ seed }), dataDigest: `${imagesDigest}${seed}`, imagesDigest },
        events: runEvents([accuracy], "completed"),
        environment,
      });
    write("a0", 0, "aaaaaaaa", 0.7);
    write("a1", 1, "aaaaaaaa", 0.8);
    write("b0", 0, "bbbbbbbb", 0.5);
    write("b1", 1, "bbbbbbbb", 0.5);
    cpSync(at("a0"), at("a0-copy"), { recursive: true });
    const { stdout, stderr } = await runs("--mean", "copies");
    const [, a, b, ...rest] = stdout.split("\n");
    assert.match(a, /^a0, a1 +faces \(aaaaaa\) .* 75\.0% ± 7\.1% /); // deviations ±5: √(50 / 1) = 7.1
    assert.match(b, /^b0, b1 +faces \(bbbbbb\) .* 50\.0% ± 0\.0% /);
    assert.deepEqual(rest, [""]);
    assert.match(stderr, /^note: a0-copy is left out: it is a0 again, with the same seed 0$/m);
    const listed = (await runs("copies")).stdout
      .split("\n")
      .map((line) => line.split(/ {2,}/).slice(0, 2).join(" "));
    assert.deepEqual(listed.slice(1, 6), [
      "a1 faces (aaaaaa)",
      "a0 faces (aaaaaa)",
      "a0-copy faces (aaaaaa)",
      "b0 faces (bbbbbb)",
      "b1 faces (bbbbbb)",
    ]);
  });

  it("lists runs by data set, and those that validate on a fold after the others", async () => {
    const write = (name: string, data: string, accuracy: number, fold?: string) =>
      writeRun(folder.file("mixed", name), {
        config: { ...runConfig(), data, ...(fold && { dataOptions: { fold } }) },
        events: runEvents([accuracy], "completed"),
      });
    write("pets", "/my/pets", 0.9);
    write("faces", "/my/faces", 0.6);
    write("labels/fold-1-of-5", "/my/faces", 1, "1/5");
    const { stdout } = await runs("mixed");
    const rows = stdout.split("\n").map((line) => line.trim().split(/ {2,}/).slice(0, 6));
    assert.deepEqual(rows.slice(0, 4), [
      ["run", "data", "network", "pixels", "seed", "fold"],
      ["faces", "faces", "lite0", "48", "0", "1/3"], // without a fold, the next cell is that of the epochs
      ["labels/fold-1-of-5", "faces", "lite0", "48", "0", "1/5"],
      ["pets", "pets", "lite0", "48", "0", "1/3"],
    ]);
  });

  it("names runs of the same name by their paths", async () => {
    for (const parent of ["x", "y"])
      writeRun(folder.file("same", parent, "r"), { events: runEvents([0.5], "completed") });
    const { stdout } = await runs("same/x", "same/y", "--chart", "same.svg");
    assert.deepEqual(
      stdout.split("\n").map((line) => line.split(" ")[0]),
      ["run", "same/x/r", "same/y/r", ""],
    );
    const svg = readFileSync(folder.file("same.svg"), "utf8");
    for (const name of ["same/x/r", "same/y/r"]) assert.ok(svg.includes(`>50.0% ${name}<`), name);
  });

  it("draws them, with the data set in the title", async () => {
    const { status, stderr } = await runs("--chart", "runs.svg");
    assert.equal(status, 0);
    assert.ok(stderr.endsWith(`\nwrote ${folder.file("runs.svg")}\n`), stderr);
    const svg = readFileSync(folder.file("runs.svg"), "utf8");
    for (const text of ["Runs on faces", "75.0% sweep/better", "50.0% worse"])
      assert.ok(svg.includes(`>${text}<`), text);
  });

  it("keeps a record of them, which it lists like the runs themselves", async () => {
    const { status, stderr } = await runs("--record", "kept");
    assert.equal(status, 0);
    assert.ok(stderr.split("\n").includes(`wrote ${folder.file("kept/sweep/better")}`), stderr);
    assert.equal(existsSync(folder.file("kept/sweep/better/metrics.jsonl")), true);
    assert.equal((await runs("kept")).stdout, (await runs()).stdout);
  });

  it("says so when there are none", async () => {
    assert.deepEqual(await runs("empty"), {
      status: 0,
      stdout: "",
      stderr: "found no runs; `npx ferkit train` makes one\n",
    });
    const { status, stderr } = await runs("nowhere");
    assert.equal(status, 1);
    assert.match(stderr, /^ferkit: Expected a folder of runs at \S+\/nowhere but found no such path\. /);
  });
});
