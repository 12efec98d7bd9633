// Many trainings, or one notebook with many parameters, by Ray Tune.
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Command } from "commander";
import { InputError, internals } from "../../src/index.js";
import { projectDir } from "../jupyter.js";
import {
  callerPath,
  choiceOption,
  collectSettings,
  dataInputs,
  numberFor,
  printData,
  printJson,
  withChartOption,
  withDataOptions,
  withExamples,
} from "../options.js";
import { chartPath, writeChart } from "../outputs.js";
import { applyConfig, settingOfFolder } from "../run-config.js";
import { type Plan, planNotebooks, planRuns, type SweepFlags } from "../sweep/plan.js";
import { ensureRay, type RayEvent, type RayJob, runTrials } from "../sweep/ray.js";
import {
  isFinished,
  loadRecord,
  loadTrialRuns,
  notebookOutcome,
  type Outcome,
  outcomeOf,
  ranked,
  type SweepRecord,
  saveRecord,
  shownMetrics,
  type TrialRuns,
} from "../sweep/record.js";
import {
  meansTable,
  notesOn,
  runsChartOf,
  runsTableOf,
  trialsTable,
  unknownMetric,
  writeTeachers,
} from "../sweep/results.js";
import { countsInWords, rangeNotes, type Space, trialsOf } from "../sweep/space.js";

const { checkNumber, prettyJson, textTable } = internals;

interface Flags extends Omit<SweepFlags, "run" | "dataFrom"> {
  space?: string;
  run?: string;
  folds?: number;
  trials?: number;
  cpus?: number;
  gpus?: number;
  top: number;
  chart?: string;
  dryRun?: boolean;
  ray?: boolean;
}

export function addSweepCommand(program: Command): void {
  const command = withDataOptions(program.command("sweep"));
  withExamples(
    withChartOption(command, "validation accuracy over minutes and over epochs"),
    "npx ferkit sweep --space space.json --dry-run",
    "npx ferkit sweep --space space.json --data my-images --trials 20 --max-epochs 12 --chart sweep.svg",
    "RAY_ADDRESS=10.0.0.1:6379 npx ferkit sweep --space space.json --run /shared/runs/sweep",
  )
    .option(
      "--space <file>",
      "JSON file with the settings to vary, and any of these options (docs/cluster.md)",
    )
    .option("--preset <name>", "the preset of all trials", "tutorial")
    .option(
      "--set <name=value>",
      "replace a value of the preset in all trials; may be repeated",
      collectSettings,
    )
    .option("--run <folder>", "folder of the runs (default: runs/<name of the space file>)")
    .option(
      "--trials <count>",
      "number of trials to draw, from ranges or from all combinations",
      numberFor("--trials"),
    )
    .option("--folds <count>", "validate each setting on this many folds in turn", numberFor("--folds"))
    .option(
      "--metric <name>",
      "accuracy, macroF1 or loss, or a metric of the notebook (default: the preset's)",
    )
    .addOption(
      choiceOption(
        "--mode <kind>",
        "whether the highest or the lowest metric of a notebook is best (default: min for losses, errors and durations, otherwise max)",
        ["max", "min"],
      ),
    )
    .option("--max-epochs <count>", "epochs of a trial that is not stopped", numberFor("--max-epochs"))
    .addOption(
      choiceOption(
        "--scheduler <name>",
        "asha stops weak trials early, fifo stops none (default: asha, but fifo with several seeds or folds)",
        ["asha", "fifo"],
      ),
    )
    .option(
      "--cpus <count>",
      "processors of a trial (default: all, divided by the trials)",
      numberFor("--cpus"),
    )
    .option("--gpus <count>", "GPUs of a trial; 0.5 shares one (default: 0)", numberFor("--gpus"))
    .option("--notebook <file>", "run a notebook instead of trainings, with the settings as its parameters")
    .option("--top <count>", "number of the best models in teachers.json", numberFor("--top"), 3)
    .option("--dry-run", "list the trials, and run none")
    .option(
      "--ray",
      "install Ray if it is missing, and print the path of its program, which starts a cluster",
    )
    .option("--json", "print a JSON line for each trial, the best first")
    .action(async (flags: Flags) => {
      if (flags.ray) console.log(path.join(await ensureRay(), "bin/ray"));
      else await sweep(command, flags);
    });
}

