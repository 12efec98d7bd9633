// How well a model does: the reliability of its probabilities, its confusions and its scores.

import { formatCount, percent } from "../text.js";
import { type Confusion, confusionPanel, describeConfusion } from "./confusion.js";
import { buildChart, type ChartSpec, COLORS, FONT_SIZE } from "./theme.js";

/** Images whose largest probability is in one interval. */
export interface Bin {
  from: number;
  to: number;
  numImages: number;
  accuracy: number | null;
  confidence: number | null;
}

/** How well probabilities match accuracy. */
export interface Reliability {
  bins: Bin[];
  /** Expected calibration error, [0, 1]. */
  ece: number;
}

export interface EvaluatedModel {
  confusion: Confusion;
  /** Scores of each class, in the order of the class names; null if not defined. */
  classScores: { precision: number | null; recall: number | null; f1: number | null; count: number }[];
  /** Reliability of the probabilities that the model returns. */
  shown: Reliability;
  /** Reliability before calibration, if the model was calibrated. */
  uncalibrated?: Reliability;
  /** Error over the share of images that get an answer. */
  riskCoverage: { aurc: number; points: { answered: number; risk: number; minProb: number }[] };
  title?: string;
  subtitle?: string;
}

/** Side of the reliability diagram, in pixels. */
const SIDE = 290;
const COLUMNS = ["precision", "recall", "F1", "images"] as const;
const COLUMN_WIDTH = 58;
/** Rows of scores that are legible beside the matrix. */
const MAX_SCORED = 250;

/** Draws how well a model does: the reliability of its probabilities, its confusion matrix, and the scores of each class. */
export function evaluationChart(model: EvaluatedModel): ChartSpec {
  const { confusion, classScores, shown, uncalibrated, riskCoverage, title = "Evaluation", subtitle } = model;
  const { classNames } = confusion;
  const matrix = confusionPanel(confusion);
  const scored = classNames.map(
    (name, c) =>
      `${name}: ${COLUMNS.map((column) => `${column} ${cellOf(classScores[c], column)}`).join(", ")}`,
  );
  return buildChart(
    {
      title,
      subtitle,
      description: [
        `expected calibration error ${percent(shown.ece)}`,
        ...(uncalibrated ? [`before calibration ${percent(uncalibrated.ece)}`] : []),
        `area under the risk–coverage curve ${riskCoverage.aurc.toFixed(3)}`,
        ...scored,
        describeConfusion(confusion),
      ].join("\n"),
    },
    {
      spacing: 48,
      resolve: { scale: { x: "independent", y: "independent", color: "independent" } },
      hconcat: [
        {
          spacing: 14,
          vconcat: [
            reliabilityPanel(shown, uncalibrated),
            histogramPanel(shown.bins),
            riskPanel(riskCoverage.points),
          ],
        },
        {
          spacing: 4,
          hconcat: [
            matrix,
            ...(classNames.length <= MAX_SCORED ? [scorePanel(classNames, classScores, matrix.height)] : []),
          ],
        },
      ],
    },
  );
}

/** Draws accuracy over predicted probability. On the diagonal they agree. */
function reliabilityPanel(shown: Reliability, uncalibrated?: Reliability): object {
  const own = `${uncalibrated ? "after" : "without"} calibration`;
  const drawn: [name: string, color: string, Reliability | undefined][] = [
    [own, COLORS.blue, shown],
    ["before calibration", COLORS.orange, uncalibrated],
  ];
  const series = drawn.flatMap(([name, color, known]) =>
    known ? { name: `${name}, error ${percent(known.ece)}`, color, bins: known.bins } : [],
  );
  const values = series.flatMap(({ name, bins }) =>
    bins.filter(({ numImages }) => numImages >= minImages(bins)).map((bin) => ({ name, ...bin })),
  );
  const axis = { format: ".0%", values: [0, 0.2, 0.4, 0.6, 0.8, 1] };
  return {
    width: SIDE,
    height: SIDE,
    layer: [
      {
        data: { values: [{ from: 0, to: 1 }] },
        mark: { type: "rule", color: COLORS.axis, strokeDash: [4, 3], strokeWidth: 1.5 },
        encoding: {
          x: { field: "from", type: "quantitative" },
          y: { field: "from", type: "quantitative" },
          x2: { field: "to" },
          y2: { field: "to" },
        },
      },
      {
        data: { values },
        mark: { type: "line", strokeWidth: 2.2, point: { size: 36 }, tooltip: true },
        encoding: {
          x: {
            field: "confidence",
            type: "quantitative",
            scale: { domain: [0, 1] },
            axis: { ...axis, title: "mean probability of the predicted class" },
          },
          y: {
            field: "accuracy",
            type: "quantitative",
            scale: { domain: [0, 1] },
            axis: { ...axis, title: "accuracy" },
          },
          color: {
            field: "name",
            type: "nominal",
            scale: { domain: series.map(({ name }) => name), range: series.map(({ color }) => color) },
            legend: { direction: "vertical", symbolType: "circle" },
          },
        },
      },
    ],
  };
}

