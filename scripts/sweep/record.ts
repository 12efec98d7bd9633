// The folder of a sweep: sweep.json, a file of settings for each trial, and the folders of the runs.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { InputError, internals, loadRuns, type TrainConfig } from "../../src/index.js";
import type { Trial } from "./space.js";

type Run = internals.Run;

/** What is known of a trial when the sweep is started again. */
interface TrialState {
  /** As in `Outcome`. */
  state: string;
  attempts: number;
  reason?: string;
  metrics?: Record<string, number>;
}

/** `sweep.json`. */
export interface SweepRecord {
  /** What all trials share. */
  base: Record<string, unknown>;
  /** Processors of each trial, on which the last bits of its numbers depend. */
  cpus: number | null;
  trials: Record<string, TrialState & Pick<Trial, "settings" | "fold">>;
}

/** What became of a trial. */
export interface Outcome extends Trial {
  /** Folder of its run. */
  folder: string;
  /** `planned`, `completed`, `stopped early`, `stopped by ASHA`, `interrupted` or `failed`. */
  state: string;
  /** How often its process was started in the last sweep that ran it; more than once if a worker died. */
  attempts: number;
  metric: string | null;
  /** The metric in the best epoch. */
  score: number | null;
  bestEpoch: number | null;
  /** Epochs that have ended. */
  numEpochs: number;
  durationMs: number;
  /** Numbers that a notebook shows; null for a run of `train`. */
  metrics: Record<string, number> | null;
  /** Why it failed. */
  reason: string | null;
}

/** States in which a trial is not run again. */
const FINISHED = ["completed", "stopped early", "stopped by ASHA"];
/** What a sweep that is killed before it has a record leaves in its folder, beside runs. */
const BEFORE_THE_RECORD = ["lock", "logs", "ray.log", "settings", ".sweep"];
/** What may change when a sweep is started again. */
const FREE = ["epochs", "patience", "maxMinutes"];

/**
 * Reads the record of the sweep in a folder.
 *
 * @throws InputError if the folder is another run's or sweep's.
 */
export function loadRecord(folder: string, base: Record<string, unknown>): SweepRecord {
  const refused = (found: string) =>
    new InputError({
      expected: "a folder of this sweep, or none yet",
      where: folder,
      found,
      fix: "Choose another with --run.",
    });
  if (existsSync(path.join(folder, "config.json"))) throw refused("a run");
  const file = path.join(folder, "sweep.json");
  if (!existsSync(file)) {
    const isOwn = (name: string) =>
      BEFORE_THE_RECORD.includes(name) || existsSync(path.join(folder, name, "config.json"));
    const other = existsSync(folder) && readdirSync(folder).find((name) => !isOwn(name));
    if (other) throw refused(`other files, such as ${other}`);
    return { base, cpus: null, trials: {} };
  }
  const record = readRecord(file);
  if (record === null) throw refused("a sweep.json that cannot be read");
  const differing = differences(record.base, JSON.parse(JSON.stringify(base)));
  if (differing.length > 0) throw refused(`a sweep that differs in ${differing.join(", ")}`);
  return { ...record, base };
}

