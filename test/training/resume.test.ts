import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import type { TrainConfig } from "../../src/config.js";
import { conventions } from "../../src/model/conventions.js";
import { endInWords, ofType } from "../../src/training/events.js";
import { loadMetrics } from "../../src/training/metrics-log.js";
import { collect, LAST_LAYER, randomModel, runFolder, trainedRun } from "./fixtures.js";

/** A time limit that is over after the first batch of each session. */
const ONE_BATCH = 1e-9;

describe("train with maxMinutes", function () {
  this.timeout(600_000);
  const run = runFolder();
  const weights = (dir: string) =>
    JSON.parse(readFileSync(path.join(dir, "last/state.json"), "utf8")).manifest.paths[0];

  it("ends within its first epoch, says so, and resumes to the same weights as without a limit", async () => {
    const options = { trainableFrom: "top", epochs: 2, emaDecay: 0.9 } as const;
    const [whole, limited] = ["whole", "limited"].map((name) => path.join(run.dir, name));
    const expected = await collect(whole, options);
    const ends: string[] = [];
    for (let session = 1; session <= 9 && ends[ends.length - 1] !== "completed"; session++) {
      const [done] = ofType(await collect(limited, { ...options, maxMinutes: ONE_BATCH }), "done");
      ends.push(endInWords(done));
      assert.equal(done.maxMinutes, done.reason === "completed" ? undefined : ONE_BATCH);
      assert.equal(done.bestEpoch === null, session < 3); // three batches an epoch
    }
    const limit = `interrupted by the time limit of ${ONE_BATCH} minutes`;
    assert.deepEqual(ends, [
      `${limit} in epoch 1, after batch 1 of 3`,
      `${limit} in epoch 1, after batch 2 of 3`,
      limit, // after the epoch
      `${limit} in epoch 2, after batch 1 of 3`,
      `${limit} in epoch 2, after batch 2 of 3`,
      "completed",
    ]);
    assert.equal(weights(limited), weights(whole));
    const scores = ofType(await loadMetrics(limited), "epoch").map(({ validation }) => validation);
    assert.deepEqual(
      scores,
      ofType(expected, "epoch").map(({ validation }) => validation),
    );
  });

  it("says before the training what the limit means for the schedule", async () => {
    const notes = async (name: string, schedule: "cosine" | "constant") =>
      ofType(
        await collect(path.join(run.dir, name), { ...LAST_LAYER, epochs: 1, maxMinutes: 5, schedule }),
        "note",
      ).map(({ text }) => text);
    const limit =
      "training stops after 5 minutes (maxMinutes) if it is not completed by then, and resumes when it is started again";
    assert.deepEqual(await notes("a", "constant"), [limit]);
    assert.deepEqual(await notes("b", "cosine"), [
      `${limit}; the learning rate falls as if there were no limit`,
    ]);
  });
});

