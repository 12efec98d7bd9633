// How validation accuracy rose over seconds, in three trainings; kept as JSON.
import path from "node:path";
import type { Machine } from "../src/environment.js";
import type { TrainConfig } from "../src/index.js";
import type { Versions } from "./machine.js";
import { latest, RESULTS_DIR, writeJson } from "./results.js";

/** An epoch that has been validated. */
export interface CurvePoint {
  epoch: number;
  /** Since the start, training and validation. */
  seconds: number;
  /** Top-1 on the validation images, [0, 1]. */
  accuracy: number;
}

export type AccuracyRunName = "pytorchSeed" | "ferkit" | "pytorchRecipe";

/** In the order in which they are done: the first one's best accuracy is the target of the others. */
export const ACCURACY_RUNS: Record<AccuracyRunName, { label: string }> = {
  pytorchSeed: { label: "PyTorch, seed recipe, default layout" },
  ferkit: { label: "ferkit" },
  pytorchRecipe: { label: "PyTorch, ferkit's recipe, channels-last" },
};

export interface AccuracyRun {
  date: string;
  /** Name in src/presets.ts of the recipe, and its values. */
  preset: string;
  config: TrainConfig;
  curve: CurvePoint[];
  /** It came to its end: the last epoch, or the target. */
  isComplete: boolean;
}

export interface AccuracyRecord {
  /** Of its last run. */
  date: string;
  machine: Machine;
  versions: Versions;
  /** Name of the data set. */
  data: string;
  numImages: { train: number; validation: number };
  runs: Partial<Record<AccuracyRunName, AccuracyRun>>;
}

/** The best validation accuracy of PyTorch's seed recipe; undefined until it is complete. */
export function targetAccuracy({ runs: { pytorchSeed } }: AccuracyRecord): number | undefined {
  if (!pytorchSeed?.isComplete) return undefined;
  return Math.max(...pytorchSeed.curve.map(({ accuracy }) => accuracy));
}

/** When a run first reached the target; undefined where it has not. */
export function secondsToTarget(record: AccuracyRecord, name: AccuracyRunName): number | undefined {
  const target = targetAccuracy(record);
  if (target === undefined) return undefined;
  return record.runs[name]?.curve.find(({ accuracy }) => accuracy >= target)?.seconds;
}

export function latestAccuracyRecord(): AccuracyRecord | undefined {
  return latest(/^time-to-accuracy-.*\.json$/);
}

export function saveAccuracyRecord(record: AccuracyRecord): Promise<void> {
  return writeJson(path.join(RESULTS_DIR, `time-to-accuracy-${record.date}.json`), record);
}
