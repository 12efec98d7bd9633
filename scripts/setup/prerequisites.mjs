// What the machine must have before set-up can work, and for each thing that it lacks a message with the command that mends it.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { installCommand, readOsRelease, SetupError } from "./problem.mjs";

/** Oldest supported releases; package.json's `engines` says the same of Node. */
export const MIN_NODE = [20, 19];
export const MIN_PYTHON = [3, 10];
const MIN_GLIBC = [2, 27];
const PYTHONS = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];
const COMPILERS = ["g++", "c++", "clang++"];
// Measured peaks and some room: the wheel beside what is unpacked from it (1.4 GB); node_modules and .venv (0.9 GB).
const CACHE_GB = { cpu: 1.6, gpu: 11 };
const PROJECT_GB = 1.2;

/** How the machine is asked; tests answer in its place. */
export const machine = {
  nodeVersion: process.versions.node,
  platform: process.platform,
  arch: process.arch,
  osRelease: readOsRelease,
  glibcVersion: () => process.report.getReport().header.glibcVersionRuntime,
  /** Standard output of a command that succeeds, else undefined. */
  run(file, args) {
    const { status, stdout } = spawnSync(file, args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return status === 0 ? stdout.trim() : undefined;
  },
  freeBytes(dir) {
    const { bavail, bsize } = fs.statfsSync(dir);
    return bavail * bsize;
  },
  /** Identity of the disk that a folder lies on. */
  disk: (dir) => fs.statSync(dir, { throwIfNoEntry: false })?.dev,
  /** Makes the folder if need be; the error's code when it cannot be written to. */
  whyUnwritable(dir) {
    try {
      fs.mkdirSync(dir, { recursive: true });
      fs.accessSync(dir, fs.constants.W_OK);
      return undefined;
    } catch (error) {
      return error.code;
    }
  },
};

/**
 * Checks Node and the platform, then what the pending steps need.
 *
 * @param needs - `{ python, compiler, cache, project }`: which of them the pending steps use.
 * @returns `{ problems, python, compiler }`: SetupErrors, and the commands that were found.
 */
export function checkPrerequisites(context, needs, asked = machine) {
  const problems = [];
  if (isOlder(parseVersion(asked.nodeVersion), MIN_NODE)) {
    problems.push(
      new SetupError({
        expected: "Node 20.19 or later",
        found: asked.nodeVersion,
        fix: "Run: nvm install 22, or install a current release from https://nodejs.org/en/download",
      }),
    );
    return { problems }; // nothing else can be asked of an old Node safely
  }
  const platform = checkPlatform(asked);
  if (platform) return { problems: [platform] };
  const python = needs.python ? findPython(asked) : {};
  const compiler = needs.compiler ? findCompiler(context.env, asked) : {};
  problems.push(python.problem, compiler.problem);
  if (needs.cache) {
    const fix = "Or choose another folder: FERKIT_CACHE=/path/with/room npm run setup";
    problems.push(checkFolder(context.cacheDir, CACHE_GB[context.accelerator], fix, asked));
  }
  if (needs.project) {
    const isShared = needs.cache && asked.disk(context.root) === asked.disk(context.cacheDir);
    const gigabytes = PROJECT_GB + (isShared ? CACHE_GB[context.accelerator] : 0);
    problems.push(checkFolder(context.root, gigabytes, "", asked));
  }
  return { problems: problems.filter(Boolean), python: python.command, compiler: compiler.command };
}

function checkPlatform({ platform, arch, glibcVersion }) {
  const expected = "Linux on x86-64 with glibc 2.27 or later";
  if (platform !== "linux" || arch !== "x64") {
    const fix =
      "Use WSL 2 on Windows, and on macOS or ARM a Linux x86-64 machine or container: " +
      "docker run --platform linux/amd64 -it node:22-bookworm bash";
    return new SetupError({ expected, found: `${platform} on ${arch}`, fix });
  }
  const version = glibcVersion();
  if (version && !isOlder(parseVersion(version), MIN_GLIBC)) return undefined;
  const fix =
    "Use a distribution of 2018 or later with glibc (not Alpine): docker run -it node:22-bookworm bash";
  return new SetupError({ expected, found: version ? `glibc ${version}` : "another C library", fix });
}

function findPython({ run, osRelease }) {
  const code = "import sys; print('.'.join(map(str, sys.version_info[:3])))";
  const found = PYTHONS.map((command) => ({ command, version: run(command, ["-c", code]) })).filter(
    (p) => p.version,
  );
  const recent = found.find(({ version }) => !isOlder(parseVersion(version), MIN_PYTHON));
  if (!recent) {
    const problem = new SetupError({
      expected: "Python 3.10 or later",
      found: found.length > 0 ? `${found[0].version} as ${found[0].command}` : "no python3 on PATH",
      fix: `Run: ${installCommand("python", osRelease())}`,
    });
    return { problem };
  }
  if (run(recent.command, ["-c", "import venv, ensurepip"]) === undefined) {
    const problem = new SetupError({
      expected: "Python's venv and ensurepip modules",
      found: `${recent.command} ${recent.version} without them`,
      fix: `Run: ${installCommand("venv", osRelease(), recent.command)}`,
    });
    return { problem };
  }
  return recent;
}

/** The first C++ compiler that answers, as `{ command }`; else `{ problem }`. */
export function findCompiler(env, { run, osRelease }) {
  const candidates = env.CXX ? [env.CXX] : COMPILERS;
  const command = candidates.find((name) => run(name, ["--version"]) !== undefined);
  if (command) return { command };
  const fix = `Run: ${installCommand("compiler", osRelease())}`;
  return {
    problem: new SetupError({
      expected: `a C++ compiler (${candidates.join(", ")})`,
      found: "none on PATH",
      fix,
    }),
  };
}

function checkFolder(dir, gigabytes, fix, { whyUnwritable, freeBytes }) {
  const code = whyUnwritable(dir);
  if (code) {
    return new SetupError({
      expected: "a writable folder",
      where: dir,
      found: code === "EACCES" || code === "EPERM" ? "permission denied" : code,
      fix: `Run: sudo chown -R "$(id -un)" ${existing(dir)}. ${fix}`.trim(),
    });
  }
  const free = freeBytes(dir) / 1e9;
  if (free >= gigabytes) return undefined;
  return new SetupError({
    expected: `${gigabytes} GB of free disk`,
    where: dir,
    found: `${free.toFixed(1)} GB`,
    fix: `Free some: df -h ${dir}. ${fix}`.trim(),
  });
}

function existing(dir) {
  return fs.existsSync(dir) ? dir : existing(path.dirname(dir));
}

function parseVersion(text) {
  return text.split(".").map(Number);
}

function isOlder([major, minor], [minMajor, minMinor]) {
  return major < minMajor || (major === minMajor && minor < minMinor);
}
