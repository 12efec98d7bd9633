import { type ChartSpec, internals } from "../src/index.js";
import {
  ACCURACY_RUNS,
  type AccuracyRecord,
  type AccuracyRunName,
  targetAccuracy,
} from "./accuracy-record.js";
import type { Machine, Results } from "./results.js";
import { CONTENDER_NAMES, CONTENDERS, DRAWN_BATCH_SIZES, DRAWN_IMAGE_SIZE, OWN } from "./suite.js";
import { medianOnly } from "./tables.js";

const { buildChart, COLORS, percent } = internals;
const NETWORKS = { lite0: "Lite0", b0: "B0" };

/** Draws images per second in training: a panel for each network and batch size, a bar for each contender. */
export function speedChart({ timings, machine, date }: Results): ChartSpec {
  const values = timings
    .filter(
      (t) =>
        t.kind === "train" && t.imageSize === DRAWN_IMAGE_SIZE && DRAWN_BATCH_SIZES.includes(t.batchSize),
    )
    .map(({ variant, batchSize, contender, median, min, max, numRounds }) => ({
      panel: `${NETWORKS[variant]}, batch ${batchSize}`,
      contender: CONTENDERS[contender].label,
      isOwn: OWN.includes(contender),
      rate: Math.round(median),
      text: medianOnly({ median, min, max, numRounds }),
    }));
  const y = {
    field: "contender",
    type: "nominal",
    sort: CONTENDER_NAMES.map((name) => CONTENDERS[name].label),
    axis: { title: null, labelLimit: 260 },
  };
  const bars = {
    mark: { type: "bar", height: { band: 0.72 }, cornerRadiusEnd: 2 },
    encoding: {
      color: { condition: { test: "datum.isOwn", value: COLORS.blue }, value: COLORS.quiet },
    },
  };
  const numbers = {
    mark: { type: "text", align: "left", dx: 5 },
    encoding: { text: { field: "text", type: "nominal" } },
  };
  const x = { field: "rate", type: "quantitative", axis: null };
  return buildChart(
    {
      title: "Training, images per second",
      subtitle: `EfficientNet at ${DRAWN_IMAGE_SIZE} pixels on ${describeMachine(machine)}, ${date}`,
      description: values.map(({ panel, contender, text }) => `${panel}: ${contender} ${text}`).join("\n"),
    },
    {
      data: { values },
      columns: 2,
      facet: {
        field: "panel",
        type: "nominal",
        sort: [...new Set(values.map(({ panel }) => panel))],
        title: null,
        header: { labelAnchor: "start", labelFontWeight: 600, labelColor: COLORS.text, labelFontSize: 12 },
      },
      spec: { width: 220, height: { step: 24 }, encoding: { x, y }, layer: [bars, numbers] },
    },
  );
}

/** Draws validation accuracy over minutes of training: a line for each run, and the target as a dashed line. */
export function accuracyChart(record: AccuracyRecord): ChartSpec {
  const colors: Record<AccuracyRunName, string> = {
    pytorchBaseline: COLORS.axis,
    ferkit: COLORS.blue,
    pytorchRecipe: COLORS.orange,
  };
  const names = (Object.keys(ACCURACY_RUNS) as AccuracyRunName[]).filter((name) => record.runs[name]);
  const values = names.flatMap((name) =>
    (record.runs[name]?.curve ?? []).map(({ seconds, accuracy }) => ({
      run: ACCURACY_RUNS[name].label,
      minutes: seconds / 60,
      accuracy,
    })),
  );
  const axis = { grid: false, domain: true, ticks: true, tickCount: 8 };
  const lines = {
    data: { values },
    mark: { type: "line", strokeWidth: 2.2, point: { size: 36 }, tooltip: true },
    encoding: {
      x: {
        field: "minutes",
        type: "quantitative",
        axis: { ...axis, title: "minutes of training and validation" },
      },
      y: {
        field: "accuracy",
        type: "quantitative",
        axis: { title: "Validation accuracy", format: ".0%", tickCount: 6 },
        scale: { zero: false },
      },
      color: {
        field: "run",
        type: "nominal",
        legend: { labelLimit: 300, offset: 44, symbolType: "stroke" },
        scale: {
          domain: names.map((name) => ACCURACY_RUNS[name].label),
          range: names.map((name) => colors[name]),
        },
      },
    },
  };
  const target = targetAccuracy(record);
  const rule = {
    data: { values: [{ target }] },
    mark: { type: "rule", color: COLORS.green, strokeDash: [4, 3] },
    encoding: { y: { field: "target", type: "quantitative" } },
  };
  return buildChart(
    {
      title: "Time to accuracy",
      subtitle: `${record.data}, Lite0 on ${describeMachine(record.machine)}, ${record.date}; dashed: the baseline's best`,
      description: values
        .map(
          ({ run, minutes, accuracy }) => `${run}: ${percent(accuracy)} after ${minutes.toFixed(1)} minutes`,
        )
        .join("\n"),
    },
    { width: 640, height: 280, layer: target === undefined ? [lines] : [lines, rule] },
  );
}

function describeMachine({ cpu, cores }: Machine): string {
  return `${cores} cores of an ${cpu}`;
}
