import { MultiBar, Presets, type SingleBar } from "cli-progress";
import type { LoadProgress, TrainEvent } from "../src/index.js";

/** Shows what the data loader reports as a bar per stage, on a terminal only. */
export function dataProgress(): { onProgress: (progress: LoadProgress) => void; stop: () => void } {
  const bars = new MultiBar(
    { format: "{stage} [{bar}] {value}/{total} {unit}, {eta_formatted} left", hideCursor: true, stream: process.stderr },
    Presets.rect,
  );
  const stages = new Map<string, SingleBar>();
  return {
    onProgress: ({ stage, done, total, unit }) => {
      const bar = stages.get(stage) ?? bars.create(total, 0, { stage: stage.padEnd(8), unit });
      stages.set(stage, bar);
      bar.setTotal(Math.max(total, done));
      bar.update(done);
    },
    stop: () => bars.stop(),
  };
}

/** Shows training as a bar per epoch and a line of results after it; plain lines where there is no terminal. */
export class TrainProgress {
  private readonly bars = new MultiBar(
    {
      format: "epoch {epoch} [{bar}] {value}/{total}  loss {loss}  accuracy {accuracy}  {rate} images/s  {left} left",
      hideCursor: true,
      clearOnComplete: true,
      stream: process.stderr,
    },
    Presets.rect,
  );
  private bar: SingleBar | null = null;
  private readonly recent: { loss: number; accuracy: number }[] = [];

  constructor(private readonly numEpochs: number) {}

  add(event: TrainEvent): void {
    if (event.type === "batch") this.addBatch(event);
    if (event.type === "epoch") {
      this.removeBar();
      const { epoch, numEpochs, train, validation, imagesPerSecond, durationMs, isBest } = event;
      this.print(
        `epoch ${epoch}/${numEpochs}  train loss ${train.loss.toFixed(4)} accuracy ${percent(train.accuracy)}  ` +
          `validation loss ${validation.loss.toFixed(4)} accuracy ${percent(validation.accuracy)} ` +
          `macro-F1 ${validation.macroF1.toFixed(3)}  ${imagesPerSecond.toFixed(0)} images/s  ` +
          `${(durationMs / 1000).toFixed(1)} s${isBest ? "  best" : ""}`,
      );
    }
    if (event.type === "done") {
      this.removeBar();
      this.bars.stop();
      this.print(
        `${event.reason}: best validation accuracy ${percent(event.bestAccuracy)} in epoch ${event.bestEpoch}, kept in ${event.runDir}/best`,
      );
    }
  }

  private addBatch(event: Extract<TrainEvent, { type: "batch" }>): void {
    const { epoch, batch, numBatches, imagesPerSecond, loss, accuracy } = event;
    this.recent.push({ loss, accuracy });
    if (this.recent.length > 20) this.recent.shift();
    const mean = (name: "loss" | "accuracy") =>
      this.recent.reduce((total, scores) => total + scores[name], 0) / this.recent.length;
    const batchesLeft = (this.numEpochs - epoch + 1) * numBatches - batch;
    const batchSeconds = this.bar ? (Date.now() - this.started) / 1000 / Math.max(1, batch - this.firstBatch) : 0;
    const payload = {
      epoch: `${epoch}/${this.numEpochs}`,
      loss: mean("loss").toFixed(4),
      accuracy: percent(mean("accuracy")),
      rate: imagesPerSecond.toFixed(0),
      left: batchSeconds ? duration(batchesLeft * batchSeconds) : "…",
    };
    if (!this.bar) {
      [this.started, this.firstBatch] = [Date.now(), batch];
      this.bar = this.bars.create(numBatches, batch, payload);
    } else this.bar.update(batch, payload);
  }

  private started = 0;
  private firstBatch = 0;

  private removeBar(): void {
    if (this.bar) this.bars.remove(this.bar);
    this.bar = null;
  }

  private print(line: string): void {
    if (process.stderr.isTTY) this.bars.log(`${line}\n`);
    else console.error(line);
  }
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes > 0 ? `${minutes} min ${Math.round(seconds % 60)} s` : `${Math.round(seconds)} s`;
}
