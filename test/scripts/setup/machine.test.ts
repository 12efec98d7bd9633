import assert from "node:assert/strict";
import {
  checkMachine,
  describeFailure,
  installCommand,
  type machine,
  runCommand,
  showPip,
  stopCommands,
} from "../../../scripts/setup/machine.cjs";
import { setUpSandbox } from "./sandbox.js";

describe("checkMachine", () => {
  const sandbox = setUpSandbox();
  const versions: Record<string, string> = { python3: "3.12.3", "g++": "g++ 13" };
  type Machine = typeof machine;
  let asked: Machine;
  beforeEach(() => {
    asked = {
      nodeVersion: "22.12.0",
      platform: "linux",
      arch: "x64",
      kernelVersion: "6.1.0",
      cpuFlags: () => ["avx", "avx2", "fma"],
      osRelease: () => 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n',
      glibcVersion: () => "2.39",
      run: (file: string) => versions[file],
      gpuName: () => "",
      freeBytes: () => 50e9,
      disk: () => 1,
      whyUnwritable: () => undefined,
    };
  });
  const check = (needs: Parameters<typeof checkMachine>[1]) => checkMachine(sandbox.context, needs, asked);
  const messages = (needs: Parameters<typeof checkMachine>[1]) =>
    check(needs).problems.map(({ message }) => message);

  it("finds nothing missing on a complete machine, and names the command of Python", () => {
    const checked = check({ python: true, compiler: true, cache: true, project: true });
    assert.deepEqual(checked, { problems: [], python: "python3" });
  });

  it("names the command for an old Node", () => {
    asked.nodeVersion = "20.18.3";
    assert.deepEqual(messages({}), [
      "Expected Node 20.19 or later but found 20.18.3. " +
        "Run: nvm install 22, or install a current release from https://nodejs.org/en/download",
    ]);
  });

  const SUPPORTED =
    "Expected Linux on x86-64 or arm64 with glibc 2.27 or later, or macOS 12 or later on Apple silicon but found";
  for (const [platform, arch, message] of [
    ["win32", "x64", "Windows on x86-64. Run: wsl --install, and use ferkit in that Linux."],
    [
      "darwin",
      "x64",
      "macOS on x86-64. Install Node.js for arm64 if this Mac has Apple silicon. On an Intel Mac, use a container, since " +
        "TensorFlow has no library for it: docker run -it node:22-bookworm bash",
    ],
    [
      "linux",
      "arm",
      "Linux on 32-bit ARM. Use one of those, or a container: docker run --platform linux/amd64 -it node:22-bookworm bash",
    ],
  ] as const)
    it(`says what is supported on another platform: ${platform} on ${arch}`, () => {
      Object.assign(asked, { platform, arch });
      assert.deepEqual(messages({}), [`${SUPPORTED} ${message}`]);
    });

  it("takes Linux on arm64 and macOS on Apple silicon, whose processors list no features", () => {
    asked.cpuFlags = () => [];
    Object.assign(asked, { arch: "arm64" });
    assert.deepEqual(messages({ compiler: true }), []);
    Object.assign(asked, { platform: "darwin", kernelVersion: "21.0.0", glibcVersion: () => undefined });
    assert.deepEqual(messages({ compiler: true }), []);
  });

  it("names the oldest macOS, and its commands for what is missing", () => {
    Object.assign(asked, { platform: "darwin", arch: "arm64", kernelVersion: "20.6.0" });
    assert.deepEqual(messages({}), [
      "Expected macOS 12 or later (Darwin 21) but found Darwin 20.6.0. Run: softwareupdate --install --all",
    ]);
    Object.assign(asked, {
      kernelVersion: "24.1.0",
      osRelease: () => "ID=macos",
      run: () => undefined,
    });
    assert.deepEqual(messages({ python: true, compiler: true }), [
      "Expected Python 3.10 or later but found no python3 on PATH. Run: brew install python",
      "Expected a C++ compiler (g++, c++, clang++) but found none on PATH. Run: xcode-select --install",
    ]);
  });

  it("refuses a processor that TensorFlow's library would crash on", () => {
    asked.cpuFlags = () => ["sse4_2"];
    assert.deepEqual(messages({}), [
      "Expected a processor with AVX, as TensorFlow's library needs, but found one without. " +
        "Run it on a processor of 2012 or later. In a virtual machine, choose the processor type of the host (QEMU: -cpu host).",
    ]);
    asked.cpuFlags = () => []; // a system that does not list them
    assert.deepEqual(messages({}), []);
  });

  it("refuses a GPU where TensorFlow's library has no CUDA", () => {
    sandbox.context.accelerator = "gpu";
    assert.deepEqual(messages({}), []);
    asked.arch = "arm64";
    assert.deepEqual(messages({}), [
      "Expected cpu as accelerator, since no library of TensorFlow for this platform has CUDA, but found gpu on Linux on arm64. " +
        "Run: npm run setup -- --accelerator cpu",
    ]);
  });

  it("says what is supported if there is no glibc", () => {
    asked.glibcVersion = () => "";
    assert.deepEqual(messages({}), [
      "Expected Linux on x86-64 with glibc 2.27 or later but found another C library. " +
        "Use a distribution of 2018 or later with glibc (not Alpine): docker run -it node:22-bookworm bash",
    ]);
  });

  it("names the commands for a missing Python and a missing compiler together", () => {
    asked.run = () => undefined;
    assert.deepEqual(messages({ python: true, compiler: true }), [
      "Expected Python 3.10 or later but found no python3 on PATH. Run: sudo apt-get install python3 python3-venv",
      "Expected a C++ compiler (g++, c++, clang++) but found none on PATH. Run: sudo apt-get install g++",
    ]);
  });

  it("names the version of an old Python", () => {
    asked.run = (file: string) => (file === "python3" ? "3.8.10" : undefined);
    assert.deepEqual(messages({ python: true }), [
      "Expected Python 3.10 or later but found 3.8.10 as python3. Run: sudo apt-get install python3 python3-venv",
    ]);
  });

  it("takes a newer Python beside an old one", () => {
    const found: Record<string, string> = { python3: "3.8.10", "python3.11": "3.11.7" };
    asked.run = (file: string) => found[file];
    assert.equal(check({ python: true }).python, "python3.11");
  });

  it("asks for no other Python once it has found one", () => {
    const { run } = asked;
    const commands: string[] = [];
    asked.run = (file: string, args: string[]) => {
      commands.push(file);
      return run(file, args);
    };
    assert.equal(check({ python: true }).python, "python3");
    assert.deepEqual(commands, ["python3", "python3"]);
  });

  it("names the package for a Python without venv", () => {
    asked.run = (file: string, args: string[]) =>
      args[1]?.includes("ensurepip") ? undefined : versions[file];
    assert.deepEqual(messages({ python: true }), [
      "Expected Python's venv and ensurepip modules but found python3 3.12.3 without them. Run: sudo apt-get install python3-venv",
    ]);
  });

  it("adds up what the cache and the clone need on one disk", () => {
    asked.freeBytes = () => 2e9; // ≥ 1.6 GB and ≥ 1.2 GB, yet not 2.8 GB
    const { root } = sandbox.context;
    assert.deepEqual(messages({ cache: true, project: true }), [
      `Expected 2.8 GB of free disk at ${root} but found 2.0 GB. Free some: df -h ${root}.`,
    ]);
    asked.disk = (dir: string) => (dir === root ? 1 : 2);
    assert.deepEqual(messages({ cache: true, project: true }), []);
  });

  it("says how to choose another cache if this one is full or not writable", () => {
    const { cacheDir } = sandbox.context;
    asked.freeBytes = () => 0.4e9;
    assert.deepEqual(messages({ cache: true }), [
      `Expected 1.6 GB of free disk at ${cacheDir} but found 0.4 GB. Free some: df -h ${cacheDir}. ` +
        "Or choose another folder: FERKIT_CACHE=/path/with/room npm run setup",
    ]);
    asked.whyUnwritable = () => "EACCES";
    assert.deepEqual(messages({ cache: true }), [
      `Expected a writable folder at ${cacheDir} but found permission denied. Run: sudo chown -R "$(id -un)" ${sandbox.folder.path}. ` +
        "Or choose another folder: FERKIT_CACHE=/path/with/room npm run setup",
    ]);
  });
});

