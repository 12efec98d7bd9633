// First stage of set-up. It runs before any package is installed, so it imports none: it checks the machine, installs the
// packages of npm and Python side by side, and starts the second stage (setup/second-stage.ts) as soon as npm's packages are there.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { inHome } from "./home.cjs";
import { chooseAccelerator, chooseWeights, createContext, digestOf, weightsFiles } from "./setup/context.cjs";
import { takeLock } from "./setup/lock.cjs";
import {
  checkMachine,
  describeFailure,
  InputError,
  machine,
  runCommand,
  showPip,
  stopCommands,
} from "./setup/machine.cjs";
import { isPackageCurrent } from "./setup/package-files.cjs";
import { createProgress } from "./setup/progress.cjs";
import { addNotebookFilter, hasNotebookFilter } from "./setup/stored-notebook.cjs";
import { movedFrom, relocate, showKernel, showsKernel } from "./setup/venv.cjs";

const HELP = `Usage: npm run setup -- [options]

Installs what ferkit needs, in this clone and in your cache. Skips what is already there.

  --accelerator cpu|gpu|auto  TensorFlow for CPUs (default), with CUDA, or with CUDA if nvidia-smi answers.
                              The choice is kept for this clone.
  --weights NAMES             ImageNet weights to download: lite0 (default), lite1, lite2, separated by commas.
  --check                     Only check what a first set-up needs.
  --help                      Show this.

Environment:
  FERKIT_ACCELERATOR  Same as --accelerator.
  FERKIT_CACHE        Folder of the cache (default: $XDG_CACHE_HOME/ferkit or ~/.cache/ferkit).
  FERKIT_WHEELS       Folder of Python wheels to use before downloading.
  CXX                 C++ compiler (default: g++, c++ or clang++).

Example: npm run setup -- --weights lite0,lite1
`;
/** What lets Node.js load TypeScript; it needs npm's packages. */
const COMPILED = "scripts/compiled.cjs";

/** Writes a small file in one step, so that a reader never sees half of it. */
function writeWhole(file, content) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(`${file}.${process.pid}.tmp`, content);
  fs.renameSync(`${file}.${process.pid}.tmp`, file);
}

function readText(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
}

// Steps. Each leaves a stamp inside what it made, last of all: the digest of what it was made from.

/** Installs npm's packages without install scripts, since the engine's would fetch an outdated library. */
const npmStep = {
  name: "npm packages",
  isCurrent: ({ root, nodeModulesDir }) =>
    readText(path.join(nodeModulesDir, ".ferkit-stamp")) === npmKey(root),
  async run({ root, env, nodeModulesDir }) {
    // The npm that runs this belongs to the same Node.js; otherwise the one on PATH.
    const script = env.npm_execpath ?? "";
    const own = /npm-cli\.c?js$/.test(script) && fs.existsSync(script);
    const [file, first] = own ? [process.execPath, [script]] : ["npm", []];
    const args = ["ci", "--ignore-scripts", "--include=dev", "--no-audit", "--no-fund"];
    const { status, output } = await runCommand(file, [...first, ...args], { cwd: root, env });
    if (/package\.json and package-lock\.json.*in sync/.test(output)) {
      const expected = "package-lock.json to match package.json";
      const fix = "Run: npm install --ignore-scripts";
      throw new InputError({ expected, where: root, found: "that they differ", fix });
    }
    if (status !== 0) throw describeFailure("the installation of npm's packages", output, root);
    writeWhole(path.join(nodeModulesDir, ".ferkit-stamp"), npmKey(root));
  },
};

function npmKey(root) {
  const { dependencies, devDependencies, overrides } = JSON.parse(readText(path.join(root, "package.json")));
  const wanted = JSON.stringify({ dependencies, devDependencies, overrides });
  return digestOf([{ file: path.join(root, "package-lock.json") }, wanted]);
}

/** Makes the virtual environment. The second stage needs its pip, not its packages. */
const venvStep = {
  name: "Python environment",
  isCurrent: ({ venvPython }) => fs.existsSync(venvPython),
  async run({ systemPython, venvDir, root }) {
    const { status, output } = await runCommand(systemPython, ["-m", "venv", "--clear", venvDir]);
    if (status !== 0) throw describeFailure("the making of Python's environment", output, root);
  },
};

