import { percent } from "../charts/format.js";
import { chartBundle } from "../charts/render.js";
import { batchMetricsChart } from "../charts/training.js";
import { type BatchEvent, type DoneEvent, ofType, type TrainEvent } from "../training/events.js";
import { showLive } from "./show.js";

/** Time between drawings: often enough to watch, and without a cost. */
const REDRAW_MS = 3000;

/**
 * Reads a training run to its end, prints a line per epoch, and draws loss and accuracy while it trains.
 *
 * @param earlier - Events that a resumed run logged before; they are drawn too.
 * @returns The event that ended the run.
 */
export async function showTraining(
  events: AsyncIterable<TrainEvent>,
  earlier: TrainEvent[] = [],
): Promise<DoneEvent | undefined> {
  let batches = ofType(earlier, "batch");
  const isRepeated = (event: BatchEvent) => (batches[batches.length - 1]?.step ?? 0) >= event.step;
  const update = showLive({ "text/plain": "waiting for the first batches" });
  const draw = async () => update(await chartBundle(batchMetricsChart(batches)));
  let [drawn, done]: [number, DoneEvent | undefined] = [performance.now(), undefined];
  for await (const event of events) {
    if (event.type === "batch") {
      // A run that was killed resumes after its last whole epoch, and repeats batches.
      if (isRepeated(event)) batches = batches.filter(({ step }) => step < event.step);
      batches.push(event);
    }
    if (event.type === "batch" && performance.now() - drawn > REDRAW_MS) {
      await draw();
      drawn = performance.now();
    }
    if (event.type === "note") console.log(`note: ${event.text}`);
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
