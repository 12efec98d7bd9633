import { percent } from "../charts/percent.js";
import { chartBundle } from "../charts/render.js";
import { batchMetricsChart } from "../charts/training-charts.js";
import type { BatchEvent, DoneEvent, TrainEvent } from "../training/events.js";
import { showLive } from "./display.js";

/** Often enough to watch, seldom enough to cost nothing. */
const REDRAW_MS = 3000;

/**
 * Reads a training run to its end, printing a line per epoch and drawing loss and accuracy as they come.
 *
 * @returns How the run ended.
 */
export async function showTraining(events: AsyncIterable<TrainEvent>): Promise<DoneEvent | undefined> {
  const batches: BatchEvent[] = [];
  const update = showLive({ "text/plain": "waiting for the first batches" });
  const draw = async () => update(await chartBundle(batchMetricsChart(batches)));
  let [drawn, done]: [number, DoneEvent | undefined] = [performance.now(), undefined];
  for await (const event of events) {
    if (event.type === "batch") batches.push(event);
    if (event.type === "batch" && performance.now() - drawn > REDRAW_MS) {
      await draw();
      drawn = performance.now();
    }
    if (event.type === "epoch") {
      const { epoch, numEpochs, train, validation, imagesPerSecond, isBest } = event;
      console.log(
        `epoch ${epoch}/${numEpochs}: train ${percent(train.accuracy)}, validation ${percent(validation.accuracy)}, ` +
          `loss ${validation.loss.toFixed(3)}, ${imagesPerSecond.toFixed(0)} images/s${isBest ? ", best" : ""}`,
      );
    }
    if (event.type === "done") done = event;
  }
  if (batches.length > 0) await draw();
  return done;
}
