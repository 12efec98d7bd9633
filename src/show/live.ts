import { chartBundle, chartText } from "../charts/render.js";
import { liveTrainingChart } from "../charts/training.js";
import { ParameterError } from "../errors.js";
import { duration, percent } from "../text.js";
import {
  type BatchEvent,
  type DoneEvent,
  type EpochEvent,
  endInWords,
  keptEpoch,
  ofType,
  type TrainEvent,
} from "../training/events.js";
import { loadMetrics } from "../training/metrics-log.js";
import { kernelHooks } from "./kernel.js";
import { showLive } from "./show.js";

/** Time between updates of the display. */
const UPDATE_MS = 500;
/** Batches that the speed is averaged over. */
const WINDOW = 20;

/** What is known about a run before its events are read. */
export interface LiveOptions {
  /** Folder of the run. What a resumed run logged before is drawn too. */
  runDir?: string;
  /** Epochs of the whole run. By default they are known once the first epoch has ended. */
  epochs?: number;
}

/**
 * Reads a training run to its end and shows it in one display that updates in place: how far it is, with the time left, and loss
 * and accuracy over the whole run. The last state remains. Outside a notebook, a line per epoch is printed.
 *
 * @param events - From `train`.
 * @param options - The run's folder and its number of epochs.
 * @returns The event that ended the run.
 * @example
 * ```ts
 * import { loadDataset, showTraining, train, trainConfig } from "ferkit";
 *
 * const [data, runDir] = ["data/pets", "runs/first"];
 * const config = trainConfig("tutorial");
 * const dataset = await loadDataset({ data, imageSize: config.imageSize });
 * const done = await showTraining(train(dataset, config, { runDir, data }), { runDir, epochs: config.epochs });
 * console.log(done?.bestAccuracy);
 * ```
 */
export async function showTraining(
  events: AsyncIterable<TrainEvent>,
  { runDir, epochs }: LiveOptions = {},
): Promise<DoneEvent | undefined> {
  if (typeof Object(events)[Symbol.asyncIterator] !== "function")
    throw new ParameterError("events", "what train yields", events);
  const run = new LiveRun(runDir === undefined ? [] : await loadMetrics(runDir), epochs);
  const update = showLive({ "text/plain": "waiting for the first batches" });
  let updated = performance.now();
  let done: DoneEvent | undefined;
  try {
    for await (const event of events) {
      run.add(event);
      if (event.type === "note") console.log(`note: ${event.text}`);
      if (event.type === "epoch" && !kernelHooks().display) console.log(epochLine(event));
      if (event.type === "done") done = event;
      if (event.type !== "batch" || performance.now() - updated < UPDATE_MS) continue;
      // The specification alone, which the front end draws: pictures would take time from the training.
      const chart = run.chart();
      update({ "application/vnd.vegalite.v5+json": chart, "text/plain": chartText(chart) });
      updated = performance.now();
    }
  } finally {
    update(run.hasBatches ? await chartBundle(run.chart()) : { "text/plain": "no batch was trained" });
  }
  return done;
}

/** What is known of a run so far. */
class LiveRun {
  private batches: BatchEvent[];
  private epochEvents: EpochEvent[];
  private done: DoneEvent | undefined;

  constructor(
    earlier: TrainEvent[],
    private epochs: number | undefined,
  ) {
    this.batches = ofType(earlier, "batch");
    this.epochEvents = ofType(earlier, "epoch");
  }

  get hasBatches(): boolean {
    return this.batches.length > 0;
  }

  add(event: TrainEvent): void {
    if (event.type === "batch") {
      // A run that was killed resumes after its last whole epoch, and repeats batches.
      if ((this.batches[this.batches.length - 1]?.step ?? 0) >= event.step)
        this.batches = this.batches.filter(({ step }) => step < event.step);
      this.batches.push(event);
      this.epochEvents = this.epochEvents.filter(({ epoch }) => epoch < event.epoch);
    }
    if (event.type === "epoch") {
      this.epochEvents.push(event);
      this.epochs = event.numEpochs;
    }
    if (event.type === "done") this.done = event;
  }

  chart() {
    const { batches, epochEvents: epochs } = this;
    const { numBatches } = batches[batches.length - 1];
    const numSteps = this.epochs && this.epochs * numBatches;
    return liveTrainingChart({ batches, epochs, numSteps, status: this.status() });
  }

  private status(): string {
    const { epoch, batch, numBatches } = this.batches[this.batches.length - 1];
    const best = keptEpoch(this.epochEvents);
    const parts = this.done
      ? [endInWords(this.done)]
      : [
          `epoch ${epoch}${this.epochs ? ` of ${this.epochs}` : ""}`,
          `batch ${batch} of ${numBatches}`,
          `${this.rate().toFixed(0)} images/s`,
          ...(this.epochs ? [`${duration(this.secondsLeft(this.epochs))} left`] : []),
        ];
    const label = this.done ? "best" : "best so far";
    if (best) parts.push(`${label}: ${percent(best.validation.accuracy)} in epoch ${best.epoch}`);
    return parts.join(" · ");
  }

  /** Returns the images trained per second in the last batches. */
  private rate(): number {
    const recent = this.batches.slice(-WINDOW);
    const seconds = recent.reduce(
      (sum, { numImages, imagesPerSecond }) => sum + numImages / imagesPerSecond,
      0,
    );
    return recent.reduce((sum, { numImages }) => sum + numImages, 0) / seconds;
  }

  /** Estimates the rest of the run: its batches, and validation and saving after each epoch as in the last one. */
  private secondsLeft(epochs: number): number {
    const { epoch, batch, numBatches, numImages } = this.batches[this.batches.length - 1];
    const batchesLeft = (epochs - epoch + 1) * numBatches - batch;
    const last = this.epochEvents[this.epochEvents.length - 1];
    const overhead = last ? last.durationMs / 1000 - (numBatches * numImages) / last.imagesPerSecond : 0;
    return (batchesLeft * numImages) / this.rate() + (epochs - epoch + 1) * Math.max(0, overhead);
  }
}

function epochLine({ epoch, numEpochs, train, validation, imagesPerSecond, isBest }: EpochEvent): string {
  return (
    `epoch ${epoch}/${numEpochs}: train ${percent(train.accuracy)}, validation ${percent(validation.accuracy)}, ` +
    `loss ${validation.loss.toFixed(3)}, ${imagesPerSecond.toFixed(0)} images/s${isBest ? ", best" : ""}`
  );
}
