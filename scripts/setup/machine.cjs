// What the machine must have before set-up can work, and what is said if a program fails. Imports no package.
const { spawn, spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const process = require("node:process");
const os = require("node:os");
const pins = require("./pins.json");
const { PLATFORMS, platformKey, platformName } = require("./platforms.cjs");

const MIN_NODE = [20, 19];
const MIN_PYTHON = [3, 10];
const MIN_GLIBC = [2, 27];
const MIN_DARWIN = [21, 0]; // macOS 12
const PYTHONS = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];
const COMPILERS = ["g++", "c++", "clang++"];
// Peaks as measured, with some room: the wheel and what is unpacked from it; node_modules and .venv.
const CACHE_GB = { cpu: 1.6, gpu: 11 };
const PROJECT_GB = 1.2;

/** A problem that the user can fix, printed without a stack. The same form as InputError in src/errors.ts. */
class InputError extends Error {
  constructor({ expected, found, where, fix }) {
    super(`Expected ${expected}${where ? ` at ${where}` : ""} but found ${found}.${fix ? ` ${fix}` : ""}`);
    this.name = "InputError";
  }
}

/** Returns the standard output of a program that succeeds, otherwise undefined. */
function askProgram(file, args) {
  const options = { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] };
  const { status, stdout } = spawnSync(file, args, options);
  return status === 0 ? stdout.trim() : undefined;
}

/** How the machine is asked; tests answer in its place. */
const machine = {
  nodeVersion: process.versions.node,
  platform: process.platform,
  arch: process.arch,
  kernelVersion: os.release(),
  osRelease() {
    if (process.platform === "darwin") return "ID=macos";
    return fs.existsSync("/etc/os-release") ? fs.readFileSync("/etc/os-release", "utf8") : "";
  },
  /** Returns the features of an x86-64 processor; empty where the system does not list them. */
  cpuFlags() {
    if (!fs.existsSync("/proc/cpuinfo")) return [];
    const [, flags = ""] = /^flags\s*:(.*)$/m.exec(fs.readFileSync("/proc/cpuinfo", "utf8")) ?? [];
    return flags.split(" ").filter((flag) => flag !== "");
  },
  glibcVersion: () => process.report.getReport().header.glibcVersionRuntime,
  run: askProgram,
  gpuName: () =>
    askProgram("nvidia-smi", ["--query-gpu=name", "--format=csv,noheader"])?.split("\n")[0] ?? "",
  freeBytes(dir) {
    const { bavail, bsize } = fs.statfsSync(dir);
    return bavail * bsize;
  },
  disk: (dir) => fs.statSync(dir, { throwIfNoEntry: false })?.dev,
  whyUnwritable(dir) {
    try {
      makeFolder(dir);
      fs.accessSync(dir, fs.constants.W_OK);
      return undefined;
    } catch (error) {
      return error.code;
    }
  },
};

/** Makes a folder and those above it. Node.js' own `recursive` tries forever in a folder that takes no others, such as /proc. */
function makeFolder(dir) {
  if (fs.existsSync(dir)) return;
  makeFolder(path.dirname(dir));
  try {
    fs.mkdirSync(dir);
  } catch (error) {
    if (!fs.existsSync(dir)) throw error; // otherwise another process was faster
  }
}

// Package names of each package manager; the first whose family is in /etc/os-release counts.
const PACKAGE_MANAGERS = [
  {
    family: /debian|ubuntu/,
    command: "sudo apt-get install",
    python: "python3 python3-venv",
    compiler: "g++",
  },
  { family: /fedora|rhel|centos/, command: "sudo dnf install", python: "python3", compiler: "gcc-c++" },
  { family: /suse/, command: "sudo zypper install", python: "python311", compiler: "gcc-c++" },
  { family: /arch/, command: "sudo pacman -S", python: "python", compiler: "gcc" },
  { family: /macos/, command: "brew install", python: "python", compiler: "gcc" },
];

