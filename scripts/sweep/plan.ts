// What a sweep is to run: for each trial its folder, its command, and the settings that it is checked by.
import { existsSync } from "node:fs";
import path from "node:path";
import { InputError, internals, type TrainConfig, trainConfig } from "../../src/index.js";
import { projectDir } from "../jupyter.js";
import { callerPath, type DataFlags, dataOptions, dataSource } from "../options.js";
import { settingsOf } from "../run-config.js";
import { mergeSettings } from "../settings.js";
import { lowerIsBetter } from "./record.js";
import type { Space, Trial } from "./space.js";

export interface SweepFlags extends DataFlags {
  preset: string;
  run: string;
  /** What names the data set, for errors: an option, or a key of the space file. */
  dataFrom: string;
  set?: internals.Overrides;
  notebook?: string;
  metric?: string;
  mode?: "max" | "min";
  maxEpochs?: number;
  scheduler?: "asha" | "fifo";
}

/** A trial that can be run. */
interface PlannedTrial extends Trial {
  folder: string;
  command: string[];
  /** The settings file that the command reads; null for a notebook. */
  settingsFile: { path: string; content: object } | null;
  /** Null for a notebook. */
  config: TrainConfig | null;
}

export interface Plan {
  /** What all trials share. */
  base: Record<string, unknown>;
  trials: PlannedTrial[];
  /** Null if a notebook's trials are not to be compared. */
  metric: string | null;
  mode: "max" | "min";
  maxEpochs: number;
  /** Epochs before ASHA may stop a trial. */
  graceEpochs: number;
  asha: boolean;
  /** What all nodes must see. */
  paths: string[];
}

const FERKIT = [process.execPath, path.join(projectDir, "scripts/ferkit.cjs")];

/**
 * Plans trials of `ferkit train`.
 *
 * @param folder - Folder of the sweep.
 * @throws InputError or ParameterError for settings that no run can have.
 */
export function planRuns(flags: SweepFlags, space: Space, trials: readonly Trial[], folder: string): Plan {
  const { preset } = flags;
  if (flags.mode !== undefined)
    throw new InputError({
      expected: "--mode with --notebook alone",
      found: "trainings",
      fix: "Remove it: the highest accuracy and macroF1 are best, and the lowest loss.",
    });
  const set: Record<string, unknown> = { ...flags.set };
  const isVaried = (name: string) => Object.hasOwn(space, name);
  for (const name of [...Object.keys(set), "monitor"])
    if (isVaried(name))
      throw new InputError({
        expected:
          name === "monitor" ? "one metric, by which trials are compared" : `${name} in set or in space`,
        found: name === "monitor" ? "monitor in space" : "both",
        fix: name === "monitor" ? "Choose it with --metric." : "Remove one of them.",
      });
  if (flags.maxEpochs !== undefined) {
    if (isVaried("epochs")) throw conflict("--max-epochs", "epochs in space");
    set.epochs = flags.maxEpochs;
  }
  for (const name of ["fold", "validationShare"] as const)
    if (trials[0].fold !== null && flags[name] !== undefined) throw conflict("--folds", name);
  // Set for all, since some settings change its default.
  set.monitor = flags.metric ?? set.monitor ?? trainConfig(preset, set as internals.Overrides).monitor;
  const { data, ...loading } = dataOptions(flags);
  if (!Object.hasOwn(internals.OWN_SOURCES, data) && !existsSync(data))
    throw new InputError({
      expected: "a data set",
      where: data,
      found: "no such path",
      fix: `Fix ${flags.dataFrom}.`,
    });
  const paths = pathsIn(data, loading.labels, ...[set, ...trials.map(({ settings }) => settings)]);
  const planned = trials.map((trial): PlannedTrial => {
    const run = path.join(folder, trial.name);
    const own = settingsOf(callerPath("."), mergeSettings(set, trial.settings)); // the file of the trial is elsewhere
    const fold = trial.fold !== null && { fold: trial.fold };
    const settingsFile = path.join(folder, "settings", `${trial.name}.json`);
    return {
      ...trial,
      folder: run,
      command: [...FERKIT, "train", "--config", settingsFile, "--json"],
      settingsFile: { path: settingsFile, content: { preset, set: own, data, run, ...loading, ...fold } },
      config: checked(preset, own, space),
    };
  });
  const configs = planned.map(({ config }) => config as TrainConfig);
  const maxEpochs = Math.max(...configs.map(({ epochs }) => epochs));
  const numHead = Math.max(...configs.map(({ headEpochs }) => headEpochs));
  const hasRepeats = trials[0].fold !== null || (Array.isArray(space.seed) && space.seed.length > 1);
  return {
    base: { preset, set, data, ...loading },
    trials: planned,
    metric: set.monitor as string,
    mode: lowerIsBetter(set.monitor as string) ? "min" : "max",
    maxEpochs,
    graceEpochs: Math.min(maxEpochs, numHead + 1),
    asha: (flags.scheduler ?? (hasRepeats ? "fifo" : "asha")) === "asha" && maxEpochs > 1,
    paths,
  };
}

