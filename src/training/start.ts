// How a training starts: its arguments are checked, and its network, folder, lock and log are made ready.
import { existsSync } from "node:fs";
import path from "node:path";
import { checkTrainConfig, type TrainConfig } from "../config.js";
import { MAX_COMPARED } from "../data/audit/conclusions.js";
import { checkDataset, checkDecoding, type Dataset, type PackedImages } from "../data/dataset.js";
import { groupImages, groupOption } from "../data/groups.js";
import { environment } from "../environment.js";
import { checkKind, checkNames, checkPath, InputError } from "../errors.js";
import { isFolder } from "../files.js";
import { loadModelConfig } from "../model/weights/model-folder.js";
import { missingWeights } from "../model/weights/weight-file.js";
import type { OnProgress } from "../progress.js";
import { setAside } from "./calibration.js";
import type { Progress } from "./checkpoint.js";
import { earlierTrainingNotes } from "./earlier-training.js";
import type { EndReason } from "./events.js";
import { lockRun, type RunLock } from "./lock.js";
import { MetricsLog } from "./metrics-log.js";
import { imageNotes, trainingNotes } from "./notes.js";
import { type PreparedRun, resumeRun } from "./resume.js";
import { checkRunDir, describeRun, isOwnModel } from "./run-config.js";
import { type Session, startClock } from "./sessions.js";
import { buildTrainState, disposeTrainState } from "./step.js";
import { knownConventions } from "./weight-digests.js";

/** Where a run is kept, and what stops it. */
export interface TrainOptions {
  /** Folder of the run. The same run that is there resumes. */
  runDir: string;
  /** What the data set was loaded from, for the record. */
  data: string;
  /** Stops after the current batch; the best model is kept. */
  signal?: AbortSignal;
  /** Called while pre-trained weights are downloaded that are not in the cache. */
  onProgress?: OnProgress;
}

/** A run while a process trains it. */
export interface RunInTraining extends PreparedRun {
  /** Images to train on. */
  images: PackedImages;
  /** Changes with each epoch. */
  progress: Progress;
  /** int32 `[numImages]`: the group of each validation image; null if there are too many to find near-duplicates. */
  groups: Int32Array | null;
  log: MetricsLog;
  /** What the user should know before the first batch. */
  notes: string[];
  signal?: AbortSignal;
  /** Whether the time limit is over. */
  isOver: () => boolean;
}

/**
 * Starts or resumes a run.
 *
 * @returns The run, whose state the caller disposes, and whose lock it releases.
 * @throws InputError or ParameterError as `train`.
 */
export async function startRun(
  dataset: Dataset,
  config: TrainConfig,
  options: TrainOptions,
): Promise<RunInTraining> {
  checkArguments(dataset, config, options);
  config = structuredClone(checkTrainConfig(config)); // the run records it, so it must not change
  const { runDir, data, signal, onProgress } = options;
  checkNotEmpty(dataset);
  checkDecoding(dataset, config);
  const folderNotes = checkRunDir(runDir, data, dataset);
  const { kept: images, aside, notes: asideNotes } = await setAside(dataset, config);
  const known = await knownConventions(runDir, config);
  const state = await buildTrainState(config, images, dataset.classNames, onProgress, known);
  let lock: RunLock | null = null;
  try {
    const described = await describeRun(dataset, config, data, aside);
    lock = lockRun(runDir);
    const prepared: PreparedRun = {
      runDir,
      config: described.config,
      list: described.images,
      state,
      validation: dataset.validation,
      aside,
      lock,
      environment: await environment(),
    };
    const { config: recorded, list, progress, notes: resumptionNotes, repairs } = await resumeRun(prepared);
    const log = new MetricsLog(runDir);
    const trainsOn = endReason({ state, progress }, false) === null;
    await log.rewind(recorded, progress, !trainsOn);
    const notes = [...repairs];
    if (trainsOn)
      notes.push(
        ...(await trainingNotes(state, images.numImages)),
        ...(await imageNotes(dataset, config)),
        ...earlierTrainingNotes(list, config),
        ...folderNotes,
        ...resumptionNotes,
        ...asideNotes,
      );
    const isGrouped = trainsOn && dataset.validation.numImages <= MAX_COMPARED;
    const groups = isGrouped ? (await groupImages(dataset.validation, groupOption(dataset))).groups : null;
    const isOver = startClock(config.maxMinutes);
    return { ...prepared, config: recorded, list, images, progress, groups, log, notes, signal, isOver };
  } catch (error) {
    disposeTrainState(state);
    lock?.release();
    throw error;
  }
}

/**
 * Checks that the models that a training begins with or learns from are there, which can be done before its data set is loaded.
 *
 * @param runDir - A run that has a state in this folder needs no weights to begin with.
 * @throws InputError as `train`.
 */
export async function checkModels({ weights, teachers }: TrainConfig, runDir?: string): Promise<void> {
  for (const teacher of teachers) await loadModelConfig(teacher);
  const resumes = runDir !== undefined && existsSync(path.join(runDir, "last", "state.json"));
  if (resumes || !isOwnModel(weights)) return;
  if (isFolder(weights)) await loadModelConfig(weights);
  else if (!existsSync(weights)) throw missingWeights(weights);
}

function checkArguments(dataset: Dataset, config: TrainConfig, options: TrainOptions): void {
  checkDataset(dataset);
  checkKind("config", "a configuration, as trainConfig returns it", config, ["variant", "augment"]);
  const kind = 'the folder of the run and what was loaded, { runDir: "runs/mine", data }';
  checkKind("options", kind, options, []);
  checkNames<keyof TrainOptions>(options, { runDir: true, data: true, signal: true, onProgress: true });
  checkPath("runDir", options.runDir);
  checkPath("data", options.data);
}

function checkNotEmpty(dataset: Dataset): void {
  for (const split of ["train", "validation"] as const)
    if (dataset[split].numImages === 0)
      throw new InputError({
        expected: `images to ${split === "train" ? "train" : "validate"} on`,
        where: dataset.name,
        found: "none",
        fix: "Choose a --validation-share above 0 and below 1, or add images.",
      });
}

/** Returns the steps that were trained since the last epoch ended. */
export function numExtraSteps({ state, progress: { epoch, step } }: RunInTraining): number {
  return step - epoch * state.plan.numBatches;
}

/** Returns why a run ends after the epochs that it has trained; null if it continues. */
export function endReason(
  { state, progress }: Pick<RunInTraining, "state" | "progress">,
  isInterrupted: boolean,
): EndReason | null {
  const { epochs, headEpochs, patience } = state.config;
  const { epoch, best } = progress;
  if (epoch >= epochs) return "completed";
  if (isInterrupted) return "interrupted";
  const start = headEpochs < epochs ? headEpochs : 0; // the last layer alone may be at its best long before the network is
  return patience > 0 && best && epoch - Math.max(best.reached, start) >= patience ? "stopped early" : null;
}

/** Describes the session that trains a run from here on. */
export function sessionOf(run: RunInTraining): Session {
  const { config, state, progress, environment } = run;
  return {
    ...(config.id !== undefined && { run: config.id }),
    epoch: progress.epoch + 1,
    batch: numExtraSteps(run) + 1,
    epochs: state.config.epochs,
    started: new Date().toISOString(),
    ...environment,
  };
}
