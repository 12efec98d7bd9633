// Starts the workers: Node programs, and Python programs in the bench's own virtual environment.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { internals } from "../src/index.js";
import type { Versions } from "./results.js";
import type { Engine } from "./suite.js";
import { type Command, Worker } from "./worker.js";

const run = promisify(execFile);

const SCRIPTS: Record<Engine, string> = {
  ferkit: "workers/ferkit.ts",
  stockLayers: "workers/stock-layers.ts",
  pytorch: "python/torch_worker.py",
  keras: "python/keras_worker.py",
};

const REQUIREMENTS = path.join(__dirname, "requirements.txt");
/** Written last, so that an environment with this file is complete. */
const STAMP = "complete";

/** Workers that run for the whole bench. Each starts at its first use. */
export class Workers {
  private readonly started = new Map<Engine, Worker>();

  async of(engine: Engine): Promise<Worker> {
    const worker = this.started.get(engine) ?? (await startWorker(engine));
    this.started.set(engine, worker);
    return worker;
  }

  all(): Worker[] {
    return [...this.started.values()];
  }

  /** Returns the versions of ferkit and of what the given engines run on. */
  async versions(engines: readonly Engine[]): Promise<Versions> {
    const { version } = JSON.parse(readFileSync(path.join(__dirname, "../package.json"), "utf8"));
    const versions: Versions = { ferkit: version };
    for (const engine of engines) Object.assign(versions, await (await this.of(engine)).request("versions"));
    return versions;
  }

  async close(): Promise<void> {
    await Promise.all(this.all().map((worker) => worker.close()));
    this.started.clear();
  }

  kill(): void {
    for (const worker of this.all()) worker.kill();
  }
}

/** Starts a separate worker; the caller closes it. */
export async function startWorker(engine: Engine): Promise<Worker> {
  return Worker.start(engine, await commandOf(engine));
}

async function commandOf(engine: Engine): Promise<Command> {
  const script = path.join(__dirname, SCRIPTS[engine]);
  if (script.endsWith(".py")) return [await preparePython(), script];
  return [process.execPath, "--require", "tsx/cjs", script];
}

let prepared: Promise<string> | undefined;

/** Returns the Python that has all packages; installs them at first use and when the requirements change. */
function preparePython(): Promise<string> {
  prepared ??= installPython();
  return prepared;
}

async function installPython(): Promise<string> {
  const digest = createHash("sha256").update(readFileSync(REQUIREMENTS)).digest("hex");
  const dir = path.join(internals.cacheDir(), `bench-${digest.slice(0, 12)}`);
  const python = path.join(dir, "bin/python");
  if (existsSync(path.join(dir, STAMP))) return python;
  console.error(`Installing the engines to compare with into ${dir}. This takes some minutes, once.`);
  await rm(dir, { recursive: true, force: true });
  await call("python3", "-m", "venv", dir);
  const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  await call(python, ...install, "--requirement", REQUIREMENTS);
  await writeFile(path.join(dir, STAMP), "");
  return python;
}

/** @throws Error with everything that the program printed. */
async function call(file: string, ...args: string[]): Promise<void> {
  await run(file, args, { maxBuffer: 2 ** 26 });
}
