import { checkTrainConfig, type TrainConfig } from "../config.js";
import { checkDataset, checkDecoding, type Dataset } from "../data/dataset.js";
import { environment } from "../environment.js";
import { checkKind, checkNames, checkPath, InputError } from "../errors.js";
import type { OnProgress } from "../progress.js";
import { setAside } from "./calibration.js";
import { saveCheckpoint } from "./checkpoint.js";
import { earlierTrainingNotes } from "./earlier-training.js";
import { numExtraSteps, type RunInTraining, trainEpoch } from "./epoch.js";
import type { EndReason, TrainEvent } from "./events.js";
import { lockRun, type RunLock } from "./lock.js";
import { MetricsLog } from "./metrics-log.js";
import { imageNotes, trainingNotes } from "./notes.js";
import { type PreparedRun, resumeRun } from "./resume.js";
import { checkRunDir, describeRun } from "./run-config.js";
import { recordSession, startClock } from "./sessions.js";
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

/**
 * Trains a network on a data set and yields what happens: notes, batches, epochs, files written, the end.
 *
 * The run's folder gets the configuration, the metrics, the best model by `config.monitor`, and a checkpoint after each epoch. A
 * run that is killed resumes after its last whole epoch, and one that is interrupted after its last batch: to the same weights
 * as if it had never stopped. `config.maxMinutes` interrupts it too. While a run trains, no other process can train it.
 *
 * @param dataset - Loaded with the configuration's `imageSize`, `fit` and `grey`.
 * @param config - The configuration, from `trainConfig`. It is copied: later changes have no effect.
 * @param options - The run's folder, and what stops the run.
 * @throws InputError when there are no images to train or validate on, loss or scores are not finite, the folder holds another
 * run, or another process trains it. A configuration that is refused leaves no folder.
 * @example
 * ```ts
 * import { loadDataset, train, trainConfig } from "ferkit";
 *
 * const data = "data/pets";
 * const config = trainConfig("tutorial");
 * const dataset = await loadDataset({ data, imageSize: config.imageSize, seed: config.seed });
 * for await (const event of train(dataset, config, { runDir: "runs/first", data }))
 *   if (event.type === "epoch") console.log(event.epoch, event.validation.accuracy);
 * ```
 */
export async function* train(
  dataset: Dataset,
  config: TrainConfig,
  options: TrainOptions,
): AsyncGenerator<TrainEvent, void, undefined> {
  checkDataset(dataset);
  checkKind("config", "a configuration, as trainConfig returns it", config, ["variant", "augment"]);
  checkKind(
    "options",
    'the folder of the run and what was loaded, { runDir: "runs/mine", data }',
    options,
    [],
  );
  checkNames<keyof TrainOptions>(options, { runDir: true, data: true, signal: true, onProgress: true });
  const { runDir, data, signal, onProgress } = options;
  checkPath("runDir", runDir);
  checkPath("data", data);
  config = structuredClone(checkTrainConfig(config)); // the run records it, so it must not change
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
    const { config: recorded, list, progress, notes, repairs } = await resumeRun(prepared);
    const log = new MetricsLog(runDir);
    await log.rewind(recorded, progress.step, progress.best?.epoch ?? 0);
    for (const text of repairs) yield log.add({ type: "note", text });
    if (progress.epoch < config.epochs) {
      const before = [
        ...(await trainingNotes(state, images.numImages)),
        ...(await imageNotes(dataset, config)),
        ...earlierTrainingNotes(list, config),
        ...folderNotes,
      ];
      for (const text of [...before, ...notes, ...asideNotes]) yield log.add({ type: "note", text });
    }
    const isOver = startClock(config.maxMinutes);
    const run: RunInTraining = { ...prepared, config: recorded, list, images, progress, log, signal, isOver };
    const reason = yield* trainEpochs(run);
    yield* endRun(run, reason);
  } finally {
    disposeTrainState(state);
    lock?.release();
  }
}

/** Trains epoch by epoch until the run ends, and returns why it does. */
async function* trainEpochs(run: RunInTraining): AsyncGenerator<TrainEvent, EndReason, undefined> {
  const { runDir, config, state, progress, signal, isOver } = run;
  // A session trains at least one batch, whatever its time limit, so that a run comes to its end.
  let reason = endReason(run, signal?.aborted ?? false);
  if (reason === null)
    await recordSession(runDir, {
      ...(config.id !== undefined && { run: config.id }),
      epoch: progress.epoch + 1,
      batch: numExtraSteps(run) + 1,
      epochs: state.config.epochs,
      started: new Date().toISOString(),
      ...run.environment,
    });
  while (reason === null) {
    const isWhole = yield* trainEpoch(run);
    reason = isWhole ? endReason(run, (signal?.aborted ?? false) || isOver()) : "interrupted";
  }
  return reason;
}

/** Returns why a run ends after the epochs that it has trained; null if it continues. */
function endReason({ state, progress }: RunInTraining, isInterrupted: boolean): EndReason | null {
  const { epochs, headEpochs, patience } = state.config;
  const { epoch, best } = progress;
  if (epoch >= epochs) return "completed";
  if (isInterrupted) return "interrupted";
  const start = headEpochs < epochs ? headEpochs : 0; // the last layer alone may be at its best long before the network is
  return patience > 0 && best && epoch - Math.max(best.reached, start) >= patience ? "stopped early" : null;
}

/** Saves what an interruption would lose, and logs the end. */
async function* endRun(run: RunInTraining, reason: EndReason): AsyncGenerator<TrainEvent, void, undefined> {
  const { runDir, state, progress, log, signal } = run;
  const { monitor, maxMinutes } = state.config;
  const { epoch, best } = progress;
  const batch = numExtraSteps(run);
  if (reason === "interrupted" && batch > 0) {
    const path = await saveCheckpoint(runDir, progress, state, run.config);
    yield { type: "checkpoint", kind: "last", epoch: epoch + 1, path };
  }
  const resumesAt = { epoch: epoch + 1, batch, numBatches: state.plan.numBatches };
  const done = log.add({
    type: "done",
    reason,
    bestEpoch: best?.epoch ?? null,
    bestAccuracy: best?.accuracy ?? null,
    bestMacroF1: best?.macroF1 ?? null,
    bestLoss: best?.loss ?? null,
    monitor,
    runDir,
    ...(reason === "interrupted" && { ...(!signal?.aborted && { maxMinutes }), resumesAt }),
  });
  await log.flush();
  yield done;
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