/** Checks a trial's settings; for a number that must be whole, it says how a range gives such numbers. */
function checked(preset: string, settings: Record<string, unknown>, space: Space): TrainConfig {
  try {
    return trainConfig(preset, settings as internals.Overrides);
  } catch (error) {
    const { message } = error as Error;
    const [, name] = /^Expected an integer .* for (\w+) but/.exec(message) ?? [];
    const range = name === undefined ? undefined : space[name];
    if (range === undefined || Array.isArray(range) || range.step !== undefined) throw error;
    throw new InputError({
      expected: `whole numbers for ${name}`,
      found: "a range of any numbers",
      fix: `Add "step": 1 to the range of ${name} in space.`,
    });
  }
}

/** Plans runs of a notebook, with parameters in place of settings. */
export function planNotebooks(flags: SweepFlags, trials: readonly Trial[], folder: string): Plan {
  const notebook = callerPath(flags.notebook as string);
  if (!notebook.endsWith(".ipynb") || !existsSync(notebook))
    throw new InputError({
      expected: "a notebook (.ipynb)",
      where: notebook,
      found: existsSync(notebook) ? "another file" : "no such path",
      fix: "Choose one with --notebook.",
    });
  if (trials[0].fold !== null) throw conflict("--notebook", "--folds");
  if (flags.maxEpochs !== undefined) throw conflict("--notebook", "--max-epochs");
  const set: Record<string, unknown> = { ...flags.set };
  if (typeof set.data === "string") set.data = dataSource(set.data);
  const planned = trials.map((trial): PlannedTrial => {
    const out = path.join(folder, trial.name);
    const parameters = Object.entries({ ...set, ...trial.settings });
    const where = ["--folder", path.dirname(notebook), "--notebooks", path.basename(notebook), "--out", out];
    const values = parameters.flatMap(([name, value]) => ["--set", `${name}=${JSON.stringify(value)}`]);
    const command = [...FERKIT, "notebooks", ...where, ...values];
    return { ...trial, folder: out, command, settingsFile: null, config: null };
  });
  const metric = flags.metric ?? null;
  return {
    base: { notebook, set },
    trials: planned,
    metric,
    mode: flags.mode ?? (lowerIsBetter(metric) ? "min" : "max"),
    maxEpochs: 1,
    graceEpochs: 1,
    asha: false,
    paths: [notebook, ...pathsIn(set.data)],
  };
}

/** Returns the absolute paths of the values that name a file or folder here: data, labels, weights, teachers. */
function pathsIn(...values: unknown[]): string[] {
  const texts = values.flatMap((value): unknown[] =>
    typeof value === "object" && value !== null
      ? [(value as TrainConfig).weights, (value as TrainConfig).teachers].flat()
      : [value],
  );
  const found = texts.filter((text): text is string => typeof text === "string" && text !== "");
  return [...new Set(found.map((text) => callerPath(text)).filter((file) => existsSync(file)))];
}

function conflict(option: string, other: string): InputError {
  return new InputError({ expected: `${option} or ${other}`, found: "both", fix: "Remove one of them." });
}
