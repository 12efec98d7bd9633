// A run on disk: `config.json`, `environment.json`, `metrics.jsonl`, `best/` (a model folder), `last/` (what it goes on from).
import { appendFile, mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { flatten, isPlainObject, type TrainConfig } from "../config.js";
import type { SplitName } from "../data/split.js";
import type { Environment } from "../environment.js";
import { InputError } from "../errors.js";
import { writeError, writeFileAtomically } from "../files.js";
import type { ParameterValue } from "../model/network.js";
import {
  readTensors,
  removeOldTensors,
  type TensorManifest,
  writeTensors,
} from "../model/weights/tensor-file.js";
import type { TrainEvent } from "./events.js";

/** What a run was started with; a run goes on only with the same. */
export interface RunConfig {
  train: TrainConfig;
  classNames: string[];
  /** What the data set was loaded from, as it was named. */
  data: string;
  /** `official` or `official-test`, where it was split so. */
  split?: SplitName;
  numImages: { train: number; validation: number };
}

/** Where a run stands after an epoch. */
export interface Progress {
  epoch: number;
  step: number;
  bestEpoch: number;
  bestAccuracy: number;
  /** Updates that each parameter's moments and the average had. */
  numUpdates: Record<string, number>;
  emaUpdates: number;
}

/** Parameters (`model/…`), moments (`first/…`, `second/…`) and average (`average/…`) by name. */
export type State = Map<string, ParameterValue>;

/**
 * Opens a run's folder, which is made where there is none.
 *
 * @throws InputError when the folder holds a run of another configuration.
 */
export async function openRun(runDir: string, config: RunConfig): Promise<void> {
  const file = path.join(runDir, "config.json");
  const present = await readJson(file);
  const given = JSON.parse(JSON.stringify(config)) as unknown;
  if (present === undefined) {
    await writeFileAtomically(file, `${JSON.stringify(config, null, 2)}\n`);
  } else if (!isDeepStrictEqual(present, given)) {
    throw new InputError({
      expected: "a run of the same configuration",
      where: runDir,
      found: `one that differs in ${differences(present, given).join(", ")}`,
      fix: "Give another run name, or remove the folder to start anew.",
    });
  }
}

/** The configuration of a run; undefined where there is none. */
export async function loadRunConfig(runDir: string): Promise<RunConfig | undefined> {
  return (await readJson(path.join(runDir, "config.json"))) as RunConfig | undefined;
}

/** A part of a run that one process did, and what it ran on. */
export interface Session extends Environment {
  /** The first that it did. */
  epoch: number;
  /** In ISO 8601, universal time. */
  started: string;
}

/** Notes what a run is done on from an epoch on, in place of what was noted of epochs that are done again. */
export async function recordSession(runDir: string, stretch: Session): Promise<void> {
  const kept = (await loadSessions(runDir)).filter(({ epoch }) => epoch < stretch.epoch);
  const file = path.join(runDir, "environment.json");
  await writeFileAtomically(file, `${JSON.stringify([...kept, stretch], null, 2)}\n`);
}

/** What a run was done on, in order; empty where that was not noted, for a run goes on without it. */
export async function loadSessions(runDir: string): Promise<Session[]> {
  const noted = await readJson(path.join(runDir, "environment.json")).catch(() => undefined);
  return Array.isArray(noted) ? (noted as Session[]) : [];
}

export function bestModelDir(runDir: string): string {
  return path.join(runDir, "best");
}

export async function saveState(runDir: string, progress: Progress, state: State): Promise<string> {
  const dir = path.join(runDir, "last");
  const manifest = await writeTensors(dir, [...state]);
  await writeFileAtomically(path.join(dir, "state.json"), JSON.stringify({ progress, manifest }));
  await removeOldTensors(dir, manifest);
  return dir;
}

/** The state after the last whole epoch; null for a run that has none yet. */
export async function loadState(runDir: string): Promise<{ progress: Progress; state: State } | null> {
  const dir = path.join(runDir, "last");
  const saved = (await readJson(path.join(dir, "state.json"))) as
    | { progress: Progress; manifest: TensorManifest }
    | undefined;
  return saved ? { progress: saved.progress, state: await readTensors(dir, saved.manifest) } : null;
}

/** Appends to the run's metrics: batches, epochs and the end, a line each. */
export class MetricsLog {
  private readonly file: string;
  private lines: string[] = [];

  constructor(runDir: string) {
    this.file = path.join(runDir, "metrics.jsonl");
  }

  add(event: TrainEvent): void {
    this.lines.push(`${JSON.stringify(event)}\n`);
  }

  /** Writes what was added. */
  async flush(): Promise<void> {
    const text = this.lines.join("");
    this.lines = [];
    await mkdir(path.dirname(this.file), { recursive: true });
    await appendFile(this.file, text).catch((error) => {
      throw writeError(this.file, error);
    });
  }

  /** Drops what was logged after `step`: that part of the run is done again. */
  async rewind(step: number): Promise<void> {
    const kept = (await readEvents(this.file)).filter((event) => "step" in event && event.step <= step);
    await writeFileAtomically(this.file, kept.map((event) => `${JSON.stringify(event)}\n`).join(""));
  }
}

/** The batches, epochs and end that a run has logged, in order; empty for a run that has logged nothing. */
export async function loadMetrics(runDir: string): Promise<TrainEvent[]> {
  return readEvents(path.join(runDir, "metrics.jsonl"));
}

async function readEvents(file: string): Promise<TrainEvent[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line) as TrainEvent];
    } catch {
      return []; // the empty last line, or one that a kill cut short
    }
  });
}

async function readJson(file: string): Promise<unknown> {
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

/** Dotted names of the values that differ. */
function differences(a: unknown, b: unknown): string[] {
  const [x, y] = [a, b].map((value) => flatten(isPlainObject(value) ? value : {}));
  const names = [...new Set([...x.keys(), ...y.keys()])];
  return names.filter((name) => !isDeepStrictEqual(x.get(name), y.get(name)));
}
