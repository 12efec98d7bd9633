import { accuracyLines } from "../src/charts/accuracy-curves.js";
import { percent } from "../src/charts/percent.js";
import { buildChart, type ChartSpec, COLORS } from "../src/charts/theme.js";
import type { Machine } from "../src/environment.js";
import {
  ACCURACY_RUNS,
  type AccuracyRecord,
  type AccuracyRunName,
  targetAccuracy,
} from "./accuracy-record.js";
import { CONTENDER_NAMES, CONTENDERS, type ContenderName } from "./contenders.js";
import type { Results } from "./results.js";
import { DRAWN_BATCH_SIZES, DRAWN_IMAGE_SIZE } from "./suite.js";
import { medianOnly } from "./tables.js";

const NETWORKS = { lite0: "Lite0", b0: "B0" };
const OWN: readonly ContenderName[] = ["ferkit", "ferkitLoading"];

/** Images a second in training, side by side: a panel for each network and batch size, a bar for each contender. */
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
    axis: { title: null, domain: false, ticks: false, labelLimit: 260 },
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
      title: "Training, images a second",
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

/** Validation accuracy over minutes of training, a line for each run, with the accuracy to reach marked. */
export function accuracyChart(record: AccuracyRecord): ChartSpec {
  const colors: Record<AccuracyRunName, string> = {
    pytorchSeed: COLORS.axis,
    ferkit: COLORS.blue,
    pytorchRecipe: COLORS.orange,
  };
  const names = (Object.keys(ACCURACY_RUNS) as AccuracyRunName[]).filter((name) => record.runs[name]);
  const curves = names.map((name) => ({
    name: ACCURACY_RUNS[name].label,
    color: colors[name],
    points: (record.runs[name]?.curve ?? []).map((point) => ({ ...point, minutes: point.seconds / 60 })),
  }));
  const target = targetAccuracy(record);
  const lines = accuracyLines(curves, "minutes", { labelLimit: 300, offset: 44, symbolType: "stroke" });
  const rule = {
    data: { values: [{ target }] },
    mark: { type: "rule", color: COLORS.green, strokeDash: [4, 3] },
    encoding: { y: { field: "target", type: "quantitative" } },
  };
  return buildChart(
    {
      title: "Time to accuracy",
      subtitle: `${record.data}, Lite0 on ${describeMachine(record.machine)}, ${record.date}; dashed: the seed recipe's best`,
      description: curves
        .flatMap(({ name, points }) =>
          points.map(
            ({ minutes, accuracy }) => `${name}: ${percent(accuracy)} after ${minutes.toFixed(1)} minutes`,
          ),
        )
        .join("\n"),
    },
    { width: 640, height: 280, layer: target === undefined ? [lines] : [lines, rule] },
  );
}

function describeMachine({ cpu, cores }: Machine): string {
  return `${cores} cores of an ${cpu}`;
}
