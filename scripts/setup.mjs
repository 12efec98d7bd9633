// Set-up of a clone, by Node's built-ins alone since no package is there yet: node scripts/setup.mjs --help
import fs from "node:fs";
import process from "node:process";
import { chooseAccelerator } from "./setup/accelerator.mjs";
import { installInterruptHandler } from "./setup/command.mjs";
import { checkPrerequisites } from "./setup/prerequisites.mjs";
import { describeFailure, SetupError } from "./setup/problem.mjs";
import { createContext } from "./setup/project.mjs";
import { MissingPrerequisites, setUp } from "./setup/run.mjs";
import { chooseWeights } from "./setup/weights.mjs";

const HELP = `Usage: npm run setup -- [options]

Installs what ferkit needs, in this clone and in the user's cache; skips what is there.

  --accelerator cpu|gpu|auto  Which TensorFlow: for CPUs (default), with CUDA, or CUDA where nvidia-smi answers.
                              Kept for this clone until chosen otherwise.
  --weights NAMES             Whose ImageNet weights to fetch into the cache: lite0 (default), lite1, lite2, or several with
                              commas between them.
  --check                     Check the prerequisites of a first set-up only.
  --help                      Show this.

Environment:
  FERKIT_ACCELERATOR  As --accelerator.
  FERKIT_CACHE        Folder of the user's cache (default: $XDG_CACHE_HOME/ferkit or ~/.cache/ferkit).
  FERKIT_WHEELS       Folder of Python wheels to look into before downloading.
  CXX                 The C++ compiler (default: g++, c++ or clang++).
`;

async function main(args) {
  const options = parseArguments(args);
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  const context = createContext({});
  checkWheelsDir(context.wheelsDir);
  context.accelerator = chooseAccelerator(context.stateDir, process.env, options.accelerator);
  context.weights = chooseWeights(context, options.weights);
  if (options.check) {
    const all = { python: true, compiler: true, cache: true, project: true };
    const { problems } = checkPrerequisites(context, all);
    if (problems.length > 0) throw new MissingPrerequisites(problems);
    process.stderr.write("set-up: all prerequisites are there\n");
    return;
  }
  installInterruptHandler((text) => process.stderr.write(text));
  const startMs = Date.now();
  const ran = await setUp(context, { stream: process.stderr });
  const seconds = ((Date.now() - startMs) / 1000).toFixed(1);
  process.stderr.write(ran.length > 0 ? `set-up: done in ${seconds} s\n` : `set-up: nothing to do\n`);
}

function checkWheelsDir(dir) {
  if (!dir || fs.existsSync(dir)) return;
  const fix = "Mend or unset FERKIT_WHEELS.";
  throw new SetupError({ expected: "a folder of wheels", where: dir, found: "no such path", fix });
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
      throw new SetupError({ expected: "--accelerator, --weights, --check or --help", found: args[i], fix });
    }
  }
  return options;
}

/** What to tell the reader; the stack only where the error is ours. */
function explain(error) {
  if (error instanceof SetupError || error instanceof MissingPrerequisites) return error.message;
  if (!error.syscall) return error.stack;
  return describeFailure("set-up", `${error.code} ${error.message}`, error.path ?? process.cwd()).message;
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`\nset-up failed.\n${explain(error)}\n`);
  process.exitCode = 1;
});
