// The project's own ops: native/*.cc, compiled into an addon that is loaded beside the engine's. Training works without it, slower;
// so whatever is missing here stops nothing.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { runCommand } from "./command.mjs";
import { libtensorflowDir } from "./engine.mjs";
import { findCompiler, machine } from "./prerequisites.mjs";
import { readOsRelease } from "./problem.mjs";
import { ensureStateDir } from "./project.mjs";
import { isStamped, stampKey, writeStamp, writeWhole } from "./stamps.mjs";
import { makeWhole } from "./work-folder.mjs";

const FLAGS = ["-std=c++20", "-O3", "-fPIC", "-w", "-DNDEBUG", "-DNAPI_VERSION=8"];
const KERNELS = "kernels.cc";
// Each instruction set has its table of kernels; which one serves is decided when the addon is loaded.
const INSTRUCTION_SETS = {
  avx2: ["-DFERKIT_KERNELS=kernelsAvx2", "-mavx2"],
  avx512: [
    "-DFERKIT_KERNELS=kernelsAvx512",
    ...["f", "bw", "dq", "vl"].map((part) => `-mavx512${part}`),
    "-mprefer-vector-width=512",
  ],
};
const KERNEL_FLAGS = ["-mfma", "-ffp-contract=fast"];
const LINK_FLAGS = [
  "-shared",
  "-ltensorflow_framework",
  "-Wl,-rpath,$ORIGIN/../../node_modules/@tensorflow/tfjs-node-gpu/deps/lib",
];

/** Where src looks for the addon, and what is left there if it could not be made. */
export function nativePaths(context) {
  const dir = path.join(context.stateDir, "native");
  const inDir = (name) => path.join(dir, name);
  return {
    addon: inDir("ferkit_ops.node"),
    objects: inDir("objects"),
    failure: inDir("failure.txt"),
    stamp: inDir("stamp"),
  };
}

/** Digest of all that the ops are compiled from. */
export function nativeKey(context) {
  const { sources, headers } = listSources(context);
  const files = [...sources, ...headers];
  const names = files.map((file) => path.basename(file));
  return stampKey([...commonInputs(context), ...names, ...toFiles(files)]);
}

export const nativeOpsStep = {
  name: "native ops",
  isCurrent(context) {
    const { addon, failure, stamp } = nativePaths(context);
    if (!isWanted(context)) return true;
    return isStamped(stamp, nativeKey(context)) && (fs.existsSync(addon) || fs.existsSync(failure));
  },
  async run(context, show) {
    const { addon, failure, stamp } = nativePaths(context);
    ensureStateDir(context);
    const key = nativeKey(context);
    const cached = path.join(context.cacheDir, "addons", key.slice(0, 16), path.basename(addon));
    const isCached = fs.existsSync(cached);
    const why = isCached ? undefined : await makeAddon(context, cached, show);
    if (why === undefined) {
      writeWhole(addon, fs.readFileSync(cached));
      fs.rmSync(failure, { force: true });
    } else {
      fs.rmSync(addon, { force: true });
      writeWhole(failure, why);
      context.notes.push(
        `The native ops could not be made, so TensorFlow's own kernels serve and training is slower: ${failure} says why. ` +
          `To try again: rm -r ${path.dirname(failure)} && npm run setup`,
      );
    }
    writeStamp(stamp, key);
    if (why !== undefined) return "not made";
    return isCached ? "from the cache" : undefined;
  },
};

/** Whether the machine can use them: GPUs and processors without AVX2 cannot. */
function isWanted({ accelerator, cpuFlags = readCpuFlags() }) {
  return accelerator === "cpu" && ["avx2", "fma"].every((flag) => cpuFlags.includes(flag));
}

function readCpuFlags() {
  if (!fs.existsSync("/proc/cpuinfo")) return [];
  const [, flags = ""] = fs.readFileSync("/proc/cpuinfo", "utf8").match(/^flags\s*:(.*)$/m) ?? [];
  return flags.trim().split(" ");
}

