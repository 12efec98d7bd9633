import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { projectDir, workspace } from "../workspace.js";

const SCRIPT = path.join(projectDir, "scripts/bootstrap.mjs");

/** Notes that it ran, and makes what the second stage is started with. */
const NPM = `
const fs = require("node:fs");
fs.appendFileSync("calls", "npm " + process.argv[2] + "\\n");
if (fs.existsSync("no-network")) { console.log("request to https://npm.example/tslab failed ENOTFOUND"); process.exit(1); }
fs.mkdirSync("node_modules", { recursive: true });
fs.writeFileSync("node_modules/.package-lock.json", "{}");
fs.utimesSync("node_modules/.package-lock.json", 1, 1);
`;
const PYTHON = `#!/bin/sh
case "$2" in
  *headless*) [ -z "$PYTHONDONTWRITEBYTECODE" ] && echo bytecode >> calls ;;
  import*) echo "import sys" >/dev/null; echo ok ;;
  *version*|*sys*) echo 3.12.0 ;;
  venv) echo venv >> calls; mkdir -p "$4/bin"; cp "$0" "$4/bin/python" ;;
  pip) [ "$3" = --version ] || echo "pip $3" >> calls ;;
esac
`;
const SECOND_STAGE = `
const fs = require("node:fs");
const { key, stamp } = JSON.parse(process.argv[2]);
fs.appendFileSync("calls", "second stage\\n");
if (fs.existsSync("broken")) { console.error("Expected a compiler but found none."); process.exit(1); }
process.send({ name: "libtensorflow", state: "start" });
process.send({ name: "libtensorflow", state: "done", text: "from the cache" });
fs.mkdirSync("cache/weights", { recursive: true });
fs.writeFileSync("cache/weights/efficientnet-lite0.pth", "");
fs.writeFileSync(stamp, JSON.stringify({ key, files: ["calls"] }));
process.disconnect();
`;

const DECLARATIONS = `
const fs = require("node:fs");
const path = require("node:path");
const { packagePaths, sourceFiles } = require("./package-files.cjs");
fs.appendFileSync("calls", "declarations\\n");
const { dir, modules, stamp } = packagePaths(process.cwd());
fs.mkdirSync(dir, { recursive: true });
fs.mkdirSync(path.dirname(stamp), { recursive: true });
fs.writeFileSync(modules, "");
fs.writeFileSync(stamp, JSON.stringify(sourceFiles(process.cwd())));
`;

