// ONNX Runtime for Node.js and for Python, in ferkit's cache: they are too large for the project's packages.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { internals } from "../../../src/index.js";

const run = promisify(execFile);
const NODE_PACKAGE = "onnxruntime-node@1.30.0";
const PYTHON_PACKAGES = ["onnx==1.23.2", "onnxruntime==1.32.0", "numpy==2.4.6"];

/** Values of one type, with their shape. */
export interface Values {
  data: Float32Array | Uint8Array;
  dims: readonly number[];
}

interface Session {
  inputNames: readonly string[];
  outputNames: readonly string[];
  run(feeds: Record<string, unknown>): Promise<Record<string, Values>>;
  release(): Promise<void>;
}

export interface OnnxRuntime {
  Tensor: new (type: string, data: Values["data"], dims: readonly number[]) => Values;
  InferenceSession: { create(file: string, options?: object): Promise<Session> };
}

/** Returns ONNX Runtime for Node.js; null if npm cannot install it. Its install script only adds files for GPUs. */
export async function nodeRuntime(): Promise<OnnxRuntime | null> {
  const folder = await installed(`bench-${NODE_PACKAGE}`, (dir) =>
    run("npm", ["install", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund", NODE_PACKAGE]),
  );
  return folder === null ? null : require(path.join(folder, "node_modules/onnxruntime-node"));
}

/** Returns a Python with onnx and ONNX Runtime; null if pip cannot install them. */
export async function pythonWithOnnx(): Promise<string | null> {
  const folder = await installed(`test-${PYTHON_PACKAGES[0]}-${PYTHON_PACKAGES[1]}`, async (dir) => {
    await run("python3", ["-m", "venv", dir]);
    const options = ["--quiet", "--disable-pip-version-check"];
    await run(path.join(dir, "bin/python"), ["-m", "pip", "install", ...options, ...PYTHON_PACKAGES]);
  });
  return folder === null ? null : path.join(folder, "bin/python");
}

/** Returns a folder of the cache, filled at first use; null if that fails. */
async function installed(name: string, install: (dir: string) => Promise<unknown>): Promise<string | null> {
  const dir = path.join(internals.cacheDir(), name);
  const stamp = path.join(dir, "complete");
  if (existsSync(stamp)) return dir;
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  try {
    await install(dir);
  } catch {
    return null;
  }
  writeFileSync(stamp, "");
  return dir;
}

/** Runs a model on one input and returns its only output. */
export async function runModel(runtime: OnnxRuntime, file: string, input: Values): Promise<Values> {
  const session = await runtime.InferenceSession.create(file, { intraOpNumThreads: 1 });
  const type = input.data instanceof Uint8Array ? "uint8" : "float32";
  const feeds = { [session.inputNames[0]]: new runtime.Tensor(type, input.data, input.dims) };
  const outputs = await session.run(feeds);
  const output = outputs[session.outputNames[0]];
  await session.release();
  return output;
}