/**
 * Returns the command that installs a tool on this distribution.
 *
 * @param {"python" | "venv" | "compiler"} tool
 * @param {string} osRelease Text of /etc/os-release.
 * @param {string} python Interpreter that lacks venv, such as "python3.12".
 */
function installCommand(tool, osRelease, python = "python3") {
  const family = (osRelease.match(/^ID(_LIKE)?=.*$/gm) ?? []).join(" ");
  if (tool === "compiler" && /macos/.test(family)) return "xcode-select --install";
  const manager = PACKAGE_MANAGERS.find((known) => known.family.test(family)) ?? PACKAGE_MANAGERS[0];
  if (tool !== "venv") return `${manager.command} ${manager[tool]}`;
  return `${manager.command} ${manager === PACKAGE_MANAGERS[0] ? `${python}-venv` : manager.python}`;
}

/**
 * Checks Node.js and the platform, then what the pending steps need.
 *
 * @param {{ python?: boolean, compiler?: boolean, cache?: boolean, project?: boolean }} needs
 * @returns {{ problems: Error[], python?: string }} Problems, each with its fix, and the command of Python.
 */
function checkMachine(context, needs, asked = machine) {
  if (isOlder(asked.nodeVersion, MIN_NODE)) {
    const fix = "Run: nvm install 22, or install a current release from https://nodejs.org/en/download";
    return { problems: [new InputError({ expected: "Node 20.19 or later", found: asked.nodeVersion, fix })] };
  }
  const platform = checkPlatform(asked);
  if (platform) return { problems: [platform] };
  const wheels = pins.libtensorflow[platformKey(asked)];
  if (!(context.accelerator in wheels)) {
    const found = `${context.accelerator} on ${platformName(platformKey(asked))}`;
    const fix = "Run: npm run setup -- --accelerator cpu";
    const expected = "cpu as accelerator, since no library of TensorFlow for this platform has CUDA,";
    return { problems: [new InputError({ expected, found, fix })] };
  }
  const problems = [];
  const python = needs.python ? findPython(asked) : {};
  if (python.problem) problems.push(python.problem);
  if (needs.compiler) {
    const { problem } = findCompiler(context.env, asked);
    if (problem) problems.push(problem);
  }
  const cacheGb = needs.cache ? CACHE_GB[context.accelerator] : 0;
  const another = "Or choose another folder: FERKIT_CACHE=/path/with/room npm run setup";
  if (needs.cache) problems.push(...checkFolder(context.cacheDir, cacheGb, another, asked));
  if (needs.project) {
    const isShared = needs.cache && asked.disk(context.root) === asked.disk(context.cacheDir);
    problems.push(...checkFolder(context.root, PROJECT_GB + (isShared ? cacheGb : 0), "", asked));
  }
  return { problems, ...(python.command && { python: python.command }) };
}

/** Returns the problem of a platform that TensorFlow's library does not run on. */
function checkPlatform(asked) {
  const key = platformKey(asked);
  if (!PLATFORMS[key]) {
    const expected =
      "Linux on x86-64 or arm64 with glibc 2.27 or later, or macOS 12 or later on Apple silicon";
    return new InputError({ expected, found: platformName(key), fix: otherPlatform(asked) });
  }
  if (asked.platform === "darwin") {
    if (!isOlder(asked.kernelVersion, MIN_DARWIN)) return undefined;
    const expected = "macOS 12 or later (Darwin 21)";
    return new InputError({
      expected,
      found: `Darwin ${asked.kernelVersion}`,
      fix: "Run: softwareupdate --install --all",
    });
  }
  const version = asked.glibcVersion();
  if (!version || isOlder(version, MIN_GLIBC)) {
    const found = version ? `glibc ${version}` : "another C library";
    const fix =
      "Use a distribution of 2018 or later with glibc (not Alpine): docker run -it node:22-bookworm bash";
    return new InputError({ expected: `${platformName(key)} with glibc 2.27 or later`, found, fix });
  }
  const flags = asked.arch === "x64" ? asked.cpuFlags() : [];
  if (flags.length === 0 || flags.includes("avx")) return undefined;
  return new InputError({
    expected: "a processor with AVX, as TensorFlow's library needs,",
    found: "one without",
    fix: "Run it on a processor of 2012 or later. In a virtual machine, choose the processor type of the host (QEMU: -cpu host).",
  });
}

