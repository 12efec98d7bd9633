import { type BatchEvent, type EpochEvent, keptEpoch } from "../training/events.js";
import { percent } from "./percent.js";
import { smooth, thin } from "./series.js";
import { buildChart, type ChartSpec, COLORS, emptyChart } from "./theme.js";
import {
  ACCURACY_AXIS,
  accuracyDomain,
  bestRule,
  epochAxis,
  epochScale,
  LOSS_AXIS,
  stepAxis,
} from "./training-axes.js";

/** Two of them side by side fit into a notebook beside a file browser. */
const PANEL = { width: 310, height: 250 };
const WIDE = { width: 640, height: 240 };
/** More points than a panel has pixels only make the notebook larger. */
const MAX_POINTS = 500;

/** The learning rate at each step of a run. */
export function learningRateChart(
  points: { step: number; learningRate: number }[],
  title = "Learning rate",
): ChartSpec {
  if (!points.length) return emptyChart(title, "no data: there is no step");
  const rates = points.map(({ learningRate }) => learningRate);
  const peak = points[rates.indexOf(Math.max(...rates))];
  const peakText = `${shorten(peak.learningRate)} at step ${peak.step}`;
  const last = points[points.length - 1];
  return buildChart(
    {
      title,
      subtitle: `highest: ${peakText}`,
      description: `from ${shorten(rates[0])} to ${shorten(last.learningRate)} over ${points.length} steps, highest: ${peakText}`,
    },
    {
      ...WIDE,
      data: {
        values: thin(points, MAX_POINTS).map(({ step, learningRate }) => ({
          step,
          learningRate: shorten(learningRate),
        })),
      },
      mark: { type: "line", color: COLORS.blue, strokeWidth: 2, point: points.length < 3, tooltip: true },
      encoding: {
        x: {
          field: "step",
          type: "quantitative",
          axis: stepAxis(points),
          scale: { nice: false, zero: false },
        },
        y: {
          field: "learningRate",
          type: "quantitative",
          axis: { title: "learning rate", format: "~g", tickCount: 5, domain: false, ticks: false },
        },
      },
    },
  );
}

/**
 * Loss and accuracy of each training batch: faint as measured, strong as the mean of neighbouring batches.
 *
 * Of a long run, points at even distances are drawn; the mean is over all.
 *
 * @param events - Of one run, in order.
 */
export function batchMetricsChart(events: BatchEvent[], title = "Training, batch by batch"): ChartSpec {
  if (!events.length) return emptyChart(title, "no data: no batch has been trained yet");
  const reach = Math.min(50, Math.floor(events.length / 40));
  const lossMean = smooth(
    events.map(({ loss }) => loss),
    reach,
  );
  const accuracyMean = smooth(
    events.map(({ accuracy }) => accuracy),
    reach,
  );
  const points = events.map(({ step, loss, accuracy }, i) => ({
    step,
    loss: shorten(loss),
    accuracy: shorten(accuracy),
    lossMean: shorten(lossMean[i]),
    accuracyMean: shorten(accuracyMean[i]),
  }));
  const panel = (field: "loss" | "accuracy", axis: object, scale: object) => ({
    ...PANEL,
    encoding: {
      x: { field: "step", type: "quantitative", axis: stepAxis(points), scale: { nice: false, zero: false } },
    },
    layer: [
      line(field, { color: COLORS.blue, opacity: 0.28, strokeWidth: 1 }, axis, scale),
      line(`${field}Mean`, { color: COLORS.blue, strokeWidth: 2.2, point: points.length < 3 }, axis, scale),
    ],
  });
  return buildChart(
    {
      title,
      subtitle: reach
        ? `faint: each batch; strong: mean of ${2 * reach + 1} neighbouring batches`
        : undefined,
      description: describeLast(events),
    },
    {
      data: { values: thin(points, MAX_POINTS) },
      spacing: 40,
      hconcat: [
        panel("loss", LOSS_AXIS, { zero: true, nice: true }),
        panel("accuracy", ACCURACY_AXIS, { domain: [0, 1] }),
      ],
    },
  );
}

/**
 * Loss and accuracy on train and validation images, epoch by epoch, with the kept epoch marked.
 *
 * @param events - Of one run, in order; the last one with `isBest` is the kept one.
 */
export function epochMetricsChart(events: EpochEvent[], title = "Training, epoch by epoch"): ChartSpec {
  if (!events.length) return emptyChart(title, "no data: no epoch has ended yet");
  const best = keptEpoch(events);
  const values = events.flatMap(({ epoch, train, validation }) => [
    { epoch, split: "train", loss: train.loss, accuracy: train.accuracy },
    { epoch, split: "validation", loss: validation.loss, accuracy: validation.accuracy },
  ]);
  const bestText =
    best && `best: epoch ${best.epoch}, validation accuracy ${percent(best.validation.accuracy)}`;
  const panel = (field: "loss" | "accuracy", axis: object, scale: object) => ({
    ...PANEL,
    layer: [
      ...(best ? [bestRule(best.epoch)] : []),
      {
        mark: {
          type: "line",
          strokeWidth: 2.2,
          point: { size: events.length > 30 ? 12 : 42 },
          tooltip: true,
        },
        encoding: {
          x: { field: "epoch", type: "quantitative", axis: epochAxis(events), scale: epochScale(events) },
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
      subtitle: bestText,
      description: [
        ...events.map(
          ({ epoch, train, validation }) =>
            `epoch ${epoch}: train loss ${train.loss.toFixed(3)}, accuracy ${percent(train.accuracy)}; ` +
            `validation loss ${validation.loss.toFixed(3)}, accuracy ${percent(validation.accuracy)}`,
        ),
        ...(bestText ? [bestText] : []),
      ].join("\n"),
    },
    {
      data: { values },
      spacing: 40,
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

function describeLast(events: BatchEvent[]): string {
  const last = events.slice(-50);
  const mean = (field: "loss" | "accuracy") =>
    last.reduce((total, one) => total + one[field], 0) / last.length;
  return `after step ${last[last.length - 1].step}: loss ${mean("loss").toFixed(3)}, accuracy ${percent(mean("accuracy"))} (mean of the last ${last.length} batches)`;
}

/** As exact as a chart can show; all digits would make a notebook several times larger. */
function shorten(value: number): number {
  return Number(value.toPrecision(4));
}
