// The runs below a folder, and what they have come to.
import { readdir } from "node:fs/promises";
import path from "node:path";
import { dataName } from "../data/load.js";
import { InputError } from "../errors.js";
import type { Variant } from "../model/efficientnet.js";
import { type DoneEvent, type EpochEvent, keptEpoch, ofType } from "./events.js";
import { loadMetrics, loadRunConfig, loadSessions, type RunConfig, type Session } from "./run-folder.js";

/** A run as its folder has it. */
export interface Run {
  folder: string;
  config: RunConfig;
  /** In order. */
  epochs: EpochEvent[];
  state: RunState;
  /** What it was done on; empty for a run that did not note it. */
  stretches: Session[];
}

/** An unfinished run goes on, or would when it is started again. */
export type RunState = "finished" | "stopped early" | "unfinished";

/** What a run has come to; null where no epoch has ended. */
export interface RunSummary {
  data: string;
  variant: Variant;
  imageSize: number;
  seed: number;
  /** Epochs that have ended, of those configured. */
  numEpochs: number;
  epochs: number;
  state: RunState;
  /** The epoch whose model is kept, and what that scores on the validation images, [0, 1]; null also where that was not noted. */
  bestEpoch: number | null;
  bestAccuracy: number | null;
  macroF1: number | null;
  /** Of all epochs, training and validation. */
  durationMs: number;
  /** In ISO 8601; null for a run that did not note it. */
  started: string | null;
}

const STATES: Record<DoneEvent["reason"], RunState> = {
  completed: "finished",
  earlyStopping: "stopped early",
  interrupted: "unfinished",
};

/**
 * Finds the runs in a folder and in those below it; the folder may be a run itself.
 *
 * @returns Runs in the order of their paths, and the folders that look like one and cannot be read, with the reason.
 * @throws InputError when there is no such folder.
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
      broken.push({
        folder: runDir,
        reason: `expected ${error.problem.expected}, found ${error.problem.found}`,
      });
    }
  }
  return { runs, broken };
}

/** @throws InputError when the folder holds no run that can be read. */
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
  const state = done ? STATES[done.reason] : "unfinished";
  return { folder, config, epochs, state, stretches: await loadSessions(folder) };
}

export function summarizeRun({ config, epochs, state, stretches }: Run): RunSummary {
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
    started: stretches[0]?.started ?? null,
  };
}

/** Folders with a file of a run in them; what is hidden or installed is passed over. */
async function findRuns(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new InputError({
      expected: "a folder of runs",
      where: folder,
      found: error.code === "ENOENT" ? "no such path" : `one that cannot be read (${error.code})`,
      fix: "Train one with `npx ferkit train`, or give another folder.",
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
