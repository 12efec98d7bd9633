import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import type { EndReason } from "../../src/training/events.js";
import { loadMetrics, logText } from "../../src/training/metrics-log.js";
import { loadRun, loadRuns, recordRun, summarizeRun } from "../../src/training/runs.js";
import { collect, runFolder } from "./fixtures.js";
import { runConfig, runEvents, writeRun } from "./recorded-runs.js";

describe("loadRuns", () => {
  const root = runFolder();
  const at = (name: string) => path.join(root.dir, name);

  it("finds runs in the folder, in those below, and the folder itself", async () => {
    for (const name of ["b", "a", "sweep/one", "sweep/two"]) writeRun(at(name), { events: runEvents([0.5]) });
    mkdirSync(at("a/best"));
    for (const name of [".hidden/run", "node_modules/run"]) writeRun(at(name), {});
    const { runs, broken } = await loadRuns(root.dir);
    assert.deepEqual(
      runs.map(({ folder }) => path.relative(root.dir, folder)),
      ["a", "b", "sweep/one", "sweep/two"],
    );
    assert.deepEqual(broken, []);
    const [only] = (await loadRuns(at("a"))).runs;
    assert.equal(only.folder, at("a"));
  });

  it("lists folders that look like a run but cannot be read, with the reason", async () => {
    writeRun(at("good"), {});
    writeRun(at("half"), { config: null, events: runEvents([0.5]) });
    writeRun(at("other"), { config: { name: "a package" } });
    writeRun(at("cut"), {});
    writeFileSync(at("cut/config.json"), '{"train": {"va');
    writeRun(at("odd"), {});
    writeFileSync(at("odd/metrics.jsonl"), '{"type":"epoch","epoch":1}\n');
    const { runs, broken } = await loadRuns(root.dir);
    assert.equal(runs.length, 1);
    assert.deepEqual(
      broken.map(({ folder, reason }) => [path.basename(folder), reason]),
      [
        [
          "cut",
          "expected the config.json of a run, found something other than JSON (line 1, column 12: a text without its closing quote)",
        ],
        ["half", "expected the config.json of a run, found none"],
        ["odd", "expected the events of a run in metrics.jsonl, found line 1: no durationMs"],
        ["other", "expected the config.json of a run, found no train"],
      ],
    );
  });

  it("passes over a run whose events or configuration are another run's", async () => {
    const [a, b] = ["a", "b"].map((id) => ({ ...runConfig(), id }));
    const events = runEvents([0.5]);
    const log = (id: string) => logText(id, events);
    for (const [name, config, text] of [
      ["good", a, log("a")],
      ["older", runConfig(), log("a")], // its configuration does not say
      ["other", b, log("a")],
      ["unnamed", b, logText(undefined, events)],
    ] as const) {
      writeRun(at(name), { config });
      writeFileSync(at(`${name}/metrics.jsonl`), text);
    }
    const { runs, broken } = await loadRuns(root.dir);
    assert.deepEqual(
      runs.map(({ folder, epochs }) => [path.basename(folder), epochs.length]),
      [
        ["good", 1],
        ["older", 1],
      ],
    );
    const reason = "expected the events of the run in config.json, found those of another run";
    assert.deepEqual(
      broken,
      ["other", "unnamed"].map((name) => ({ folder: at(name), reason })),
    );
    await assert.rejects(loadMetrics(at("other")), {
      name: "InputError",
      message: `Expected the events of the run in config.json at ${at("other/metrics.jsonl")} but found those of another run. Choose another run, or put the file back that was there.`,
    });
    assert.deepEqual(await loadMetrics(at("good")), events);
    await recordRun(runs[0], at("kept"));
    assert.equal((await loadRun(at("kept"))).epochs.length, 1);
  });

  it("reads the lines that version 0.2 wrote", async () => {
    const lines = [
      '{"type":"run","id":"0c376adf069b0c20"}',
      '{"type":"note","text":"each epoch leaves out 1 of 5 training images"}',
      '{"type":"batch","phase":"full","epoch":1,"batch":1,"numBatches":1,"numImages":4,"step":1,"loss":1.5,"accuracy":0.25,"learningRate":0.002,"imagesPerSecond":120.5}',
      '{"type":"epoch","phase":"full","epoch":1,"numEpochs":2,"step":1,"learningRate":0.002,"durationMs":130.2,"imagesPerSecond":120.5,"train":{"loss":1.5,"accuracy":0.25},"trainTargets":"smoothed labels","validation":{"loss":1.25,"accuracy":0.5,"macroF1":0.4,"perClassRecall":{"a":1,"b":null},"confusionMatrix":[[1,0],[0,0]]},"isBest":true,"numTensors":1538,"residentBytes":2788098048}',
      '{"type":"done","reason":"interrupted","bestEpoch":1,"bestAccuracy":0.5,"bestMacroF1":0.4,"bestLoss":1.25,"monitor":"accuracy","maxMinutes":5,"resumesAt":{"epoch":2,"batch":0,"numBatches":1},"runDir":"runs/a"}',
    ];
    writeRun(at("of-0.2"), { config: { ...runConfig(), id: "0c376adf069b0c20" } });
    writeFileSync(at("of-0.2/metrics.jsonl"), lines.map((line) => `${line}\n`).join(""));
    const events = lines.slice(1).map((line) => JSON.parse(line));
    assert.deepEqual(await loadMetrics(at("of-0.2")), events);
    const { epochs, state } = await loadRun(at("of-0.2"));
    assert.deepEqual({ epochs, state }, { epochs: [events[2]], state: "interrupted" });
  });

  it("passes over one run for each kind of odd line or file, and lists the others", async () => {
    writeRun(at("good"), { events: runEvents([0.5]) });
    const lines = [
      "null",
      "[]",
      "7",
      '"text"',
      "{}",
      '{"type":"epoch"}',
      "{broken",
      '{"type":"done","reason":"?"}',
    ];
    lines.forEach((line, i) => {
      writeRun(at(`line ${i}`), { events: runEvents([0.5]) });
      const file = at(`line ${i}/metrics.jsonl`);
      writeFileSync(file, `${line}\n${readFileSync(file, "utf8")}`);
    });
    for (const content of [
      "null",
      "[]",
      '{"train": null, "data": "a"}',
      `${"[".repeat(1e5)}${"]".repeat(1e5)}`,
    ]) {
      const name = `config ${content.slice(0, 20)}`;
      writeRun(at(name), {});
      writeFileSync(at(`${name}/config.json`), content);
    }
    writeRun(at("pipe"), { config: null });
    execFileSync("mkfifo", [at("pipe/config.json")]);
    for (const environment of [[null], [5], {}, [{ epoch: 0 }]])
      writeRun(at(`sessions ${JSON.stringify(environment)}`), { environment });
    const { runs, broken } = await loadRuns(root.dir);
    assert.deepEqual(
      runs.map(({ folder, sessions }) => [path.basename(folder), sessions]),
      [
        ["good", []],
        ["sessions [5]", []],
        ["sessions [null]", []],
        ['sessions [{"epoch":0}]', []],
        ["sessions {}", []],
      ],
    );
    assert.equal(broken.length, lines.length + 4 + 1);
    const reasonOf = (name: string) => broken.find(({ folder }) => folder === at(name))?.reason;
    assert.equal(reasonOf("line 6"), "expected the events of a run in metrics.jsonl, found line 1: no JSON");
    assert.equal(reasonOf("pipe"), "expected the config.json of a run, found a named pipe");
  });

  it("lists a run whose best model, state or sessions are missing, damaged or another's, with what is wrong", async function () {
    this.timeout(600_000);
    for (const seed of [1, 2]) await collect(at(`${seed}`), { seed, epochs: 1 });
    const problems = async () => (await loadRuns(at("1"))).runs[0].problems;
    assert.deepEqual(await problems(), []);
    const best = "best/ should hold the model of epoch 1, but holds";
    const [weights, values] = ["1/best", "1/last"].map(
      (dir) => `${dir}/${readdirSync(at(dir)).find((name) => name.endsWith(".bin"))}`,
    );
    const damaged = async (file: string, damage: () => void, expected: string[]) => {
      cpSync(at(file), at("kept"), { recursive: true });
      damage();
      assert.deepEqual(await problems(), expected);
      rmSync(at(file), { recursive: true, force: true });
      renameSync(at("kept"), at(file));
    };
    await damaged("1/best", () => rmSync(at("1/best"), { recursive: true }), [`${best} none`]);
    await damaged("1/best/model.json", () => rmSync(at("1/best/model.json")), [`${best} no model.json`]);
    await damaged("1/best/model.json", () => writeFileSync(at("1/best/model.json"), "{"), [
      `${best} a damaged one (expected a model saved by ferkit, found something other than JSON (line 1, column 2: the end of the file instead of a name in double quotes))`,
    ]);
    await damaged(weights, () => {
      const bytes = readFileSync(at(weights));
      bytes[5000] ^= 1;
      writeFileSync(at(weights), bytes);
    }, [
      `${best} a damaged one (expected the weights that the file's name is the digest of, found other bytes)`,
    ]);
    const replace = (name: string) => () => {
      rmSync(at(`1/${name}`), { recursive: true });
      cpSync(at(`2/${name}`), at(`1/${name}`), { recursive: true });
    };
    await damaged("1/best", replace("best"), [`${best} another model`]);
    await damaged("1/environment.json", replace("environment.json"), ["environment.json is of another run"]);
    await damaged("1/last/state.json", () => writeFileSync(at("1/last/state.json"), "{"), [
      "last/ should hold the state that a run resumes from, but holds something other than JSON (line 1, column 2: the end of the file instead of a name in double quotes)",
    ]);
    const { size } = statSync(at(values));
    await damaged(values, () => truncateSync(at(values), 99), [
      `last/ should hold ${size} bytes of weights, but holds 99`,
    ]);
    await recordRun(await loadRun(at("1")), at("copy"));
    assert.deepEqual((await loadRun(at("copy"))).problems, []);
  });

  it("follows links to runs, but not those that lead back", async () => {
    const [runs, elsewhere] = [at("runs"), at("elsewhere/kept")];
    writeRun(elsewhere, { events: runEvents([0.5]) });
    mkdirSync(runs);
    symlinkSync(elsewhere, path.join(runs, "kept"));
    symlinkSync(runs, path.join(runs, "back"));
    symlinkSync(path.join(runs, "none"), path.join(runs, "nothing"));
    const found = await loadRuns(runs);
    assert.deepEqual(
      [found.runs.map(({ folder: runDir }) => runDir), found.broken],
      [[path.join(runs, "kept")], []],
    );
    assert.equal((await loadRuns(path.join(runs, "kept"))).runs.length, 1);
  });

  it("is empty for a folder without runs, and refuses a missing one", async () => {
    assert.deepEqual(await loadRuns(root.dir), { runs: [], broken: [] });
    await assert.rejects(loadRuns(at("none")), {
      name: "InputError",
      message: `Expected a folder of runs at ${at("none")} but found no such path. Run \`npx ferkit train\` to make one, or choose another folder.`,
    });
  });
});