function otherPlatform({ platform, arch }) {
  if (platform === "win32") return "Run: wsl --install, and use ferkit in that Linux.";
  if (platform === "darwin" && arch === "x64")
    return (
      "Install Node.js for arm64 if this Mac has Apple silicon. On an Intel Mac, use a container, since TensorFlow has no library " +
      "for it: docker run -it node:22-bookworm bash"
    );
  return "Use one of those, or a container: docker run --platform linux/amd64 -it node:22-bookworm bash";
}

function findPython({ run, osRelease }) {
  const code = "import sys; print('.'.join(map(str, sys.version_info[:3])))";
  const found = [];
  const isRecent = (command) => {
    const version = run(command, ["-c", code]);
    if (version) found.push({ command, version });
    return version && !isOlder(version, MIN_PYTHON);
  };
  if (!PYTHONS.some(isRecent)) {
    const was = found.length > 0 ? `${found[0].version} as ${found[0].command}` : "no python3 on PATH";
    const fix = `Run: ${installCommand("python", osRelease())}`;
    return { problem: new InputError({ expected: "Python 3.10 or later", found: was, fix }) };
  }
  const recent = found[found.length - 1];
  if (run(recent.command, ["-c", "import venv, ensurepip"]) !== undefined) return recent;
  const problem = new InputError({
    expected: "Python's venv and ensurepip modules",
    found: `${recent.command} ${recent.version} without them`,
    fix: `Run: ${installCommand("venv", osRelease(), recent.command)}`,
  });
  return { problem };
}

/** Returns the first C++ compiler that answers, as `{ command }`, or `{ problem }`. */
function findCompiler(env, { run, osRelease } = machine) {
  const candidates = env.CXX ? [env.CXX] : COMPILERS;
  const command = candidates.find((name) => run(name, ["--version"]) !== undefined);
  if (command) return { command };
  const expected = `a C++ compiler (${candidates.join(", ")})`;
  const fix = `Run: ${installCommand("compiler", osRelease())}`;
  return { problem: new InputError({ expected, found: "none on PATH", fix }) };
}

function checkFolder(dir, gigabytes, another, { whyUnwritable, freeBytes }) {
  const code = whyUnwritable(dir);
  if (code) {
    const found = code === "EACCES" || code === "EPERM" ? "permission denied" : code;
    const fix = `Run: sudo chown -R "$(id -un)" ${existing(dir)}. ${another}`.trim();
    return [new InputError({ expected: "a writable folder", where: dir, found, fix })];
  }
  const free = freeBytes(dir) / 1e9;
  if (free >= gigabytes) return [];
  const expected = `${Number(gigabytes.toFixed(1))} GB of free disk`;
  const fix = `Free some: df -h ${dir}. ${another}`.trim();
  return [new InputError({ expected, where: dir, found: `${free.toFixed(1)} GB`, fix })];
}

function existing(dir) {
  return fs.existsSync(dir) ? dir : existing(path.dirname(dir));
}

function isOlder(version, [minMajor, minMinor]) {
  const [major, minor] = version.split(".").map(Number);
  return major < minMajor || (major === minMajor && minor < minMinor);
}

/** Programs that run now. */
const running = new Set();

/** Ends the programs that run now. */
function stopCommands() {
  for (const child of running) child.kill("SIGTERM");
}

/**
 * Runs a program without a shell and without input.
 *
 * @param {string} file
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, onLine?: (line: string) => void, onMessage?: (message: any) => void }} [options]
 * @returns {Promise<{ status: number, output: string }>} Exit status (127 if it could not be started) and all it printed.
 */
