// Runs compared, as a chart and as tables.

import { isDeepStrictEqual } from "node:util";
import { dataName } from "../data/sources/source.js";
import { checkList } from "../errors.js";
import { flatten } from "../json.js";
import { inShort } from "../names.js";
import { duration, percent } from "../text.js";
import type { EpochEvent } from "../training/events.js";
import type { MeanOfRuns } from "../training/means.js";
import type { RunConfig } from "../training/run-config.js";
import type { RunSummary } from "../training/runs.js";
import { shortLabels } from "./class-balance.js";
import type { TextTable } from "./tables.js";
import { buildChart, type ChartSpec, emptyChart, LINE_AXIS, SERIES_COLORS } from "./theme.js";
import { ACCURACY_AXIS, accuracyDomain, epochAxis, epochScale } from "./training.js";

/** The accuracy of a run, epoch by epoch. */
export interface AccuracyCurve {
  /** Differs from those of the other curves. */
  name: string;
  /** Default: the next of `SERIES_COLORS`. */
  color?: string;
  /** In the order of the epochs. */
  points: AccuracyPoint[];
}

/** An epoch that was validated. */
export interface AccuracyPoint {
  /** From 1. */
  epoch: number;
  /** Minutes of training and validation since the start. */
  minutes: number;
  /** Top-1 accuracy on the validation images, [0, 1]. */
  accuracy: number;
}

/** Returns the points of a run's epochs. */
export function accuracyPoints(epochs: EpochEvent[]): AccuracyPoint[] {
  let durationMs = 0;
  return epochs.map((event) => {
    durationMs += event.durationMs;
    return { epoch: event.epoch, minutes: durationMs / 60_000, accuracy: event.validation.accuracy };
  });
}

const PANEL = { width: 360, height: 300 };
/** Width of a run's name in the legend, in pixels. */
const MAX_LEGEND_WIDTH = 300;
/** Patterns of lines whose colours repeat. */
const DASHES = [
  [1, 0],
  [5, 3],
  [2, 2],
  [9, 3],
];

/**
 * Draws the validation accuracy of runs over minutes of training and over epochs, side by side, a line per run.
 *
 * @param curves - Runs without an epoch are left out.
 * @example
 * ```ts
 * import { loadRuns, runsChart, saveChart } from "ferkit";
 *
 * const { runs } = await loadRuns("runs");
 * const curves = runs.map(({ folder, epochs }) => {
 *   let minutes = 0;
 *   const points = epochs.map(({ epoch, durationMs, validation }) => {
 *     minutes += durationMs / 60_000;
 *     return { epoch, minutes, accuracy: validation.accuracy };
 *   });
 *   return { name: folder, points };
 * });
 * await saveChart(runsChart(curves), "runs.png");
 * ```
 */
export function runsChart(curves: AccuracyCurve[], title = "Runs"): ChartSpec {
  checkList("curves", "a list of curves, each { name, points }", curves, ["name", "points"]);
  const best = ({ points }: AccuracyCurve) => Math.max(...points.map(({ accuracy }) => accuracy));
  const ranked = curves
    .filter(({ points }) => points.length)
    .sort((a, b) => best(b) - best(a))
    .map((curve) => ({ ...curve, name: `${percent(best(curve))} ${curve.name}` }));
  if (!ranked.length) return emptyChart(title, "no data: no epoch has ended yet");
  const names = ranked.map(({ name }) => name);
  const legend = {
    ...shortLabels(names, MAX_LEGEND_WIDTH),
    orient: "right",
    direction: "vertical",
    symbolType: "stroke",
    symbolStrokeWidth: 3,
    symbolLimit: ranked.length,
    labelLimit: MAX_LEGEND_WIDTH,
    rowPadding: 5,
    offset: 14,
  };
  return buildChart(
    {
      title,
      subtitle: "sorted by best validation accuracy",
      description: ranked.map((curve) => describeCurve(curve)).join("\n"),
    },
    {
      spacing: 40,
      hconcat: (["minutes", "epoch"] as const).map((x) => ({
        ...PANEL,
        ...accuracyLines(ranked, x, legend),
      })),
    },
  );
}

function describeCurve({ name, points }: AccuracyCurve): string {
  const { epoch, minutes } = points[points.length - 1];
  return `${name}: epoch ${epoch} after ${minutes.toFixed(1)} minutes`;
}

/** Curves with more epochs than this get small points. */
const MAX_LARGE_POINTS = 30;

/**
 * Builds lines of accuracy over minutes or epochs, with a point per epoch and the legend in the order of the curves.
 *
 * @param curves - At least one of them has a point.
 * @param legend - Position and look, as in vega-lite.
 */
