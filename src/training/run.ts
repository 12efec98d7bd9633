// A run on disk: `config.json`, `environment.json`, `metrics.jsonl`, `best/` (a model folder) and `last/` (a checkpoint).
import { appendFile, mkdir, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { TrainConfig } from "../config.js";
import { dataName } from "../data/load.js";
import type { SplitName } from "../data/split.js";
import type { Environment } from "../environment.js";
import { InputError } from "../errors.js";
import { writeError, writeFileAtomically } from "../files.js";
import type { Variant } from "../model/efficientnet.js";
import { type EndReason, type EpochEvent, keptEpoch, ofType, type TrainEvent } from "./events.js";

/** What a run was started with. It resumes only with the same. */
export interface RunConfig {
  train: TrainConfig;
  classNames: string[];
  /** What the data set was loaded from, as the user named it. */
  data: string;
  /** `official` or `official-test`, if it was split so. */
  split?: SplitName;
  numImages: { train: number; validation: number };
}

/**
 * Opens a run's folder, which is created if it is missing.
 *
 * @throws InputError when the folder holds a run of another configuration.
 */
export async function openRun(runDir: string, config: RunConfig): Promise<void> {
  const present = await loadRunConfig(runDir);
  const given = JSON.parse(JSON.stringify(config)) as unknown;
  if (present === undefined) await writeFileAtomically(path.join(runDir, "config.json"), prettyJson(config));
  else if (!isDeepStrictEqual(present, given))
    throw new InputError({
      expected: "a run of the same configuration",
      where: runDir,
      found: `one that differs in ${differences(present, given).join(", ")}`,
      fix: "Choose another run folder, or remove this one to start from scratch.",
    });
}

/** Reads the configuration of a run; undefined if there is none. */
export async function loadRunConfig(runDir: string): Promise<RunConfig | undefined> {
  const config = (await readJson(path.join(runDir, "config.json"))) as RunConfig | undefined;
  const saved = config?.train as (TrainConfig & { averageDecay?: number }) | undefined;
  if (!config || !saved) return config;
  const { averageDecay, ...train } = saved; // as version 0.1 called `emaDecay`
  const { fit = "crop", grey = "auto", augment = {} } = train; // settings that version 0.1 did not have
  return {
    ...config,
    train: {
      ...train,
      ...(averageDecay !== undefined && { emaDecay: averageDecay }),
      fit,
      grey,
      augment: { fill: 0, ...augment } as TrainConfig["augment"],
    },
  };
}

/** A part of a run that one process trained, and what it ran on. */
export interface Session extends Environment {
  /** First epoch of the session. */
  epoch: number;
  /** ISO 8601, UTC. */
  started: string;
}

/** Records a session from its first epoch on, and drops the record of epochs that it trains again. */
export async function recordSession(runDir: string, session: Session): Promise<void> {
  const kept = (await loadSessions(runDir)).filter(({ epoch }) => epoch < session.epoch);
  await writeFileAtomically(path.join(runDir, "environment.json"), prettyJson([...kept, session]));
}

/** Reads the sessions of a run, in order; empty if they cannot be read, since a run does not depend on them. */
export async function loadSessions(runDir: string): Promise<Session[]> {
  const sessions = await readJson(path.join(runDir, "environment.json")).catch(() => undefined);
  return Array.isArray(sessions) ? (sessions as Session[]) : [];
}

/** Appends events to `metrics.jsonl`, one a line. */
export class MetricsLog {
  private readonly file: string;
  private lines: string[] = [];

  constructor(runDir: string) {
    this.file = path.join(runDir, "metrics.jsonl");
  }

  add(event: TrainEvent): void {
    this.lines.push(`${JSON.stringify(event)}\n`);
  }

  /** Writes the added events. */
  async flush(): Promise<void> {
    const text = this.lines.join("");
    this.lines = [];
    await mkdir(path.dirname(this.file), { recursive: true });
    await appendFile(this.file, text).catch((error) => {
      throw writeError(this.file, error);
    });
  }

  /** Drops the events after `step`, since the run trains from there again. */
  async rewind(step: number): Promise<void> {
    const kept = (await readEvents(this.file)).filter((event) => "step" in event && event.step <= step);
    await writeFileAtomically(this.file, kept.map((event) => `${JSON.stringify(event)}\n`).join(""));
  }
}

/** Reads the batches, epochs and end that a run has logged, in order. */
export async function loadMetrics(runDir: string): Promise<TrainEvent[]> {
  return readEvents(path.join(runDir, "metrics.jsonl"));
}

/** A run as its folder describes it. */
export interface Run {
  folder: string;
  config: RunConfig;
  /** In order. */
  epochs: EpochEvent[];
  /** `interrupted` also while it is still training. */
  state: EndReason;
  /** Empty for a run that recorded none. */
  sessions: Session[];
}

/** A run's figures; null before the first epoch has ended. */
export interface RunSummary {
  data: string;
  variant: Variant;
  imageSize: number;
  seed: number;
  /** Epochs that have ended. */
  numEpochs: number;
  /** Epochs that were configured. */
  epochs: number;
  state: EndReason;
  /** Epoch whose model is kept, and its scores on the validation images, [0, 1]. */
  bestEpoch: number | null;
  bestAccuracy: number | null;
  /** Null also for runs that did not log it. */
  macroF1: number | null;
  /** For all epochs, training and validation. */
  durationMs: number;
  /** ISO 8601; null for a run that recorded no session. */
  started: string | null;
}

/**
 * Finds the runs in a folder and below it. The folder may be a run itself.
 *
 * @returns Runs sorted by path, and the folders that look like a run but cannot be read, with the reason.
 * @throws InputError when the folder does not exist.
 */
export async function loadRuns(
  folder: string,
): Promise<{ runs: Run[]; broken: { folder: string; reason: string }[] }> {
  const runs: Run[] = [];
  const broken: { folder: string; reason: string }[] = [];
  for (const runDir of await findRuns(folder)) {
    try {
      runs.push(await loadRun(runDir));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const { expected, found } = error.problem;
      broken.push({ folder: runDir, reason: `expected ${expected}, found ${found}` });
    }
  }
  return { runs, broken };
}

/** @throws InputError when the folder holds no readable run. */
export async function loadRun(folder: string): Promise<Run> {
  const config = await loadRunConfig(folder);
  if (!isRunConfig(config))
    throw new InputError({
      expected: "the config.json of a run",
      where: folder,
      found: config === undefined ? "none" : "one of something else",
    });
  const events = await loadMetrics(folder);
  const epochs = ofType(events, "epoch");
  if (!epochs.every(isEpoch))
    throw new InputError({
      expected: "epochs with an accuracy and a duration in metrics.jsonl",
      where: folder,
      found: "one without",
    });
  const [done] = ofType(events, "done").slice(-1);
  const state = done?.reason ?? "interrupted";
  return { folder, config, epochs, state, sessions: await loadSessions(folder) };
}

export function summarizeRun({ config, epochs, state, sessions }: Run): RunSummary {
  const { variant, imageSize, seed, epochs: numConfigured } = config.train;
  const best = keptEpoch(epochs);
  return {
    data: dataName(config.data),
    variant,
    imageSize,
    seed,
    numEpochs: epochs[epochs.length - 1]?.epoch ?? 0,
    epochs: numConfigured,
    state,
    bestEpoch: best?.epoch ?? null,
    bestAccuracy: best?.validation.accuracy ?? null,
    macroF1: best?.validation.macroF1 ?? null,
    durationMs: epochs.reduce((total, { durationMs }) => total + durationMs, 0),
    started: sessions[0]?.started ?? null,
  };
}

/**
 * Copies a run's configuration, sessions and epochs to a folder, where they replace an earlier copy: a few kilobytes of text,
 * without weights and batches. Of the data's path only the last part is kept.
 *
 * @throws InputError when the folder holds another run.
 */
export async function recordRun({ folder, config, sessions }: Run, target: string): Promise<void> {
  const own = { ...config, data: path.basename(config.data) };
  const present = await loadRunConfig(target);
  if (present && !isDeepStrictEqual(present, own))
    throw new InputError({
      expected: `no run but ${folder}`,
      where: target,
      found: "one of another configuration",
      fix: "Rename one of them, or remove the earlier record.",
    });
  const events = (await loadMetrics(folder)).filter(({ type }) => type !== "batch");
  const named = events.map((event) =>
    event.type === "done" ? { ...event, runDir: path.basename(target) } : event,
  );
  const lines = named.map((event) => `${JSON.stringify(event)}\n`);
  await writeFileAtomically(path.join(target, "metrics.jsonl"), lines.join(""));
  await writeFileAtomically(path.join(target, "environment.json"), prettyJson(sessions));
  await writeFileAtomically(path.join(target, "config.json"), prettyJson(own));
}

/** Finds folders with a file of a run; skips hidden folders and installed packages. */
async function findRuns(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new InputError({
      expected: "a folder of runs",
      where: folder,
      found: error.code === "ENOENT" ? "no such path" : `one that cannot be read (${error.code})`,
      fix: "Run `npx ferkit train` to make one, or choose another folder.",
    });
  });
  const isRun = entries.some((entry) => entry.isFile() && /^(config\.json|metrics\.jsonl)$/.test(entry.name));
  const inner = entries
    .filter((entry) => entry.isDirectory() && !/^(\..*|node_modules)$/.test(entry.name))
    .map(({ name }) => path.join(folder, name))
    .sort();
  return [...(isRun ? [folder] : []), ...(await Promise.all(inner.map(findRuns))).flat()];
}

