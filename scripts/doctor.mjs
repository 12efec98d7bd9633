// What is installed, what was found, and what is wrong with it: npm run doctor. Built-ins only, so that it works before set-up.
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { chooseAccelerator, gpuAnswers } from "./setup/accelerator.mjs";
import { runCommand } from "./setup/command.mjs";
import { libtensorflowDir } from "./setup/engine.mjs";
import { probeEngine } from "./setup/engine-check.mjs";
import { findKernelspec } from "./setup/packages.mjs";
import { checkPrerequisites } from "./setup/prerequisites.mjs";
import { SetupError } from "./setup/problem.mjs";
import { createContext } from "./setup/project.mjs";
import { findNeeds, pendingSteps } from "./setup/run.mjs";
import { weightsFile } from "./setup/weights.mjs";
import { megabytes } from "./setup/wheels.mjs";

const SET_UP = "Run: npm run setup";
const NPM_PACKAGES = [
  "@tensorflow/tfjs-node-gpu",
  "tslab",
  "tsx",
  "sharp",
  "vega",
  "vega-lite",
  "danfojs-node",
];
const PYTHON_PACKAGES = ["jupyterlab", "nbclient", "nbconvert", "papermill"];

/**
 * Looks at everything that ferkit needs.
 *
 * @returns Records `{ name, isOk, found, fix }`; `fix` only where something is wrong.
 */
export async function diagnose(context) {
  const [python, engine, kernelspec] = await Promise.all([
    describePython(context),
    describeEngine(context),
    describeKernelspec(context),
  ]);
  return [
    describeMachine(context),
    describeSetUp(context),
    ...describeNpmPackages(context),
    ...python,
    ...engine,
    kernelspec,
    describeCache(context),
    describeWeights(context),
    describeData(context),
  ];
}

/** One line a record; what is wrong is marked and followed by what to do, once for neighbours with the same remedy. */
export function formatDiagnosis(records) {
  const width = Math.max(...records.map(({ name }) => name.length));
  const indent = `\n${" ".repeat(width + 9)}`;
  const lines = records.map(({ name, isOk, found, fix }, i) => {
    const line = `${isOk ? "ok   " : "WRONG"}  ${name.padEnd(width)}  ${found}`;
    return isOk || records[i + 1]?.fix === fix ? line : `${line}${indent}${fix.replaceAll("\n", indent)}`;
  });
  const numWrong = records.filter(({ isOk }) => !isOk).length;
  const summary = numWrong === 0 ? "Nothing is wrong." : `${numWrong} of ${records.length} things are wrong.`;
  return `${lines.join("\n")}\n\n${summary}\n`;
}

function ok(name, found) {
  return { name, isOk: true, found };
}

function wrong(name, found, fix) {
  return { name, isOk: false, found, fix };
}

function describeMachine(context) {
  // Python and a compiler are asked for only where set-up still needs them.
  const { python, compiler } = findNeeds(context, pendingSteps(context));
  const { problems } = checkPrerequisites(context, { python, compiler });
  const found = `Node ${process.versions.node}, ${process.platform} on ${process.arch}`;
  if (problems.length === 0) return ok("machine", found);
  return wrong("machine", found, problems.map(({ message }) => message).join("\n"));
}

function describeSetUp(context) {
  const pending = pendingSteps(context).map(({ name }) => name);
  if (pending.length === 0) return ok("set-up", "complete");
  return wrong("set-up", `to be done: ${pending.join(", ")}`, SET_UP);
}

function describeNpmPackages(context) {
  return NPM_PACKAGES.map((name) => {
    const file = path.join(context.nodeModulesDir, name, "package.json");
    if (!fs.existsSync(file)) return wrong(name, "not installed", SET_UP);
    return ok(name, JSON.parse(fs.readFileSync(file, "utf8")).version);
  });
}

