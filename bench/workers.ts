// Starts the workers, Node and Python programs, and installs what they need into ferkit's cache.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { internals } from "../src/index.js";
import {
  CONTENDERS,
  type Contender,
  type ContenderName,
  type Engine,
  RUNTIMES,
  type Workload,
} from "./suite.js";
import { type Command, Worker } from "./worker.js";
import { greyJpeg } from "./workers/noise.js";

const run = promisify(execFile);

const SCRIPTS: Record<Engine, readonly [file: string, ...args: string[]]> = {
  ferkit: ["workers/ferkit.ts"],
  stockLayers: ["workers/stock-layers.ts"],
  pytorch: ["python/torch_worker.py"],
  keras: ["python/keras_worker.py"],
  onnxRuntime: ["python/onnx_worker.py", "onnxruntime"],
  onnxRuntimeNode: ["workers/onnxruntime.ts"],
  openvino: ["python/onnx_worker.py", "openvino"],
};

/** Its package includes the libraries, so it is not one of ferkit's dependencies. */
const ONNX_RUNTIME_NODE = "onnxruntime-node@1.30.0";
const REQUIREMENTS = path.join(__dirname, "requirements.txt");
/** Written last, so that an environment with this file is complete. */
const STAMP = "complete";

/** Name → version of everything that takes part. */
export type Versions = Record<string, string>;

/** Workers that run for the whole bench. Each starts at its first use. */
export class Workers {
  private readonly started = new Map<Engine, Worker>();

  /** @param dir - Folder for the files that workers exchange. */
  constructor(readonly dir: string) {}

  async of(engine: Engine): Promise<Worker> {
    const worker = this.started.get(engine) ?? (await startWorker(engine));
    this.started.set(engine, worker);
    return worker;
  }

  all(): Worker[] {
    return [...this.started.values()];
  }

  /**
   * Prepares a workload for a contender, with the files that it needs.
   *
   * @param worker - A separate worker of the contender's engine; by default the shared one.
   */
  async prepare(contender: ContenderName, workload: Workload, worker?: Worker): Promise<Prepared> {
    const { engine, label: _, ...options }: Contender = CONTENDERS[contender];
    const own = worker ?? (await this.of(engine));
    const files = {
      ...(workload.kind === "predict" && { file: await this.imageFile(workload.imageSize) }),
      ...(RUNTIMES.includes(contender) && { model: await this.onnxFile(workload) }),
    };
    const session = await own.request<number>("prepare", { ...workload, ...options, ...files });
    return { worker: own, session };
  }

  /** Returns an image to predict. */
  private async imageFile(imageSize: number): Promise<string> {
    const file = path.join(this.dir, `${imageSize}.jpg`);
    await writeFile(file, await greyJpeg(imageSize, 0));
    return file;
  }

  /** Returns the network of a workload in ONNX format, exported by PyTorch. */
  private async onnxFile({ variant, imageSize, batchSize }: Workload): Promise<string> {
    const output = path.join(this.dir, `${variant}-${imageSize}-${batchSize}.onnx`);
    if (existsSync(output)) return output;
    const pytorch = await this.of("pytorch");
    await pytorch.request("exportOnnx", { variant, imageSize, batchSize, output });
    return output;
  }

  /** Returns the versions of ferkit and of what the given engines run on. */
  async versions(engines: readonly Engine[]): Promise<Versions> {
    const { version } = JSON.parse(readFileSync(path.join(__dirname, "../package.json"), "utf8"));
    const versions: Versions = { ferkit: version };
    for (const engine of new Set(engines))
      Object.assign(versions, await (await this.of(engine)).request("versions"));
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

/** A workload that a worker can time. */
export interface Prepared {
  worker: Worker;
  session: number;
}

/** Starts a separate worker; the caller closes it. */
export async function startWorker(engine: Engine): Promise<Worker> {
  return Worker.start(engine, await commandOf(engine));
}

async function commandOf(engine: Engine): Promise<Command> {
  const [name, ...args] = SCRIPTS[engine];
  const script = path.join(__dirname, name);
  if (script.endsWith(".py")) return [await preparePython(), script, ...args];
  if (engine === "onnxRuntimeNode") args.push(await installOnnxRuntime());
  return [process.execPath, "--require", "tsx/cjs", script, ...args];
}

/** Returns the folder of the package; installs it at first use. Its install script only adds files for GPUs. */
async function installOnnxRuntime(): Promise<string> {
  const dir = path.join(internals.cacheDir(), `bench-${ONNX_RUNTIME_NODE}`);
  const folder = path.join(dir, "node_modules/onnxruntime-node");
  if (existsSync(path.join(dir, STAMP))) return folder;
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  await call(
    "npm",
    "install",
    "--prefix",
    dir,
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    ONNX_RUNTIME_NODE,
  );
  await writeFile(path.join(dir, STAMP), "");
  return folder;
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