/** Installs the pinned packages as wheels, checked by digest; requirements.txt is complete, so pip need not resolve anything. */
const pythonStep = {
  name: "Python packages",
  isCurrent: (context) => hasPackages(context) && !movedFrom(context) && showsKernel(context),
  async run(context, show) {
    if (movedFrom(context)) relocate(context);
    if (!hasPackages(context)) await this.install(context, show);
    showKernel(context);
  },
  async install(context, show) {
    const { root, env, venvPython, wheelsDir } = context;
    const options = ["--no-deps", "--no-compile", "--disable-pip-version-check", "--progress-bar", "off"];
    options.push("--require-hashes", "--only-binary", ":all:");
    if (wheelsDir) options.push("--find-links", wheelsDir);
    const args = ["-m", "pip", "install", ...options, "-r", path.join(root, "requirements.txt")];
    const onLine = showPip(show);
    const { status, output } = await runCommand(venvPython, args, { cwd: root, env, onLine });
    if (status !== 0) throw describeFailure("the installation of Python's packages", output, root);
    await keepBytecode(context);
    writeWhole(venvStamp(context), venvKey(context));
  },
};

/** Keeps what Python makes of the packages that run notebooks: they load in a quarter of the time, also where PYTHONDONTWRITEBYTECODE is set. */
async function keepBytecode({ root, env, venvPython }) {
  const code =
    "import sys; sys.modules['rfc3987_syntax'] = None; import nbformat, headless.client, headless.page, headless.results";
  const folders = ["scripts", "jupyter/python"].map((name) => path.join(root, name));
  const own = { PYTHONPATH: folders.join(path.delimiter), PYTHONDONTWRITEBYTECODE: "" };
  await runCommand(venvPython, ["-c", code], { cwd: root, env: { ...env, ...own } }); // what fails here fails again where it matters
}

const hasPackages = (context) =>
  fs.existsSync(context.venvPython) && readText(venvStamp(context)) === venvKey(context);
const venvStamp = ({ venvDir }) => path.join(venvDir, ".ferkit-stamp");
const venvKey = ({ root }) => digestOf([{ file: path.join(root, "requirements.txt") }]);

/** Rolls the types of src into one file, for cells and other projects, and compiles what the command line loads. */
const declarationsStep = {
  name: "declarations",
  isCurrent: ({ root }) => isPackageCurrent(root),
  async run({ root, env }) {
    const script = path.join(root, "scripts/setup/declarations.ts");
    const args = ["--require", path.join(root, COMPILED), script, "--compile"];
    const { status, output } = await runCommand(process.execPath, args, { cwd: root, env });
    if (status !== 0) throw describeFailure("the making of declarations", output, root);
  },
};

/** Keeps the outputs of notebooks out of git. */
const notebookFilterStep = {
  name: "git's filter for notebooks",
  isCurrent: hasNotebookFilter,
  async run(context) {
    const { status, output } = addNotebookFilter(context);
    if (status !== 0) throw describeFailure("the configuration of git", output, context.root);
  },
};

/** Everything else: the engine, the native ops and the weights, in TypeScript. */
const secondStage = {
  name: "engine and weights",
  isCurrent(context) {
    const { key, files } = JSON.parse(readText(stagePath(context)) || '{"files":[]}');
    return (
      key === stageKey(context) && [...files, ...weightsFiles(context)].every((file) => fs.existsSync(file))
    );
  },
  async run(context, report) {
    const { root, env } = context;
    const script = path.join(root, "scripts/setup/second-stage.ts");
    const job = JSON.stringify({
      ...context,
      env: undefined,
      key: stageKey(context),
      stamp: stagePath(context),
    });
    const args = ["--require", path.join(root, COMPILED), script, job];
    const { status, output } = await runCommand(process.execPath, args, {
      cwd: root,
      env,
      onMessage: report,
    });
    if (status !== 0) throw Object.assign(new Error(output.trim()), { name: "StageError" });
  },
};

const stagePath = ({ stateDir }) => path.join(stateDir, "setup.json");

/** Returns the digest of all that the second stage works from. */
function stageKey({ root, platform, cacheDir, accelerator }) {
  const filesIn = (dir) => {
    const folder = path.join(root, dir);
    const names = fs.existsSync(folder) ? fs.readdirSync(folder).sort() : [];
    return names.flatMap((name) => [name, { file: path.join(folder, name) }]);
  };
  const release = machine.osRelease().match(/^(ID|VERSION_ID)=.*$/gm) ?? [];
  const node = process.versions.node.split(".")[0];
  const sources = [...filesIn("native"), ...filesIn("scripts/setup")].filter(
    (input) => !isFolder(input.file),
  );
  return digestOf([node, platform, root, cacheDir, accelerator, ...release, npmKey(root), ...sources]);
}

