// Axes of the curves over a run.
import { COLORS, FONT_SIZE } from "./theme.js";

// A panel's heading is the title of its upright axis, laid flat above it: the same height in both panels.
const HEADING = {
  titleAngle: 0,
  titleAlign: "left",
  titleAnchor: "end",
  titleX: 0,
  titleY: -20,
  titleBaseline: "bottom",
  titleColor: COLORS.text,
  titleFontWeight: 600,
  tickCount: 5,
  domain: false,
  ticks: false,
};
export const LOSS_AXIS = { title: "Loss (nats)", ...HEADING };
export const ACCURACY_AXIS = { title: "Accuracy", format: ".0~%", ...HEADING };

/** No more ticks than steps, so that they fall on whole numbers. */
export function stepAxis(points: { step: number }[]): object {
  const numSteps = points[points.length - 1].step - points[0].step;
  return {
    title: "step (batches)",
    format: ",d",
    tickCount: Math.max(1, Math.min(6, numSteps)),
    grid: false,
  };
}

/** Ticks at whole epochs only, and few enough to read. */
export function epochAxis(events: { epoch: number }[]): object {
  const stride = Math.ceil(events.length / 12);
  const values = events.map(({ epoch }) => epoch).filter((epoch) => epoch % stride === 0);
  return { title: "epoch", format: "d", values, grid: false };
}

/** Whole tenths around the values, so that there are always two ticks. */
export function accuracyDomain(values: { accuracy: number }[]): [number, number] {
  const accuracies = values.map(({ accuracy }) => accuracy);
  const least = Math.min(0.9, Math.floor(10 * Math.min(...accuracies)) / 10);
  return [least, Math.max(least + 0.1, Math.ceil(10 * Math.max(...accuracies)) / 10)];
}

/** From the first to the last epoch; a single one stands in the middle. */
export function epochScale(events: { epoch: number }[]): object {
  const first = events[0].epoch;
  const last = events[events.length - 1].epoch;
  return { domain: first === last ? [first - 1, first + 1] : [first, last], nice: false, zero: false };
}

/** A rule at the kept epoch. */
export function bestRule(epoch: number): object {
  return {
    data: { values: [{ epoch, label: "best" }] },
    encoding: { x: { field: "epoch", type: "quantitative" } },
    layer: [
      { mark: { type: "rule", color: COLORS.green, strokeDash: [4, 3], strokeWidth: 1.5 } },
      {
        mark: { type: "text", color: COLORS.green, y: -4, baseline: "bottom", fontSize: FONT_SIZE.small },
        encoding: { text: { field: "label" } },
      },
    ],
  };
}
