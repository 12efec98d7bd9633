// Validation accuracy of several runs, as lines in one panel.
import type { EpochEvent } from "../training/events.js";
import { SERIES_COLORS } from "./theme.js";
import { ACCURACY_AXIS, accuracyDomain, epochAxis, epochScale } from "./training-axes.js";

/** How the accuracy of a run rose. */
export interface AccuracyCurve {
  /** Of its own. */
  name: string;
  /** The next of those for series unless told. */
  color?: string;
  points: AccuracyPoint[];
}

/** An epoch that was validated. */
export interface AccuracyPoint {
  /** From 1. */
  epoch: number;
  /** Since the start, of training and validation. */
  minutes: number;
  /** Top-1 on the validation images, [0, 1]. */
  accuracy: number;
}

/** The points of a run's epochs. */
export function accuracyPoints(epochs: EpochEvent[]): AccuracyPoint[] {
  let durationMs = 0;
  return epochs.map((event) => {
    durationMs += event.durationMs;
    return { epoch: event.epoch, minutes: durationMs / 60_000, accuracy: event.validation.accuracy };
  });
}

/** More epochs than these get small points. */
const MAX_LARGE_POINTS = 30;

/**
 * Lines of accuracy over minutes or over epochs, a point for each epoch, with the legend in the order of the curves.
 *
 * @param curves - With a point at least among them.
 * @param legend - Where it stands and what it looks like, as vega-lite has it.
 */
export function accuracyLines(curves: AccuracyCurve[], x: "minutes" | "epoch", legend: object): object {
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
              axis: { title: "minutes of training and validation", grid: false, tickCount: 8 },
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
      // Where the colours begin again, lines are dashed.
      ...(curves.length > numColors && {
        strokeDash: {
          field: "run",
          type: "nominal",
          legend,
          scale: { domain, range: curves.map((_, i) => (i < numColors ? [1, 0] : [5, 3])) },
        },
      }),
    },
  };
}

/** From 1. */
function numbersTo(last: number): number[] {
  return Array.from({ length: last }, (_, i) => i + 1);
}