/** Returns the number of images below which an accuracy means nothing and gets no point. */
function minImages(bins: Bin[]): number {
  const numImages = bins.reduce((total, bin) => total + bin.numImages, 0);
  return Math.min(10, Math.ceil(numImages / 100));
}

/** Draws the number of images in each bin. */
function histogramPanel(bins: Bin[]): object {
  return {
    width: SIDE,
    height: 64,
    data: { values: bins },
    mark: { type: "bar", color: COLORS.quiet, binSpacing: 1 },
    encoding: {
      x: { field: "from", bin: "binned", type: "quantitative", scale: { domain: [0, 1] }, axis: null },
      x2: { field: "to" },
      y: {
        field: "numImages",
        type: "quantitative",
        axis: { title: "images", tickCount: 2, format: ",d" },
      },
    },
  };
}

/** Draws the error among the images that get an answer, the most probable first. */
function riskPanel(points: EvaluatedModel["riskCoverage"]["points"]): object {
  return {
    width: SIDE,
    height: SIDE / 2,
    data: { values: points },
    mark: { type: "line", color: COLORS.blue, strokeWidth: 2.2, tooltip: true },
    encoding: {
      x: {
        field: "answered",
        type: "quantitative",
        scale: { domain: [0, 1] },
        axis: { format: ".0%", title: "share of images answered" },
      },
      y: {
        field: "risk",
        type: "quantitative",
        scale: { domainMin: 0, ...(points.every(({ risk }) => risk === 0) && { domainMax: 1 }) }, // else one tick
        axis: { format: ".0%", title: "error among them", tickCount: 4 },
      },
    },
  };
}

/** Draws columns of scores beside the rows of the confusion matrix. */
function scorePanel(classNames: string[], scores: EvaluatedModel["classScores"], height: number): object {
  const values = classNames.flatMap((className, c) =>
    COLUMNS.map((column) => ({ className, column, text: cellOf(scores[c], column) })),
  );
  return {
    width: COLUMNS.length * COLUMN_WIDTH,
    height,
    data: { values },
    mark: {
      type: "text",
      baseline: "middle",
      fontSize: classNames.length > 60 ? FONT_SIZE.tiny : FONT_SIZE.label,
    },
    encoding: {
      x: {
        field: "column",
        type: "nominal",
        scale: { type: "band", domain: COLUMNS, paddingInner: 0, paddingOuter: 0 },
        axis: {
          title: null,
          orient: "top",
          labelAngle: 0,
        },
      },
      y: {
        field: "className",
        type: "nominal",
        scale: { type: "band", domain: classNames, paddingInner: 0.04, paddingOuter: 0 },
        axis: null,
      },
      text: { field: "text", type: "nominal" },
    },
  };
}

function cellOf(scores: EvaluatedModel["classScores"][number], column: (typeof COLUMNS)[number]): string {
  if (column === "images") return formatCount(scores.count);
  const value = scores[column === "F1" ? "f1" : column];
  return value === null ? "–" : column === "F1" ? value.toFixed(3) : percent(value);
}
