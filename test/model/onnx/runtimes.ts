// ONNX Runtime for Node.js and for Python, in ferkit's cache: they are too large for the project's packages.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { internals } from "../../../src/index.js";

const run = promisify(execFile);
const NODE_PACKAGE = "onnxruntime-node@1.30.0";
const TRANSFORMERS = "@huggingface/transformers@4.3.2";
const PYTHON_PACKAGES = ["onnx==1.23.2", "onnxruntime==1.32.0", "numpy==2.4.6", "pillow==12.3.0"];

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

/** Returns ONNX Runtime for Node.js; null if npm cannot install it. */
export function nodeRuntime(): Promise<OnnxRuntime | null> {
  return npmPackage(`bench-${NODE_PACKAGE}`, NODE_PACKAGE, "onnxruntime-node");
}

type Classify = (file: string, options: { top_k: number }) => Promise<{ label: string; score: number }[]>;

export interface Transformers {
  env: { allowRemoteModels: boolean };
  pipeline(task: "image-classification", folder: string, options: { dtype: string }): Promise<Classify>;
}

/** Returns transformers.js, half a gigabyte with its runtimes; null if npm cannot install it. */
export function transformersRuntime(): Promise<Transformers | null> {
  return npmPackage("test-transformers@4.3.2", TRANSFORMERS, "@huggingface/transformers");
}

/** Installs without the install scripts, which only add files for GPUs. */
async function npmPackage<Module>(folder: string, spec: string, name: string): Promise<Module | null> {
  const options = ["--ignore-scripts", "--no-audit", "--no-fund"];
  const found = await installed(folder, (dir) => run("npm", ["install", "--prefix", dir, ...options, spec]));
  return found === null ? null : require(path.join(found, "node_modules", name));
}

/** Returns a Python with onnx, ONNX Runtime and Pillow; null if pip cannot install them. */
export async function pythonWithOnnx(): Promise<string | null> {
  const folder = await installed(
    `test-${[0, 1, 3].map((i) => PYTHON_PACKAGES[i]).join("-")}`,
    async (dir) => {
      await run("python3", ["-m", "venv", dir]);
      const options = ["--quiet", "--disable-pip-version-check"];
      await run(path.join(dir, "bin/python"), ["-m", "pip", "install", ...options, ...PYTHON_PACKAGES]);
    },
  );
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
