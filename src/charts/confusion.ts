// What a model confuses, and what it gets right in each class.
import { checkKind, checkNumber, InputError } from "../errors.js";
import { formatCount, percent } from "../text.js";
import { barSize, classAxis, endsOf, shortLabels } from "./class-balance.js";
import { textWidth } from "./render.js";
import { buildChart, type ChartSpec, COLORS, emptyChart, FONT_SIZE, SHARES } from "./theme.js";

/** Which classes a model confuses. */
export interface Confusion {
  /** Numbers of images, `[actual][predicted]`. */
  matrix: number[][];
  /** In the order of the matrix. */
  classNames: string[];
}

/**
 * Draws the confusion matrix: a row for each actual class, with counts, coloured by the share of the row.
 *
 * Empty cells are blank. With more than 12 classes only the shares are written, with more than 20 nothing.
 *
 * @example
 * ```ts
 * import { confusionMatrixChart, evaluate, loadEvaluationData, loadModel, saveChart } from "ferkit";
 *
 * const network = await loadModel("runs/pets/best");
 * const { dataset } = await loadEvaluationData("runs/pets/best", { data: "data/pets" });
 * const { confusionMatrix: matrix } = await evaluate(network, dataset.validation);
 * await saveChart(confusionMatrixChart({ matrix, classNames: dataset.classNames }), "confusion.png");
 * network.dispose();
 * ```
 */
export function confusionMatrixChart(confusion: Confusion, title = "Confusion matrix"): ChartSpec {
  const kind =
    "a confusion matrix with the names of its classes, { matrix: evaluation.confusionMatrix, classNames }";
  checkKind("confusion", kind, confusion, ["matrix", "classNames"]);
  const { matrix, classNames } = confusion;
  checkSquare(matrix, classNames);
  const totals = matrix.map((row) => row.reduce((a, b) => a + b, 0));
  const numImages = totals.reduce((a, b) => a + b, 0);
  if (!numImages) return emptyChart(title, "no data: no image has been classified");
  const hits = matrix.reduce((total, row, c) => total + row[c], 0);
  const found = `${formatCount(numImages)} images, ${percent(hits / numImages)} on the diagonal`;
  const key = "colour: share of the actual class";
  return buildChart(
    {
      title,
      subtitle: classNames.length < 5 ? [found, key] : `${found}; ${key}`, // a line must not be wider than the matrix
      description: describeConfusion(confusion),
    },
    confusionPanel(confusion),
  );
}

/** Writes the main numbers of each row in words. */
export function describeConfusion({ matrix, classNames }: Confusion): string {
  return classNames.map((name, c) => describeRow(name, matrix[c], classNames)).join("\n");
}

/** Sizes of a matrix, by its number of classes. */
interface MatrixSize {
  maxClasses: number;
  /** Side of a cell, in pixels. */
  cell: number;
  /** Size of the class names; null if they do not fit. */
  fontSize: number | null;
  gap: number;
}

const SIZES: MatrixSize[] = [
  { maxClasses: 12, cell: 58, fontSize: FONT_SIZE.label, gap: 0.04 },
  { maxClasses: 20, cell: 40, fontSize: FONT_SIZE.label, gap: 0.04 },
  { maxClasses: 60, cell: 20, fontSize: FONT_SIZE.label, gap: 0 },
  { maxClasses: 250, cell: 12, fontSize: FONT_SIZE.tiny, gap: 0 },
];
/** A drawing of more cells takes minutes and tens of megabytes. */
const MAX_CELLS = 60_000;
/** Side of a matrix of more classes, in pixels. */
const LARGE_SIDE = 3000;

function sizeFor(numClasses: number): MatrixSize {
  const large = { maxClasses: numClasses, cell: LARGE_SIDE / numClasses, fontSize: null, gap: 0 };
  return SIZES.find(({ maxClasses }) => numClasses <= maxClasses) ?? large;
}

