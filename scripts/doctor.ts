// What is installed, what was found, and what is wrong with it: npm run doctor. bootstrap.mjs starts it with its findings.
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { InputError } from "../src/errors.js";
import { inHome } from "./home.cjs";
import { jupyterEnvironment } from "./jupyter.js";
import { weightsFiles } from "./setup/context.cjs";
import { libtensorflowDir, probeEngine } from "./setup/engine.js";
import { machine, runCommand } from "./setup/machine.cjs";
import pins from "./setup/pins.json";
import { platformName } from "./setup/platforms.cjs";
import type { Context } from "./setup/step.js";
import { movedFrom } from "./setup/venv.cjs";
import { megabytes } from "./setup/wheels.js";

const SET_UP = "Run: npm run setup";
const NPM_PACKAGES = [
  "@tensorflow/tfjs-node-gpu",
  "tslab",
  "typescript",
  "sharp",
  "vega",
  "vega-lite",
  "danfojs-node",
];
const PYTHON_PACKAGES = ["jupyterlab", "nbclient", "nbconvert", "papermill"];

/** One thing that was looked at; `fix` only if it is wrong. */
export interface Finding {
  name: string;
  isOk: boolean;
  found: string;
  fix?: string;
}

/** What bootstrap.mjs has found. */
interface Before {
  context: Context & { venvDir: string };
  pending: string[];
  problems: string[];
}

const ok = (name: string, found: string): Finding => ({ name, isOk: true, found });
const wrong = (name: string, found: string, fix: string): Finding => ({ name, isOk: false, found, fix });

/** Looks at everything that ferkit needs. */
async function diagnose({ context, pending, problems }: Before): Promise<Finding[]> {
  const [python, engine, kernelspec] = await Promise.all([
    describePython(context),
    describeEngine(context),
    describeKernelspec(context),
  ]);
  const computer = `Node ${process.versions.node}, ${platformName(context.platform)}`;
  return [
    problems.length === 0 ? ok("machine", computer) : wrong("machine", computer, problems.join("\n")),
    pending.length === 0
      ? ok("set-up", "complete")
      : wrong("set-up", `to be done: ${pending.join(", ")}`, SET_UP),
    ...NPM_PACKAGES.map((name) => describeNpmPackage(context, name)),
    ...python,
    ...engine,
    kernelspec,
    describeCache(context),
    describeWeights(context),
    describeData(context),
  ];
}

/** Returns a line for each finding. What is wrong is followed by its fix, once if the next has the same. */
export function formatDiagnosis(findings: Finding[]): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const indent = `\n${" ".repeat(width + 9)}`;
  const lines = findings.map(({ name, isOk, found, fix = "" }, i) => {
    const line = `${isOk ? "ok   " : "WRONG"}  ${name.padEnd(width)}  ${found}`;
    return isOk || findings[i + 1]?.fix === fix ? line : `${line}${indent}${fix.replaceAll("\n", indent)}`;
  });
  const numWrong = findings.filter(({ isOk }) => !isOk).length;
  const summary =
    numWrong === 0 ? "Nothing is wrong." : `${numWrong} of ${findings.length} things are wrong.`;
  return `${lines.join("\n")}\n\n${summary}\n`;
}

function describeNpmPackage({ nodeModulesDir }: Context, name: string): Finding {
  const file = path.join(nodeModulesDir, name, "package.json");
  if (!existsSync(file)) return wrong(name, "not installed", SET_UP);
  return ok(name, JSON.parse(readFileSync(file, "utf8")).version);
}

async function describePython({ venvPython, venvDir }: Before["context"]): Promise<Finding[]> {
  const code = [
    "import importlib.metadata as m, json, platform, sys",
    "def v(n):",
    "    try: return m.version(n)",
    "    except m.PackageNotFoundError: return None",
    "print(json.dumps({'python': platform.python_version(), **{n: v(n) for n in sys.argv[1:]}}))",
  ].join("\n");
  const { status, output } = await runCommand(venvPython, ["-c", code, ...PYTHON_PACKAGES]);
  if (status !== 0) return [wrong("Python", `no working environment at ${venvDir}`, SET_UP)];
  const madeIn = movedFrom({ venvDir });
  if (madeIn) return [wrong("Python", `programs of ${madeIn}, since this clone was moved or copied`, SET_UP)];
  return Object.entries(JSON.parse(output) as Record<string, string | null>).map(([name, version]) =>
    version
      ? ok(name, name === "python" ? `${version}, ${venvPython}` : version)
      : wrong(name, "not installed", "Run: rm -rf .venv && npm run setup"),
  );
}