/** Reads a record from its file; null if it holds something else. */
function readRecord(file: string): SweepRecord | null {
  try {
    const record: unknown = JSON.parse(readFileSync(file, "utf8"));
    return isRecord(record) ? record : null;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is SweepRecord {
  if (!isObject(value)) return false;
  const { base, cpus, trials } = value;
  const isCount = (number: unknown) => Number.isInteger(number) && (number as number) >= 1;
  if (!isObject(base) || !isObject(trials) || !(cpus === null || isCount(cpus))) return false;
  return Object.values(trials).every(
    (trial) =>
      isObject(trial) &&
      typeof trial.state === "string" &&
      isCount(trial.attempts) &&
      ["undefined", "string"].includes(typeof trial.reason) &&
      (trial.metrics === undefined ||
        (isObject(trial.metrics) && Object.values(trial.metrics).every(Number.isFinite))),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Names the settings that differ, with their values. */
function differences(before: Record<string, unknown>, now: Record<string, unknown>): string[] {
  const { set: setBefore = {}, ...ownBefore } = before as { set?: object };
  const { set: setNow = {}, ...ownNow } = now as { set?: object };
  const [a, b] = [
    { ...ownBefore, ...setBefore } as Record<string, unknown>,
    { ...ownNow, ...setNow } as Record<string, unknown>,
  ];
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  const shown = (value: unknown) => (typeof value === "string" ? value : (JSON.stringify(value) ?? "none"));
  return names
    .filter((name) => !FREE.includes(name) && !isDeepStrictEqual(a[name], b[name]))
    .map((name) => `${name} (${shown(a[name])} in the sweep, ${shown(b[name])} now)`);
}

export async function saveRecord(folder: string, record: SweepRecord): Promise<void> {
  await internals.writeFileAtomically(path.join(folder, "sweep.json"), internals.prettyJson(record));
}

/** The runs of the trials, by folder. */
export type TrialRuns = ReadonlyMap<string, Run>;

/** Loads the runs of the trials in a sweep's folder. */
export async function loadTrialRuns(folder: string): Promise<TrialRuns> {
  if (!existsSync(folder)) return new Map();
  const { runs } = await loadRuns(folder);
  return new Map(runs.map((run) => [run.folder, run]));
}

/** Says what became of a trial of `train`, by its run and the record of the sweep. @param config - What it is to be trained by. */
export function outcomeOf(
  trial: Trial,
  folder: string,
  run: Run | undefined,
  known: TrialState | undefined,
  config: TrainConfig,
): Outcome {
  const { monitor: metric } = config;
  const best = run && internals.keptEpoch(run.epochs);
  const state = run ? stateOf(run, known, config) : known?.state === "failed" ? "failed" : "planned";
  return {
    ...trial,
    folder,
    state,
    attempts: known?.attempts ?? 0,
    metric,
    score: best ? best.validation[metric] : null,
    bestEpoch: best?.epoch ?? null,
    numEpochs: run?.epochs.length ?? 0,
    durationMs: run?.epochs.reduce((total, epoch) => total + epoch.durationMs, 0) ?? 0,
    metrics: null,
    reason: state === "failed" ? (known?.reason ?? null) : null,
  };
}

function stateOf(run: Run, known: TrialState | undefined, config: TrainConfig): string {
  const comparable = ({ maxMinutes: _, ...rest }: TrainConfig) => JSON.parse(JSON.stringify(rest));
  const isSame = isDeepStrictEqual(comparable(run.config.train), comparable(config));
  if (isSame && run.state !== "interrupted") return run.state;
  // Else it is to train longer. What ASHA has stopped stays stopped.
  return known?.state === "stopped by ASHA" || known?.state === "failed" ? known.state : "interrupted";
}

/** Says what became of a trial of a notebook, which the record alone knows. */
export function notebookOutcome(
  trial: Trial,
  folder: string,
  known: TrialState | undefined,
  metric: string | null,
): Outcome {
  const { state = "planned", attempts = 0, reason = null, metrics = null } = known ?? {};
  const score = metric === null ? null : (metrics?.[metric] ?? null);
  const none = { bestEpoch: null, numEpochs: 0, durationMs: 0 };
  return { ...trial, folder, state, attempts, metric, score, ...none, metrics, reason };
}

/** Media type of a row of numbers, which a cell tagged `metrics` shows. */
const ROW = "application/vnd.ferkit.row+json";

/** Reads the numbers that the cells tagged `metrics` of an executed notebook show. */
export function shownMetrics(file: string): Record<string, number> {
  const { cells } = JSON.parse(readFileSync(file, "utf8")) as {
    cells: { metadata: { tags?: string[] }; outputs?: { data?: Record<string, object> }[] }[];
  };
  const rows = cells
    .filter(({ metadata }) => metadata.tags?.includes("metrics"))
    .flatMap(({ outputs = [] }) => outputs.flatMap(({ data }) => Object.entries(data?.[ROW] ?? {})));
  return Object.fromEntries(rows.filter(([, value]) => typeof value === "number"));
}

export function isFinished({ state }: Outcome): boolean {
  return FINISHED.includes(state);
}

/** Sorts by score, the best first, those without one last. @param mode - Whether the highest or the lowest score is best. */
export function ranked<Scored extends Pick<Outcome, "score">>(
  outcomes: readonly Scored[],
  mode: "max" | "min",
): Scored[] {
  const value = ({ score }: Scored) =>
    score === null ? Number.NEGATIVE_INFINITY : mode === "min" ? -score : score;
  return [...outcomes].sort((a, b) => value(b) - value(a) || 0);
}

/** Last words of the names of metrics whose lowest value is best. */
const LOWER_IS_BETTER =
  /(loss|error|entropy|perplexity)(es|s)?$|^(ece|mae|mse|rmse|nll|brier|aurc|risk|seconds|minutes|ms)$/i;

/** Guesses by its name whether the lowest value of a metric is best. */
export function lowerIsBetter(metric: string | null): boolean {
  const lastWord = metric?.split(/[\W_]+|(?<=[a-z])(?=[A-Z])/).at(-1) ?? "";
  return LOWER_IS_BETTER.test(lastWord);
}
