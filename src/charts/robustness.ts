import { formatCount, percent } from "../text.js";
import { buildChart, type ChartSpec, COLORS, SERIES_COLORS } from "./theme.js";

/** Accuracy under corruptions of the images. */
export interface Robustness {
  numImages: number;
  clean: { accuracy: number };
  corrupted: { corruption: string; strength: number; value: number; accuracy: number }[];
}

const PANEL = { width: 440, height: 300 };

/** Draws accuracy over the strength of each corruption, a line each, all from the accuracy on unchanged images. */
export function robustnessChart(
  { numImages, clean, corrupted }: Robustness,
  { title = "Robustness", subtitle }: { title?: string; subtitle?: string } = {},
): ChartSpec {
  const names = [...new Set(corrupted.map(({ corruption }) => corruption))];
  const lines = names.map((name) => [
    { corruption: name, strength: 0, accuracy: clean.accuracy },
    ...corrupted.filter(({ corruption }) => corruption === name),
  ]);
  const description = lines.map(
    (points) =>
      `${points[0].corruption}: ${points.map(({ accuracy }) => percent(accuracy)).join(", ")} at strengths 0 to ${points.length - 1}`,
  );
  const counted = `${formatCount(numImages)} images, unchanged ${percent(clean.accuracy)}`;
  return buildChart(
    {
      title,
      subtitle: [...(subtitle ? [subtitle] : []), counted],
      description: [counted, ...description].join("\n"),
    },
    {
      ...PANEL,
      layer: [
        {
          data: { values: [{ accuracy: clean.accuracy }] },
          mark: { type: "rule", color: COLORS.axis, strokeDash: [4, 3] },
          encoding: { y: { field: "accuracy", type: "quantitative" } },
        },
        {
          data: { values: lines.flat() },
          mark: { type: "line", strokeWidth: 2.2, point: { size: 36 }, tooltip: true },
          encoding: {
            x: {
              field: "strength",
              type: "quantitative",
              axis: {
                title: "strength",
                values: [0, 1, 2, 3, 4, 5],
                grid: false,
              },
            },
            y: {
              field: "accuracy",
              type: "quantitative",
              scale: { domainMin: 0 },
              axis: { title: "accuracy", format: ".0%" },
            },
            color: {
              field: "corruption",
              type: "nominal",
              scale: { domain: names, range: names.map((_, i) => SERIES_COLORS[i % SERIES_COLORS.length]) },
              legend: { orient: "right", direction: "vertical", symbolType: "stroke", symbolStrokeWidth: 3 },
            },
          },
        },
      ],
    },
  );
}