async function describeEngine(context: Context): Promise<Finding[]> {
  const engine = await probeEngine(context);
  if ("error" in engine) {
    const line = /^.*(Error|error).*$/m.exec(engine.error)?.[0] ?? engine.error.split("\n").at(-1);
    return [wrong("engine", `does not start: ${line}`, SET_UP)];
  }
  const { isRight, tfjs, libtensorflow, device, kernels } = engine;
  const found = isRight
    ? ok("engine", `tfjs ${tfjs} on libtensorflow ${libtensorflow}`)
    : wrong("engine", "wrong values", "Run: rm -rf node_modules && npm run setup");
  if (context.accelerator === "cpu" || engine.isGpu)
    return [found, ok("device", `${device}, ${kernels} kernels`)];
  const gpu = machine.gpuName();
  const why = gpu ? `nvidia-smi sees ${gpu}, TensorFlow does not` : "nvidia-smi does not answer";
  const fix = `${gpu ? "Update the NVIDIA driver" : "Install the NVIDIA driver"}, or run: npm run setup -- --accelerator cpu`;
  return [found, wrong("device", `${device}, though set up for a GPU: ${why}`, fix)];
}

/** Asks Jupyter itself, since it must see the project's own kernel. */
async function describeKernelspec({ root, venvDir }: Before["context"]): Promise<Finding> {
  const command = path.join(venvDir, "bin/jupyter");
  const options = { cwd: root, env: jupyterEnvironment(root) };
  const { status, output } = await runCommand(command, ["kernelspec", "list", "--json"], options);
  if (status !== 0) {
    const found = `exit status ${status} of ${command}: ${output.trim().slice(-500)}`;
    return wrong("kernelspec", found, "Run: rm -rf .venv && npm run setup");
  }
  const { kernelspecs } = JSON.parse(output.slice(output.indexOf("{")));
  if (kernelspecs.tslab)
    return ok("kernelspec", `${kernelspecs.tslab.spec.display_name}, ${kernelspecs.tslab.resource_dir}`);
  const found = `no tslab, only ${Object.keys(kernelspecs).join(", ") || "none"}`;
  return wrong("kernelspec", found, "Restore the folder: git checkout -- jupyter");
}

function describeCache(context: Context): Finding {
  const { cacheDir } = context;
  if (!existsSync(cacheDir)) return wrong("cache", `no ${cacheDir}`, SET_UP);
  const library = libtensorflowDir(context);
  const found = `${cacheDir}, ${megabytes(folderBytes(cacheDir))}`;
  if (existsSync(library)) return ok("cache", found);
  return wrong("cache", `${found}, without ${path.basename(library)}`, SET_UP);
}

function describeWeights(context: Context): Finding {
  const [file] = weightsFiles(context);
  if (!existsSync(file)) return wrong("weights", `no ${file}`, SET_UP);
  const names = readdirSync(path.dirname(file)).filter((name) => !name.startsWith("."));
  return ok("weights", names.sort().join(", "));
}

/** The drawn faces need nothing; what else is in `data/` is named. */
function describeData({ root }: Context): Finding {
  const dir = path.join(root, "data");
  const names = existsSync(dir) ? readdirSync(dir).filter((name) => !/^(\.|README)/.test(name)) : [];
  return ok("data", ["drawn faces", ...names.sort().map((name) => `data/${name}`)].join(", "));
}

function folderBytes(dir: string): number {
  // Not `recursive`: Node.js 26 follows links there.
  const sizes = readdirSync(dir, { withFileTypes: true }).map((entry) => {
    const file = path.join(dir, entry.name);
    return entry.isDirectory() ? folderBytes(file) : lstatSync(file).size;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function main([found, ...args]: string[]): Promise<void> {
  const unknown = args.find((arg) => arg !== "--json");
  if (unknown)
    throw new InputError({ expected: "--json or nothing", found: unknown, fix: "Run: npm run doctor" });
  const before: Before = JSON.parse(found);
  const findings = await diagnose({ ...before, context: { ...before.context, env: process.env, pins } });
  const isOk = findings.every((finding) => finding.isOk);
  const json = `${JSON.stringify({ isOk, records: findings }, null, 2)}\n`;
  process.stdout.write(inHome(args.includes("--json") ? json : formatDiagnosis(findings)));
  process.exitCode = isOk ? 0 : 1;
}

if (require.main === module)
  main(process.argv.slice(2)).catch((error: Error) => {
    console.error(error instanceof InputError ? error.message : error);
    process.exitCode = 1;
  });
