// A learning rate found by a short trial: training with rates that rise from tiny to too large.
import { checkTrainConfig, type TrainConfig } from "../config.js";
import { batches } from "../data/batches.js";
import { checkDataset, checkDecoding, type Dataset } from "../data/dataset.js";
import { tf } from "../engine/tf.js";
import { checkNames, checkNumber, ParameterError } from "../errors.js";
import type { OnProgress } from "../progress.js";
import { trainBatch } from "./epoch.js";
import type { Phase } from "./events.js";
import { batchOrder } from "./schedule.js";
import { buildTrainState, disposeTrainState } from "./step.js";

/** Range and length of a search for a learning rate. */
export interface LearningRateOptions {
  /** Rate of the first batch, (0, 1]. Default: 1e-5. */
  from?: number;
  /** Rate that the last batch would have, [10 · `from`, 10]. Default: 1. */
  to?: number;
  /** Batches from `from` to `to`, each with a rate that is larger by the same factor. Default: 100. */
  numBatches?: number;
  /**
   * `full` finds `learningRate`; `head` trains the last layer alone and finds `headLearningRate`. Default: `head` if the
   * configuration trains nothing else, otherwise `full`.
   */
  phase?: Phase;
  /** Stops after the current batch; the suggestion is from the batches so far. */
  signal?: AbortSignal;
  /** Called after each batch. */
  onProgress?: OnProgress;
}

/** What a search for a learning rate has measured. */
export interface LearningRateSearch {
  /** In order, up to the batch at which the loss diverged. */
  points: {
    /** From 1. */
    batch: number;
    learningRate: number;
    /** Mean cross-entropy of the batch, in nats, before its update. */
    loss: number;
  }[];
  /** Whether the search ended early, because the loss was far above the lowest or not finite. */
  diverged: boolean;
  /** Which rate of the configuration was searched for: `learningRate`, or `headLearningRate` for `head`. */
  phase: Phase;
  /** The rate around which the loss falls fastest; null if it falls nowhere. */
  suggestion: number | null;
  /** Rate of the configuration. */
  configured: number;
  /** What the user should know of the suggestion. */
  notes: string[];
}

/** Decades of rates over which a slope is fitted: wide enough to average the noise of single batches. */
const SLOPE_DECADES = 1;
/** The loss has diverged once its running mean is this many times the lowest one. */
const DIVERGED = 2;
/** A search that passes over the images more often measures how they are memorised. */
const MAX_PASSES = 5;
/** Share of the last batch in the running mean. */
const MEAN_SHARE = 0.2;

/**
 * Finds a learning rate: trains a separate network on batches of the data set, with a rate that rises exponentially, until the
 * loss diverges. The suggestion is the rate around which the loss falls fastest, by lines fitted over one decade of rates each.
 *
 * With few images, the search passes over them again and again and the suggestion is far too small: a note says so.
 *
 * It writes no file and leaves no tensor, and networks that you have built stay as they are. Same seed, same result.
 *
 * @throws ParameterError for options out of range.
 * @see Smith 2017, §3.3, https://arxiv.org/abs/1506.01186
 * @example
 * ```ts
 * import { findLearningRate, learningRateSearchChart, loadDataset, saveChart, trainConfig } from "ferkit";
 *
 * const config = trainConfig("tutorial");
 * const dataset = await loadDataset({ data: "data/pets", imageSize: config.imageSize });
 * const search = await findLearningRate(dataset, config);
 * console.log(search.suggestion, "instead of", search.configured);
 * await saveChart(learningRateSearchChart(search), "search.png");
 * ```
 */
