// Curves of a training run.

import { checkList } from "../errors.js";
import { percent } from "../text.js";
import { type BatchEvent, EPOCHS, type EpochEvent, keptEpoch } from "../training/events.js";
import { pixelLayer } from "./layout.js";
import { buildChart, type ChartSpec, COLORS, emptyChart, FONT_SIZE, LINE_AXIS, OPACITY } from "./theme.js";

/** Two panels fit side by side into a notebook with an open file browser. */
const PANEL = { width: 310, height: 250 };
const PANEL_SPACING = 40;
/** Labels of the right panel's y axis. */
const AXIS_WIDTH = 43;
const BAR_HEIGHT = 6;
/** More points than pixels would only make the notebook larger. */
export const MAX_POINTS = 500;

/**
 * Draws loss and accuracy of each training batch: faint as measured, strong as the mean of neighbouring batches.
 *
 * A long run is drawn with evenly spaced points; the means are over all batches.
 *
 * @param events - The batches of one run, in order.
 * @example
 * ```ts
 * import { batchMetricsChart, loadMetrics, ofType, saveChart } from "ferkit";
 *
 * await saveChart(batchMetricsChart(ofType(await loadMetrics("runs/pets"), "batch")), "batches.png");
 * ```
 */
export function batchMetricsChart(events: BatchEvent[], title = "Training, batch by batch"): ChartSpec {
  checkList("events", 'the batches of a run, as ofType(events, "batch") returns them', events, [
    "batch",
    "loss",
  ]);
  if (!events.length) return emptyChart(title, "no data: no batch has been trained yet");
  const reach = reachOf(events);
  return buildChart(
    {
      title,
      subtitle: reach
        ? `faint: each batch; strong: mean of ${2 * reach + 1} neighbouring batches`
        : undefined,
      description: describeLast(events),
    },
    batchPanels(events, []),
  );
}

/** A run while it trains. */
export interface LiveRun {
  batches: BatchEvent[];
  /** Epochs that have ended. */
  epochs: EpochEvent[];
  /** Steps of the whole run, if known. */
  numSteps?: number;
  /** How far it is: "epoch 3 of 8 · …". */
  status: string;
}

/**
 * Draws a run while it trains, over the steps of the whole run: a progress bar, loss and accuracy of the training batches, and of
 * the validation images after each epoch, with the best epoch marked.
 */
export function liveTrainingChart({ batches, epochs, numSteps, status }: LiveRun): ChartSpec {
  if (!batches.length) return emptyChart("Training", status);
  const reach = reachOf(batches);
  const { step } = batches[batches.length - 1];
  const last = Math.max(step, numSteps ?? 0);
  const strong = reach ? `strong: mean of ${2 * reach + 1} batches` : "";
  const hints = ["blue: training", strong, "orange: validation", "green: best epoch"];
  return buildChart(
    {
      title: "Training",
      subtitle: [status, hints.filter(Boolean).join(", ")],
      description: [status, describeLast(batches), ...epochs.map(describeEpoch)].join("\n"),
    },
    {
      spacing: 16,
      vconcat: [progressBar(step / last), batchPanels(batches, epochs, last)],
    },
  );
}

/** Draws the share of a run that is done. */
function progressBar(share: number): object {
  const width = 2 * PANEL.width + PANEL_SPACING + AXIS_WIDTH;
  const bar = (x2: number, look: object) =>
    pixelLayer({ type: "rect", cornerRadius: 2, ...look }, [{ x: 0, x2, y: 0, y2: BAR_HEIGHT }]);
  return {
    width,
    height: BAR_HEIGHT,
    layer: [
      bar(width, { color: COLORS.axis, opacity: OPACITY.grid }),
      bar(share * width, { color: COLORS.blue }),
    ],
  };
}