function accuracyLines(curves: AccuracyCurve[], x: "minutes" | "epoch", legend: object): object {
  const values = curves.flatMap(({ name, points }) => points.map((point) => ({ run: name, ...point })));
  const epochs = numbersTo(Math.max(...values.map(({ epoch }) => epoch))).map((epoch) => ({ epoch }));
  const domain = curves.map(({ name }) => name);
  const numColors = SERIES_COLORS.length;
  return {
    data: { values },
    mark: {
      type: "line",
      strokeWidth: 2.2,
      point: { size: epochs.length > MAX_LARGE_POINTS ? 12 : 36 },
      tooltip: true,
    },
    encoding: {
      x: {
        field: x,
        type: "quantitative",
        ...(x === "epoch"
          ? { axis: epochAxis(epochs), scale: epochScale(epochs) }
          : {
              axis: { title: "minutes of training and validation", tickCount: 8, ...LINE_AXIS },
              scale: { domainMin: 0, nice: false },
            }),
      },
      y: {
        field: "accuracy",
        type: "quantitative",
        axis: { ...ACCURACY_AXIS, title: "Validation accuracy" },
        scale: { domain: accuracyDomain(values), nice: false },
      },
      color: {
        field: "run",
        type: "nominal",
        legend,
        scale: { domain, range: curves.map(({ color }, i) => color ?? SERIES_COLORS[i % numColors]) },
      },
      ...(curves.length > numColors && {
        strokeDash: {
          field: "run",
          type: "nominal",
          legend,
          scale: { domain, range: curves.map((_, i) => DASHES[Math.floor(i / numColors) % DASHES.length]) },
        },
      }),
    },
  };
}

function numbersTo(last: number): number[] {
  return Array.from({ length: last }, (_, i) => i + 1);
}

/** Written for a value that is not known. */
const NONE = "–";

/** A column of a table: its heading, whether it is aligned on the right, and the cell of a row. */
type Column<Row> = [heading: string, isNumeric: boolean, cell: (row: Row) => string];

function tableOf<Row>(rows: Row[], columns: Column<Row>[]): TextTable {
  return {
    heading: columns.map(([heading]) => heading),
    rows: rows.map((row) => columns.map(([, , cell]) => cell(row))),
    isNumeric: columns.map(([, isNumeric]) => isNumeric),
  };
}

/** Returns the column of folds, if one of the rows has any. */
function foldColumn<Row extends { fold: string | null }>(rows: Row[]): Column<Row>[] {
  return rows.some(({ fold }) => fold !== null) ? [["fold", true, ({ fold }) => fold ?? ""]] : [];
}

/** Lists runs with their settings and results. */
export function runsTable(runs: (RunSummary & { name: string })[]): TextTable {
  return tableOf(runs, [
    ["run", false, ({ name }) => name],
    ["data", false, ({ data }) => data],
    ["network", false, ({ variant }) => variant],
    ["pixels", true, ({ imageSize }) => `${imageSize}`],
    ["seed", true, ({ seed }) => `${seed}`],
    ...foldColumn(runs),
    ["epochs", true, ({ numEpochs, epochs }) => `${numEpochs}/${epochs}`],
    ["state", false, ({ state }) => state],
    ["accuracy", true, ({ bestAccuracy }) => (bestAccuracy === null ? NONE : percent(bestAccuracy))],
    ["at epoch", true, ({ bestEpoch }) => `${bestEpoch ?? NONE}`],
    ["macro-F1", true, ({ macroF1 }) => macroF1?.toFixed(3) ?? NONE],
    ["time", true, ({ durationMs }) => (durationMs ? duration(durationMs / 1000) : NONE)],
    ["started", false, ({ started }) => started?.slice(0, 10) ?? NONE],
  ]);
}

/** Lists means over runs that differ only in their seed, with the standard deviation where there are several. */
export function meansTable(means: MeanOfRuns[]): TextTable {
  const spread = ({ mean, deviation }: MeanOfRuns["accuracy"], format: (value: number) => string) =>
    deviation === null ? format(mean) : `${format(mean)} ± ${format(deviation)}`;
  return tableOf(means, [
    ["runs", false, ({ names }) => inShort(names)],
    ["data", false, ({ data }) => data],
    ["network", false, ({ variant }) => variant],
    ["pixels", true, ({ imageSize }) => `${imageSize}`],
    ...foldColumn(means),
    ["seeds", false, ({ seeds }) => seeds.join(", ")],
    ["accuracy", true, ({ accuracy }) => spread(accuracy, percent)],
    ["macro-F1", true, ({ macroF1 }) => (macroF1 ? spread(macroF1, (value) => value.toFixed(3)) : NONE)],
  ]);
}

/** Lists the values in which configurations differ, with a column per run. */
export function differencesTable(runs: { name: string; config: RunConfig }[]): TextTable {
  const values = runs.map(({ config }) => {
    const { train, classNames, data, id: _, asideDigest: __, dataOptions = {}, ...rest } = config;
    const own = Object.entries(dataOptions).filter(([name]) => !Object.hasOwn(train, name)); // fit and grey are in both
    const options = Object.fromEntries(own);
    return flatten({
      data: dataName(data),
      numClasses: classNames.length,
      ...rest,
      dataOptions: options,
      ...train,
    });
  });
  const names = [...new Set(values.flatMap((own) => [...own.keys()]))];
  const differing = names.filter((name) =>
    values.some((own) => !isDeepStrictEqual(own.get(name), values[0].get(name))),
  );
  return {
    heading: ["differs", ...runs.map(({ name }) => name)],
    rows: differing.map((name) => [name, ...values.map((own) => cellOf(own.get(name)))]),
    isNumeric: [false, ...runs.map(() => true)],
  };
}

function cellOf(value: unknown): string {
  if (value === undefined) return NONE;
  return Array.isArray(value) ? value.join(", ") || "none" : String(value);
}