describe("bootstrap.mjs in a clone", () => {
  const folder = workspace();
  const clone = (...names: string[]) => folder.file("clone", ...names);

  beforeEach("makes a clone without packages", () => {
    mkdirSync(folder.file("bin"));
    mkdirSync(clone("scripts/setup"), { recursive: true });
    for (const name of [
      "bootstrap.mjs",
      "home.cjs",
      ...[
        "context",
        "lock",
        "machine",
        "package-files",
        "platforms",
        "progress",
        "stored-notebook",
        "venv",
      ].map((part) => `setup/${part}.cjs`),
    ])
      writeFileSync(clone("scripts", name), readFileSync(path.join(projectDir, "scripts", name)));
    const pins = JSON.parse(readFileSync(path.join(projectDir, "scripts/setup/pins.json"), "utf8"));
    writeFileSync(clone("scripts/setup/pins.json"), JSON.stringify({ ...pins, weights: { lite0: {} } }));
    writeFileSync(clone("scripts/compiled.cjs"), "");
    writeFileSync(clone("scripts/setup/second-stage.ts"), SECOND_STAGE);
    writeFileSync(clone("scripts/setup/declarations.ts"), DECLARATIONS);
    mkdirSync(clone("src"));
    writeFileSync(clone("src/index.ts"), "");
    writeFileSync(clone("package.json"), "{}");
    writeFileSync(clone("package-lock.json"), "{}");
    writeFileSync(clone("requirements.txt"), "jupyterlab==4.6.6\n");
    writeFileSync(folder.file("npm-cli.cjs"), NPM);
    for (const name of ["python3", "g++"]) writeFileSync(folder.file("bin", name), PYTHON, { mode: 0o755 });
  });

  function setUp(...args: string[]) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [clone("scripts/bootstrap.mjs"), ...args],
      {
        cwd: clone(),
        encoding: "utf8",
        env: {
          PATH: `${folder.file("bin")}:/usr/bin:/bin`,
          HOME: folder.path,
          FERKIT_CACHE: clone("cache"),
          npm_execpath: folder.file("npm-cli.cjs"),
          npm_lifecycle_event: "setup",
          PYTHONDONTWRITEBYTECODE: "1",
        },
      },
    );
    const calls = existsSync(clone("calls"))
      ? readFileSync(clone("calls"), "utf8").trim().split("\n").sort()
      : [];
    writeFileSync(clone("calls"), "");
    return { status, stdout, stderr: stderr.replaceAll(/\d+\.\d s/g, "T"), calls: calls.filter(Boolean) };
  }

  it("runs each step once and nothing the second time, and names what is next", () => {
    const first = setUp();
    assert.equal(first.status, 0, first.stderr);
    assert.deepEqual(first.calls, [
      "bytecode",
      "declarations",
      "npm ci",
      "pip install",
      "second stage",
      "venv",
    ]);
    for (const line of [
      "set-up  npm packages: done in T",
      "set-up  Python environment: done in T",
      "set-up  Python packages: done in T",
      "set-up  libtensorflow: done in T (from the cache)",
      "set-up: done in T",
    ])
      assert.ok(first.stderr.split("\n").includes(line), `${line} is not in\n${first.stderr}`);
    const second = setUp();
    const next = "Next: npm start runs the notebooks, and npx ferkit --help lists the commands.\n";
    assert.ok(first.stderr.endsWith(next));
    assert.deepEqual([second.status, second.stderr, second.calls], [0, `set-up: nothing to do\n${next}`, []]);
  });

  it("leaves npm's record newer than the packages, so that npx trusts it", () => {
    setUp();
    const time = (...names: string[]) => statSync(clone("node_modules", ...names)).mtimeMs;
    assert.ok(time(".package-lock.json") >= time(), `${time(".package-lock.json")} < ${time()}`);
  });

  it("repeats what something changed for, and no more", () => {
    setUp();
    writeFileSync(clone("requirements.txt"), "jupyterlab==4.7.0\n");
    assert.deepEqual(setUp().calls, ["bytecode", "pip install"]);
    mkdirSync(clone("native"));
    writeFileSync(clone("native/ops.cc"), "");
    assert.deepEqual(setUp().calls, ["second stage"]);
    writeFileSync(clone("src/index.ts"), "export {};");
    assert.deepEqual(setUp().calls, ["declarations"]);
    rmSync(clone("cache/weights/efficientnet-lite0.pth"));
    assert.deepEqual(setUp().calls, ["second stage"]);
  });

  it("resumes after a step that failed, and keeps what was done beside it", () => {
    writeFileSync(clone("no-network"), "");
    const first = setUp();
    assert.equal(first.status, 1);
    assert.match(
      first.stderr,
      /\nset-up failed\.\nExpected to reach https:\/\/npm\.example but found no answer during the installation of npm's packages\. /,
    );
    assert.deepEqual(first.calls, ["bytecode", "npm ci", "pip install", "venv"]);
    rmSync(clone("no-network"));
    writeFileSync(clone("broken"), "");
    const second = setUp();
    assert.deepEqual(second.calls, ["declarations", "npm ci", "second stage"]);
    assert.match(second.stderr, /\nset-up failed\.\nExpected a compiler but found none\.\n$/);
    rmSync(clone("broken"));
    assert.deepEqual(setUp().calls, ["second stage"]);
  });

  it("takes over from a set-up that was killed", () => {
    mkdirSync(clone(".ferkit"));
    writeFileSync(
      clone(".ferkit/setup.lock"),
      `${spawnSync(process.execPath, ["-e", ""]).pid} ${os.hostname()}`,
    );
    assert.equal(setUp().status, 0);
    assert.equal(existsSync(clone(".ferkit/setup.lock")), false);
  });

  it("diagnoses a clone that was never set up", () => {
    const { status, stdout } = setUp("doctor", "--json");
    assert.equal(status, 1);
    const { isOk, records } = JSON.parse(stdout);
    assert.equal(isOk, false);
    assert.deepEqual(records[1], {
      name: "set-up",
      isOk: false,
      found: "to be done: npm packages, Python packages, engine and weights, declarations",
      fix: "Run: npm run setup",
    });
    assert.equal(existsSync(clone("cache")), false, "it makes nothing");
  });
});

describe("bootstrap.mjs", () => {
  const folder = workspace();
  const run = (args: string[], env: NodeJS.ProcessEnv) =>
    spawnSync(process.execPath, [SCRIPT, ...args], { env, encoding: "utf8" });

  it("prints one message for each missing tool and exits with 1", () => {
    const env = { PATH: folder.path, FERKIT_CACHE: folder.file("cache") };
    const { status, stderr } = run(["--check"], env);
    assert.equal(status, 1);
    assert.match(stderr, /^Expected Python 3\.10 or later but found no python3 on PATH\. Run: sudo \S+/m);
    const compilers = "\\(g\\+\\+, c\\+\\+, clang\\+\\+\\)";
    assert.match(
      stderr,
      new RegExp(`^Expected a C\\+\\+ compiler ${compilers} but found none on PATH\\. Run: sudo`, "m"),
    );
    assert.doesNotMatch(stderr, / at .*mjs:\d+/, "no stack");
  });

  it("refuses a folder of wheels that is not there", () => {
    const { status, stderr } = run([], { ...process.env, FERKIT_WHEELS: folder.file("wheels") });
    assert.equal(status, 1);
    const where = folder.file("wheels");
    assert.ok(
      stderr.includes(
        `Expected a folder of wheels at ${where} but found no such path. Fix or unset FERKIT_WHEELS.`,
      ),
    );
  });

  it("refuses an unknown option", () => {
    const { status, stderr } = run(["--gpu"], process.env);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^Expected --accelerator, --weights, --check or --help but found --gpu\. Run: npm run setup -- --help$/m,
    );
  });

  it("shows an example in its help", () => {
    assert.match(run(["--help"], process.env).stdout, /\nExample: npm run setup -- --weights lite0,lite1\n$/);
  });
});
