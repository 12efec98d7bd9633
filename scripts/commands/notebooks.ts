import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import type { Command } from "commander";
import { InputError, internals } from "../../src/index.js";
import { projectDir, runPython } from "../jupyter.js";
import {
  callerPath,
  collectAssignments,
  type DataFlags,
  dataSource,
  loadingOptions,
  numberFor,
  withExamples,
  withLoadingOptions,
} from "../options.js";
import { checkOutput } from "../outputs.js";
import { declaredData, notebooksIn, projectOf } from "../project.js";
import { createContext } from "../setup/context.cjs";

interface Flags extends Omit<DataFlags, "data"> {
  data?: string;
  preset?: string;
  set?: Record<string, unknown>;
  notebooks?: string;
  timeout?: number;
  out?: string;
  junit?: string;
  check?: boolean;
  updateExpected?: boolean;
  folder?: string;
  verbose?: boolean;
  accelerator?: string;
}

const RUNNER = path.join(projectDir, "scripts/run-notebooks.py");

/** Notebooks that run side by side, if the first may: the training of one takes all cores, and more would take more memory. */
const AT_ONCE = 2;

/** A cell that begins, as the runner reports it. */
interface Step {
  notebook: string;
  cell: number;
  title: string;
}

/** Adds the command that `npm start` runs. */
export function addNotebooksCommand(program: Command): void {
  const command = withExamples(
    program.command("notebooks"),
    "npm start -- --data my-images --notebooks 02,04 --set epochs=3 --timeout 600",
    "npx ferkit notebooks --folder my-notebooks --check --junit report.xml",
  )
    .option(
      "--data <source>",
      "synthetic, fer2013 (downloads), or a folder, archive, table or Parquet file; short for --set data=…",
    )
    .option("--preset <name>", "a preset (docs/presets.md); short for --set preset=…")
    .option("--set <name=value>", "replace a parameter of the notebooks; may be repeated", collectAssignments)
    .option(
      "--notebooks <names>",
      "run only the notebooks whose names start with these, such as 04 or 01,02-pre",
    )
    .option("--timeout <seconds>", "longest time for a cell (default: none)", numberFor("--timeout"))
    .option("--out <folder>", "folder of the results (default: out in the notebooks' project)")
    .option("--junit <file>", "also write a JUnit report, with a test case for each cell")
    .option("--check", "fail if metrics differ from expected.json beside the notebooks (docs/ci.md)")
    .option("--update-expected", "write the metrics of this run to expected.json")
    .option("--folder <folder>", "folder of the notebooks (default: notebooks of this project, or ferkit's)")
    .option("--verbose", "show what the cells print")
    .option("--accelerator <which>", "set up for cpu, gpu or auto first");
  withLoadingOptions(command).action(async (flags: Flags) => {
    process.exitCode = await runNotebooks(flags);
  });
}

/** Runs the notebooks; returns the exit status: 0, 1 after a failure, 130 after Ctrl-C. A JUnit report says what it throws, too. */
async function runNotebooks(flags: Flags): Promise<number> {
  const folder = flags.folder === undefined ? defaultFolder() : callerPath(flags.folder);
  const read = [
    ...(internals.isFolder(folder) ? notebooksIn(folder) : []),
    path.join(folder, "expected.json"),
  ];
  const junit =
    flags.junit === undefined ? null : checkOutput("--junit", callerPath(flags.junit), { data: read });
  try {
    return await runFolder(flags, folder, junit);
  } catch (error) {
    if (junit !== null && error instanceof InputError)
      await runPython([RUNNER, JSON.stringify({ junit, problem: error.message })]);
    throw error;
  }
}

