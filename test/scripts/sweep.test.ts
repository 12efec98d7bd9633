import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { trainConfig } from "../../src/presets.js";
import { lockRun } from "../../src/training/lock.js";
import { runConfig, runEvents, writeRun } from "../training/recorded-runs.js";
import { workspace } from "../workspace.js";

describe("ferkit sweep", () => {
  const folder = workspace();
  const space = (content: object) => writeFileSync(folder.file("space.json"), JSON.stringify(content));
  const sweep = (...args: string[]) => folder.ferkit("sweep", "--space", "space.json", ...args);
  const drawn = "data: the drawn faces (synthetic); --data names others\n";
  const set = { weights: "random", imageSize: 33 };
  const seeds = { space: { seed: [0, 1] }, set, maxEpochs: 2 };
  /** Writes the run of a trial as if it had been trained. */
  const trained = (
    seed: number,
    accuracies: number[],
    reason?: "completed" | "stopped early",
    dataDigest = "a",
  ) =>
    writeRun(folder.file(`runs/space/seed=${seed}`), {
      config: {
        ...runConfig(),
        dataDigest,
        train: trainConfig("tutorial", { weights: "random", imageSize: 33, epochs: 2, seed }),
      },
      events: runEvents(accuracies, reason),
    });

  it("lists the trials without running them", async () => {
    space({ ...seeds, space: { seed: [0, 1], learningRate: [0.001, 0.01] }, folds: 3 });
    const { status, stdout, stderr } = await sweep("--dry-run");
    assert.equal(status, 0, stderr);
    assert.equal(stderr, `${drawn}12 trials: 2 settings × 2 seeds × 3 folds; each runs to its end\n`);
    const lines = stdout.trim().split("\n");
    assert.match(lines[0], /^learningRate +seed +fold +state +accuracy$/);
    assert.match(lines[12], /^0.01 +1 +3\/3 +planned +–$/);
    const [first] = (await sweep("--dry-run", "--json")).stdout
      .split("\n")
      .map((line) => JSON.parse(line || "{}"));
    assert.equal(first.folder, folder.file("runs/space/learningRate=0.001,seed=0,fold=1of3"));
  });

  it("takes options of the command line before those of the file", async () => {
    space({ ...seeds, metric: "loss", scheduler: "asha" });
    const asha = "; ASHA stops weak ones by loss from epoch 1 of 2\n";
    assert.equal((await sweep("--dry-run")).stderr, `${drawn}2 trials: 1 setting × 2 seeds${asha}`);
    const { stderr } = await sweep("--dry-run", "--metric", "macroF1", "--max-epochs", "9");
    assert.equal(
      stderr,
      `${drawn}2 trials: 1 setting × 2 seeds; ASHA stops weak ones by macroF1 from epoch 1 of 9\n`,
    );
  });

  it("chooses ASHA for settings alone, and says how to keep all", async () => {
    space({ space: { learningRate: [0.001, 0.01] }, set });
    const end = "ASHA stops weak ones by accuracy from epoch 1 of 8 (--scheduler fifo keeps all)\n";
    assert.equal((await sweep("--dry-run")).stderr, `${drawn}2 trials; ${end}`);
    assert.equal(
      (await sweep("--dry-run", "--scheduler", "fifo")).stderr,
      `${drawn}2 trials; each runs to its end\n`,
    );
  });

  it("runs nothing if all trials have finished, and lists them, the best first", async () => {
    space(seeds);
    trained(0, [0.25, 0.5], "completed");
    trained(1, [0.75, 0.5], "stopped early");
    const { status, stdout, stderr } = await sweep("--chart", "sweep.svg");
    assert.equal(status, 0, stderr);
    const teachers = folder.file("runs/space/teachers.json");
    assert.equal(
      stderr,
      `${drawn}2 trials: 1 setting × 2 seeds; each runs to its end\n2 of 2 have finished already\n` +
        `wrote ${folder.file("sweep.svg")}\nthe best models, to learn from: npx ferkit train --config ${teachers}\n`,
    );
    const lines = stdout.split("\n").map((line) => line.trim().split(/ {2,}/));
    assert.deepEqual(
      lines.slice(1, 3).map((cells) => [cells[0], cells[6], cells[7]]),
      [
        ["seed=1", "stopped early", "75.0%"],
        ["seed=0", "completed", "50.0%"],
      ],
    );
    // (75 + 50) / 2 = 62.5 and √((12.5² + 12.5²) / 1) = 17.7
    assert.deepEqual(lines.slice(4, 6), [
      ["trials", "mean accuracy", "deviation"],
      ["2", "62.5%", "17.7%"],
    ]);
    assert.deepEqual(JSON.parse(readFileSync(teachers, "utf8")), {
      set: { teachers: [folder.file("runs/space/seed=1/best"), folder.file("runs/space/seed=0/best")] },
    });
    assert.ok(readFileSync(folder.file("sweep.svg"), "utf8").includes(">75.0% seed=1<"));
  });

  it("says if the best models held out different images", async () => {
    space(seeds);
    trained(0, [0.25, 0.5], "completed");
    trained(1, [0.75, 0.5], "completed", "b");
    const note =
      "note: their runs held out different images, so a run that learns from them validates on images that some were trained on\n";
    assert.ok((await sweep()).stderr.endsWith(note));
    assert.doesNotMatch((await sweep("--top", "1")).stderr, /note/);
  });

  it("runs a trial again that was interrupted, or is to train longer", async () => {
    space(seeds);
    trained(0, [0.25], undefined);
    trained(1, [0.75, 0.5], "completed");
    const states = async (...args: string[]) =>
      (await sweep("--dry-run", "--json", ...args)).stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).state);
    assert.deepEqual(await states(), ["interrupted", "completed"]);
    assert.deepEqual(await states("--max-epochs", "3"), ["interrupted", "interrupted"]);
  });

  /** Puts a program in the place of Ray that prints these events, whatever the job. */
  const rayPrints = (...events: object[]) => {
    const requirements = readFileSync(path.join(__dirname, "../../scripts/sweep/requirements.txt"));
    const digest = createHash("sha256").update(requirements).digest("hex").slice(0, 12);
    const bin = folder.file(`cache/ferkit/ray-${digest}/bin`);
    mkdirSync(bin, { recursive: true });
    writeFileSync(path.join(bin, "../complete"), "");
    const lines = events.map((event) => JSON.stringify(event).replace('{"type":', '{"type": '));
    writeFileSync(path.join(bin, "python"), `#!/bin/sh\ncat <<'EOF'\n${lines.join("\n")}\nEOF\n`, {
      mode: 0o755,
    });
  };
  const recorded = (trials: Record<string, object>) => {
    const base = { preset: "tutorial", set: { ...set, epochs: 2, monitor: "accuracy" }, data: "synthetic" };
    writeFileSync(folder.file("runs/space/sweep.json"), JSON.stringify({ base, cpus: 1, trials }));
  };
  const known = (seed: number, state: string) => ({
    [`seed=${seed}`]: { settings: { seed }, fold: null, state, attempts: 1 },
  });

  it("fails if a trial of an extended sweep fails that had completed", async () => {
    space(seeds);
    trained(0, [0.25, 0.5], "completed");
    trained(1, [0.75, 0.5], "completed");
    recorded({ ...known(0, "completed"), ...known(1, "completed") });
    const event = { trial: "seed=0", attempts: 1 };
    const epoch = {
      type: "epoch",
      trial: "seed=1",
      attempts: 1,
      epoch: 3,
      accuracy: 0.8,
      macroF1: 0.8,
      loss: 1,
    };
    rayPrints({ type: "end", ...event, state: "failed", reason: "other images" }, epoch);
    const { status, stdout, stderr } = await sweep("--max-epochs", "3", "--json", "--data", "synthetic");
    assert.equal(status, 1, stderr);
    assert.match(stderr, /\nseed=0: failed: other images\nseed=1: epoch 3, accuracy 0.8000\n/);
    const outcomes = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      outcomes.map(({ name, state, reason }) => [name, state, reason]),
      [
        ["seed=1", "interrupted", null],
        ["seed=0", "failed", "other images"],
      ],
    );
  });

  it("leaves trials stopped that ASHA has stopped, also in an extended sweep", async () => {
    space({ ...seeds, scheduler: "asha" });
    trained(0, [0.25], undefined);
    trained(1, [0.75, 0.5], "completed");
    recorded({ ...known(0, "stopped by ASHA"), ...known(1, "completed") });
    const end = { type: "end", trial: "seed=0", attempts: 1, state: "completed" };
    rayPrints(end, { ...end, trial: "seed=1", state: "stopped by ASHA" });
    for (let i = 0; i < 2; i++) {
      const { status, stdout, stderr } = await sweep("--max-epochs", "3", "--json", "--data", "synthetic");
      assert.equal(status, 0, stderr);
      assert.match(stderr, i === 0 ? /\n1 of 2 have finished already\n/ : /\n2 of 2 have finished already\n/);
      assert.doesNotMatch(stderr, /seed=0:/);
      const states = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).state);
      assert.deepEqual(states, ["stopped by ASHA", "stopped by ASHA"]);
    }
  });

  it("says without a connection that Ray is missing, and leaves the folder free", async () => {
    space(seeds);
    for (let i = 0; i < 2; i++) {
      const { status, stderr } = await sweep("--offline");
      assert.equal(status, 1);
      assert.match(
        stderr,
        /\nferkit: Expected Ray, which runs the trials at \S+\/cache\/ferkit\/ray-\w{12} but found none\. Run once without --offline: npx ferkit sweep --ray \(170 MB to download and 630 MB on the disk\)\n$/,
      );
    }
  });

  it("refuses a folder that another sweep uses, or that belongs to something else", async () => {
    space(seeds);
    mkdirSync(folder.file("runs/space"), { recursive: true });
    const lock = lockRun(folder.file("runs/space"));
    try {
      const { stderr } = await sweep("--offline");
      assert.match(
        stderr,
        /Expected a run that nothing else trains at \S+\/runs\/space but found this process, /,
      );
    } finally {
      lock.release();
    }
    trained(0, [0.5], "completed");
    const { stderr } = await sweep("--run", "runs/space/seed=0");
    const where = folder.file("runs/space/seed=0");
    const choose = "Choose another with --run.\n";
    const expected = `ferkit: Expected a folder of this sweep, or none yet at ${where} but found`;
    assert.equal(stderr, `${expected} a run. ${choose}`);
    mkdirSync(folder.file("mine/ray"), { recursive: true });
    const mine = await sweep("--run", "mine");
    assert.equal(
      mine.stderr,
      `${expected.replace(where, folder.file("mine"))} other files, such as ray. ${choose}`,
    );
    const base = {
      preset: "tutorial",
      set: { ...set, epochs: 5, mixup: 1, monitor: "accuracy" },
      data: "synthetic",
    };
    writeFileSync(folder.file("runs/space/sweep.json"), JSON.stringify({ base, cpus: 1, trials: {} }));
    const other = await sweep("--data", "synthetic", "--preset", "baseline");
    assert.equal(
      other.stderr,
      `${expected.replace("/seed=0", "")} a sweep that differs in preset (tutorial in the sweep, baseline now), mixup (1 in the sweep, none now). ${choose}`,
    );
  });

  const trial = { state: "completed", attempts: 1 };
  const records: unknown[] = [
    null,
    { base: null, trials: null },
    { base: {}, cpus: null, trials: null },
    { base: {}, cpus: null, trials: [] },
    { base: {}, cpus: "two", trials: {} },
    { base: {}, cpus: 0, trials: {} },
    { base: {}, cpus: 1, trials: { "seed=0": null } },
    { base: {}, cpus: 1, trials: { "seed=0": { ...trial, state: 1 } } },
    { base: {}, cpus: 1, trials: { "seed=0": { ...trial, attempts: "one" } } },
    { base: {}, cpus: 1, trials: { "seed=0": { ...trial, reason: 1 } } },
    { base: {}, cpus: 1, trials: { "seed=0": { ...trial, metrics: null } } },
    { base: {}, cpus: 1, trials: { "seed=0": { ...trial, metrics: { loss: "low" } } } },
  ];
  it("refuses a sweep.json that is no record of a sweep", async () => {
    space(seeds);
    mkdirSync(folder.file("runs/space"), { recursive: true });
    for (const record of records) {
      writeFileSync(folder.file("runs/space/sweep.json"), JSON.stringify(record));
      const { status, stderr } = await sweep("--data", "synthetic");
      assert.equal(status, 1);
      assert.equal(
        stderr,
        `ferkit: Expected a folder of this sweep, or none yet at ${folder.file("runs/space")} but found a sweep.json that cannot be read. Choose another with --run.\n`,
        JSON.stringify(record),
      );
    }
  });

  const refusals: [content: object, args: string[], message: string | RegExp][] = [
    [
      { space: { lerningRate: [1] } },
      [],
      "Did you mean learningRate? Expected a known name for a training option but received lerningRate of type string",
    ],
    [
      { space: { learningRate: [-1] } },
      [],
      "Expected a number in [0, 10] for learningRate but received -1 of type number",
    ],
    [
      { space: {} },
      [],
      'Expected settings to vary in space, or folds at FILE but found none. Add for example "seed": [0, 1, 2].',
    ],
    [
      { space: [1] },
      [],
      'Expected an object of settings for space at FILE but found [1]. Write for example {"space": {"seed": [0, 1]}}.',
    ],
    [{ fold: 5, sppace: {} }, [], "Expected a text for fold at FILE but found 5. Fix the file."],
    [{ sppace: {} }, [], "Expected options of ferkit sweep at FILE but found sppace. Did you mean space?"],
    [
      { space: { batchSize: { min: 8, max: 64 } } },
      ["--trials", "2"],
      'Expected whole numbers for batchSize but found a range of any numbers. Add "step": 1 to the range of batchSize in space.',
    ],
    [
      { space: { mixup: [0, 1] } },
      ["--set", "mixup=0"],
      "Expected mixup in set or in space but found both. Remove one of them.",
    ],
    [
      { space: { epochs: [1, 2] } },
      ["--max-epochs", "2"],
      "Expected --max-epochs or epochs in space but found both. Remove one of them.",
    ],
    [
      { space: { monitor: ["loss"] } },
      [],
      "Expected one metric, by which trials are compared but found monitor in space. Choose it with --metric.",
    ],
    [
      { space: { seed: [0] } },
      ["--metric", "f1"],
      /^Expected one of accuracy, macroF1, loss for monitor but received f1/,
    ],
    [
      { space: { seed: [0] } },
      ["--mode", "min"],
      "Expected --mode with --notebook alone but found trainings. Remove it: the highest accuracy and macroF1 are best, and the lowest loss.",
    ],
    [{ folds: 2 }, ["--fold", "1/3"], "Expected --folds or fold but found both. Remove one of them."],
    [
      { space: { seed: [0] } },
      ["--data", "nowhere"],
      "Expected a data set at FOLDER/nowhere but found no such path. Fix --data.",
    ],
    [
      { data: "nowhere", space: { seed: [0] } },
      [],
      "Expected a data set at FOLDER/nowhere but found no such path. Fix data in FILE.",
    ],
    [
      { space: { seed: [0] } },
      ["--cpus", "0"],
      "Expected an integer ≥ 1 for --cpus but received 0 of type number",
    ],
    [
      { space: { epochs: [1] } },
      ["--notebook", "none.ipynb"],
      "Expected a notebook (.ipynb) at FOLDER/none.ipynb but found no such path. Choose one with --notebook.",
    ],
  ];
  for (const [content, args, message] of refusals)
    it(`refuses ${JSON.stringify(content)} ${args.join(" ")}`, async () => {
      space(content);
      const { status, stderr } = await sweep("--dry-run", ...args);
      assert.equal(status, 1);
      const found = stderr.replace(/^ferkit: /, "").trimEnd();
      const shown = found.replaceAll(folder.file("space.json"), "FILE").replace(folder.path, "FOLDER");
      if (typeof message === "string") assert.equal(shown, message);
      else assert.match(shown, message);
    });

  it("asks for the file if there is none", async () => {
    assert.match(
      (await folder.ferkit("sweep")).stderr,
      /^ferkit: Expected --space with a file that names the settings/,
    );
    assert.match(
      (await sweep()).stderr,
      /^ferkit: Expected a file of settings at \S+space.json but found no such path\./,
    );
  });

  it("plans a notebook for each value of its parameters", async () => {
    writeFileSync(folder.file("a.ipynb"), JSON.stringify({ cells: [] }));
    space({ notebook: "a.ipynb", space: { epochs: [1, 2] }, metric: "loss" });
    const { stdout, stderr } = await sweep("--dry-run");
    assert.equal(stderr, "2 trials; each runs to its end, and the lowest loss is best (--mode)\n");
    assert.match((await sweep("--dry-run", "--mode", "max")).stderr, /the highest loss is best/);
    assert.match(stdout, /^epochs +state +loss\n1 +planned +–\n2 +planned +–\n$/);
    assert.match(
      (await sweep("--dry-run", "--folds", "2")).stderr,
      /Expected --notebook or --folds but found both/,
    );
  });
});