/** Builds panels of loss and accuracy, side by side, from the first step to `lastStep`. */
function batchPanels(batches: BatchEvent[], epochs: EpochEvent[], lastStep?: number): object {
  const reach = reachOf(batches);
  const means = (field: "loss" | "accuracy") =>
    smooth(
      batches.map((batch) => batch[field]),
      reach,
    );
  const [lossMean, accuracyMean] = [means("loss"), means("accuracy")];
  const points = batches.map(({ step, loss, accuracy }, i) => ({
    step,
    loss: shorten(loss),
    accuracy: shorten(accuracy),
    lossMean: shorten(lossMean[i]),
    accuracyMean: shorten(accuracyMean[i]),
  }));
  const first = points[0].step;
  const last = lastStep ?? points[points.length - 1].step;
  const validated = epochs.map(({ step, epoch, validation: { loss, accuracy } }) => ({
    step,
    epoch,
    loss: shorten(loss),
    accuracy: shorten(accuracy),
  }));
  const best = keptEpoch(epochs);
  const panel = (field: "loss" | "accuracy", axis: object, scale: object) => ({
    ...PANEL,
    encoding: {
      x: {
        field: "step",
        type: "quantitative",
        axis: stepAxis([{ step: first }, { step: last }]),
        scale: { nice: false, zero: false, ...(last > first && { domain: [first, last] }) },
      },
    },
    layer: [
      ...(best ? [bestStep(best)] : []),
      line(field, { color: COLORS.blue, opacity: 0.28, strokeWidth: 1 }, axis, scale),
      line(`${field}Mean`, { color: COLORS.blue, strokeWidth: 2.2, point: points.length < 3 }, axis, scale),
      ...(validated.length
        ? [
            {
              data: { values: validated },
              mark: {
                type: "line",
                color: COLORS.orange,
                strokeWidth: 1.5,
                point: { size: validated.length > 30 ? 16 : 42, color: COLORS.orange },
                tooltip: true,
              },
              encoding: { y: { field, type: "quantitative", axis, scale } },
            },
          ]
        : []),
    ],
  });
  return {
    data: { values: thin(points, MAX_POINTS) },
    spacing: PANEL_SPACING,
    hconcat: [
      panel("loss", LOSS_AXIS, { zero: true, nice: true }),
      panel("accuracy", ACCURACY_AXIS, { domain: [0, 1] }),
    ],
  };
}

/** Draws a rule at the last step of the best epoch. */
function bestStep({ step }: EpochEvent): object {
  return {
    data: { values: [{ step }] },
    mark: { type: "rule", color: COLORS.green, strokeDash: [4, 3], strokeWidth: 1.5 },
  };
}

/** Returns the number of neighbours on each side that a mean is over. */
export function reachOf({ length }: { length: number }): number {
  return Math.min(50, Math.floor(length / 40));
}

/**
 * Draws loss and accuracy on train and validation images, epoch by epoch, and marks the kept epoch.
 *
 * @param events - The epochs of one run, in order. The last one with `isBest` is the kept one.
 * @example
 * ```ts
 * import { epochMetricsChart, loadMetrics, ofType, saveChart } from "ferkit";
 *
 * await saveChart(epochMetricsChart(ofType(await loadMetrics("runs/pets"), "epoch")), "epochs.png");
 * ```
 */
export function epochMetricsChart(events: EpochEvent[], title = "Training, epoch by epoch"): ChartSpec {
  checkList("events", EPOCHS, events, ["epoch", "validation"]);
  if (!events.length) return emptyChart(title, "no data: no epoch has ended yet");
  const best = keptEpoch(events);
  const values = events.flatMap(({ epoch, train, validation }) => [
    { epoch, split: "train", loss: train.loss, accuracy: train.accuracy },
    { epoch, split: "validation", loss: validation.loss, accuracy: validation.accuracy },
  ]);
  const bestText =
    best && `best: epoch ${best.epoch}, validation accuracy ${percent(best.validation.accuracy)}`;
  const targets = events[0].trainTargets && `train loss against ${events[0].trainTargets}`;
  const panel = (field: "loss" | "accuracy", axis: object, scale: object) => ({
    ...PANEL,
    encoding: {
      x: { field: "epoch", type: "quantitative", axis: epochAxis(events), scale: epochScale(events) },
    },
    layer: [
      ...(best ? [labelledRule({ epoch: best.epoch }, "best")] : []),
      {
        mark: {
          type: "line",
          strokeWidth: 2.2,
          point: { size: events.length > 30 ? 12 : 42 },
          tooltip: true,
        },
        encoding: {
          y: { field, type: "quantitative", axis, scale },
          color: {
            field: "split",
            type: "nominal",
            scale: { domain: ["train", "validation"], range: [COLORS.blue, COLORS.orange] },
            legend: { symbolType: "stroke", symbolStrokeWidth: 3, offset: 14 },
          },
        },
      },
    ],
  });
  return buildChart(
    {
      title,
      subtitle: [bestText, targets].filter(Boolean).join("; ") || undefined,
      description: [
        ...events.map(describeEpoch),
        ...(bestText ? [bestText] : []),
        ...(targets ? [targets] : []),
      ].join("\n"),
    },
    {
      data: { values },
      spacing: PANEL_SPACING,
      hconcat: [
        panel("loss", LOSS_AXIS, { zero: true, nice: true }),
        panel("accuracy", ACCURACY_AXIS, { domain: accuracyDomain(values), nice: false }),
      ],
    },
  );
}