async function runFolder(flags: Flags, folder: string, junit: string | null): Promise<number> {
  const timeout =
    flags.timeout === undefined
      ? null
      : internals.checkNumber("--timeout", flags.timeout, { min: 1, integer: true });
  const parameters = { ...flags.set };
  /** The options that gave parameters, by these. */
  const options: Record<string, string> = {};
  for (const name of ["data", "preset"] as const)
    if (flags[name] !== undefined) [parameters[name], options[name]] = [flags[name], `--${name}`];
  const loading = loadingOptions(flags);
  if (Object.keys(loading).length > 0) {
    parameters.dataOptions = { ...loading, ...(parameters.dataOptions as object | undefined) };
    options.dataOptions = Object.keys(loading)
      .map((name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`)
      .join(", ");
  }
  if (typeof parameters.data === "string") parameters.data = dataSource(parameters.data);
  if (flags.check && flags.updateExpected)
    throw new InputError({
      expected: "--check or --update-expected",
      found: "both",
      fix: "Choose one of them.",
    });
  const project = projectOf(folder);
  const notebooks = findNotebooks(folder, flags.notebooks);
  await checkData(notebooks, project, parameters);
  const job = {
    notebooks,
    outDir: flags.out === undefined ? path.join(project, "out") : callerPath(flags.out),
    projectDir: project,
    check: flags.check ? "compare" : flags.updateExpected ? "update" : null,
    parameters,
    options,
    timeout,
    junit,
    verbose: flags.verbose ?? false,
    atOnce: 1,
    parent: process.pid,
  };
  if (flags.accelerator !== undefined) {
    const setup = [path.join(projectDir, "scripts/bootstrap.mjs"), "--accelerator", flags.accelerator];
    const { status } = spawnSync(process.execPath, setup, { stdio: "inherit" });
    if (status !== 0) return status ?? 1;
  }
  job.atOnce = numAtOnce();
  let last: Step | null = null;
  const { status, death } = await runPython([RUNNER, JSON.stringify(job)], (line) => {
    last = JSON.parse(line);
  });
  if (death !== null) console.error(`ferkit: ${describeDeath(death, last)}`);
  return status;
}

/** Returns how many notebooks may run side by side: one on a GPU, all of whose memory TensorFlow takes for one process. */
export function numAtOnce(
  accelerator = createContext().accelerator,
  numCores = availableParallelism(),
): number {
  return accelerator === "gpu" ? 1 : Math.min(AT_ONCE, numCores);
}

/** Says how the runner died, which had no time to, and what to do. */
function describeDeath(death: string, last: Step | null): string {
  const where = last ? `cell ${last.cell} of ${last.notebook}.ipynb (${last.title})` : "the start";
  const again = last ? `Run them again with --notebooks ${last.notebook}` : "Run them again";
  return new InputError({
    expected: "the notebooks to run to their end",
    where,
    found: `their runner ${death}`,
    fix: `${again}; if memory was short, choose a smaller batch size or image size, or end other programs first.`,
  }).message;
}

/**
 * Looks for images before notebooks run for minutes. Data sets of ferkit's own are there.
 *
 * @throws InputError if a notebook loads data without any.
 */
async function checkData(
  notebooks: string[],
  project: string,
  { data: given, dataOptions }: Record<string, unknown>,
): Promise<void> {
  const declared = declaredData(notebooks);
  const data = given ?? declared;
  if (declared === undefined || typeof data !== "string" || Object.hasOwn(internals.OWN_SOURCES, data))
    return;
  await internals.readSource({
    seed: 0,
    ...(dataOptions as object | undefined),
    data: path.resolve(project, data),
  });
}

/** Returns the notebooks of the project that the command was called in, otherwise ferkit's own. */
export function defaultFolder(): string {
  const own = path.join(projectOf(callerPath(".")), "notebooks");
  return existsSync(own) ? own : path.join(projectDir, "notebooks");
}

/**
 * Lists the notebooks of a folder, in order.
 *
 * @param wanted - Beginnings of file names, separated by commas; all if left out.
 * @throws InputError if there is none, or a beginning fits none.
 */
export function findNotebooks(folder: string, wanted?: string): string[] {
  const all = listNotebooks(folder);
  if (all.length === 0)
    throw new InputError({
      expected: "notebooks (*.ipynb)",
      where: folder,
      found: "none",
      fix: "Choose a folder that has some.",
    });
  if (wanted === undefined) return all.map((name) => path.join(folder, name));
  const beginnings = wanted.split(",").map((beginning) => beginning.trim());
  for (const beginning of beginnings)
    if (beginning === "" || !all.some((name) => name.startsWith(beginning)))
      throw new InputError({
        expected: "the beginning of a notebook's name for --notebooks",
        found: beginning || "an empty one",
        fix: `Choose from ${all.map((name) => path.parse(name).name).join(", ")}.`,
      });
  const chosen = all.filter((name) => beginnings.some((beginning) => name.startsWith(beginning)));
  return chosen.map((name) => path.join(folder, name));
}

function listNotebooks(folder: string): string[] {
  try {
    return notebooksIn(folder).map((file) => path.basename(file));
  } catch (error) {
    const found =
      (error as NodeJS.ErrnoException).code === "ENOENT" ? "no such path" : (error as Error).message;
    throw new InputError({
      expected: "a folder of notebooks",
      where: folder,
      found,
      fix: "Choose another with --folder.",
    });
  }
}
