import type { TrainConfig } from "../config.js";
import { batches } from "../data/batches.js";
import type { Dataset } from "../data/dataset.js";
import {
  bestEpoch,
  bestModelDir,
  calibratedModel,
  isBetter,
  precisionOf,
  saveBestModel,
  validate,
} from "./best-model.js";
import { temperatureNotes } from "./calibration.js";
import { saveCheckpoint } from "./checkpoint.js";
import { epochEvent, trainBatches } from "./epoch.js";
import { type EndReason, ofType, type TrainEvent } from "./events.js";
import { loadMetrics } from "./metrics-log.js";
import { batchOrder } from "./schedule.js";
import { recordSession } from "./sessions.js";
import {
  endReason,
  numExtraSteps,
  type RunInTraining,
  sessionOf,
  startRun,
  type TrainOptions,
} from "./start.js";
import { disposeTrainState } from "./step.js";

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
  const run = await startRun(dataset, config, options);
  try {
    for (const text of run.notes) yield run.log.add({ type: "note", text });
    const reason = yield* trainEpochs(run);
    yield* endRun(run, reason);
  } finally {
    disposeTrainState(run.state);
    run.lock.release();
  }
}

/** Trains epoch by epoch until the run ends, and returns why it does. */
async function* trainEpochs(run: RunInTraining): AsyncGenerator<TrainEvent, EndReason, undefined> {
  const { runDir, state, progress, log, lock, signal, isOver } = run;
  const { config, plan } = state;
  const isStopped = () => (signal?.aborted ?? false) || isOver();
  // A session trains at least one batch, whatever its time limit, so that a run comes to its end.
  let reason = endReason(run, signal?.aborted ?? false);
  if (reason === null) await recordSession(runDir, sessionOf(run));
  while (reason === null) {
    const epoch = progress.epoch + 1;
    const startBatch = numExtraSteps(run);
    const logged = startBatch > 0 ? ofType(await loadMetrics(runDir), "batch") : [];
    const trained = logged.filter((batch) => batch.epoch === epoch); // before an interruption
    const stream = batches(run.images, { ...batchOrder(config, plan), epoch, startBatch });
    for await (const event of trainBatches(state, stream, progress.step, isStopped)) {
      trained.push(log.add(event));
      progress.step++;
      yield event;
      lock.check();
    }
    await log.flush();
    if (signal?.aborted || progress.step < epoch * plan.numBatches) return "interrupted";

    const start = performance.now();
    const validated = await validate(state, run.validation, epoch, progress.best);
    const { scores } = validated;
    const isBest = isBetter(config.monitor, scores, progress.best);
    const precision = isBest ? precisionOf(scores, run) : null;
    const model = isBest ? await calibratedModel(state.network.config, validated, run) : null;
    if (model)
      progress.best = bestEpoch(epoch, scores, model, { best: progress.best, monitor: config.monitor });
    progress.epoch = epoch;
    lock.check();

    const validationMs = performance.now() - start;
    const event = log.add(epochEvent(state, trained, scores, { epoch, isBest, precision, validationMs }));
    await log.flush();
    const last = await saveCheckpoint(runDir, progress, state, run.config); // before the best model, which it names
    if (model) await saveBestModel(runDir, model, run.list);
    yield event;
    yield { type: "checkpoint", kind: "last", epoch, path: last };
    if (model) {
      for (const text of temperatureNotes(model)) yield log.add({ type: "note", text });
      yield { type: "checkpoint", kind: "best", epoch, path: bestModelDir(runDir) };
    }
    reason = endReason(run, isStopped());
  }
  return reason;
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
