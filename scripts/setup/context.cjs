// Where everything is, and what was chosen. Imports no package.
const crypto = require("node:crypto");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const process = require("node:process");
const { InputError, machine } = require("./machine.cjs");
const { platformKey } = require("./platforms.cjs");

/**
 * Returns where everything is, and what was chosen.
 *
 * @param {{ root?: string, env?: NodeJS.ProcessEnv, accelerator?: string, weights?: string[] }} options
 */
function createContext({ root, env = process.env, accelerator, weights = ["lite0"] } = {}) {
  const rootDir = root ?? path.resolve(__dirname, "../..");
  const inRoot = (name) => path.join(rootDir, name);
  const stateDir = inRoot(".ferkit");
  return {
    root: rootDir,
    env,
    platform: platformKey(),
    stateDir,
    cacheDir: cacheFolder(env),
    wheelsDir: env.FERKIT_WHEELS ? path.resolve(env.FERKIT_WHEELS) : "",
    nodeModulesDir: inRoot("node_modules"),
    venvDir: inRoot(".venv"),
    venvPython: inRoot(".venv/bin/python"),
    accelerator: accelerator ?? chooseAccelerator(stateDir, env),
    weights,
  };
}

/**
 * Returns the user's cache folder, as src/files.ts does.
 *
 * @param {NodeJS.ProcessEnv} env
 */
function cacheFolder(env) {
  if (env.FERKIT_CACHE) return path.resolve(env.FERKIT_CACHE);
  const isUsable = path.isAbsolute(env.XDG_CACHE_HOME || "");
  return path.join(isUsable ? env.XDG_CACHE_HOME : path.join(os.homedir(), ".cache"), "ferkit");
}

/**
 * Chooses "cpu" or "gpu": by flag, by `FERKIT_ACCELERATOR`, as before in this clone, or the CPU.
 *
 * @param {string} stateDir
 * @param {NodeJS.ProcessEnv} env
 * @param {string} [flag]
 * @param {() => unknown} [hasGpu]
 */
function chooseAccelerator(stateDir, env, flag, hasGpu = hasUsableGpu) {
  const file = path.join(stateDir, "accelerator");
  const before = fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim() : "";
  const choice = flag ?? (env.FERKIT_ACCELERATOR || before || "cpu");
  if (!["cpu", "gpu", "auto"].includes(choice)) {
    const fix = "Run: npm run setup -- --accelerator auto";
    throw new InputError({ expected: "cpu, gpu or auto as accelerator", found: choice, fix });
  }
  if (choice !== "auto") return choice;
  return hasGpu() ? "gpu" : "cpu";
}

/** Returns whether there is a GPU, and a library for it on this platform. */
function hasUsableGpu() {
  return "gpu" in (require("./pins.json").libtensorflow[platformKey()] ?? {}) && machine.gpuName() !== "";
}

/** Returns a digest of inputs: text as it is, `{ file }` by content. A missing file counts as empty. */
function digestOf(inputs) {
  const hash = crypto.createHash("sha256");
  for (const input of inputs) {
    const isFile = typeof input === "object";
    hash.update(isFile ? (fs.existsSync(input.file) ? fs.readFileSync(input.file) : "") : String(input));
    hash.update("\0");
  }
  return hash.digest("hex");
}

/**
 * Returns the files of the weights that were asked for.
 *
 * @param {{ cacheDir: string, weights: string[] }} context
 */
function weightsFiles({ cacheDir, weights }) {
  return weights.map((variant) => path.join(cacheDir, "weights", `efficientnet-${variant}.pth`));
}

/** Returns the variants whose weights were asked for, by default the default model's. */
function chooseWeights(text = "lite0") {
  const known = Object.keys(require("./pins.json").weights);
  const variants = [...new Set(text.split(",").map((name) => name.trim()))];
  const unknown = variants.filter((variant) => !known.includes(variant));
  if (unknown.length === 0) return variants;
  const expected = `some of ${known.join(", ")} as weights`;
  const fix =
    "Run: npm run setup -- --weights lite0,lite1 (weights of other variants are downloaded at first use)";
  throw new InputError({ expected, found: unknown.join(", ") || "nothing", fix });
}

module.exports = { cacheFolder, chooseAccelerator, chooseWeights, createContext, digestOf, weightsFiles };
