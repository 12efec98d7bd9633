// What a model gets right and what it confuses.
import { InputError } from "../errors.js";
import { percent } from "./format.js";
import { textWidth } from "./render.js";
import { buildChart, type ChartSpec, COLORS, emptyChart, FONT_SIZE, SHARE_COLORS } from "./theme.js";

/** Which classes a model confuses. */
export interface Confusion {
  /** Numbers of images, `[actual][predicted]`. */
  matrix: number[][];
  classNames: string[];
}

/**
 * Draws the confusion matrix: a row for each actual class, with counts, coloured by the share of the row.
 *
 * Empty cells are blank. With more than 12 classes only the shares are written, with more than 20 nothing.
 */
export function confusionMatrixChart(confusion: Confusion, title = "Confusion matrix"): ChartSpec {
  const { matrix, classNames } = confusion;
  checkSquare(matrix, classNames);
  const totals = matrix.map((row) => row.reduce((a, b) => a + b, 0));
  const numImages = totals.reduce((a, b) => a + b, 0);
  if (!numImages) return emptyChart(title, "no data: no image has been classified");
  const hits = matrix.reduce((total, row, c) => total + row[c], 0);
  return buildChart(
    {
      title,
      subtitle: `${numImages.toLocaleString("en-US")} images, ${percent(hits / numImages)} on the diagonal; colour: share of the actual class`,
      description: describeConfusion(confusion),
    },
    confusionPanel(confusion),
  );
}

/** Writes the main numbers of each row in words. */
function describeConfusion({ matrix, classNames }: Confusion): string {
  return classNames.map((name, c) => describeRow(name, matrix[c], classNames)).join("\n");
}

/** Builds the confusion matrix as a part of a chart. */
function confusionPanel({ matrix, classNames }: Confusion): object {
  const totals = matrix.map((row) => row.reduce((a, b) => a + b, 0));
  const numClasses = classNames.length;
  const cell = numClasses <= 12 ? 58 : numClasses <= 20 ? 40 : 20;
  const values = matrix.flatMap((row, actual) =>
    row.map((count, predicted) => {
      const share = totals[actual] ? count / totals[actual] : 0;
      return {
        actual: classNames[actual],
        predicted: classNames[predicted],
        count,
        share,
        shareLabel: shareLabel(count, share),
        countLabel: count ? count.toLocaleString("en-US") : "",
      };
    }),
  );
  const text = (field: string, dy: number, fontSize: number) => ({
    mark: { type: "text", dy, fontSize, baseline: "middle" },
    encoding: {
      text: { field, type: "nominal" },
      color: {
        // A second colour field, without a scale, would stop vega-lite's compiler.
        condition: { test: `datum.share > ${SHARE_COLORS.darkAbove}`, value: SHARE_COLORS.textOnDark },
        value: SHARE_COLORS.textOnLight,
      },
    },
  });
  const axis = { domain: false, ticks: false, grid: false, labelColor: COLORS.text, labelPadding: 6 };
  const scale = { domain: classNames, paddingInner: numClasses <= 20 ? 0.04 : 0, paddingOuter: 0 };
  const fits = Math.max(...classNames.map((name) => textWidth(name, FONT_SIZE.label))) < cell;
  return {
    width: numClasses * cell,
    height: numClasses * cell,
    data: { values },
    encoding: {
      x: {
        field: "predicted",
        type: "nominal",
        scale,
        axis: { ...axis, title: "predicted class", orient: "bottom", labelAngle: fits ? 0 : -45 },
      },
      y: { field: "actual", type: "nominal", scale, axis: { ...axis, title: "actual class" } },
    },
    layer: [
      {
        mark: { type: "rect", cornerRadius: numClasses <= 20 ? 3 : 0 },
        encoding: {
          color: {
            field: "share",
            type: "quantitative",
            scale: { domain: SHARE_COLORS.domain, range: SHARE_COLORS.range },
            legend: null,
          },
          tooltip: ["actual", "predicted", "count", "shareLabel"].map((field) => ({ field })),
        },
      },
      ...(numClasses <= 12
        ? [text("shareLabel", -7, FONT_SIZE.label), text("countLabel", 9, 10)]
        : numClasses <= 20
          ? [text("shareLabel", 0, 10)]
          : []),
    ],
  };
}

