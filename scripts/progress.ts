import type { Options, SingleBar } from "cli-progress";
import {
  type BatchEvent,
  type EpochEvent,
  internals,
  loadMetrics,
  ofType,
  type TrainEvent,
} from "../src/index.js";
import { bracketsInWords, largestInWords, scoresInWords } from "./scores.js";

type DoneEvent = Extract<TrainEvent, { type: "done" }>;

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
  private hasTrained = false;
  private isFirst = true;
  /** Notes that were printed: the trainings of several folds have the same ones. */
  private readonly notes = new Set<string>();

  constructor(private readonly numEpochs: number) {}

  async add(event: TrainEvent): Promise<void> {
    if (event.type === "batch" || event.type === "epoch") this.hasTrained = true;
    if (event.type === "batch") this.addBatch(event);
    if (event.type !== "batch") this.bar.stop();
    if (event.type === "note" && !this.notes.has(event.text)) console.error(`note: ${event.text}`);
    if (event.type === "note") this.notes.add(event.text);
    if (event.type === "epoch") {
      console.error(describe(event, this.isFirst));
      this.isFirst = false;
    }
    if (event.type !== "done") return;
    const kept = internals.keptEpoch(ofType(await loadMetrics(event.runDir), "epoch"));
    for (const line of describeEnd(event, kept, this.hasTrained)) console.error(line);
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

const MONITORED = { accuracy: "accuracy", macroF1: "macro-F1", loss: "loss" };

/** @param kept - The epoch whose model is kept, as it was logged. */
function describeEnd(event: DoneEvent, kept: EpochEvent | undefined, hasTrained: boolean): string[] {
  const { reason, bestEpoch, bestAccuracy, monitor = "accuracy", resumesAt, runDir } = event;
  const larger = reason === "completed" ? "epochs" : "patience";
  const again =
    hasTrained || resumesAt
      ? ""
      : ` before, so nothing was trained (--set ${larger}=N trains on, with a larger N)`;
  const end = internals.endInWords(event) + again;
  const next = resumesAt ? "; the same command resumes there" : "";
  if (bestEpoch === null || bestAccuracy === null)
    return [`${end}: no epoch has ended, so there is no model yet${next}`];
  const best = `${end}: the best model${resumesAt ? " so far" : ""} by validation ${MONITORED[monitor]}`;
  return [
    `${best} is of epoch ${bestEpoch}, kept in ${runDir}/best${next}`,
    ...(kept?.epoch === bestEpoch && kept.validation.confusionMatrix
      ? describeScores(kept.validation, event)
      : [`validation: accuracy ${percent(bestAccuracy)}`]), // its line in the log is lost
  ];
}

function describeScores(
  { loss, confusionMatrix, classNames, intervals, numGroups, ...shares }: EpochEvent["validation"],
  { monitor, resumesAt }: DoneEvent,
): string[] {
  const numImages = confusionMatrix.flat().reduce((sum, count) => sum + count, 0);
  const shown = monitor === "loss" ? `loss ${loss.toFixed(4)}, ` : "";
  const isEnd = !resumesAt && classNames !== undefined;
  return [
    `validation: ${shown}${scoresInWords({ ...shares, intervals, numImages, numGroups })}`,
    ...(isEnd ? largestInWords(largestClass(confusionMatrix, classNames)) : []),
    ...(intervals && numGroups !== undefined ? [bracketsInWords({ numImages, numGroups })] : []),
  ];
}
