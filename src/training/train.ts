import { checkTrainConfig, type TrainConfig } from "../config.js";
import type { Dataset } from "../data/dataset.js";
import { tf } from "../engine/tf.js";
import { environment } from "../environment.js";
import { InputError } from "../errors.js";
import { evaluate } from "../inference/evaluate.js";
import { download } from "../model/network.js";
import type { OnProgress } from "../progress.js";
import { saveBestModel } from "./best-model.js";
import { RunningScores, trainEpoch } from "./epoch.js";
import type { DoneEvent, EpochEvent, TrainEvent } from "./events.js";
import { bestModelDir, loadState, MetricsLog, openRun, recordSession, saveState } from "./run-folder.js";
import { Trainer } from "./trainer.js";

export interface TrainOptions {
  /** Folder of the run; one that holds a run of the same configuration goes on where that stopped. */
  runDir: string;
  /** What the data set was loaded from, for the record. */
  data: string;
  /** Stops after the current batch; the best model is kept. */
  signal?: AbortSignal;
  /** Told of the download of pre-trained weights that are not in the cache, in bytes. */
  onProgress?: OnProgress;
}

type Best = { bestEpoch: number; bestAccuracy: number };

/**
 * Trains a network on a data set and yields what happens: batches, epochs, files written, the end.
 *
 * The run's folder gets the configuration, the metrics, the model of best validation accuracy, and the state after each
 * epoch. A run killed at any moment goes on from its last whole epoch, to the same weights as if it had never stopped.
 *
 * @throws InputError when there are no images to train or to validate on, the loss is no longer finite, or the folder
 * holds another run.
 */
export async function* train(
  dataset: Dataset,
  config: TrainConfig,
  { runDir, data, signal, onProgress }: TrainOptions,
): AsyncGenerator<TrainEvent, void, undefined> {
  checkTrainConfig(config);
  const numImages = { train: dataset.train.numImages, validation: dataset.validation.numImages };
  checkNotEmpty(dataset.name, numImages);
  const log = new MetricsLog(runDir);
  // Before the folder is made: weights that cannot be read shall not leave a run that never was.
  const trainer = await Trainer.create(config, dataset.train, dataset.classNames, onProgress);
  try {
    const { classNames, split } = dataset;
    const isOfficial = split === "official" || split === "official-test"; // others follow from data and configuration
    await openRun(runDir, { train: config, classNames, data, ...(isOfficial && { split }), numImages });
    const saved = await loadState(runDir);
    if (saved) trainer.restore(saved.progress, saved.state);
    await log.rewind(saved?.progress.step ?? 0);
    const { bestEpoch, bestAccuracy } = saved?.progress ?? { bestEpoch: 0, bestAccuracy: 0 };
    let best: Best = { bestEpoch, bestAccuracy };
    let reason: DoneEvent["reason"] = "completed";
    const firstEpoch = (saved?.progress.epoch ?? 0) + 1;
    for (let epoch = firstEpoch; epoch <= config.epochs; epoch++) {
      if (isExhausted(config, best, epoch)) {
        reason = "earlyStopping";
        break;
      }
      if (epoch === firstEpoch) {
        const started = new Date().toISOString();
        await recordSession(runDir, { epoch, started, ...(await environment()) });
      }
      const start = performance.now();
      const scores = new RunningScores();
      for await (const event of trainEpoch(trainer, dataset, config, epoch, signal)) {
        scores.add(event);
        log.add(event);
        yield event;
      }
      if (signal?.aborted) reason = "interrupted";
      // An interrupted epoch is not finished, and is done again when the run goes on; its model counts only if it is the first.
      if (reason === "interrupted" && best.bestEpoch > 0) break;
      const trainMs = performance.now() - start;
      const values = trainer.values();
      const validation = await evaluate(trainer.network, dataset.validation, values);
      const isBest = best.bestEpoch === 0 || validation.accuracy > best.bestAccuracy;
      const parameters = isBest ? await download(values) : tf.dispose([...values.values()]);
      if (parameters) {
        best = { bestEpoch: epoch, bestAccuracy: validation.accuracy };
        const { labels } = dataset.validation;
        await saveBestModel(bestModelDir(runDir), trainer.network.config, parameters, validation, labels);
        yield { type: "checkpoint", kind: "best", epoch, path: bestModelDir(runDir) };
      }
      if (reason === "interrupted") break;
      const step = epoch * trainer.stepsPerEpoch;
      const { numTensors, numBytes } = tf.memory();
      const { loss, accuracy, macroF1, perClassRecall, confusionMatrix } = validation;
      const event: EpochEvent = {
        type: "epoch",
        phase: trainer.phaseOf(epoch),
        epoch,
        numEpochs: config.epochs,
        step,
        learningRate: trainer.learningRate(step),
        durationMs: performance.now() - start,
        imagesPerSecond: (1000 * scores.numImages) / trainMs,
        train: scores.mean(),
        validation: { loss, accuracy, macroF1, perClassRecall, confusionMatrix },
        isBest,
        numTensors,
        numBytes,
        residentBytes: process.memoryUsage.rss(),
      };
      log.add(event);
      await log.flush();
      const { state, ...updates } = await trainer.state();
      yield event;
      const path = await saveState(runDir, { epoch, step, ...best, ...updates }, state);
      yield { type: "checkpoint", kind: "last", epoch, path };
    }
    const done: TrainEvent = { type: "done", reason, ...best, runDir };
    log.add(done);
    await log.flush();
    yield done;
  } finally {
    trainer.dispose();
  }
}

/** True when early stopping is on and the best epoch lies `patience` epochs back. */
function isExhausted({ patience }: TrainConfig, { bestEpoch }: Best, epoch: number): boolean {
  return patience > 0 && bestEpoch > 0 && epoch - 1 - bestEpoch >= patience;
}

function checkNotEmpty(where: string, numImages: { train: number; validation: number }): void {
  for (const split of ["train", "validation"] as const)
    if (numImages[split] === 0)
      throw new InputError({
        expected: `images to ${split === "train" ? "train" : "validate"} on`,
        where,
        found: "none",
        fix: "Hold out a share above 0 and below 1 with --validation-share, or add images.",
      });
}
