// The command line: its commands, how it fails, and how it ends.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { format } from "node:util";
import { Command, CommanderError } from "commander";
import { visible } from "../src/errors.js";

/** Adds a command to the program; loaded when the command is asked for. */
export const COMMANDS: Record<string, () => (program: Command) => void> = {
  data: () => require("./commands/data.js").addDataCommand,
  train: () => require("./commands/train.js").addTrainCommand,
  evaluate: () => require("./commands/evaluate.js").addEvaluateCommand,
  calibrate: () => require("./commands/calibrate.js").addCalibrateCommand,
  robustness: () => require("./commands/robustness.js").addRobustnessCommand,
  predict: () => require("./commands/predict.js").addPredictCommand,
  convert: () => require("./commands/convert.js").addConvertCommand,
  export: () => require("./commands/export.js").addExportCommand,
  runs: () => require("./commands/runs.js").addRunsCommand,
  notebooks: () => require("./commands/notebooks.js").addNotebooksCommand,
  doctor: () => addDoctorCommand,
  completion: () => require("./completion.js").addCompletionCommand,
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
  });
  const restore = showEscapes();
  program.addHelpText("after", "\nExample:\n  $ npx ferkit predict photo.jpg");
  const isAlone = Object.hasOwn(COMMANDS, args[0] ?? "") && args[0] !== "completion";
  const names = isAlone ? [args[0]] : Object.keys(COMMANDS);
  for (const name of names) COMMANDS[name]()(program);
  process.exitCode = 0;
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode; // it has said why
    reportFailure(error as Error);
  } finally {
    restore();
  }
  return Number(process.exitCode);
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

/** Prints why a program failed, and sets its exit status: the message alone if the user can fix it, otherwise the stack. */
export function reportFailure(error: Error): void {
  const isInput = error.name === "InputError" || error.name === "ParameterError";
  console.error(isInput ? `ferkit: ${error.message}` : error);
  process.exitCode = 1;
}

/** Runs the command that the process was started with. */
export async function main(): Promise<void> {
  // The reader of the output may end first, as in `ferkit runs --json | head -1`.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(BROKEN_PIPE_STATUS);
  });
  process.exitCode = await runCli(process.argv.slice(2));
}

function addDoctorCommand(program: Command): void {
  program
    .command("doctor")
    .description("say what is installed, what was found, and how to fix what is wrong")
    .option("--json", "print the findings as JSON")
    .addHelpText("after", "\nExample:\n  $ npx ferkit doctor")
    .action((flags: { json?: boolean }) => {
      const script = path.join(__dirname, "bootstrap.mjs");
      const args = [script, "doctor", ...(flags.json ? ["--json"] : [])];
      const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
      process.exitCode = status ?? 1;
    });
}