describe("a run whose files were removed or changed", function () {
  this.timeout(600_000);
  const run = runFolder();
  const at = (...names: string[]) => path.join(run.dir, ...names);
  const train = (epochs: number, more: Partial<TrainConfig> = {}) =>
    collect(at("run"), { ...LAST_LAYER, epochs, ...more });
  const [one, two] = [trainedRun({ ...LAST_LAYER, epochs: 1 }), trainedRun({ ...LAST_LAYER, epochs: 2 })];
  const trained = (epochs: 1 | 2) => (epochs === 1 ? one : two)(at("run"));
  const notes = async (epochs: number, more?: Partial<TrainConfig>) =>
    ofType(await train(epochs, more), "note").map(({ text }) => text);
  const contents = () =>
    readdirSync(at("run"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== "lock")
      .map((entry) => path.join(entry.parentPath, entry.name))
      .sort()
      .map((file) => [file, readFileSync(file)] as const);
  const refused = async (training: Promise<unknown>, message: string) => {
    const before = contents();
    await assert.rejects(training, { name: "InputError", message });
    assert.deepEqual(contents(), before);
  };

  it("is not replaced by one from scratch if its state is gone", async () => {
    trained(2);
    rmSync(at("run/last"), { recursive: true });
    const [best, where] = [at("run/best"), at("run/last/state.json")];
    const expected = `Expected the state that a run resumes from at ${where} but found none, beside`;
    const replaced = "which a run from scratch would replace. Choose another run folder (--run)";
    await refused(
      train(2),
      `${expected} 2 epochs in metrics.jsonl and a model in best, ${replaced}, with --set weights=${best} to start from that model.`,
    );
    renameSync(best, at("best"));
    await refused(train(2), `${expected} 2 epochs in metrics.jsonl, ${replaced}.`);
    writeFileSync(at("run/metrics.jsonl"), '{"loss": 0.5}\n');
    await refused(train(2), `${expected} a metrics.jsonl of something else (line 1: no type), ${replaced}.`);
    rmSync(at("run/metrics.jsonl"));
    assert.equal(ofType(await train(1), "epoch").length, 1); // nothing is left to lose
  });

  it("replaces no files of another program, and starts where it was killed after its first file", async () => {
    const files: [string, string, string][] = [
      ["environment.json", '{"name": "mine"}', "an environment.json"],
      ["images.jsonl.gz", "mine", "another images.jsonl.gz"],
    ];
    for (const [name, content, found] of files) {
      mkdirSync(at("run"), { recursive: true });
      writeFileSync(at("run", name), content);
      await refused(
        train(1),
        `Expected the state that a run resumes from at ${at("run/last/state.json")} but found none, beside ${found}, which a run from scratch would replace. Choose another run folder (--run).`,
      );
      rmSync(at("run", name));
    }
    mkdirSync(at("run/last"));
    writeFileSync(at("run/last/weights-mine.bin"), "mine");
    await train(1);
    assert.equal(readFileSync(at("run/last/weights-mine.bin"), "utf8"), "mine");
    const list = readFileSync(at("run/images.jsonl.gz"));
    rmSync(at("run"), { recursive: true });
    mkdirSync(at("run"));
    writeFileSync(at("run/images.jsonl.gz"), list);
    assert.equal(ofType(await train(1), "epoch").length, 1);
  });

  it("starts again if it was killed in its first epoch", async () => {
    trained(1);
    for (const name of ["last", "best"]) rmSync(at("run", name), { recursive: true });
    assert.equal(ofType(await train(1), "epoch").length, 1);
  });

  it("takes no other settings without its config.json, and writes that again", async () => {
    trained(1);
    const before = readFileSync(at("run/config.json"), "utf8");
    rmSync(at("run/config.json"));
    await refused(
      train(2, { learningRate: 0.5 }),
      `Expected a run of the same configuration and images at ${at("run")} but found one that differs in learningRate (0.001 in the run, 0.5 now). Choose another run folder (--run runs/NAME), repeat --set learningRate=0.001 to continue this run, or remove this one to start from scratch.`,
    );
    assert.deepEqual(await notes(1), ["config.json was missing; it is written again from last/state.json"]);
    assert.equal(readFileSync(at("run/config.json"), "utf8"), before);
    assert.deepEqual(await notes(1), []);
  });

  it("refuses a config.json that is damaged or of another run, and leaves it", async () => {
    trained(1);
    const other = readFileSync(at("run/config.json"), "utf8").replace(/"seed": 0/, '"seed": 7');
    const withoutComma = other.replace(/,(\s*"classNames")/, "$1");
    const line = withoutComma.split("\n").findIndex((text) => text.includes('"classNames"')) + 1;
    writeFileSync(at("run/config.json"), withoutComma);
    await refused(
      train(1),
      `Expected the config.json of a run at ${at("run/config.json")} but found something other than JSON (line ${line}, column 3: "classNames" instead of a comma or the end). Rename it and run again: it is then written again from last/state.json.`,
    );
    writeFileSync(at("run/config.json"), other);
    await refused(
      train(1, { seed: 7 }),
      `Expected the configuration that last/state.json recorded at ${at("run/config.json")} but found one that differs in train.seed. Rename it and run again: it is then written again from last/state.json.`,
    );
  });

  it("needs its config.json if the state has no copy of it, as before version 0.3", async () => {
    trained(1);
    const { run: _, ...older } = JSON.parse(readFileSync(at("run/last/state.json"), "utf8"));
    writeFileSync(at("run/last/state.json"), JSON.stringify(older));
    assert.deepEqual(await notes(1), []);
    rmSync(at("run/config.json"));
    await refused(
      train(1),
      `Expected the config.json of the run at ${at("run")} but found none. Choose another run folder (--run), or add the file again: it says what the run was started with.`,
    );
  });

  it("says what its metrics.jsonl lacks, and moves another run's aside", async () => {
    trained(2);
    const log = at("run/metrics.jsonl");
    const before = readFileSync(log, "utf8");
    const lacks = (count: number) => `lacks ${count} of 2 epochs, which reports and charts cannot show`;
    const lines = before.split("\n");
    const second = lines.findIndex((line) => line.includes('"epoch":2'));
    const damages: [string, () => void][] = [
      [`metrics.jsonl ${lacks(2)}`, () => rmSync(log)],
      [`metrics.jsonl ${lacks(2)}`, () => writeFileSync(log, "")],
      [`metrics.jsonl ${lacks(1)}`, () => writeFileSync(log, `${lines.slice(0, second).join("\n")}\n`)],
      [
        "metrics.jsonl has other lines, which are left out (line 2: no JSON)",
        () => writeFileSync(log, [lines[0], "odd", ...lines.slice(1)].join("\n")),
      ],
      [
        `metrics.jsonl is of another run, and is now ${log}.1, and ${lacks(2)}`,
        () => writeFileSync(log, before.replace(/"id":".*"/, '"id":"other"')),
      ],
    ];
    for (const [said, damage] of damages) {
      damage();
      assert.deepEqual(await notes(2), [said]);
    }
    assert.equal(readFileSync(`${log}.1`, "utf8"), before.replace(/"id":".*"/, '"id":"other"'));
    assert.deepEqual(ofType(await loadMetrics(at("run")), "epoch"), []);
  });

  it("says that its record of sessions is gone", async () => {
    trained(1);
    writeFileSync(at("run/environment.json"), "");
    const said = await notes(2);
    const note =
      "environment.json has no session that can be read, so it is not known whether the run resumes in the environment that trained it";
    assert.ok(said.includes(note), said.join("\n"));
  });

  it("moves a list of images aside that is not its own, and says so", async () => {
    trained(1);
    const list = at("run/images.jsonl.gz");
    const before = readFileSync(list);
    writeFileSync(list, "mine");
    assert.deepEqual(await notes(1), [
      `images.jsonl.gz was a broken file, is now ${list}.1, and is written again`,
    ]);
    assert.deepEqual([readFileSync(list), readFileSync(`${list}.1`, "utf8")], [before, "mine"]);
    rmSync(list);
    assert.deepEqual(await notes(1), ["images.jsonl.gz was missing and is written again"]);
  });

  it("refuses a teacher whose weights were replaced", async () => {
    const teachers = [await randomModel(at("teacher"), 1)];
    await train(1, { teachers });
    await randomModel(at("teacher"), 2);
    await refused(
      train(2, { teachers }),
      `Expected the teacher that the run was started with at ${at("teacher")} but found other weights. Choose another run folder (--run), or put the weights back that were there.`,
    );
    await randomModel(at("teacher"), 1, { calibration: { temperature: 1, numImages: 100 } });
    assert.equal(ofType(await train(2, { teachers }), "epoch").length, 1);
  });

  it("says that the weights were replaced that it began from, and refuses another preprocessing", async () => {
    const weights = await randomModel(at("start"), 1);
    await train(1, { weights });
    const recorded = () => JSON.parse(readFileSync(at("run/config.json"), "utf8")).weightDigests;
    const before = recorded();
    await randomModel(at("start"), 2);
    const said = await notes(2, { weights });
    const replaced = `the weights at ${weights} are no longer those that the run started from; it resumes from its own`;
    assert.ok(said.includes(replaced), said.join("\n"));
    assert.deepEqual(recorded(), before);
    await randomModel(at("start"), 1, { preprocessing: { mean: [0, 0, 0], std: [1, 1, 1] } });
    await refused(
      train(3, { weights }),
      `Expected weights of the preprocessing and padding that the run was started with at ${weights} but found other weights. Choose another run folder (--run), or put the weights back that were there.`,
    );
  });

  it("keeps what a disk cannot read at the moment, and ends", async () => {
    trained(1);
    for (const name of ["best/model.json", "environment.json", "best/images.jsonl.gz"]) {
      renameSync(at("run", name), at("kept"));
      symlinkSync("/proc/self/mem", at("run", name)); // a regular file whose first byte cannot be read
      const before = readdirSync(at("run"), { recursive: true });
      await assert.rejects(train(1), {
        name: "InputError",
        message: /^Expected \D+ at \S+ but found a disk that fails\. Run again when the disk can be read\.$/,
      });
      assert.deepEqual(readdirSync(at("run"), { recursive: true }), before);
      renameSync(at("kept"), at("run", name));
    }
    assert.deepEqual(await notes(1), []);
  });

  it("needs the weights that it began from no more, and says so", async () => {
    const ofPytorch = conventions("lite0", "pytorch");
    const weights = await randomModel(at("start"), 1, ofPytorch);
    const options = { weights, schedule: "constant" } as const;
    const weightFile = () => JSON.parse(readFileSync(at("run/last/state.json"), "utf8")).manifest.paths[0];
    await train(2, options);
    const whole = weightFile();
    rmSync(at("run"), { recursive: true });
    await train(1, options);
    renameSync(at("start"), at("kept"));
    const digests = () => JSON.parse(readFileSync(at("run/config.json"), "utf8")).weightDigests;
    const before = digests();
    const lost = `the run resumes from its own weights: those at ${weights} cannot be read any more (expected `;
    const saysLost = (said: string[]) =>
      assert.equal(said.filter((note) => note.startsWith(lost)).length, 1, said.join("\n"));
    saysLost(await notes(2, options));
    assert.deepEqual([weightFile(), digests()], [whole, before]);
    rmSync(at("run/best"), { recursive: true }); // its family's conventions fit what was recorded
    saysLost(await notes(3, options));
  });

  it("needs them if nothing else tells how the network takes pixels, or if it has no state", async () => {
    const preprocessing = { mean: [1, 2, 3], std: [4, 5, 6] };
    const weights = await randomModel(at("start"), 1, { preprocessing });
    const missing = /^Expected .* at \S+\/start/;
    await train(1, { weights });
    renameSync(at("start"), at("kept"));
    assert.ok((await notes(2, { weights })).some((note) => note.startsWith("the run resumes from its own")));
    rmSync(at("run/best"), { recursive: true });
    await assert.rejects(train(3, { weights }), { name: "InputError", message: missing });
    rmSync(at("run"), { recursive: true });
    await assert.rejects(train(1, { weights }), { name: "InputError", message: missing });
  });

  it("is compared by paths alone if it recorded no digests, and says so", async () => {
    const teachers = [await randomModel(at("teacher"), 1)];
    await train(1, { teachers });
    for (const name of ["config.json", "last/state.json"]) {
      const { run: _, weightDigests: __, ...older } = JSON.parse(readFileSync(at("run", name), "utf8"));
      writeFileSync(at("run", name), JSON.stringify(older));
    }
    const said = await notes(2, { teachers });
    const note =
      "the run did not record digests of its weights and teachers, as it does since version 0.3: those that are there now are taken for them";
    assert.ok(said.includes(note), said.join("\n"));
    assert.ok(!(await notes(3, { teachers })).includes(note));
  });
});

describe("a run that resumes", function () {
  this.timeout(600_000);
  const run = runFolder();
  const at = (...names: string[]) => path.join(run.dir, ...names);
  const notes = async (epochs: number) =>
    ofType(await collect(run.dir, { ...LAST_LAYER, epochs }), "note")
      .map(({ text }) => text)
      .filter((text) => /environment/.test(text));

  it("removes the temporary files that a killed process left, and no others", async () => {
    await collect(run.dir, { ...LAST_LAYER, epochs: 1 });
    const left = [
      "config.json.0123abcd.tmp",
      "best/weights-1.bin.0123abcd.tmp",
      "last/state.json.0123abcd.tmp",
    ];
    for (const name of [...left, "own.tmp"]) writeFileSync(at(name), "x");
    await collect(run.dir, { ...LAST_LAYER, epochs: 1 });
    for (const name of left) assert.ok(!existsSync(at(name)), name);
    assert.ok(existsSync(at("own.tmp")));
  });

  it("says how cores, instruction set and versions differ from those of its last session", async () => {
    await collect(run.dir, { ...LAST_LAYER, epochs: 1 });
    assert.deepEqual(await notes(2), []);
    const [session] = JSON.parse(readFileSync(at("environment.json"), "utf8"));
    const { machine, threads, kernels, versions } = session;
    const other = {
      ...session,
      machine: { ...machine, cores: 99 },
      threads: 98,
      kernels: "other",
      versions: { ...versions, tensorflow: "1.0" },
    };
    writeFileSync(at("environment.json"), JSON.stringify([other]));
    assert.deepEqual(await notes(3), [
      `the run resumes in another environment (cores 99 → ${machine.cores}, threads 98 → ${threads}, kernels other → ${kernels}, TensorFlow 1.0 → ${versions.tensorflow}), so its weights differ in their last bits from those of a run that stayed in one`,
    ]);
  });
});
