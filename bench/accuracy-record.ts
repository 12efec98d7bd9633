// A record of how validation accuracy rises over time in three trainings, kept as JSON.
import path from "node:path";
import type { TrainConfig } from "../src/index.js";
import { latest, type Machine, RESULTS_DIR, writeJson } from "./results.js";
import type { Versions } from "./workers.js";

/** An epoch that was validated. */
export interface CurvePoint {
  epoch: number;
  /** Time since the start, for training and validation. */
  seconds: number;
  /** Top-1 on the validation images, [0, 1]. */
  accuracy: number;
}

export type AccuracyRunName = "pytorchBaseline" | "ferkit" | "pytorchRecipe";

/** The runs in their order: the best accuracy of the first is the target of the others. */
export const ACCURACY_RUNS: Record<AccuracyRunName, { label: string }> = {
  pytorchBaseline: { label: "PyTorch, baseline preset, default layout" },
  ferkit: { label: "ferkit" },
  pytorchRecipe: { label: "PyTorch, ferkit's preset, channels-last" },
};

export interface AccuracyRun {
  date: string;
  /** Name and values of the preset. */
  preset: string;
  config: TrainConfig;
  curve: CurvePoint[];
  /** Whether the run reached its last epoch or the target. */
  isComplete: boolean;
}

export interface AccuracyRecord {
  /** Date of the last run. */
  date: string;
  machine: Machine;
  versions: Versions;
  /** Name of the data set. */
  data: string;
  numImages: { train: number; validation: number };
  runs: Partial<Record<AccuracyRunName, AccuracyRun>>;
}

/** Returns the best validation accuracy of PyTorch's baseline run, or undefined until that run is complete. */
export function targetAccuracy({ runs: { pytorchBaseline } }: AccuracyRecord): number | undefined {
  if (!pytorchBaseline?.isComplete) return undefined;
  return Math.max(...pytorchBaseline.curve.map(({ accuracy }) => accuracy));
}

/** Returns when a run first reached the target, or undefined if it did not. */
export function secondsToTarget(record: AccuracyRecord, name: AccuracyRunName): number | undefined {
  const target = targetAccuracy(record);
  if (target === undefined) return undefined;
  return record.runs[name]?.curve.find(({ accuracy }) => accuracy >= target)?.seconds;
}

export function latestAccuracyRecord(): AccuracyRecord | undefined {
  return upgradeRecord(latest(/^time-to-accuracy-.*\.json$/));
}

/** Renames a run of records from before version 0.2: the preset `baseline` was called `seed`. */
export function upgradeRecord(
  record?: Omit<AccuracyRecord, "runs"> & { runs: AccuracyRecord["runs"] & { pytorchSeed?: AccuracyRun } },
): AccuracyRecord | undefined {
  if (!record?.runs.pytorchSeed) return record;
  const { pytorchSeed, ...runs } = record.runs;
  return { ...record, runs: { pytorchBaseline: { ...pytorchSeed, preset: "baseline" }, ...runs } };
}

export function saveAccuracyRecord(record: AccuracyRecord): Promise<void> {
  return writeJson(path.join(RESULTS_DIR, `time-to-accuracy-${record.date}.json`), record);
}