function isRunConfig(config: RunConfig | undefined): config is RunConfig {
  const { train, data } = config ?? {};
  return typeof data === "string" && typeof train?.variant === "string" && Number.isFinite(train.epochs);
}

function isEpoch({ epoch, durationMs, validation }: EpochEvent): boolean {
  return [epoch, durationMs, validation?.accuracy].every(Number.isFinite);
}

async function readEvents(file: string): Promise<TrainEvent[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    try {
      return [withTodaysReason(JSON.parse(line) as TrainEvent)];
    } catch {
      return []; // the empty last line, or one that a kill cut short
    }
  });
}

/** Version 0.1 wrote `earlyStopping`. */
function withTodaysReason(event: TrainEvent): TrainEvent {
  return event.type === "done" && (event.reason as string) === "earlyStopping"
    ? { ...event, reason: "stopped early" }
    : event;
}

/** Reads a JSON file of a run; undefined if it is missing. */
export async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError({
      expected: "JSON",
      where: file,
      found: "something else",
      fix: "Remove the run's folder.",
    });
  }
}

function prettyJson(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Returns the dotted names of values that differ. */
function differences(a: unknown, b: unknown): string[] {
  const [x, y] = [a, b].map((value) => flatten(isPlainObject(value) ? value : {}));
  const names = [...new Set([...x.keys(), ...y.keys()])];
  return names.filter((name) => !isDeepStrictEqual(x.get(name), y.get(name)));
}

/** Returns all values inside an object by dotted name: `augment.zoom`. A list is one value. */
export function flatten(values: object, prefix = ""): Map<string, unknown> {
  return new Map(
    Object.entries(values).flatMap(([name, value]): [string, unknown][] =>
      isPlainObject(value) ? [...flatten(value, `${prefix}${name}.`)] : [[prefix + name, value]],
    ),
  );
}

export function isPlainObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
