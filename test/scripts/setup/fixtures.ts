// Set-up is plain JavaScript, since it runs before any package is there; what its tests use of it is typed here.
import crypto from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

export const root = path.resolve(__dirname, "../../..");
export const load = <T>(name: string): Promise<T> => import(path.join(root, "scripts/setup", `${name}.mjs`));

export interface Pin {
  package: string;
  version: string;
  wheel: string;
  sha256: string;
  numBytes: number;
}

export interface Context {
  root: string;
  cacheDir: string;
  stateDir: string;
  engineDir: string;
  venvPython: string;
  wheelsDir?: string;
  env: NodeJS.ProcessEnv;
  accelerator: string;
  /** Flags of the processor, in place of this machine's. */
  cpuFlags?: string[];
  notes?: string[];
  pins: { libtensorflow: Record<string, Pin>; weights: Record<string, Pin> };
}

export type Show = (text: string) => void;
export interface Step {
  name: string;
  isCurrent(context: Context): boolean;
  run(context: Context, show: Show): Promise<string | undefined>;
}

export type Needs = Partial<Record<"python" | "compiler" | "cache" | "project", boolean>>;
export interface Checked {
  problems: Error[];
  python?: string;
  compiler?: string;
}

export interface SetUpOptions {
  stream: { isTTY?: boolean; columns?: number; write: (text: string) => unknown };
  all: Step[];
  check: (context: Context, needs: Needs) => Checked;
}

export const ignore: Show = () => {};
export const sha256 = (content: string | Buffer) => crypto.createHash("sha256").update(content).digest("hex");

/** A clone and a cache of their own for each test of the `describe` that calls this. */
export function setUpSandbox() {
  const sandbox = {
    folder: "",
    context: {} as Context,
    /** Every file and folder under the cache, so that a test sees what was left behind. */
    listCache(): string[] {
      const { cacheDir } = sandbox.context;
      return fs.existsSync(cacheDir) ? fs.readdirSync(cacheDir, { recursive: true }).map(String).sort() : [];
    },
    /** Puts a program in place of the environment's Python. */
    fakePython(script: string): void {
      const { venvPython } = sandbox.context;
      fs.mkdirSync(path.dirname(venvPython), { recursive: true });
      fs.writeFileSync(venvPython, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    },
  };
  beforeEach(async () => {
    sandbox.folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "ferkit-setup-")));
    const { createContext } = await load<{ createContext: (options: object) => Context }>("project");
    const pin = {
      package: "engine",
      version: "1.0",
      wheel: "engine-1.0.whl",
      sha256: sha256("whole"),
      numBytes: 5,
    };
    sandbox.context = createContext({
      root: path.join(sandbox.folder, "clone"),
      env: { FERKIT_CACHE: path.join(sandbox.folder, "cache") },
      accelerator: "cpu",
      pins: { libtensorflow: { cpu: pin }, weights: { lite0: { ...pin, package: "weights" } } },
    });
    fs.mkdirSync(sandbox.context.engineDir, { recursive: true });
  });
  afterEach(() => fs.rmSync(sandbox.folder, { recursive: true }));
  return sandbox;
}
