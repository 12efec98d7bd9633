// The command line: its commands, how it fails, and how it ends.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { format } from "node:util";
import { Command, CommanderError } from "commander";
import { InputError, visible } from "../src/errors.js";
import { writeError } from "../src/files.js";
import { inHome } from "./home.cjs";

/** A command as the list of commands shows it. Its options are loaded when it is asked for. */
interface Entry {
  usage: string;
  description: string;
  load: () => (program: Command) => void;
}

export const COMMANDS: Record<string, Entry> = {
  data: {
    usage: "[options]",
    description:
      "load a data set into the cache and report on it: counts, sizes, unreadable files, duplicates, leaks",
    load: () => require("./commands/data.js").addDataCommand,
  },
  train: {
    usage: "[options]",
    description: "fine-tune a network, or resume a run that was stopped",
    load: () => require("./commands/train.js").addTrainCommand,
  },
  evaluate: {
    usage: "[options]",
    description: "classify the validation images of a data set and score the result",
    load: () => require("./commands/evaluate.js").addEvaluateCommand,
  },
  labels: {
    usage: "[options]",
    description: "list labels that are probably wrong; trains once for each fold of the images",
    load: () => require("./commands/labels.js").addLabelsCommand,
  },
  calibrate: {
    usage: "[options]",
    description: "fit a model's temperature and prediction sets to images that it was not trained on",
    load: () => require("./commands/calibrate.js").addCalibrateCommand,
  },
  robustness: {
    usage: "[options]",
    description:
      "score a model on validation images that are blurred, noisy, covered, rotated, dark or bright",
    load: () => require("./commands/robustness.js").addRobustnessCommand,
  },
  predict: {
    usage: "[options] <images...>",
    description: "print the probability of each class for images of any size and format",
    load: () => require("./commands/predict.js").addPredictCommand,
  },
  convert: {
    usage: "[options] <source>",
    description: "write a model folder with smaller weights, or from weights that were fine-tuned elsewhere",
    load: () => require("./commands/convert.js").addConvertCommand,
  },
  export: {
    usage: "[options] <model>",
    description: "write a model for other programs, from pixels to probabilities (docs/export.md)",
    load: () => require("./commands/export.js").addExportCommand,
  },
  demo: {
    usage: "[options]",
    description: "build a page that classifies photographs and the camera in a browser, and serve it",
    load: () => require("./commands/demo.js").addDemoCommand,
  },
  runs: {
    usage: "[options] [folders...]",
    description: "list and compare runs, the most accurate first",
    load: () => require("./commands/runs.js").addRunsCommand,
  },
  sweep: {
    usage: "[options]",
    description: "train with many settings, seeds and folds, on this machine or a cluster (docs/cluster.md)",
    load: () => require("./commands/sweep.js").addSweepCommand,
  },
  notebooks: {
    usage: "[options]",
    description: "run the notebooks in order, and write executed copies and HTML pages to out/",
    load: () => require("./commands/notebooks.js").addNotebooksCommand,
  },
  lab: {
    usage: "[options] [arguments...]",
    description: "open the notebooks in JupyterLab",
    load: () => require("./commands/lab.js").addLabCommand,
  },
  init: {
    usage: "[options] <folder>",
    description: "start a project for your own images, with the notebooks, a test and a CI workflow",
    load: () => require("./commands/init.js").addInitCommand,
  },
  setup: {
    usage: "[options]",
    description: "install what ferkit needs and what is missing",
    load: () => addSetupCommand,
  },
  doctor: {
    usage: "[options]",
    description: "check the set-up, and say how to fix what is wrong",
    load: () => addDoctorCommand,
  },
  completion: {
    usage: "[options] <shell>",
    description: "print a script that completes commands and options in a shell",
    load: () => require("./completion.js").addCompletionCommand,
  },
};

/** What follows an error of usage, in place of the whole help. */
const HINT = "Run npx ferkit --help for the commands, or npx ferkit COMMAND --help for a command's options.";

/** 128 and the number of SIGPIPE: what a shell reports of a program that this signal ended. */
const BROKEN_PIPE_STATUS = 141;

/**
 * Runs one command.
 *
 * @param args - Without the program: `["predict", "photo.jpg"]`.
 * @returns Exit status.
 */
export async function runCli(args: string[]): Promise<number> {
  const file = path.join(__dirname, "../package.json");
  const { version, description } = JSON.parse(readFileSync(file, "utf8"));
  const program = new Command("ferkit").description(description).version(version);
  program.showHelpAfterError(HINT).exitOverride();
  program.configureOutput({
    writeOut: (text) => process.stdout.write(shown(text)),
    writeErr: (text) => process.stderr.write(shown(text)),
    outputError: (text, write) =>
      write(
        withSetting(
          text,
          program.commands.find((command) => command.name() === args[0]),
        ),
      ),
  });
  const restore = showEscapes();
  program.addHelpText("after", "\nExample:\n  $ npx ferkit predict photo.jpg");
  program.configureHelp({ subcommandTerm: (command) => `${command.name()} ${command.usage()}` });
  process.exitCode = 0;
  try {
    addCommands(program, args[0] === "help" ? args[1] : args[0]);
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode; // it has said why
    reportFailure(error as Error);
  } finally {
    restore();
  }
  return Number(process.exitCode);
}

