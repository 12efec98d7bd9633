import { InputError } from "../errors.js";
import { percent } from "./percent.js";
import { textWidth } from "./text-width.js";
import { buildChart, type ChartSpec, COLORS, emptyChart, FONT_SIZE, SHARE_COLORS } from "./theme.js";

/** Which classes a model takes for which. */
export interface Confusion {
  /** `[actual][predicted]`, in images. */
  matrix: number[][];
  classNames: string[];
}

/**
 * The confusion matrix: a row for each actual class, coloured by the share of the row, with the counts.
 *
 * Empty cells stay blank. Of more than 12 classes only the shares are written, of more than 20 nothing.
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

/** The main numbers of each row in words. */
export function describeConfusion({ matrix, classNames }: Confusion): string {
  return classNames.map((name, c) => describeRow(name, matrix[c], classNames)).join("\n");
}

/** The confusion matrix as a part of a chart. */
export function confusionPanel({ matrix, classNames }: Confusion): object {
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
        // A colour field without a scale beside the one of the cells stops vega-lite's compiler.
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

/** Share of each class's images that the model recognises, the best first, with their mean. */
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
      subtitle: `share of each class's images that are recognised; mean ${percent(mean)}`,
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
            // In a column of their own, where no bar and no rule crosses them.
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
