import { checkList, InputError } from "../errors.js";
import { counted, formatCount } from "../text.js";
import { fitText } from "./layout.js";
import { buildChart, type ChartSpec, COLORS, emptyChart, FONT_SIZE } from "./theme.js";

/** Number of images of a class in a split. */
export interface ClassCount {
  /** `train` or `validation`, or another name to show. */
  split: string;
  /** The class. */
  className: string;
  /** Number of images. */
  count: number;
}

/** Classes that a chart shows; of more, those at both ends. */
const MAX_CLASSES = 300;

/** Returns the classes to show of a ranked list, and a note that says so if some are left out. */
export function endsOf<T>(ranked: T[], first: string, last: string): { shown: T[]; note: string } {
  if (ranked.length <= MAX_CLASSES) return { shown: ranked, note: "" };
  const half = MAX_CLASSES / 2;
  const note = `; the ${half} ${first} and the ${half} ${last} of ${formatCount(ranked.length)} classes`;
  return { shown: [...ranked.slice(0, half), ...ranked.slice(-half)], note };
}

/** Builds the axis that names every class. */
export function classAxis(labelFontSize: number, classNames: string[]): object {
  return {
    ...shortLabels(classNames),
    title: null,
    labelOpacity: 1,
    labelPadding: 8,
    labelFontSize,
    labelOverlap: false,
  };
}

/** Width of a name beside its row, in pixels. */
const MAX_NAME_WIDTH = 200;

/**
 * Cuts long names where an axis or a legend shows them. Vega's own limit would reserve space for whole names, and cut their ends.
 *
 * @param width - Largest width of a name, in pixels.
 */
export function shortLabels(names: string[], width = MAX_NAME_WIDTH): object {
  const short = names.map((name) => fitText(name, width, FONT_SIZE.label));
  const cut = names.flatMap((name, i) => (short[i] === name ? [] : [i]));
  if (cut.length === 0) return {};
  const index = `indexof(${JSON.stringify(cut.map((i) => names[i]))}, datum.label)`;
  return {
    labelExpr: `${index} < 0 ? datum.label : ${JSON.stringify(cut.map((i) => short[i]))}[${index}]`,
  };
}

/** Returns the height of a row in pixels, and the font size of its label, for as many rows. */
export function barSize(numRows: number): { step: number; fontSize: number } {
  if (numRows <= 20) return { step: 28, fontSize: FONT_SIZE.label };
  return numRows <= 60 ? { step: 22, fontSize: FONT_SIZE.label } : { step: 12, fontSize: FONT_SIZE.tiny };
}

const SPLIT_COLORS = [COLORS.blue, COLORS.orange, COLORS.green];

/**
 * Draws the number of images of each class as bars, one per split, the largest class first.
 *
 * @param classCounts - As in the report of `loadDataset`.
 * @example
 * ```ts
 * import { classBalanceChart, loadDataset, saveChart } from "ferkit";
 *
 * const { report } = await loadDataset({ data: "data/pets", imageSize: 48 });
 * await saveChart(classBalanceChart(report.classCounts), "classes.png");
 * ```
 */
export function classBalanceChart(classCounts: ClassCount[], title = "Images per class"): ChartSpec {
  checkList("classCounts", "the counts of a data set, dataset.report.classCounts", classCounts, [
    "split",
    "className",
    "count",
  ]);
  if (!classCounts.length) return emptyChart(title, "no data: no class has been counted");
  const splits = [...new Set(classCounts.map(({ split }) => split))];
  if (splits.length > SPLIT_COLORS.length)
    throw new InputError({
      expected: `at most ${SPLIT_COLORS.length} splits in a class balance chart`,
      found: splits.join(", "),
      fix: "Remove the others, or draw a chart of each.",
    });
  const inFirst = classCounts.filter(({ split }) => split === splits[0]).sort((a, b) => b.count - a.count);
  const allNames = [...new Set([...inFirst, ...classCounts].map(({ className }) => className))];
  const { shown: classNames, note } = endsOf(allNames, "largest", "smallest");
  const isShown = new Set(classNames);
  const numImages = splits.map((split) =>
    classCounts.reduce((total, one) => total + (one.split === split ? one.count : 0), 0),
  );
  const totals = splits.map((split, i) => `${formatCount(numImages[i])} in ${split}`).join(", ");
  // At most one tick per image, so that ticks are whole numbers.
  const largest = Math.max(1, ...classCounts.map(({ count }) => count));
  const values = classCounts
    .filter(({ className }) => isShown.has(className))
    .map((one) => ({ ...one, label: formatCount(one.count) }));
  const numClasses = allNames.length;
  const step = Math.max(12, (numClasses > 60 ? 9 : numClasses > 20 ? 16 : 20) * splits.length);
  const fontSize = numClasses > 60 ? FONT_SIZE.tiny : FONT_SIZE.label;
  return buildChart(
    {
      title,
      subtitle: `${counted(numClasses, "class", "classes")}, ${totals}${note}`,
      description: allNames
        .map((name) => {
          const counts = classCounts.filter(({ className }) => className === name);
          return `${name}: ${counts.map(({ split, count }) => `${formatCount(count)} ${split}`).join(", ")}`;
        })
        .join("\n"),
    },
    {
      width: 520,
      height: { step, for: "position" },
      data: { values },
      encoding: {
        y: {
          field: "className",
          type: "nominal",
          scale: { domain: classNames, paddingInner: 0.24, paddingOuter: 0.12 },
          axis: classAxis(fontSize, classNames),
        },
        yOffset: { field: "split", type: "nominal", scale: { domain: splits, paddingInner: 0.12 } },
        x: {
          field: "count",
          type: "quantitative",
          scale: { nice: false, domainMin: 0 },
          axis: {
            title: "images",
            format: ",d",
            tickCount: Math.min(6, largest),
          },
        },
      },
      layer: [
        {
          mark: { type: "bar", cornerRadiusEnd: 2 },
          encoding: {
            color: {
              field: "split",
              type: "nominal",
              scale: { domain: splits, range: SPLIT_COLORS.slice(0, splits.length) },
              legend: splits.length > 1 ? {} : null,
            },
            tooltip: ["className", "split", "count"].map((field) => ({ field })),
          },
        },
        {
          mark: {
            type: "text",
            align: "left",
            baseline: "middle",
            dx: 4,
            fontSize: Math.min(fontSize, FONT_SIZE.small),
            clip: false,
          },
          encoding: { text: { field: "label" } },
        },
      ],
    },
  );
}
