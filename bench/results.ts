// Results as they are kept: one JSON file a run, of which the newest by name counts.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Machine } from "../src/environment.js";
import { writeFileAtomically } from "../src/files.js";
import { shortName, type Versions } from "./machine.js";
import type { Parity } from "./parity.js";
import type { DataFigures, MemoryFigure } from "./resources.js";
import type { Timing } from "./rounds.js";
import type { EpochTensors } from "./workers/tensors.js";

/** All figures of one run; where only some workloads were asked for, those. */
export interface Results {
  /** `2026-11-25`. */
  date: string;
  machine: Machine;
  versions: Versions;
  parity: Parity[];
  /** Images a second. */
  timings: Timing[];
  memory: MemoryFigure[];
  data?: DataFigures;
  /** Of ferkit's training. */
  tensors: EpochTensors[];
}

export const RESULTS_DIR = path.join(__dirname, "results");

const RUN_FILE = /^\d{4}-\d{2}-\d{2}-.*\.json$/;

/** `2026-11-25`, in universal time. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}

/** Writes results into their folder and returns the file. */
export async function recordResults(results: Results): Promise<string> {
  const file = path.join(RESULTS_DIR, `${results.date}-${shortName(results.machine)}.json`);
  await writeJson(file, results);
  return file;
}

/** The newest results; undefined where there are none. */
export function latestResults(): Results | undefined {
  return latest(RUN_FILE);
}

/** The newest record whose file's name fits; undefined where there is none. */
export function latest<Record>(name: RegExp): Record | undefined {
  if (!existsSync(RESULTS_DIR)) return undefined;
  const file = readdirSync(RESULTS_DIR)
    .filter((entry) => name.test(entry))
    .sort()
    .pop();
  return file && JSON.parse(readFileSync(path.join(RESULTS_DIR, file), "utf8"));
}

export function writeJson(file: string, value: object): Promise<void> {
  return writeFileAtomically(file, `${JSON.stringify(value, null, 2)}\n`);
}