function isFolder(file) {
  return file !== undefined && fs.statSync(file).isDirectory();
}

/** Returns the names of the steps that are to be done. */
function pendingSteps(context) {
  return [npmStep, pythonStep, secondStage, declarationsStep, notebookFilterStep]
    .filter((step) => !step.isCurrent(context))
    .map(({ name }) => name);
}

/** Returns what the pending steps need of the machine. */
function findNeeds({ cacheDir, accelerator }, pending) {
  const has = (folder, start = "") => {
    const dir = path.join(cacheDir, folder);
    return fs.existsSync(dir) && fs.readdirSync(dir).some((name) => name.startsWith(start));
  };
  const isPending = (...steps) => steps.some(({ name }) => pending.includes(name));
  return {
    python: isPending(pythonStep),
    // A compiled addon in the cache may serve this clone too; if it does not, the second stage asks for a compiler.
    compiler: isPending(secondStage) && !has("addons", ""),
    cache: isPending(secondStage) && !has("libtensorflow", `${accelerator}-`),
    project: isPending(npmStep, pythonStep),
  };
}

/**
 * Brings a clone up to date.
 *
 * @returns {Promise<string[]>} Names of the steps that ran.
 */
export async function setUp(context, stream, check = checkMachine) {
  if (pendingSteps(context).length === 0) return [];
  const release = await takeLock(context, stream);
  try {
    const pending = pendingSteps(context); // another set-up may have done them meanwhile
    if (pending.length === 0) return [];
    const { problems, python } = check(context, findNeeds(context, pending));
    if (problems.length > 0) throw joinErrors(problems);
    writeWhole(path.join(context.stateDir, ".gitignore"), "*\n");
    writeWhole(path.join(context.stateDir, "accelerator"), context.accelerator);
    return await runStages({ ...context, systemPython: python }, createProgress(stream));
  } finally {
    release();
  }
}

/** Runs npm and Python side by side, and the second stage beside Python's packages. */
async function runStages(context, progress) {
  const ran = [];
  const run = async (step) => {
    if (step.isCurrent(context)) return;
    ran.push(step.name);
    await progress.step(step.name, (show) => step.run(context, show));
  };
  const npm = run(npmStep);
  const environment = usableVenv(context) ? Promise.resolve() : run(venvStep);
  const packages = environment.then(() => run(pythonStep));
  const rest = Promise.all([npm, environment]).then(async () => {
    if (secondStage.isCurrent(context)) return;
    ran.push(secondStage.name);
    await secondStage.run(context, progress.report);
  });
  // What has begun may end, so that the next set-up need not repeat it.
  const declarations = npm.then(() => run(declarationsStep));
  const results = await Promise.allSettled([npm, packages, rest, declarations, run(notebookFilterStep)]);
  progress.end();
  if (ran.includes(npmStep.name)) renewRecord(context);
  const reasons = [...new Set(results.flatMap(({ reason }) => reason ?? []))];
  if (reasons.length > 0) throw joinErrors(reasons);
  return ran;
}

/**
 * Makes npm's record of what it installed newer than the folders, to which set-up has added files: otherwise each `npx` reads all
 * packages in its place.
 */
function renewRecord({ nodeModulesDir }) {
  const file = path.join(nodeModulesDir, ".package-lock.json");
  const now = new Date();
  if (fs.existsSync(file)) fs.utimesSync(file, now, now);
}

/** Returns one error for several: the message of each on its own line. */
function joinErrors(errors) {
  if (errors.length === 1) return errors[0];
  const messages = errors.map((error) => (error instanceof InputError ? error.message : error.stack));
  return Object.assign(new Error(messages.join("\n")), { name: "InputError" });
}

/** Returns whether the environment works; one that was interrupted, or whose Python is gone, is made again. */
function usableVenv({ venvPython }) {
  return fs.existsSync(venvPython) && spawnSync(venvPython, ["-m", "pip", "--version"]).status === 0;
}

// The command line