function runCommand(file, args, { cwd, env = process.env, onLine = () => {}, onMessage } = {}) {
  return new Promise((resolve) => {
    const stdio = ["ignore", "pipe", "pipe", ...(onMessage ? ["ipc"] : [])];
    const child = spawn(file, args, { cwd, env, stdio });
    running.add(child);
    let output = "";
    const collect = (chunk) => {
      output += chunk;
      const line = String(chunk)
        .trim()
        .split(/[\r\n]+/)
        .pop();
      if (line) onLine(line);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    if (onMessage) child.on("message", onMessage);
    const finish = (status, message = "") => {
      running.delete(child);
      resolve({ status, output: output + message });
    };
    child.on("error", (error) => finish(127, `${file}: ${error.code ?? error.message}\n`));
    child.on("close", (code, signal) => finish(code ?? 1, signal ? `${file} was ended by ${signal}\n` : ""));
  });
}

/**
 * Makes what shows the lines of pip in set-up's words: the package that it works at. Its warnings are part of the output, which is shown
 * if it fails.
 *
 * @param {(text: string) => void} show
 */
function showPip(show) {
  return (/** @type {string} */ line) => {
    const [, wanted] = /^\s*Collecting ([\w.-]+)/.exec(line) ?? [];
    const [, found] = /^\s*(?:Downloading|Using cached|Processing) (?:\S*\/)?([\w.]+)-/.exec(line) ?? [];
    const name = wanted ?? found;
    if (name) show(name.replaceAll("_", "-"));
    else if (/^\s*Installing collected packages/.test(line)) show("unpack");
  };
}

const NETWORK_FAILURE =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|name resolution|Network is unreachable|Connection refused|Could not fetch URL/;

/** Returns the problem behind a failed program's output; a full disk or a missing network looks alike in every tool. */
function describeFailure(what, output, where) {
  const tail = (count) => output.trim().split("\n").slice(-count).join("\n");
  if (/ENOSPC|No space left on device/.test(output)) {
    const fix =
      "Free about 3 GB, or choose another disk for the cache: FERKIT_CACHE=/path/with/room npm run setup";
    return new InputError({ expected: "room on the disk", where, found: `a full disk during ${what}`, fix });
  }
  if (/EACCES|EROFS|Permission denied|Read-only file system/.test(output)) {
    const fix = `Run: sudo chown -R "$(id -un)" ${where}\n${tail(5)}`;
    return new InputError({
      expected: "writable folders",
      where,
      found: `permission denied during ${what}`,
      fix,
    });
  }
  if (NETWORK_FAILURE.test(output)) {
    const host =
      output.match(/host='([^']+)'/)?.[1] ??
      output.match(/request to (https?:\/\/[^/\s]+)/)?.[1] ??
      output.match(/(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED)\s+(\S+)/)?.[1] ??
      "the package index (see: pip config list, npm config get registry)";
    const fix =
      "Check the network and proxy (HTTPS_PROXY), then run this again: it resumes where it stopped. " +
      "Python wheels are also taken from a local folder: FERKIT_WHEELS=/path/to/wheels npm run setup";
    return new InputError({ expected: `to reach ${host}`, found: `no answer during ${what}`, fix });
  }
  if (/EINTEGRITY|DO NOT MATCH THE HASHES/.test(output)) {
    const fix = `Clear the tool's own cache (npm cache clean --force, pip cache purge) and run this again.\n${tail(12)}`;
    return new InputError({ expected: `the pinned files for ${what}`, found: "another digest", fix });
  }
  return new InputError({
    expected: `${what} to succeed`,
    found: "a failed command",
    fix: `Its last lines:\n${tail(30)}`,
  });
}

module.exports = {
  checkMachine,
  describeFailure,
  findCompiler,
  InputError,
  installCommand,
  machine,
  makeFolder,
  runCommand,
  showPip,
  stopCommands,
};