/** Says of an unknown option that it is a setting, as `--epochs 3` of `--set epochs=3`, and of an argument that it needs `--data`. */
function withSetting(text: string, command: Command | undefined): string {
  const [word] = /^error: too many arguments/.test(text) ? (command?.args ?? []) : [];
  if (word !== undefined && command?.options.some(({ long }) => long === "--data"))
    return `${text.trimEnd()}\n(Did you mean --${/^\w+=/.test(word) ? "set" : "data"} ${word}?)\n`;
  const [, flag] = text.match(/^error: unknown option '--([\w-]+)/) ?? [];
  if (flag === "seed" && command?.name() === "evaluate")
    return `${text.trimEnd()}\n(The images are those that the model's run held out, whatever its seed.)\n`;
  if (flag === undefined || !command?.options.some(({ long }) => long === "--preset")) return text;
  const { settingOf } = require("./run-config.js") as typeof import("./run-config.js");
  const setting = settingOf(flag);
  return setting ? `${text.trimEnd()}\n(Did you mean --set ${setting}=…?)\n` : text;
}

/** Shows the escapes in names of files and classes, which a terminal would run; as in JSON, so that JSON stays the same. */
export function shown(text: string): string {
  return visible(text, "\n\t");
}

/** Lets the console show escapes. Returns a function that undoes it. */
function showEscapes(): () => void {
  const { log, warn, error } = console;
  const through =
    (print: typeof log) =>
    (...values: unknown[]) =>
      print("%s", shown(format(...values)));
  Object.assign(console, { log: through(log), warn: through(warn), error: through(error) });
  return () => Object.assign(console, { log, warn, error });
}

/** Adds all commands; the one that is asked for with its options, and for their completion all of them. */
function addCommands(program: Command, asked: string | undefined): void {
  for (const [name, { usage, description, load }] of Object.entries(COMMANDS)) {
    const isAsked = name === asked || asked === "completion";
    if (isAsked) load()(program);
    const command = isAsked ? program.commands.find((added) => added.name() === name) : program.command(name);
    command?.description(description).usage(usage);
    if (isAsked && command) noteRepeats(command);
  }
}

/** Says of an option that is given twice that the last value is used, as other programs do. */
function noteRepeats(command: Command): void {
  for (const option of command.options) {
    const { long, required, optional, description } = option;
    if (!(required || optional) || /may be repeated/.test(description)) continue;
    let earlier: string | undefined;
    command.on(`option:${option.name()}`, (value: string) => {
      if (earlier !== undefined && earlier !== value)
        console.error(`note: ${long} is given twice; the last value is used: ${value}`);
      earlier = value;
    });
  }
}

/** Prints why a program failed, and sets its exit status: the message alone if the user can fix it, otherwise the stack. */
export function reportFailure(error: Error): void {
  const isInput = error.name === "InputError" || error.name === "ParameterError";
  console.error(isInput ? inHome(`ferkit: ${error.message}`) : error);
  process.exitCode = 1;
}

/** Says why standard output takes nothing more: it may be a file on a full disk. */
function outputError(error: NodeJS.ErrnoException): Error {
  const cause = writeError("standard output", error);
  if (!(cause instanceof InputError)) return error;
  const fix = "Make room, or choose another place for the output.";
  return new InputError({ ...cause.problem, fix });
}

/** Runs the command that the process was started with. */
export async function main(): Promise<void> {
  // The reader of the output may end first, as in `ferkit runs --json | head -1`.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EIO" && process.stdout.isTTY) return; // as below
    if (error.code === "EPIPE") process.exit(BROKEN_PIPE_STATUS);
    reportFailure(outputError(error));
    process.exit(1);
  });
  // The terminal may be closed, while a training ends in order.
  process.stderr.on("error", () => {});
  process.exitCode = await runCli(process.argv.slice(2));
}

function addSetupCommand(program: Command): void {
  program
    .command("setup")
    .argument("[arguments...]")
    .allowUnknownOption()
    .helpOption(false)
    .action((_, __, { args }: Command) => runBootstrap(args));
}

function addDoctorCommand(program: Command): void {
  program
    .command("doctor")
    .option("--json", "print the findings as JSON")
    .addHelpText("after", "\nExample:\n  $ npx ferkit doctor")
    .action((flags: { json?: boolean }) => runBootstrap(["doctor", ...(flags.json ? ["--json"] : [])]));
}

/** Runs the first stage of set-up, which works without any package. */
function runBootstrap(args: string[]): void {
  const script = path.join(__dirname, "bootstrap.mjs");
  const { status } = spawnSync(process.execPath, [script, ...args], { stdio: "inherit" });
  process.exitCode = status ?? 1;
}
