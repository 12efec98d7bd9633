import { type AccuracyCurve, accuracyLines } from "./accuracy-curves.js";
import { percent } from "./percent.js";
import { buildChart, type ChartSpec, emptyChart } from "./theme.js";

const PANEL = { width: 360, height: 300 };

/**
 * Validation accuracy of runs over minutes of training and over epochs, side by side, a line for each run.
 *
 * @param curves - Runs without an epoch are left out.
 */
export function runsChart(curves: AccuracyCurve[], title = "Runs"): ChartSpec {
  const best = ({ points }: AccuracyCurve) => Math.max(...points.map(({ accuracy }) => accuracy));
  const ranked = curves
    .filter(({ points }) => points.length)
    .sort((a, b) => best(b) - best(a))
    .map((curve) => ({ ...curve, name: `${percent(best(curve))} ${curve.name}` }));
  if (!ranked.length) return emptyChart(title, "no data: no epoch has ended yet");
  const legend = {
    orient: "right",
    direction: "vertical",
    symbolType: "stroke",
    symbolStrokeWidth: 3,
    labelLimit: 300,
    rowPadding: 5,
    offset: 14,
  };
  return buildChart(
    {
      title,
      subtitle: "from the best validation accuracy to the least",
      description: ranked.map((curve) => describe(curve)).join("\n"),
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

function describe({ name, points }: AccuracyCurve): string {
  const { epoch, minutes } = points[points.length - 1];
  return `${name}: epoch ${epoch} after ${minutes.toFixed(1)} minutes`;
}