describe("installCommand", () => {
  it("uses the distribution's package manager", () => {
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
  const describeOutput = (output: string) =>
    describeFailure("the download of engine 1.0", output, "/home/me").message;

  it("tells a full disk", () => {
    assert.equal(
      describeOutput("OSError: [Errno 28] No space left on device"),
      "Expected room on the disk at /home/me but found a full disk during the download of engine 1.0. " +
        "Free about 3 GB, or choose another disk for the cache: FERKIT_CACHE=/path/with/room npm run setup",
    );
  });

  it("names the host that cannot be reached, and the way without it", () => {
    const fix =
      "Check the network and proxy (HTTPS_PROXY), then run this again: it resumes where it stopped. " +
      "Python wheels are also taken from a local folder: FERKIT_WHEELS=/path/to/wheels npm run setup";
    const pip = "HTTPSConnectionPool(host='pypi.example', port=443): Failed to establish: NewConnectionError";
    const found = "no answer during the download of engine 1.0";
    assert.equal(describeOutput(pip), `Expected to reach pypi.example but found ${found}. ${fix}`);
    const npm = "npm error code EAI_AGAIN\nnpm error request to https://npm.example/tslab failed";
    assert.equal(describeOutput(npm), `Expected to reach https://npm.example but found ${found}. ${fix}`);
  });

  it("shows the last lines of any other failure", () => {
    const message = describeOutput(Array.from({ length: 50 }, (_, i) => `line ${i + 1}`).join("\n"));
    const start =
      "Expected the download of engine 1.0 to succeed but found a failed command. Its last lines:\n";
    assert.ok(message.startsWith(`${start}line 21\n`), message);
    assert.match(message, /line 50$/);
  });
});

describe("runCommand", () => {
  it("returns the exit status and all output, and shows the last line", async () => {
    const shown: string[] = [];
    const onLine = (line: string) => shown.push(line);
    const result = await runCommand("sh", ["-c", "echo one; echo two >&2; exit 3"], { onLine });
    assert.equal(result.status, 3);
    assert.deepEqual(result.output.split("\n").sort(), ["", "one", "two"]);
    assert.ok(shown.includes("two"));
  });

  it("says that a program cannot be started", async () => {
    assert.deepEqual(await runCommand("no-such-program", []), {
      status: 127,
      output: "no-such-program: ENOENT\n",
    });
  });

  it("ends with its program when set-up is stopped", async () => {
    const ended = runCommand("sleep", ["60"]);
    stopCommands();
    assert.deepEqual(await ended, { status: 1, output: "sleep was ended by SIGTERM\n" });
  });
});

describe("the progress of pip", () => {
  it("names the package that it works at, and repeats no warning", () => {
    const shown: string[] = [];
    const onLine = showPip((text) => shown.push(text));
    for (const line of [
      "Looking in links: /wheels",
      "WARNING: The directory '/home/ada/.cache/pip' or its parent directory is not owned by the current user.",
      "Collecting jupyter-client==8.6.3 (from -r requirements.txt (line 3))",
      "  Downloading https://index.example/x/jupyter_client-8.6.3-py3-none-any.whl (106 kB)",
      "  Using cached nbconvert-7.16.6-py3-none-any.whl (258 kB)",
      "Processing /wheels/pyzmq-27.0.0-cp311-manylinux.whl (from -r requirements.txt (line 9))",
      "DEPRECATION: Python 3.10 reached the end of its life",
      "Installing collected packages: pyzmq, nbconvert",
      "WARNING: Running pip as the 'root' user can result in broken permissions",
      "Successfully installed nbconvert-7.16.6 pyzmq-27.0.0",
    ])
      onLine(line);
    assert.deepEqual(shown, ["jupyter-client", "jupyter-client", "nbconvert", "pyzmq", "unpack"]);
  });
});
