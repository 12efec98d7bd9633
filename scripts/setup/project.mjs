// Where things are: the project, the user's cache, the pinned downloads.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const setupDir = path.dirname(fileURLToPath(import.meta.url));

/** The project root. */
export const projectDir = path.resolve(setupDir, "../..");

/** Folder for what all clones of one user share: `$FERKIT_CACHE`, `$XDG_CACHE_HOME/ferkit` or `~/.cache/ferkit`. */
export function findCacheDir(env) {
  if (env.FERKIT_CACHE) return path.resolve(env.FERKIT_CACHE);
  // The XDG specification has relative paths ignored.
  const base = path.isAbsolute(env.XDG_CACHE_HOME ?? "")
    ? env.XDG_CACHE_HOME
    : path.join(os.homedir(), ".cache");
  return path.join(base, "ferkit");
}

/** Names, versions and digests of the downloads that no lockfile covers. */
export function readPins() {
  return JSON.parse(fs.readFileSync(path.join(setupDir, "pins.json"), "utf8"));
}

/**
 * Everything that a step needs to know.
 *
 * @param accelerator - "cpu" or "gpu".
 * @param weights - Variants whose pre-trained weights shall be there.
 */
export function createContext({
  root = projectDir,
  env = process.env,
  accelerator,
  weights = ["lite0"],
  pins = readPins(),
}) {
  const venvDir = path.join(root, ".venv");
  return {
    root,
    env,
    pins,
    accelerator,
    weights,
    cacheDir: findCacheDir(env),
    // Set-up's own state; ignores itself in git.
    stateDir: path.join(root, ".ferkit"),
    nodeModulesDir: path.join(root, "node_modules"),
    engineDir: path.join(root, "node_modules/@tensorflow/tfjs-node-gpu"),
    venvDir,
    venvPython: path.join(venvDir, "bin/python"),
    wheelsDir: env.FERKIT_WHEELS ? path.resolve(env.FERKIT_WHEELS) : undefined,
    systemPython: undefined, // set by the prerequisites check
    compiler: undefined,
  };
}

/** Creates the project's state folder and returns its path. */
export function ensureStateDir(context) {
  fs.mkdirSync(context.stateDir, { recursive: true });
  fs.writeFileSync(path.join(context.stateDir, ".gitignore"), "*\n");
  return context.stateDir;
}