async function sweep(command: Command, given: Flags): Promise<void> {
  const { space, flags, file } = readSpace(command, given);
  const folder = callerPath(flags.run ?? path.join("runs", path.parse(file).name));
  chartPath(flags, { data: [file, ...dataInputs(flags)], models: [folder] }); // before hours of work
  for (const name of ["cpus", "top"] as const)
    if (flags[name] !== undefined) checkNumber(`--${name}`, flags[name], { min: 1, integer: true });
  if (flags.gpus !== undefined) checkNumber("--gpus", flags.gpus, { min: 0 });
  const seed = typeof flags.set?.seed === "number" ? flags.set.seed : 0;
  const trials = trialsOf(space, { folds: flags.folds, trials: flags.trials, seed }, file);
  for (const note of rangeNotes(space)) console.error(note);
  const dataFrom = command.getOptionValueSource("data") === "config" ? `data in ${file}` : "--data";
  const all = { ...flags, run: folder, dataFrom };
  const plan =
    flags.notebook === undefined ? planRuns(all, space, trials, folder) : planNotebooks(all, trials, folder);
  const record = loadRecord(folder, plan.base);
  if (flags.notebook === undefined) printData(flags);
  console.error(`${countsInWords(trials)}${schedulerInWords(plan, flags)}`);
  if (flags.dryRun) {
    const outcomes = outcomesOf(plan, record, await loadTrialRuns(folder));
    if (flags.json) for (const outcome of outcomes) printJson(outcome);
    else console.log(textTable(trialsTable(outcomes)));
    return;
  }
  const status = await runMissing(plan, record, folder, flags);
  const runs = await loadTrialRuns(folder);
  const outcomes = ranked(outcomesOf(plan, record, runs), plan.mode);
  await printResults(plan, outcomes, runs, folder, flags);
  if (status !== 0 || !outcomes.every(isFinished)) process.exitCode = status || 1;
}

/** Reads the space file, whose other keys are options of the command. */
function readSpace(command: Command, given: Flags): { space: Space; flags: Flags; file: string } {
  if (given.space === undefined)
    throw new InputError({
      expected: "--space with a file that names the settings to vary",
      found: "none",
      fix: 'Write for example {"space": {"learningRate": [0.001, 0.003], "seed": [0, 1]}}.',
    });
  const file = callerPath(given.space);
  const { space = {} } = applyConfig(command, file, ["space"]);
  if (typeof space !== "object" || space === null || Array.isArray(space))
    throw new InputError({
      expected: "an object of settings for space",
      where: file,
      found: JSON.stringify(space),
      fix: 'Write for example {"space": {"seed": [0, 1]}}.',
    });
  return {
    space: spaceOf(path.dirname(file), space as Space),
    flags: { ...command.opts<Flags>(), space: given.space },
    file,
  };
}

/** Returns a space whose paths count from its file's folder. */
function spaceOf(folder: string, space: Space): Space {
  return Object.fromEntries(
    Object.entries(space).map(([name, values]) => [
      name,
      Array.isArray(values) ? values.map((value) => settingOfFolder(folder, name, value)) : values,
    ]),
  );
}

function schedulerInWords(
  { asha, maxEpochs, graceEpochs, metric, mode }: Plan,
  { scheduler, notebook }: Flags,
): string {
  const best = mode === "min" ? "lowest" : "highest";
  const compared =
    notebook !== undefined && metric !== null ? `, and the ${best} ${metric} is best (--mode)` : "";
  if (!asha) return `; each runs to its end${compared}`;
  const why = scheduler ? "" : " (--scheduler fifo keeps all)";
  return `; ASHA stops weak ones by ${metric} from epoch ${graceEpochs} of ${maxEpochs}${why}`;
}

function outcomesOf(plan: Plan, record: SweepRecord, runs: TrialRuns): Outcome[] {
  return plan.trials.map(({ name, settings, fold, folder: own, config }) => {
    const [trial, known] = [{ name, settings, fold }, record.trials[name]];
    if (config === null) return notebookOutcome(trial, own, known, plan.metric);
    return outcomeOf(trial, own, runs.get(own), known, config);
  });
}

/** Runs the trials that are not finished; returns the exit status. */
async function runMissing(plan: Plan, record: SweepRecord, folder: string, flags: Flags): Promise<number> {
  const before = outcomesOf(plan, record, await loadTrialRuns(folder));
  const numLeft = before.filter((outcome) => !isFinished(outcome)).length;
  if (numLeft < before.length)
    console.error(`${before.length - numLeft} of ${before.length} have finished already`);
  if (numLeft === 0) return 0;
  const lock = internals.lockRun(folder);
  const work = workDir(folder);
  const jobFile = path.join(work, "job.json");
  const log = openLog(folder);
  try {
    const rayDir = await ensureRay();
    console.error("starting Ray …");
    for (const { settingsFile } of plan.trials)
      if (settingsFile)
        await internals.writeFileAtomically(settingsFile.path, prettyJson(settingsFile.content));
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    writeFileSync(path.join(work, "token"), "");
    await saveRecord(folder, record);
    const job = jobOf(plan, before, record, folder, flags);
    writeFileSync(jobFile, prettyJson(job));
    const isKnown = new Set(before.filter(isFinished).map(({ name }) => name));
    const seen = new Set<string>();
    const status = await runTrials(rayDir, jobFile, log, async (event) => {
      if (event.type === "plan") await takePlan(event, record, folder);
      else if (event.type !== "refused" && !isKnown.has(event.trial))
        await takeEvent(event, plan, record, folder, seen);
    });
    if (status === 130) console.error("stopped: the same command resumes");
    else if (status !== 0)
      console.error(`Ray has failed, see ${path.join(folder, "ray.log")}; the same command resumes`);
    return status;
  } finally {
    closeSync(log);
    rmSync(work, { recursive: true, force: true });
    lock.release();
  }
}

