// The engine: libtensorflow in the user's cache, and the addon that joins it to Node.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand } from "./command.mjs";
import { describeFailure, readOsRelease } from "./problem.mjs";
import { isStamped, stampKey, writeStamp, writeWhole } from "./stamps.mjs";
import { dropWheel, fetchWheel, findLinks, unpackWheel } from "./wheels.mjs";
import { makeWhole } from "./work-folder.mjs";

const setupDir = path.dirname(fileURLToPath(import.meta.url));
const UNPACK_RULES = [
  "tensorflow/libtensorflow_cc.so.2=lib/libtensorflow_cc.so.2",
  "tensorflow/libtensorflow_framework.so.2=lib/libtensorflow_framework.so.2",
  "tensorflow/include/=include/",
];
// Names that the addon is linked against; the wheel carries the C API in its C++ library.
const LINKS = {
  "libtensorflow.so": "libtensorflow_cc.so.2",
  "libtensorflow.so.2": "libtensorflow_cc.so.2",
  "libtensorflow_framework.so": "libtensorflow_framework.so.2",
};
const SOURCES = ["tfjs_backend.cc", "tfjs_binding.cc"];
const FLAGS = ["-std=c++17", "-O2", "-fPIC", "-shared", "-w", "-DNAPI_VERSION=8"];

/** Folder of one libtensorflow in the user's cache; its name holds the digest, so that another pin is another folder. */
export function libtensorflowDir(context) {
  const { version, sha256 } = context.pins.libtensorflow[context.accelerator];
  return path.join(
    context.cacheDir,
    "libtensorflow",
    `${context.accelerator}-${version}-${sha256.slice(0, 8)}`,
  );
}

/** Where the engine's package looks for libtensorflow: a link into the user's cache. */
function depsLink(context) {
  return path.join(context.engineDir, "deps");
}

export const libtensorflowStep = {
  name: "libtensorflow",
  isCurrent(context) {
    const dir = libtensorflowDir(context);
    return fs.existsSync(path.join(dir, "lib/libtensorflow_cc.so.2")) && readLink(depsLink(context)) === dir;
  },
  async run(context, show) {
    const dir = libtensorflowDir(context);
    const isCached = fs.existsSync(dir);
    if (!isCached) await makeLibtensorflow(context, dir, show);
    relink(dir, depsLink(context));
    return isCached ? "from the cache" : undefined;
  },
};

async function makeLibtensorflow(context, dir, show) {
  const pin = context.pins.libtensorflow[context.accelerator];
  const wheel = await fetchWheel(context, pin, show);
  await makeWhole(dir, async (folder) => {
    await unpackWheel(context, wheel, folder, UNPACK_RULES, show);
    for (const [link, target] of Object.entries(LINKS))
      fs.symlinkSync(target, path.join(folder, "lib", link));
    // The library looks for CUDA in ../nvidia/*/lib beside itself (its RUNPATH).
    if (context.accelerator === "gpu") await installCuda(context, folder, show);
    return folder;
  });
  dropWheel(context, pin);
}

async function installCuda(context, folder, show) {
  show("CUDA libraries (3 GB)");
  const site = path.join(folder, "site");
  const options = [
    "--no-deps",
    "--only-binary=:all:",
    "--no-cache-dir",
    "--progress-bar",
    "off",
    "--require-hashes",
  ];
  const { status, output } = await runCommand(
    context.venvPython,
    [
      "-m",
      "pip",
      "install",
      ...options,
      ...findLinks(context),
      "--target",
      site,
      "-r",
      path.join(setupDir, "cuda-requirements.txt"),
    ],
    { env: { ...context.env, TMPDIR: folder, PIP_DISABLE_PIP_VERSION_CHECK: "1" }, onLine: show },
  );
  if (status !== 0) throw describeFailure("the CUDA libraries", output, context.cacheDir);
  fs.renameSync(path.join(site, "nvidia"), path.join(folder, "nvidia"));
  fs.rmSync(site, { recursive: true });
}

function readLink(file) {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ? fs.readlinkSync(file) : undefined;
}

function relink(target, link) {
  const temporary = `${link}.${process.pid}.tmp`;
  fs.rmSync(temporary, { force: true });
  fs.symlinkSync(target, temporary);
  // A folder that the package's own installer left cannot be replaced by a rename.
  if (readLink(link) === undefined) fs.rmSync(link, { recursive: true, force: true });
  fs.renameSync(temporary, link);
}

/** Digest of all that the addon is compiled from, by the lockfile, so that it is known before the packages are there. */
export function addonKey(context) {
  const { packages } = JSON.parse(fs.readFileSync(path.join(context.root, "package-lock.json"), "utf8"));
  const sources = ["@tensorflow/tfjs-node-gpu", "node-api-headers"].map((name) => {
    const { version, integrity } = packages[`node_modules/${name}`];
    return `${name}@${version} ${integrity}`;
  });
  // The system's release stands for its C++ runtime: a home folder may be shared by several.
  const release = readOsRelease().match(/^(ID|VERSION_ID)=.*$/gm) ?? [];
  return stampKey([
    ...sources,
    ...FLAGS,
    context.pins.libtensorflow[context.accelerator].version,
    ...release,
  ]);
}

/** The addon in the user's cache, which spares a second clone the compiler. */
export function cachedAddon(context) {
  return path.join(context.cacheDir, "addons", addonKey(context).slice(0, 16), "tfjs_binding.node");
}

function addonPaths(context) {
  const dir = path.join(context.engineDir, "lib/napi-v8");
  return { addon: path.join(dir, "tfjs_binding.node"), stamp: path.join(dir, ".ferkit-stamp") };
}

export const addonStep = {
  name: "native addon",
  isCurrent(context) {
    const { addon, stamp } = addonPaths(context);
    return fs.existsSync(addon) && isStamped(stamp, addonKey(context));
  },
  async run(context) {
    const cached = cachedAddon(context);
    const isCached = fs.existsSync(cached);
    if (!isCached) await makeWhole(path.dirname(cached), (folder) => compileAddon(context, folder));
    const { addon, stamp } = addonPaths(context);
    writeWhole(addon, fs.readFileSync(cached));
    writeStamp(stamp, addonKey(context));
    return isCached ? "from the cache" : undefined;
  },
};

async function compileAddon(context, folder) {
  const deps = libtensorflowDir(context);
  const args = [
    ...FLAGS,
    `-I${path.join(context.nodeModulesDir, "node-api-headers/include")}`,
    `-I${path.join(deps, "include")}`,
    ...SOURCES.map((name) => path.join(context.engineDir, "binding", name)),
    ...["-o", path.join(folder, "tfjs_binding.node")],
    ...[
      `-L${path.join(deps, "lib")}`,
      "-ltensorflow",
      "-ltensorflow_framework",
      "-Wl,-rpath,$ORIGIN/../../deps/lib",
    ],
  ];
  const { status, output } = await runCommand(context.compiler, args, { cwd: context.root });
  if (status !== 0) throw describeFailure("compiling the native addon", output, context.cacheDir);
  return folder;
}