async function describePython(context) {
  const code = [
    "import importlib.metadata as m, json, platform, sys",
    "def v(n):",
    "    try: return m.version(n)",
    "    except m.PackageNotFoundError: return None",
    "print(json.dumps({'python': platform.python_version(), **{n: v(n) for n in sys.argv[1:]}}))",
  ].join("\n");
  const { status, output } = await runCommand(context.venvPython, ["-c", code, ...PYTHON_PACKAGES]);
  if (status !== 0) return [wrong("Python", `no working environment at ${context.venvDir}`, SET_UP)];
  const versions = JSON.parse(output);
  return Object.entries(versions).map(([name, version]) =>
    version ? ok(name, version) : wrong(name, "not installed", `Run: rm -rf .venv && npm run setup`),
  );
}

async function describeEngine(context) {
  const engine = await probeEngine(context);
  if (engine.error !== undefined) {
    const lastLine = engine.error.match(/^.*(Error|error).*$/m)?.[0] ?? engine.error.split("\n").pop();
    return [wrong("engine", `does not start: ${lastLine}`, SET_UP)];
  }
  const records = [
    engine.isRight
      ? ok("engine", `tfjs ${engine.tfjs} on libtensorflow ${engine.libtensorflow}`)
      : wrong("engine", "wrong values", "Run: rm -rf node_modules && npm run setup"),
  ];
  if (context.accelerator === "gpu" && !engine.isGpu) {
    const gpu = gpuAnswers();
    const why = gpu ? `nvidia-smi sees ${gpu}, TensorFlow does not` : "nvidia-smi does not answer";
    const fix = `${gpu ? "Update the NVIDIA driver" : "Install the NVIDIA driver"}, or run: npm run setup -- --accelerator cpu`;
    return [...records, wrong("device", `${engine.device}, though set up for a GPU: ${why}`, fix)];
  }
  return [...records, ok("device", `${engine.device}, ${engine.kernels} kernels`)];
}

async function describeKernelspec(context) {
  const { error, dir, displayName } = await findKernelspec(context);
  if (error) return wrong("kernelspec", error.found, error.fix);
  return ok("kernelspec", `${displayName}, ${dir}`);
}

function describeCache(context) {
  if (!fs.existsSync(context.cacheDir)) return wrong("cache", `no ${context.cacheDir}`, SET_UP);
  const library = libtensorflowDir(context);
  const size = megabytes(folderBytes(context.cacheDir));
  if (!fs.existsSync(library))
    return wrong("cache", `${context.cacheDir}, ${size}, without ${path.basename(library)}`, SET_UP);
  return ok("cache", `${context.cacheDir}, ${size}`);
}

function describeWeights(context) {
  const file = weightsFile(context, "lite0");
  if (!fs.existsSync(file)) return wrong("weights", `no ${file}`, SET_UP);
  const names = fs.readdirSync(path.dirname(file)).filter((name) => !name.startsWith("."));
  return ok("weights", names.sort().join(", "));
}

/** The embedded faces need nothing; whatever else lies in `data/` is named. */
function describeData(context) {
  const dir = path.join(context.root, "data");
  const names = fs.existsSync(dir) ? fs.readdirSync(dir).filter((name) => !/^(\.|README)/.test(name)) : [];
  return ok("data", ["embedded faces", ...names.sort().map((name) => `data/${name}`)].join(", "));
}

function folderBytes(dir) {
  return fs.readdirSync(dir, { withFileTypes: true }).reduce((numBytes, entry) => {
    const file = path.join(dir, entry.name);
    return numBytes + (entry.isDirectory() ? folderBytes(file) : fs.lstatSync(file).size);
  }, 0);
}

async function main(args) {
  const unknown = args.find((arg) => arg !== "--json");
  if (unknown)
    throw new SetupError({ expected: "--json or nothing", found: unknown, fix: "Run: npm run doctor" });
  const context = createContext({});
  context.accelerator = chooseAccelerator(context.stateDir, process.env);
  const records = await diagnose(context);
  const isOk = records.every((record) => record.isOk);
  const json = () => `${JSON.stringify({ isOk, records }, null, 2)}\n`;
  process.stdout.write(args.includes("--json") ? json() : formatDiagnosis(records));
  process.exitCode = isOk ? 0 : 1;
}

if (process.argv[1] && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) {
  main(process.argv.slice(2)).catch((error) => {
    process.stderr.write(`${error instanceof SetupError ? error.message : error.stack}\n`);
    process.exitCode = 1;
  });
}