describe("summarizeRun", () => {
  const root = runFolder();
  const summary = async () => summarizeRun(await loadRun(root.dir));

  it("gives the best epoch, what it scored, and the time of all epochs", async () => {
    const environment = [{ epoch: 1, started: "2026-01-02T03:04:05Z" }, { epoch: 3 }];
    writeRun(root.dir, { events: runEvents([0.25, 0.75, 0.5], "completed"), environment });
    assert.deepEqual(await summary(), {
      data: "faces",
      variant: "lite0",
      imageSize: 48,
      seed: 0,
      fold: null,
      numEpochs: 3,
      epochs: 3,
      state: "completed",
      bestEpoch: 2,
      bestAccuracy: 0.75,
      macroF1: 0.5,
      durationMs: 180_000,
      started: "2026-01-02T03:04:05Z",
    });
  });

  it("has how the run ended; one without an end was interrupted", async () => {
    const stateAfter = async (...events: Parameters<typeof runEvents>) => {
      writeRun(root.dir, { config: runConfig(), events: runEvents(...events) });
      return (await summary()).state;
    };
    assert.equal(await stateAfter([0.5], "stopped early"), "stopped early");
    assert.equal(await stateAfter([0.5], "interrupted"), "interrupted");
    assert.equal(await stateAfter([0.5]), "interrupted");
    assert.equal(await stateAfter([0.5], "earlyStopping" as EndReason), "stopped early"); // version 0.1
  });

  it("reads a run up to a last line that was cut short", async () => {
    writeRun(root.dir, { events: runEvents([0.5]) });
    appendFileSync(path.join(root.dir, "metrics.jsonl"), '{"type":"epoch","epo');
    const { numEpochs, bestAccuracy } = await summary();
    assert.deepEqual({ numEpochs, bestAccuracy }, { numEpochs: 1, bestAccuracy: 0.5 });
  });

  it("has null for figures before the first epoch has ended", async () => {
    writeRun(root.dir, {});
    const { numEpochs, bestEpoch, bestAccuracy, macroF1, durationMs, started } = await summary();
    assert.deepEqual([bestEpoch, bestAccuracy, macroF1, started], [null, null, null, null]);
    assert.deepEqual([numEpochs, durationMs], [0, 0]);
  });
});

