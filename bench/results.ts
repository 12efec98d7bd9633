// Results are JSON files, one for each run. The newest by name counts.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import path from "node:path";
import type { internals } from "../src/index.js";
import type { LogitsParity, Parity } from "./parity.js";
import type { DataFigures, MemoryFigure, StartFigure } from "./resources.js";
import type { Timing } from "./rounds.js";
import type { EpochTensors } from "./workers/data.js";
import type { Versions } from "./workers.js";

export type Machine = internals.Machine;

/** All figures of one run, or only some timings when `--only` was given. */
export interface Results {
  /** Such as `2026-11-25`. */
  date: string;
  machine: Machine;
  versions: Versions;
  parity: Parity[];
  /** Absent before version 0.2. */
  logitsParity?: LogitsParity[];
  /** Images per second. */
  timings: Timing[];
  memory: MemoryFigure[];
  data?: DataFigures;
  /** Cold starts; absent before version 0.2. */
  starts?: StartFigure[];
  /** Tensors that ferkit holds after each epoch of training. */
  tensors: EpochTensors[];
}

export const RESULTS_DIR = path.join(__dirname, "results");

const RUN_FILE = /^\d{4}-\d{2}-\d{2}-.*\.json$/;

/** Returns the date in universal time, such as `2026-11-25`. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}

/** Returns a machine's name for files, such as `amd-epyc-2-cores`. */
export function shortName({ cpu, cores }: Machine): string {
  const model = cpu
    .replace(/\((R|TM)\)|@.*|\b(CPU|Processor)\b/gi, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, " ")
    .trim()
    .replace(/ /g, "-");
  return `${model}-${cores}-cores`;
}

/** Writes results into their folder and returns the file. */
export async function recordResults(results: Results): Promise<string> {
  const file = path.join(RESULTS_DIR, `${results.date}-${shortName(results.machine)}.json`);
  await writeJson(file, results);
  return file;
}

/** Returns the newest results, or undefined if there are none. */
export function latestResults(): Results | undefined {
  return latest(RUN_FILE);
}

/** Returns the newest record whose file name matches, or undefined if there is none. */
export function latest<Record>(name: RegExp): Record | undefined {
  if (!existsSync(RESULTS_DIR)) return undefined;
  const file = readdirSync(RESULTS_DIR)
    .filter((entry) => name.test(entry))
    .sort()
    .pop();
  return file && JSON.parse(readFileSync(path.join(RESULTS_DIR, file), "utf8"));
}

/** Writes JSON under a temporary name first, so that a killed run leaves the file whole. */
export async function writeJson(file: string, value: object): Promise<void> {
  await writeFile(`${file}.tmp`, `${JSON.stringify(value, null, 2)}\n`);
  await rename(`${file}.tmp`, file);
}
