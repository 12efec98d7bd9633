// The learning rate: of each step of a run, and the search for a good one.
import { checkKind, checkList } from "../errors.js";
import type { LearningRateSearch } from "../training/find-learning-rate.js";
import { buildChart, type ChartSpec, COLORS, emptyChart, LINE_AXIS } from "./theme.js";
import { labelledRule, MAX_POINTS, reachOf, shorten, smooth, stepAxis, thin } from "./training.js";

const WIDE = { width: 640, height: 240 };

/**
 * Draws the learning rate at each step of a run.
 *
 * @param points - From `learningRates`, or the batches of a run.
 * @example
 * ```ts
 * import { learningRateChart, learningRates, saveChart, trainConfig } from "ferkit";
 *
 * await saveChart(learningRateChart(learningRates(trainConfig("tutorial"), 1000)), "learning-rate.png");
 * ```
 */
export function learningRateChart(
  points: { step: number; learningRate: number }[],
  title = "Learning rate",
): ChartSpec {
  checkList("points", "rates of steps, as learningRates returns them", points, ["step", "learningRate"]);
  if (!points.length) return emptyChart(title, "no data: there is no step");
  const rates = points.map(({ learningRate }) => learningRate);
  const peak = points.reduce((best, point) => (point.learningRate > best.learningRate ? point : best));
  const isConstant = rates.every((rate) => rate === rates[0]);
  const peakText = isConstant
    ? `constant: ${shorten(rates[0])}`
    : `highest: ${shorten(peak.learningRate)} at step ${peak.step}`;
  const last = points[points.length - 1];
  return buildChart(
    {
      title,
      subtitle: peakText,
      description: `from ${shorten(rates[0])} to ${shorten(last.learningRate)} over ${points.length} steps, ${peakText}`,
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
          axis: { title: "learning rate", format: "~g", tickCount: 5 },
        },
      },
    },
  );
}

/**
 * Draws the loss over the learning rate, faint for each batch and strong as the mean of neighbouring ones, and marks the
 * suggested rate. The axis of rates is logarithmic.
 *
 * @param search - What `findLearningRate` has measured.
 * @example
 * ```ts
 * import { findLearningRate, learningRateSearchChart, loadDataset, saveChart, trainConfig } from "ferkit";
 *
 * const config = trainConfig("tutorial");
 * const dataset = await loadDataset({ data: "data/pets", imageSize: config.imageSize });
 * await saveChart(learningRateSearchChart(await findLearningRate(dataset, config)), "search.png");
 * ```
 */
export function learningRateSearchChart(
  search: LearningRateSearch,
  title = "Search for a learning rate",
): ChartSpec {
  checkKind("search", "what findLearningRate returns", search, ["points"]);
  const { points, suggestion, configured, diverged } = search;
  if (!points.length)
    return emptyChart(
      title,
      `no data: ${diverged ? "the loss was not finite in the first batch" : "no rate was tried"}`,
    );
  const reach = reachOf(points);
  const losses = points.map(({ loss }) => loss);
  const means = smooth(losses, reach);
  const values = points.map(({ learningRate, loss }, i) => ({
    learningRate: shorten(learningRate),
    loss: shorten(loss),
    mean: shorten(means[i]),
  }));
  const found =
    suggestion === null
      ? "no suggestion: the loss falls at no rate"
      : `suggested: ${suggestion}, where the loss falls fastest`;
  const end = diverged
    ? `; diverged above ${Number(points[points.length - 1].learningRate.toPrecision(2))}`
    : "";
  const y = (field: string) => ({
    field,
    type: "quantitative",
    scale: { zero: false },
    axis: { title: "loss (nats)", tickCount: 5 },
  });
  const rule = (learningRate: number, mark: object) => ({
    data: { values: [{ learningRate }] },
    mark: { type: "rule", strokeWidth: 1.5, ...mark },
  });
  return buildChart(
    {
      title,
      subtitle: [`${found}${end}`, `grey: the configured rate, ${configured}`],
      description: `${found}${end}\nconfigured: ${configured}\nlowest mean loss: ${Math.min(...means).toFixed(3)}`,
    },
    {
      ...WIDE,
      data: { values },
      encoding: {
        x: {
          field: "learningRate",
          type: "quantitative",
          scale: { type: "log", nice: false },
          axis: { title: "learning rate", format: "~g", tickCount: 6, ...LINE_AXIS },
        },
      },
      layer: [
        rule(configured, { color: COLORS.axis, strokeDash: [2, 3] }),
        {
          mark: { type: "line", color: COLORS.blue, opacity: 0.28, strokeWidth: 1 },
          encoding: { y: y("loss") },
        },
        {
          mark: {
            type: "line",
            color: COLORS.blue,
            strokeWidth: 2.2,
            tooltip: true,
            point: points.length < 3,
          },
          encoding: { y: y("mean") },
        },
        ...(suggestion === null
          ? []
          : [labelledRule({ learningRate: suggestion }, `suggested: ${suggestion}`)]),
      ],
    },
  );
}