/** Builds the confusion matrix as a part of a chart. */
export function confusionPanel({ matrix, classNames }: Confusion) {
  const totals = matrix.map((row) => row.reduce((a, b) => a + b, 0));
  const numClasses = classNames.length;
  const { cell, fontSize, gap } = sizeFor(numClasses);
  const hasTexts = numClasses <= 20;
  const all = matrix.flatMap((row, actual) =>
    row.flatMap((count, predicted) => {
      if (!hasTexts && !count) return []; // most cells of a large matrix are empty
      const share = totals[actual] ? count / totals[actual] : 0;
      return {
        actual: classNames[actual],
        predicted: classNames[predicted],
        count,
        share,
        shareLabel: shareLabel(count, share),
        ...(hasTexts && { countLabel: count ? formatCount(count) : "" }),
      };
    }),
  );
  const isWhole = all.length <= MAX_CELLS;
  const values = isWhole ? all : all.sort((a, b) => b.share - a.share).slice(0, MAX_CELLS);
  const left = isWhole ? "" : ` (only the ${formatCount(MAX_CELLS)} cells of the largest shares are drawn)`;
  const text = (field: string, dy: number, fontSize: number) => ({
    mark: { type: "text", dy, fontSize, baseline: "middle" },
    encoding: {
      text: { field, type: "nominal" },
      color: {
        // A second colour field, without a scale, would stop vega-lite's compiler.
        condition: { test: `datum.share > ${SHARES.whiteTextAbove}`, value: COLORS.onColor },
        value: COLORS.text,
      },
    },
  });
  const axis = {
    labelOpacity: 1,
    labelPadding: 6,
    ...shortLabels(classNames),
    ...(fontSize === null
      ? { labels: false, grid: false }
      : { labelFontSize: fontSize, labelOverlap: false }),
  };
  const scale = { domain: classNames, paddingInner: gap, paddingOuter: 0 };
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
        axis: { ...axis, title: `predicted class${left}`, orient: "bottom", labelAngle: fits ? 0 : -45 },
      },
      y: { field: "actual", type: "nominal", scale, axis: { ...axis, title: "actual class" } },
    },
    layer: [
      {
        mark: { type: "rect", fill: SHARES.color, cornerRadius: hasTexts ? 3 : 0 },
        encoding: {
          fillOpacity: {
            field: "share",
            type: "quantitative",
            scale: { domain: SHARES.domain, range: hasTexts ? SHARES.opacity : SHARES.strongOpacity },
            legend: null,
          },
          tooltip: ["actual", "predicted", "count", "shareLabel"].map((field) => ({ field })),
        },
      },
      ...(numClasses <= 12
        ? [text("shareLabel", -7, FONT_SIZE.label), text("countLabel", 9, 10)]
        : hasTexts
          ? [text("shareLabel", 0, 10)]
          : []),
    ],
  };
}

/**
 * Draws the recall of each class, highest first, and the mean.
 *
 * @param perClassRecall - Recall of each class, [0, 1]; null for a class without images, which is left out.
 * @example
 * ```ts
 * import { loadMetrics, ofType, perClassRecallChart, saveChart } from "ferkit";
 *
 * const [{ validation }] = ofType(await loadMetrics("runs/pets"), "epoch").slice(-1);
 * await saveChart(perClassRecallChart(validation.perClassRecall), "recall.png");
 * ```
 */
export function perClassRecallChart(
  perClassRecall: Record<string, number | null>,
  title = "Recall per class",
): ChartSpec {
  for (const [name, recall] of Object.entries(perClassRecall))
    if (recall !== null) checkNumber(`perClassRecall[${JSON.stringify(name)}]`, recall, { min: 0, max: 1 });
  const known = Object.entries(perClassRecall).filter(
    (entry): entry is [string, number] => entry[1] !== null,
  );
  if (!known.length) return emptyChart(title, "no data: no class has images");
  known.sort((a, b) => b[1] - a[1]);
  const unknown = Object.keys(perClassRecall).filter((name) => perClassRecall[name] === null);
  const mean = known.reduce((total, [, recall]) => total + recall, 0) / known.length;
  const all = [
    ...known.map(([className, recall]) => ({ className, recall, label: percent(recall) })),
    ...unknown.map((className) => ({ className, recall: 0, label: "no images" })),
  ];
  const { shown: values, note } = endsOf(all, "highest", "lowest");
  const { step, fontSize } = barSize(values.length);
  return buildChart(
    {
      title,
      subtitle: `share of each class's images that are predicted correctly; mean ${percent(mean)}${note}`,
      description: [
        ...all.map(({ className, label }) => `${className}: ${label}`),
        `mean: ${percent(mean)}`,
      ].join("\n"),
    },
    {
      width: 480,
      height: { step },
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
              axis: classAxis(
                fontSize,
                values.map(({ className }) => className),
              ),
            },
            x: {
              field: "recall",
              type: "quantitative",
              stack: null, // stacking fails for a class that has a name such as constructor
              scale: { domain: [0, 1] },
              axis: { title: "recall", format: ".0%", tickCount: 5 },
            },
          },
          layer: [
            { mark: { type: "bar", color: COLORS.blue, cornerRadiusEnd: 2 } },
            // In their own column, where no bar or rule crosses them.
            {
              mark: {
                type: "text",
                align: "left",
                baseline: "middle",
                dx: 12,
                fontSize: Math.min(fontSize, FONT_SIZE.small),
              },
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
    fix: "Choose the classNames that the matrix was made with.",
  });
}