function line(field: string, mark: object, axis: object, scale: object): object {
  return {
    mark: { type: "line", ...mark },
    encoding: { y: { field, type: "quantitative", axis, scale } },
  };
}

function describeEpoch({ epoch, train, validation }: EpochEvent): string {
  return (
    `epoch ${epoch}: train loss ${train.loss.toFixed(3)}, accuracy ${percent(train.accuracy)}; ` +
    `validation loss ${validation.loss.toFixed(3)}, accuracy ${percent(validation.accuracy)}`
  );
}

function describeLast(events: BatchEvent[]): string {
  const last = events.slice(-50);
  const mean = (field: "loss" | "accuracy") =>
    last.reduce((total, one) => total + one[field], 0) / last.length;
  return `after step ${last[last.length - 1].step}: loss ${mean("loss").toFixed(3)}, accuracy ${percent(mean("accuracy"))} (mean of the last ${last.length} batches)`;
}

/** Rounds to the digits that a chart can show; more would make a notebook several times larger. */
export function shorten(value: number): number {
  return Number(value.toPrecision(4));
}

// The title of the y axis is written above it, as the panel's heading, at the same height in both panels.
const HEADING = {
  titleAngle: 0,
  titleAlign: "left",
  titleAnchor: "end",
  titleX: 0,
  titleY: -20,
  titleBaseline: "bottom",
  titleOpacity: 1,
  titleFontWeight: 600,
  tickCount: 5,
};
const LOSS_AXIS = { title: "Loss (nats)", ...HEADING };
/** The y axis of accuracies. */
export const ACCURACY_AXIS = { title: "Accuracy", format: ".0~%", ...HEADING };

/** Builds an x axis with at most one tick per step, so that ticks are whole numbers. */
export function stepAxis(points: { step: number }[]): object {
  const numSteps = points[points.length - 1].step - points[0].step;
  return {
    title: "step (batches)",
    format: ",d",
    tickCount: Math.max(1, Math.min(6, numSteps)),
    ...LINE_AXIS,
  };
}

/** Builds an x axis with ticks at round epochs, few enough to read. */
export function epochAxis(events: { epoch: number }[]): object {
  const power = 10 ** Math.floor(Math.log10(events.length / 12));
  const strides = [1, 2, 5, 10].map((factor) => Math.max(1, factor * power));
  const stride = strides.find((one) => events.length / one <= 12) ?? strides[3];
  const values = events.map(({ epoch }) => epoch).filter((epoch) => epoch % stride === 0);
  return { title: "epoch", format: "d", values, ...LINE_AXIS };
}

/** Returns whole tenths around the values, so that there are always two ticks. */
export function accuracyDomain(values: { accuracy: number }[]): [number, number] {
  const accuracies = values.map(({ accuracy }) => accuracy);
  const low = Math.min(0.9, Math.floor(10 * Math.min(...accuracies)) / 10);
  return [low, Math.max(low + 0.1, Math.ceil(10 * Math.max(...accuracies)) / 10)];
}

/** Builds a scale from the first to the last epoch; a single one is in the middle. */
export function epochScale(events: { epoch: number }[]): object {
  const first = events[0].epoch;
  const last = events[events.length - 1].epoch;
  return { domain: first === last ? [first - 1, first + 1] : [first, last], nice: false, zero: false };
}

/** Draws a vertical rule at a value of the x axis, by the name of its field, with a label above it. */
export function labelledRule(value: Record<string, number>, label: string): object {
  return {
    data: { values: [{ ...value, label }] },
    layer: [
      { mark: { type: "rule", color: COLORS.green, strokeDash: [4, 3], strokeWidth: 1.5 } },
      {
        mark: { type: "text", y: -4, baseline: "bottom", fontSize: FONT_SIZE.small },
        encoding: { text: { field: "label" } },
      },
    ],
  };
}

/**
 * Returns the mean of each value and its neighbours on both sides, fewer at the ends. Unlike a running mean, it has no lag.
 *
 * @param reach - Neighbours on each side; 0 changes nothing.
 */
export function smooth(values: number[], reach: number): number[] {
  const sums = [0];
  for (const value of values) sums.push(sums[sums.length - 1] + value);
  return values.map((_, i) => {
    const [start, end] = [Math.max(0, i - reach), Math.min(values.length, i + reach + 1)];
    return (sums[end] - sums[start]) / (end - start);
  });
}

/** Returns at most `maxCount` of the items, evenly spaced, including the first and the last. */
export function thin<T>(items: T[], maxCount: number): T[] {
  if (items.length <= maxCount) return items;
  const stride = (items.length - 1) / (maxCount - 1);
  return Array.from({ length: maxCount }, (_, i) => items[Math.round(i * stride)]);
}