describe("recordRun", () => {
  const root = runFolder();
  const at = (name: string) => path.join(root.dir, name);
  const environment = [{ epoch: 1, started: "2026-01-02T03:04:05Z" }];

  it("copies what a run is listed by, without batches and without paths of this computer", async () => {
    writeRun(at("run"), { events: runEvents([0.25, 0.5], "interrupted"), environment });
    const run = await loadRun(at("run"));
    await recordRun(run, at("kept/mine"));
    const kept = await loadRun(at("kept/mine"));
    assert.deepEqual(summarizeRun(kept), summarizeRun(run));
    assert.deepEqual(kept.epochs, run.epochs);
    assert.deepEqual(kept.sessions, run.sessions);
    assert.deepEqual(readdirSync(at("kept/mine")).sort(), [
      "config.json",
      "environment.json",
      "metrics.jsonl",
    ]);
    for (const name of readdirSync(at("kept/mine")))
      assert.doesNotMatch(readFileSync(path.join(at("kept/mine"), name), "utf8"), /\/my\/|"batch"/);
  });

  it("replaces no files of another program", async () => {
    writeRun(at("run"), { events: runEvents([0.25]) });
    mkdirSync(at("kept"));
    writeFileSync(at("kept/metrics.jsonl"), "mine");
    await assert.rejects(recordRun(await loadRun(at("run")), at("kept")), {
      name: "InputError",
      message: `Expected an earlier record, or no files of one at ${at("kept")} but found metrics.jsonl without a config.json. Choose another folder, or rename the file.`,
    });
    assert.equal(readFileSync(at("kept/metrics.jsonl"), "utf8"), "mine");
  });

  it("replaces an earlier copy of the same run, and refuses to replace another run", async () => {
    writeRun(at("run"), { events: runEvents([0.25]) });
    await recordRun(await loadRun(at("run")), at("kept"));
    writeRun(at("run"), { events: runEvents([0.25, 0.5], "completed") });
    await recordRun(await loadRun(at("run")), at("kept"));
    assert.equal((await loadRun(at("kept"))).epochs.length, 2);
    writeRun(at("other"), { config: runConfig({ seed: 1 }), events: runEvents([0.75]) });
    await assert.rejects(recordRun(await loadRun(at("other")), at("kept")), {
      name: "InputError",
      message: `Expected no run except ${at("other")} at ${at("kept")} but found one of another configuration. Rename one of them, or remove the earlier record.`,
    });
    assert.equal((await loadRun(at("kept"))).epochs.length, 2);
  });
});
