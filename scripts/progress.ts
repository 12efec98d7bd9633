import type { Options, SingleBar } from "cli-progress";
import { type BatchEvent, type EpochEvent, internals, type TrainEvent } from "../src/index.js";

const { duration, largestClass, percent } = internals;

/** Batches over which the loss and accuracy shown are averaged. */
const WINDOW = 20;

/** A bar on standard error where that is a terminal; elsewhere nothing. */
class TerminalBar {
  private bar: SingleBar | null = null;

  constructor(private readonly options: Options) {}

  show(value: number, total: number, payload: object): void {
    if (!process.stderr.isTTY) return;
    if (!this.bar) {
      const { Presets, SingleBar } = require("cli-progress") as typeof import("cli-progress");
      this.bar = new SingleBar(
        { ...this.options, stream: process.stderr, clearOnComplete: true },
        Presets.rect,
      );
      this.bar.start(total, value, payload);
    }
    this.bar.setTotal(total);
    this.bar.update(value, payload);
  }

  stop(): void {
    this.bar?.stop();
    this.bar = null;
  }
}

/** Shows what the data loader reports, a bar for the stage it is in. */
export function dataProgress(): { onProgress: (progress: internals.LoadProgress) => void; stop: () => void } {
  const bar = new TerminalBar({ format: "{stage} [{bar}] {value}/{total} {unit}, {eta_formatted} left" });
  let shown = "";
  return {
    onProgress: ({ stage, done, total, unit }) => {
      if (stage !== shown) bar.stop();
      shown = stage;
      bar.show(done, Math.max(total, done), { stage, unit });
    },
    stop: () => bar.stop(),
  };
}

/** Shows training as a bar for the epoch, and a line of results after it. */
export class TrainProgress {
  private readonly bar = new TerminalBar({
    format:
      "epoch {epoch} [{bar}] {value}/{total}  loss {loss}  accuracy {accuracy}  {rate} images/s  {left} left",
  });
  private recent: BatchEvent[] = [];
  private best: EpochEvent | undefined;
  /** Number of validation images; 0 before the first epoch has ended. */
  private numScored = 0;
  private hasTrained = false;
  private isFirst = true;
  /** Notes that were printed: the trainings of several folds have the same ones. */
  private readonly notes = new Set<string>();

  constructor(
    private readonly numEpochs: number,
    private readonly classNames: string[],
  ) {}

  add(event: TrainEvent): void {
    if (event.type === "batch" || event.type === "epoch") this.hasTrained = true;
    if (event.type === "batch") this.addBatch(event);
    if (event.type !== "batch") this.bar.stop();
    if (event.type === "note" && !this.notes.has(event.text)) console.error(`note: ${event.text}`);
    if (event.type === "note") this.notes.add(event.text);
    if (event.type === "epoch" && event.isBest) this.best = event;
    if (event.type === "epoch") {
      this.numScored = event.validation.confusionMatrix.flat().reduce((sum, count) => sum + count, 0);
      console.error(describe(event, this.isFirst));
      this.isFirst = false;
    }
    if (event.type !== "done") return;
    const largest = event.resumesAt ? "" : describeLargest(this.best, this.classNames);
    console.error(`${describeEnd(event, this.hasTrained, this.numScored)}${largest}`);
  }

  private addBatch(event: BatchEvent): void {
    this.recent = [...this.recent, event].slice(-WINDOW);
    const mean = (name: "loss" | "accuracy" | "imagesPerSecond") =>
      this.recent.reduce((total, batch) => total + batch[name], 0) / this.recent.length;
    const { epoch, batch, numBatches, numImages } = event;
    const batchesLeft = (this.numEpochs - epoch + 1) * numBatches - batch;
    this.bar.show(batch, numBatches, {
      epoch: `${epoch}/${this.numEpochs}`,
      loss: mean("loss").toFixed(4),
      accuracy: percent(mean("accuracy")),
      rate: mean("imagesPerSecond").toFixed(0),
      left: duration((batchesLeft * numImages) / mean("imagesPerSecond")),
    });
  }
}

/** Describes an epoch. The first line also says what the training loss is measured against. */
function describe(event: EpochEvent, isFirst: boolean): string {
  const { epoch, numEpochs, train, trainTargets, validation, imagesPerSecond, durationMs, isBest } = event;
  return (
    `epoch ${epoch}/${numEpochs}  train loss ${train.loss.toFixed(4)}${trainTargets && isFirst ? ` (against ${trainTargets})` : ""} ` +
    `accuracy ${percent(train.accuracy)}  ` +
    `validation loss ${validation.loss.toFixed(4)} accuracy ${percent(validation.accuracy)} ` +
    `macro-F1 ${validation.macroF1.toFixed(3)}  ${imagesPerSecond.toFixed(0)} images/s  ` +
    `${duration(durationMs / 1000)}${isBest ? "  best" : ""}`
  );
}

function describeEnd(
  event: Extract<TrainEvent, { type: "done" }>,
  hasTrained: boolean,
  numScored: number,
): string {
  const { bestEpoch, bestAccuracy, bestMacroF1, bestLoss, monitor, resumesAt, runDir } = event;
  const isOver = !hasTrained && !resumesAt;
  const larger = event.reason === "completed" ? "epochs" : "patience";
  const again = isOver
    ? ` before, so nothing was trained (--set ${larger}=N trains on, with a larger N)`
    : "";
  const end = internals.endInWords(event) + again;
  const next = resumesAt ? "; the same command resumes there" : "";
  if (bestEpoch === null || bestAccuracy === null)
    return `${end}: no epoch has ended, so there is no model yet${next}`;
  const of = numScored > 0 ? ` of ${internals.counted(numScored, "image")}` : "";
  const accuracy = `accuracy ${percent(bestAccuracy)}${of}`;
  const scores =
    monitor === "macroF1" && typeof bestMacroF1 === "number"
      ? `macro-F1 ${bestMacroF1.toFixed(3)} (${accuracy})`
      : monitor === "loss" && typeof bestLoss === "number"
        ? `loss ${bestLoss.toFixed(4)} (${accuracy})`
        : accuracy;
  return `${end}: best validation ${scores} in epoch ${bestEpoch}, kept in ${runDir}/best${next}`;
}

/** Says what always answering the largest class would score, if the best epoch is not clearly better. */
function describeLargest(best: EpochEvent | undefined, classNames: string[]): string {
  const largest = best && largestClass(best.validation.confusionMatrix, classNames);
  if (!largest || largest.isBeaten) return "";
  return `; always answering ${internals.visible(largest.className)} would score accuracy ${percent(largest.accuracy)}`;
}