/** Returns the folder of files that last as long as the sweep's process. */
function workDir(folder: string): string {
  return path.join(folder, ".sweep");
}

function openLog(folder: string): number {
  internals.makeFolder(path.join(folder, "logs"));
  return openSync(path.join(folder, "ray.log"), "w");
}

function jobOf(
  plan: Plan,
  before: readonly Outcome[],
  record: SweepRecord,
  folder: string,
  flags: Flags,
): RayJob {
  const { version } = JSON.parse(readFileSync(path.join(projectDir, "package.json"), "utf8"));
  const trials = plan.trials.map(({ name, folder: runDir, command, config }, i) => {
    return { name, runDir, command, isFinished: isFinished(before[i]), epochs: config?.epochs ?? 1 };
  });
  return {
    address: process.env.RAY_ADDRESS || null,
    cores: os.availableParallelism(),
    // ASHA compares with finished trials too.
    trials: plan.asha ? trials : trials.filter(({ isFinished: isDone }) => !isDone),
    asha: plan.asha,
    metric: plan.metric ?? "none",
    mode: plan.mode,
    maxEpochs: plan.maxEpochs,
    graceEpochs: plan.graceEpochs,
    cpus: flags.cpus ?? record.cpus,
    gpus: flags.gpus ?? 0,
    cwd: callerPath("."),
    env: process.env.FERKIT_OFFLINE ? { FERKIT_OFFLINE: process.env.FERKIT_OFFLINE } : {},
    logs: path.join(folder, "logs"),
    stopFile: path.join(workDir(folder), "stop"),
    token: path.join(workDir(folder), "token"),
    storage: path.join(workDir(folder), "ray"),
    projectDir,
    version,
    node: process.execPath,
    paths: plan.paths,
  };
}

async function takePlan(
  { nodes, cores, cpus, atOnce }: Extract<RayEvent, { type: "plan" }>,
  record: SweepRecord,
  folder: string,
): Promise<void> {
  const processors = (count: number) => `${count} processor${count === 1 ? "" : "s"}`;
  const where =
    nodes === 1 ? `this machine with ${processors(cores)}` : `${nodes} nodes with ${processors(cores)}`;
  console.error(`on ${where}: ${atOnce} at once, ${processors(cpus)} each (--cpus)`);
  record.cpus = cpus;
  await saveRecord(folder, record);
}

/** Says what has happened to a trial, and records its end. */
async function takeEvent(
  event: Extract<RayEvent, { trial: string }>,
  plan: Plan,
  record: SweepRecord,
  folder: string,
  seen: Set<string>,
): Promise<void> {
  const { trial: name, attempts } = event;
  const planned = plan.trials.find((trial) => trial.name === name) as Plan["trials"][number];
  if (event.type === "restart") console.error(`${name}: its worker died; it resumes from its checkpoint`);
  if (event.type === "epoch") {
    const key = `${name} ${event.epoch}`;
    const score = event[plan.metric as "accuracy"];
    if (!seen.has(key))
      console.error(`${name}: epoch ${event.epoch}, ${plan.metric} ${score.toPrecision(4)}`);
    seen.add(key);
  }
  if (event.type !== "end") return;
  const { settings, fold, config, folder: own } = planned;
  const isNotebook = config === null && event.state === "completed";
  record.trials[name] = {
    settings,
    fold,
    state: event.state,
    attempts,
    ...(event.reason && { reason: event.reason }),
    ...(isNotebook && { metrics: shownMetrics(path.join(own, path.basename(String(plan.base.notebook)))) }),
  };
  console.error(`${name}: ${event.state}${event.reason ? `: ${event.reason}` : ""}`);
  await saveRecord(folder, record);
}

async function printResults(
  plan: Plan,
  outcomes: readonly Outcome[],
  runs: TrialRuns,
  folder: string,
  flags: Flags,
): Promise<void> {
  const isTraining = flags.notebook === undefined;
  if (isTraining) for (const note of notesOn(runs, outcomes)) console.error(note);
  if (flags.json) for (const outcome of outcomes) printJson(outcome);
  else {
    console.log(textTable(isTraining ? runsTableOf(runs, outcomes) : trialsTable(outcomes)));
    const means = meansTable(outcomes, plan.mode);
    if (means) console.log(`\n${textTable(means)}`);
  }
  const unknown = unknownMetric(plan.metric, outcomes);
  if (unknown !== null) console.error(unknown);
  if (plan.metric === null) console.error("--metric NAME compares the notebooks by a number that they show");
  if (!isTraining) return;
  if (flags.chart !== undefined)
    await writeChart(runsChartOf(runs, outcomes, path.basename(folder)), callerPath(flags.chart));
  const { file, differ } = await writeTeachers(folder, runs, outcomes, {
    count: flags.top,
    mode: plan.mode,
  });
  if (file === null) return;
  console.error(`the best models, to learn from: npx ferkit train --config ${file}`);
  if (differ)
    console.error(
      "note: their runs held out different images, so a run that learns from them validates on images that some were trained on",
    );
}