/** Installs what is missing, and says how long it took. */
async function runSetUp(args) {
  const options = parseArguments(args);
  if (options.help) return void process.stdout.write(inHome(HELP));
  const context = createContext({});
  context.accelerator = chooseAccelerator(context.stateDir, process.env, options.accelerator);
  context.weights = chooseWeights(options.weights);
  if (context.wheelsDir && !fs.existsSync(context.wheelsDir)) {
    const problem = { expected: "a folder of wheels", where: context.wheelsDir, found: "no such path" };
    throw new InputError({ ...problem, fix: "Fix or unset FERKIT_WHEELS." });
  }
  if (options.check) {
    const { problems } = checkMachine(context, { python: true, compiler: true, cache: true, project: true });
    if (problems.length > 0) throw joinErrors(problems);
    return void process.stderr.write("set-up: nothing is missing on this machine\n");
  }
  for (const [signal, status] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ])
    process.once(signal, () => {
      stopCommands();
      process.stderr.write(
        "\nSet-up was stopped. Run the same command again: it resumes where it stopped.\n",
      );
      process.exit(status);
    });
  process.env.FERKIT_SETTING_UP = "1"; // what set-up runs must not ask for it
  const startMs = Date.now();
  const ran = await setUp(context, process.stderr);
  writeWhole(path.join(context.stateDir, "ready"), "");
  const seconds = ((Date.now() - startMs) / 1000).toFixed(1);
  process.stderr.write(ran.length > 0 ? `set-up: done in ${seconds} s\n` : "set-up: nothing to do\n");
  if (process.env.npm_lifecycle_event === "setup")
    process.stderr.write("Next: npm start runs the notebooks, and npx ferkit --help lists the commands.\n");
}

function parseArguments(args) {
  const options = {};
  for (let i = 0; i < args.length; i++) {
    const [name, value] = args[i].split("=", 2);
    if (name === "--accelerator") options.accelerator = value ?? args[++i] ?? "nothing";
    else if (name === "--weights") options.weights = value ?? args[++i] ?? "";
    else if (name === "--check") options.check = true;
    else if (name === "--help" || name === "-h") options.help = true;
    else {
      const fix = "Run: npm run setup -- --help";
      throw new InputError({ expected: "--accelerator, --weights, --check or --help", found: args[i], fix });
    }
  }
  return options;
}

/** Runs the doctor; without its packages, it names only what the machine lacks and what is to be done. */
function runDoctor(args) {
  const context = createContext({});
  const pending = pendingSteps(context);
  const { python, compiler } = findNeeds(context, pending); // without the folders, which a check would make
  const { problems } = checkMachine(context, { python, compiler });
  const messages = problems.map(({ message }) => message);
  if (fs.existsSync(path.join(context.nodeModulesDir, "typescript"))) {
    const found = JSON.stringify({ context: { ...context, env: undefined }, pending, problems: messages });
    const script = path.join(context.root, "scripts/doctor.ts");
    const compiled = path.join(context.root, COMPILED);
    const options = { stdio: "inherit" };
    const { status } = spawnSync(process.execPath, ["--require", compiled, script, found, ...args], options);
    process.exitCode = status ?? 1;
    return;
  }
  const records = [
    { name: "machine", isOk: messages.length === 0, found: process.version, fix: messages.join("\n") },
    { name: "set-up", isOk: false, found: `to be done: ${pending.join(", ")}`, fix: "Run: npm run setup" },
  ];
  const line = ({ name, isOk, found, fix }) => `${isOk ? "ok   " : "WRONG"}  ${name}  ${found}  ${fix}\n`;
  const json = `${JSON.stringify({ isOk: false, records }, null, 2)}\n`;
  process.stdout.write(inHome(args.includes("--json") ? json : records.map(line).join("")));
  process.exitCode = 1;
}

if (process.argv[1] && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) {
  const [, , command, ...rest] = process.argv;
  const work = command === "doctor" ? async () => runDoctor(rest) : () => runSetUp(process.argv.slice(2));
  work().catch((error) => {
    const isPlain = error.name === "InputError" || error.name === "StageError";
    const message = error.syscall
      ? describeFailure("set-up", `${error.code} ${error.message}`, error.path).message
      : error.stack;
    process.stderr.write(inHome(`\nset-up failed.\n${isPlain ? error.message : message}\n`));
    process.exitCode = 1;
  });
}