/** Draws the recall of each class, highest first, and the mean. */
export function perClassRecallChart(
  perClassRecall: Record<string, number | null>,
  title = "Recall per class",
): ChartSpec {
  const known = Object.entries(perClassRecall).filter(
    (entry): entry is [string, number] => entry[1] !== null,
  );
  if (!known.length) return emptyChart(title, "no data: no class has images");
  known.sort((a, b) => b[1] - a[1]);
  const unknown = Object.keys(perClassRecall).filter((name) => perClassRecall[name] === null);
  const mean = known.reduce((total, [, recall]) => total + recall, 0) / known.length;
  const values = [
    ...known.map(([className, recall]) => ({ className, recall, label: percent(recall) })),
    ...unknown.map((className) => ({ className, recall: 0, label: "no images" })),
  ];
  return buildChart(
    {
      title,
      subtitle: `share of each class's images that are predicted correctly; mean ${percent(mean)}`,
      description: [
        ...values.map(({ className, label }) => `${className}: ${label}`),
        `mean: ${percent(mean)}`,
      ].join("\n"),
    },
    {
      width: 480,
      height: { step: values.length > 20 ? 22 : 28 },
      layer: [
        {
          data: { values },
          encoding: {
            y: {
              field: "className",
              type: "nominal",
              scale: {
                domain: values.map(({ className }) => className),
                paddingInner: 0.28,
                paddingOuter: 0.15,
              },
              axis: { title: null, domain: false, ticks: false, labelColor: COLORS.text, labelPadding: 8 },
            },
            x: {
              field: "recall",
              type: "quantitative",
              scale: { domain: [0, 1] },
              axis: { title: "recall", format: ".0%", tickCount: 5, domain: false, ticks: false },
            },
          },
          layer: [
            { mark: { type: "bar", color: COLORS.blue, cornerRadiusEnd: 2 } },
            // In their own column, where no bar or rule crosses them.
            {
              mark: { type: "text", align: "left", baseline: "middle", dx: 12, fontSize: FONT_SIZE.small },
              encoding: { x: { value: "width" }, text: { field: "label", type: "nominal" } },
            },
          ],
        },
        {
          data: { values: [{ mean }] },
          mark: { type: "rule", color: COLORS.orange, strokeDash: [4, 3], strokeWidth: 1.5 },
          encoding: { x: { field: "mean", type: "quantitative" } },
        },
      ],
    },
  );
}

function describeRow(name: string, row: number[], classNames: string[]): string {
  const total = row.reduce((a, b) => a + b, 0);
  const parts = row
    .map((count, c) => ({ count, className: classNames[c] }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, 3)
    .map(({ count, className }) => `${className} ${count} (${shareLabel(count, count / total)})`);
  return `${name} → ${parts.join(", ") || "no images"}`;
}

function shareLabel(count: number, share: number): string {
  if (count === 0) return "";
  return share < 0.005 ? "<1%" : percent(share, 0);
}

function checkSquare(matrix: number[][], classNames: string[]): void {
  const numClasses = classNames.length;
  if (matrix.length === numClasses && matrix.every((row) => row.length === numClasses)) return;
  throw new InputError({
    expected: `a confusion matrix of ${numClasses} × ${numClasses}, one row and column a class name`,
    found: `${matrix.length} rows of ${[...new Set(matrix.map((row) => row.length))].join(", ")}`,
  });
}

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
  title?: string;
  subtitle?: string;
}

/** Side of the reliability diagram, in pixels. */
const SIDE = 290;
const COLUMNS = ["precision", "recall", "F1", "images"] as const;
const COLUMN_WIDTH = 58;

/** Draws how well a model does: the reliability of its probabilities, its confusion matrix, and the scores of each class. */
export function evaluationChart(model: EvaluatedModel): ChartSpec {
  const { confusion, classScores, shown, uncalibrated, title = "Evaluation", subtitle } = model;
  const { classNames } = confusion;
  const matrix = confusionPanel(confusion) as { height: number };
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
        ...scored,
        describeConfusion(confusion),
      ].join("\n"),
    },
    {
      spacing: 48,
      resolve: { scale: { x: "independent", y: "independent", color: "independent" } },
      hconcat: [
        { spacing: 14, vconcat: [reliabilityPanel(shown, uncalibrated), histogramPanel(shown.bins)] },
        { spacing: 4, hconcat: [matrix, scorePanel(classNames, classScores, matrix.height)] },
      ],
    },
  );
}

/** Draws accuracy over predicted probability. On the diagonal they agree. */
function reliabilityPanel(shown: Reliability, uncalibrated?: Reliability): object {
  const series = [
    { name: `as given, error ${percent(shown.ece)}`, color: COLORS.blue, ...shown },
    ...(uncalibrated
      ? [
          {
            name: `before calibration, error ${percent(uncalibrated.ece)}`,
            color: COLORS.orange,
            ...uncalibrated,
          },
        ]
      : []),
  ];
  const values = series.flatMap(({ name, bins }) =>
    bins.filter(({ numImages }) => numImages >= minImages(bins)).map((bin) => ({ name, ...bin })),
  );
  const axis = { format: ".0%", values: [0, 0.2, 0.4, 0.6, 0.8, 1], domain: false, ticks: false };
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
        axis: { title: "images", tickCount: 2, format: "~s", domain: false, ticks: false },
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
    mark: { type: "text", baseline: "middle", fontSize: FONT_SIZE.label },
    encoding: {
      x: {
        field: "column",
        type: "nominal",
        scale: { type: "band", domain: COLUMNS, paddingInner: 0, paddingOuter: 0 },
        axis: {
          title: null,
          orient: "top",
          domain: false,
          ticks: false,
          labelAngle: 0,
          labelColor: COLORS.mutedText,
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
  if (column === "images") return scores.count.toLocaleString("en-US");
  const value = scores[column === "F1" ? "f1" : column];
  return value === null ? "–" : column === "F1" ? value.toFixed(3) : percent(value);
}
