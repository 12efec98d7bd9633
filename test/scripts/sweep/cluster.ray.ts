// Sweeps on a real cluster of two nodes on this machine: npm run test:sweep.
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { ensureRay, hasRay } from "../../../scripts/sweep/ray.js";
import { drawClassFolders, launcher, projectDir, workspace } from "../../workspace.js";

type Json = Record<string, unknown>;

interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A sweep that runs. */
interface Running {
  child: ChildProcess;
  ended: Promise<Ended>;
  /** Resolves when a line of standard error matches. */
  says: (pattern: RegExp) => Promise<RegExpExecArray>;
}

describe("ferkit sweep on two nodes", function () {
  this.timeout(1_200_000);
  const folder = workspace("suite");
  let address: string;
  let nodes: ChildProcess;

  before("starts the cluster", async function () {
    if (!hasRay()) {
      console.log("      skipped: Ray is not installed here; npx ferkit sweep --ray installs it");
      this.skip();
    }
    const python = path.join(await ensureRay(), "bin/python");
    await drawClassFolders(folder.file("images"), 12);
    nodes = spawn(python, [path.join(__dirname, "two_nodes.py")], {
      stdio: ["pipe", "pipe", "ignore"],
      cwd: folder.path,
    });
    const lines = createInterface({ input: nodes.stdout as NodeJS.ReadableStream });
    for await (const line of lines) {
      address = line;
      break;
    }
    assert.match(address ?? "", /^[\d.]+:\d+$/);
  });

  after("ends the cluster", async () => {
    if (!nodes) return;
    const closed = new Promise((resolve) => nodes.once("close", resolve));
    nodes.stdin?.end();
    await closed;
  });

  /** Starts a sweep of eight trials: two rates, two seeds, two folds. */
  function start(run: string, ...args: string[]): Running {
    const child = spawn(
      process.execPath,
      [launcher, "sweep", "--space", "space.json", "--run", run, "--json", ...args],
      {
        cwd: folder.path,
        env: { ...process.env, INIT_CWD: undefined, RAY_ADDRESS: address, FERKIT_OFFLINE: "1" },
      },
    );
    let [stdout, stderr] = ["", ""];
    const waiting = new Map<RegExp, (found: RegExpExecArray) => void>();
    child.stdout?.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr?.on("data", (chunk) => {
      stderr += chunk;
      for (const [pattern, resolve] of waiting) {
        const found = pattern.exec(stderr);
        if (found) resolve(found);
      }
    });
    const ended = new Promise<Ended>((resolve) =>
      child.on("close", (status) => resolve({ status, stdout, stderr })),
    );
    const says = (pattern: RegExp) =>
      Promise.race([
        new Promise<RegExpExecArray>((resolve) => waiting.set(pattern, resolve)),
        ended.then(() => {
          throw new Error(`the sweep has ended without ${pattern}:\n${stderr}`);
        }),
      ]);
    return { child, ended, says };
  }

  const writeSpace = (space: object) => writeFileSync(folder.file("space.json"), JSON.stringify(space));

  /** Returns the lines of the trials, by name. */
  function trialsOf({ status, stdout, stderr }: Ended): Map<string, Json> {
    assert.equal(status, 0, stderr);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Json);
    return new Map(lines.map((line) => [line.name as string, line]));
  }

  /** Returns the epochs of a run, without what depends on time. */
  function epochsOf(run: string, trial: string): Json[] {
    const text = readFileSync(folder.file(run, trial, "metrics.jsonl"), "utf8");
    const events = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Json);
    return events
      .filter(({ type }) => type === "epoch")
      .map(({ epoch, train, validation }) => ({ epoch, train, validation }));
  }

  /** Returns the process that trains a trial, as soon as it runs, and the worker of Ray that has started it. */
  async function processOf(trial: string): Promise<{ training: number; worker: number }> {
    for (let tries = 0; tries < 600; tries++) {
      for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
        try {
          const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
          if (!command.includes(`/settings/${trial}.json\0`) || !command.startsWith(process.execPath))
            continue;
          const [, parent] = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
          return { training: Number(pid), worker: Number(parent) };
        } catch {
          // a process that has ended meanwhile
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`no process trains ${trial}`);
  }

  it("gives all eight results, none twice, after a worker, the sweep and a training were killed", async () => {
    const space = {
      data: "images",
      set: { weights: "random", imageSize: 33, batchSize: 4 },
      space: { learningRate: [0.001, 0.003], seed: [0, 1] },
      folds: 2,
      maxEpochs: 6,
    };
    writeSpace(space);
    const undisturbed = trialsOf(await start("runs/whole").ended);
    assert.equal(undisturbed.size, 8);

    // A worker is killed while its trial is between its first and its last epoch.
    const first = start("runs/killed");
    await first.says(/on 2 nodes with 2 processors: 2 at once, 1 processor each/);
    const [, victim] = await first.says(/^(.*): epoch [1-4],/m);
    process.kill((await processOf(victim)).worker, "SIGKILL");
    await first.says(/: its worker died; it resumes from its checkpoint/);
    // The sweep is killed after its first result.
    const [, done] = await first.says(/^(.*): completed$/m);
    first.child.kill("SIGKILL");
    await first.ended;
    const kept = readFileSync(folder.file("runs/killed", done, "environment.json"), "utf8");

    // When it resumes, a training is killed.
    const second = start("runs/killed");
    const [, other] = await second.says(/^(.*): epoch [1-4],/m);
    process.kill((await processOf(other)).training, "SIGKILL");
    const last = await second.ended;
    assert.match(last.stderr, /: its worker died; it resumes from its checkpoint/);
    assert.match(last.stderr, /^[1-7] of 8 have finished already$/m);
    const killed = trialsOf(last);
    assert.deepEqual([...killed.keys()].sort(), [...undisturbed.keys()].sort());
    assert.equal(readFileSync(folder.file("runs/killed", done, "environment.json"), "utf8"), kept);
    for (const [name, trial] of undisturbed) {
      assert.equal(trial.state, "completed");
      assert.equal(killed.get(name)?.state, "completed");
      const epochs = epochsOf("runs/whole", name);
      assert.deepEqual(
        epochs.map(({ epoch }) => epoch),
        [1, 2, 3, 4, 5, 6],
      );
      assert.deepEqual(epochsOf("runs/killed", name), epochs, name);
    }
  });

  it("stops weak trials by ASHA, and repeats none of them", async () => {
    const space = {
      data: "images",
      set: { weights: "random", imageSize: 33, batchSize: 4 },
      space: { learningRate: [0.001, 0.002, 0.003, 1e-9, 2e-9, 3e-9] },
      maxEpochs: 8,
      metric: "loss",
    };
    writeSpace(space);
    const trials = trialsOf(await start("runs/asha").ended);
    const states = [...trials.values()].map(({ state }) => state);
    assert.ok(states.includes("stopped by ASHA"), states.join());
    assert.ok(states.includes("completed"), states.join());
    const again = await start("runs/asha").ended;
    assert.match(again.stderr, /^6 of 6 have finished already$/m);
    assert.deepEqual(
      [...trialsOf(again).values()].map(({ state }) => state),
      states,
    );
  });

  it("saves the state of trials at Ctrl-C", async () => {
    const space = {
      data: "images",
      set: { weights: "random", imageSize: 33, batchSize: 4 },
      space: { seed: [0, 1, 2] },
      maxEpochs: 200,
    };
    writeSpace(space);
    const running = start("runs/stopped");
    await running.says(/: epoch 2,/);
    running.child.kill("SIGINT");
    const { status, stdout, stderr } = await running.ended;
    assert.equal(status, 130, stderr);
    assert.match(stderr, /^stopped: the same command resumes$/m);
    const states = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).state);
    assert.deepEqual([...states].sort(), ["interrupted", "interrupted", "planned"]);
  });

  it("refuses an address at which no cluster answers", async () => {
    writeSpace({ space: { seed: [0, 1] } });
    const before = address;
    address = "127.0.0.1:9";
    const { status, stderr } = await start("runs/nowhere").ended;
    address = before;
    assert.equal(status, 1);
    assert.match(
      stderr,
      /ferkit: Expected a Ray cluster at 127\.0\.0\.1:9 but found .*Connection refused\. Start one with `ray start --head`, or unset RAY_ADDRESS/,
    );
  });

  it("finds what a node lacks", async () => {
    const job = {
      projectDir: folder.path,
      version: "1.2.3",
      node: "/nowhere/node",
      cwd: "/nowhere",
      token: folder.file("runs/.sweep/token"),
    };
    const contents = {
      [folder.file("images")]: "a folder with 3 entries",
      "/nowhere/a.zip": "a file of 5 bytes",
    };
    const code =
      "import json, sys, trials; print(json.dumps(trials.problems_here(*json.loads(sys.argv[1]))))";
    const { stdout } = await promisify(execFile)(
      path.join(await ensureRay(), "bin/python"),
      ["-c", code, JSON.stringify([job, contents])],
      { env: { ...process.env, PYTHONPATH: path.join(projectDir, "scripts/sweep") } },
    );
    assert.deepEqual(
      (JSON.parse(stdout) as string[][]).map(([expected, found]) => [expected, found]),
      [
        [`ferkit 1.2.3 in ${folder.path}`, "none"],
        ["Node.js as /nowhere/node", "none"],
        [`a folder with 3 entries as ${folder.file("images")}`, "a folder with 2 entries"],
        ["a file of 5 bytes as /nowhere/a.zip", "no such path"],
        ["the folder /nowhere", "no such path"],
        [`the folder of the runs as ${folder.file("runs")}`, "another folder or none"],
      ],
    );
  });

  it("refuses more processors for a trial than a node has", async () => {
    writeSpace({ space: { seed: [0, 1] } });
    const { status, stderr } = await start("runs/large", "--cpus", "2").ended;
    assert.equal(status, 1);
    assert.match(
      stderr,
      /ferkit: Expected a node with 2 processors for a trial but found at most 1\. Choose fewer/,
    );
  });

  it("runs a notebook with each value of its parameters", async () => {
    const code = (id: string, tag: string, source: string) => ({
      cell_type: "code",
      id,
      metadata: { tags: [tag] },
      execution_count: null,
      outputs: [],
      source,
    });
    const show = 'import { show } from "ferkit";\nawait show({ square: side * side });';
    const notebook = {
      cells: [code("a", "parameters", "let side = 1;"), code("b", "metrics", show)],
      metadata: { kernelspec: { display_name: "TypeScript (tslab)", language: "typescript", name: "tslab" } },
      nbformat: 4,
      nbformat_minor: 5,
    };
    writeFileSync(folder.file("square.ipynb"), JSON.stringify(notebook));
    const space = { notebook: "square.ipynb", space: { side: [3, 5] }, metric: "square" };
    writeSpace(space);
    const trials = trialsOf(await start("runs/notebook").ended);
    assert.deepEqual(
      [...trials.values()].map(({ name, state, score, metrics }) => ({ name, state, score, metrics })),
      [
        { name: "side=5", state: "completed", score: 25, metrics: { square: 25 } },
        { name: "side=3", state: "completed", score: 9, metrics: { square: 9 } },
      ],
    );
    assert.match(readFileSync(folder.file("runs/notebook/side=5/square.html"), "utf8"), /25/);
    assert.equal(realpathSync(String(trials.get("side=3")?.folder)), folder.file("runs/notebook/side=3"));
  });
});