export async function findLearningRate(
  dataset: Dataset,
  config: TrainConfig,
  options: LearningRateOptions = {},
): Promise<LearningRateSearch> {
  checkDataset(dataset);
  checkNames<keyof LearningRateOptions>(options, {
    from: true,
    to: true,
    numBatches: true,
    phase: true,
    signal: true,
    onProgress: true,
  });
  config = structuredClone(checkTrainConfig(config));
  const { from = 1e-5, to = 1, numBatches = 100, signal, onProgress } = options;
  const { phase = config.headEpochs < config.epochs ? "full" : "head" } = options;
  checkDecoding(dataset, config);
  if (!(checkNumber("from", from, { min: 0, max: 1 }) > 0))
    throw new ParameterError("from", "a number > 0", from);
  checkNumber("to", to, { min: 10 ** SLOPE_DECADES * from, max: 10 });
  checkNumber("numBatches", numBatches, { min: 10, integer: true });
  const isHead = phase === "head";
  const points: LearningRateSearch["points"] = [];
  const rateOf = (batch: number) => from * (to / from) ** ((batch - 1) / (numBatches - 1));
  const headEpochs = isHead ? Number.MAX_SAFE_INTEGER : 0;
  const state = await buildTrainState(
    { ...config, headEpochs, emaDecay: 0 },
    dataset.train,
    dataset.classNames,
    onProgress,
  );
  let diverged = false;
  try {
    let [mean, lowest] = [0, Number.POSITIVE_INFINITY];
    for (let epoch = 1; points.length < numBatches && !diverged && !signal?.aborted; epoch++)
      for await (const trained of batches(dataset.train, { ...batchOrder(config, state.plan), epoch })) {
        const batch = points.length + 1;
        const learningRate = rateOf(batch);
        const result = trainBatch(state, trained, batch, learningRate);
        const [loss] = await result.loss.data();
        tf.dispose([result.loss, result.logits, result.labels]);
        mean = batch === 1 ? loss : (1 - MEAN_SHARE) * mean + MEAN_SHARE * loss;
        lowest = Math.min(lowest, mean);
        diverged = !(mean <= DIVERGED * lowest);
        if (diverged) break;
        points.push({ batch, learningRate, loss });
        onProgress?.({ stage: "search", done: batch, total: numBatches, unit: "batches" });
        await new Promise(setImmediate); // lets interrupts run
        if (points.length === numBatches || signal?.aborted) break;
      }
  } finally {
    disposeTrainState(state);
  }
  const configured = isHead ? config.headLearningRate : config.learningRate;
  const suggestion = steepest(points);
  const passes = Math.ceil(points.length / state.plan.numBatches);
  const notes = suggestion !== null && passes > MAX_PASSES ? [passesNote(passes, dataset, configured)] : [];
  if (!diverged && points.length < numBatches)
    notes.push(
      `the search was interrupted after ${points.length} of ${numBatches} batches, so no higher rates were tried`,
    );
  return { points, diverged, phase, suggestion, configured, notes };
}

function passesNote(passes: number, { train: { numImages } }: Dataset, configured: number): string {
  return (
    `the search passed ${passes} times over the ${numImages} training images, so it measures how they are memorised; ` +
    `its suggestion may be far too small: keep ${configured}, or search with more images`
  );
}

/**
 * Returns the rate around which the loss falls fastest, rounded to two digits; null if it falls nowhere.
 *
 * Around each point, a line is fitted to the losses over the logarithm of the rate, within half of `SLOPE_DECADES` on each side.
 */
export function steepest(points: LearningRateSearch["points"]): number | null {
  const logs = points.map(({ learningRate }) => Math.log10(learningRate));
  const [first, last] = [logs[0], logs[logs.length - 1]];
  const reach = SLOPE_DECADES / 2;
  let best = { slope: 0, log: Number.NaN };
  for (const center of logs) {
    if (center - reach < first || center + reach > last) continue;
    const near = points.filter((_, i) => Math.abs(logs[i] - center) <= reach + 1e-9);
    const slope = slopeOf(near.map(({ learningRate, loss }) => [Math.log10(learningRate), loss]));
    if (slope < best.slope) best = { slope, log: center };
  }
  return Number.isNaN(best.log) ? null : Number((10 ** best.log).toPrecision(2));
}

/** Returns the slope of the line that fits points best. */
function slopeOf(points: number[][]): number {
  const mean = (axis: number) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const covariance = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return covariance / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}