function listSources({ root }) {
  const dir = path.join(root, "native");
  const names = fs.existsSync(dir) ? fs.readdirSync(dir).sort() : [];
  const withSuffix = (suffix) =>
    names.filter((name) => name.endsWith(suffix)).map((name) => path.join(dir, name));
  return { sources: withSuffix(".cc"), headers: withSuffix(".h") };
}

const toFiles = (files) => files.map((file) => ({ file }));

function commonInputs(context) {
  const release = readOsRelease().match(/^(ID|VERSION_ID)=.*$/gm) ?? [];
  const flags = [...FLAGS, ...Object.values(INSTRUCTION_SETS).flat(), ...KERNEL_FLAGS, ...LINK_FLAGS];
  return [...flags, libtensorflowDir(context), ...release];
}

/** Makes the addon in the cache; returns why it could not, if so. */
async function makeAddon(context, target, show) {
  const { command: compiler, problem } = findCompiler(context.env, machine);
  if (!compiler) return problem.message;
  let why;
  const make = async (folder) => {
    const addon = path.join(folder, path.basename(target));
    why = await build(context, compiler, addon, show);
    if (why !== undefined) throw new Error(why);
    return folder;
  };
  try {
    await makeWhole(path.dirname(target), make);
  } catch (error) {
    return why ?? error.message;
  }
  return undefined;
}

async function build(context, compiler, addon, show) {
  const { objects: dir } = nativePaths(context);
  const objects = listObjects(context, compiler);
  fs.mkdirSync(dir, { recursive: true });
  for (const name of fs.readdirSync(dir))
    if (!objects.some((object) => object.name === name)) fs.rmSync(path.join(dir, name), { recursive: true });
  const pending = objects.filter(({ name }) => !fs.existsSync(path.join(dir, name)));
  let numDone = 0;
  let why;
  const work = async () => {
    for (let object = pending.shift(); object && why === undefined; object = pending.shift()) {
      const file = path.join(dir, object.name);
      show(`${++numDone} of ${objects.length} files`);
      const { status, output } = await runCommand(compiler, [...object.args, "-o", `${file}.tmp`]);
      if (status === 0) fs.renameSync(`${file}.tmp`, file);
      else why = `${path.basename(object.source)}:\n${output}`;
    }
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, work));
  if (why !== undefined) return why;
  const files = objects.map(({ name }) => path.join(dir, name));
  const lib = path.join(libtensorflowDir(context), "lib");
  const { status, output } = await runCommand(compiler, [...files, "-o", addon, `-L${lib}`, ...LINK_FLAGS]);
  return status === 0 ? undefined : `linking:\n${output}`;
}

/** What is compiled; the name of an object holds the digest of what it is made from, so that one that is there is kept. */
function listObjects(context, compiler) {
  const include = path.join(libtensorflowDir(context), "include");
  const includes = [
    include,
    path.join(include, "external"),
    path.join(context.nodeModulesDir, "node-api-headers/include"),
  ].map((dir) => `-I${dir}`);
  const { sources, headers } = listSources(context);
  return sources.flatMap((source) => {
    const isKernels = path.basename(source) === KERNELS;
    const variants = isKernels ? Object.values(INSTRUCTION_SETS) : [[]];
    const flags = isKernels ? KERNEL_FLAGS : includes;
    // Sources with TensorFlow's headers take seconds each, and few of them see the headers of kernels.
    const inputs = includedBy(source, headers);
    return variants.map((variant) => {
      const args = [...FLAGS, ...variant, ...flags, "-c", source];
      const digest = stampKey([compiler, ...commonInputs(context), ...args, ...toFiles(inputs)]).slice(0, 16);
      return { source, name: `${path.basename(source, ".cc")}-${digest}.o`, args };
    });
  });
}

/** The file and those of `headers` that it includes, directly or not. */
function includedBy(file, headers) {
  const found = [file];
  for (const one of found)
    for (const [, name] of fs.readFileSync(one, "utf8").matchAll(/^#include "(.*)"$/gm)) {
      const header = headers.find((path_) => path.basename(path_) === name);
      if (header && !found.includes(header)) found.push(header);
    }
  return found;
}
