// Figures as tables and sentences: with their range in the terminal, without it in the docs.
import type { LogitsParity } from "./parity.js";
import type { Ratio } from "./ratios.js";
import type { Results } from "./results.js";
import type { Spread, Timing } from "./rounds.js";
import {
  CONTENDER_NAMES,
  CONTENDERS,
  type Contender,
  type ContenderName,
  describe,
  type Kind,
  OWN,
} from "./suite.js";
import type { EpochTensors } from "./workers/data.js";

/** A heading, and rows with a cell for each of its columns. */
export interface Table {
  heading: string[];
  rows: string[][];
}

/** Lists images per second: a row for each workload, a column for each contender, and ferkit over the fastest other. */
export function timingTable(timings: readonly Timing[], format: (rate: Spread) => string): Table {
  const contenders = CONTENDER_NAMES.filter((name) => timings.some((timing) => timing.contender === name));
  const workloads = [...new Set(timings.map(describe))];
  const rows = workloads.map((workload) => {
    const of = (name: ContenderName) =>
      timings.find((timing) => timing.contender === name && describe(timing) === workload);
    const own = of("ferkit");
    const other = fastestOther(timings.filter((timing) => describe(timing) === workload));
    const ratio = own && other ? (own.median / other.median).toFixed(2) : "";
    const cell = (rate?: Spread) => (rate ? format(rate) : "");
    return [workload, ...contenders.map((name) => cell(of(name))), ratio];
  });
  const labels = contenders.map((name) => CONTENDERS[name].label);
  return { heading: ["images/s", ...labels, "ferkit / fastest other"], rows };
}

/** Returns the fastest float32 timing that is not ferkit's. */
function fastestOther(timings: readonly Timing[]): Timing | undefined {
  const isRival = ({ contender }: Timing) => {
    const { precision }: Contender = CONTENDERS[contender];
    return !OWN.includes(contender) && precision !== "bfloat16";
  };
  return timings.filter(isRival).sort((a, b) => b.median - a.median)[0];
}

/** Lists the workloads on which another contender is faster than ferkit, the slowest first. */
export function behindTable(timings: readonly Timing[]): Table {
  const rows = [...new Set(timings.map(describe))].flatMap((workload) => {
    const ofWorkload = timings.filter((timing) => describe(timing) === workload);
    const own = ofWorkload.find(({ contender }) => contender === "ferkit");
    const other = fastestOther(ofWorkload);
    if (!own || !other || own.median >= other.median) return [];
    const ratio = own.median / other.median;
    return [
      { ratio, cells: [workload, medianOnly(own), CONTENDERS[other.contender].label, medianOnly(other)] },
    ];
  });
  return {
    heading: ["workload", "ferkit, images/s", "fastest other", "images/s", "ferkit / other"],
    rows: rows.sort((a, b) => a.ratio - b.ratio).map(({ ratio, cells }) => [...cells, ratio.toFixed(2)]),
  };
}

/** Returns text such as `338 (331–344)`. */
export function withSpread({ median, min, max }: Spread): string {
  return `${round(median)} (${round(min)}–${round(max)})`;
}

/** Returns text such as `338`. */
export function medianOnly({ median }: Spread): string {
  return round(median);
}

export function ratioTable(ratios: Record<string, Ratio>): Table {
  const rows = Object.entries(ratios).map(([name, { value, meaning }]) => [name, value.toFixed(2), meaning]);
  return { heading: ["ratio", "", "above 1 = ferkit is better"], rows };
}

/** Describes everything besides the speed of steps, in one sentence each. */
export function remarks({ parity, logitsParity, timings, memory, data, tensors, starts }: Results): string[] {
  const agreement = parity.map(
    ({ variant, engine, gradientError }) => `${variant} in ${engine} ${gradientError.toExponential(0)}`,
  );
  const peaks = (kind: Kind, meaning: string): [boolean, string] => {
    const cells = memory
      .filter((figure) => figure.kind === kind)
      .map(
        ({ contender, peakResidentBytes }) =>
          `${CONTENDERS[contender].label} ${(peakResidentBytes / 1e9).toFixed(2)} GB`,
      );
    return [cells.length > 0, `Peak memory ${meaning}: ${cells.join(", ")}.`];
  };
  const single = timings.filter((t) => t.batchSize === 1 && t.variant === "lite0" && t.imageSize === 48);
  const latency = (kind: Kind, meaning: string): [boolean, string] => {
    const ofKind = single.filter((timing) => timing.kind === kind);
    const cells = ofKind.map(
      ({ contender, median }) => `${CONTENDERS[contender].label} ${(1000 / median).toFixed(1)} ms`,
    );
    return [cells.length > 0, `${meaning}: ${cells.join(", ")}.`];
  };
  const numTurns = timings.reduce((sum, timing) => sum + timing.numRounds, 0);
  const numDisturbed = timings.reduce((sum, timing) => sum + timing.numDisturbed, 0);
  const lines: [boolean, string][] = [
    [parity.length > 0, `Largest relative difference of a gradient from ferkit's: ${agreement.join(", ")}.`],
    [
      (logitsParity ?? []).length > 0,
      `Largest relative difference of logits from ferkit's: ${largestLogitsErrors(logitsParity ?? [])}.`,
    ],
    latency("infer", "One image of 48 px through Lite0"),
    latency("predict", "From the bytes of its file to Lite0's probabilities"),
    peaks("train", "while B0 trains at 48 px, batch 32"),
    peaks("infer", "while Lite0 infers at 48 px, batch 32"),
    [
      (starts ?? []).length > 0,
      `Seconds from the start of a process: ${(starts ?? []).map(({ name, median }) => `${name} ${round(median)}`).join("; ")}.`,
    ],
    [tensors.length > 1, describeEpochs(tensors)],
    [
      numDisturbed > 0,
      `${numDisturbed} of ${numTurns} turns were disturbed by other programs: measure again.`,
    ],
  ];
  if (data)
    lines.push([
      true,
      `${data.numImages.toLocaleString("en")} JPEG files of 48 px: decoded in ${data.decode.median.toFixed(1)} s, ` +
        `by one sharp call after another in ${data.decodeSerially.median.toFixed(1)} s; from the cache to the first ` +
        `batch in ${data.startEpoch.median.toFixed(2)} s.`,
    ]);
  return lines.filter(([isMeasured]) => isMeasured).map(([, line]) => line);
}

/** Returns the largest error of each contender, over networks and sizes. */
function largestLogitsErrors(parities: readonly LogitsParity[]): string {
  const names = [...new Set(parities.map(({ contender }) => contender))];
  return names
    .map((name) => {
      const errors = parities.filter(({ contender }) => contender === name).map(({ error }) => error);
      return `${CONTENDERS[name].label} ${Math.max(...errors).toExponential(0)}`;
    })
    .join(", ");
}

/** Tells whether tensors or memory grow with epochs. The second epoch is the reference because the first allocates. */
function describeEpochs(tensors: readonly EpochTensors[]): string {
  const counts = [...new Set(tensors.map(({ numTensors }) => numTensors))];
  const [second, last] = [tensors.at(1), tensors.at(-1)].map((end) => end?.residentBytes ?? 0);
  const growth = (100 * (last / second - 1)).toFixed(1);
  return (
    `Tensors at the ends of ${tensors.length} epochs: ${counts.join(", ")}; ` +
    `resident memory after the last epoch: ${growth}% more than after the second.`
  );
}

/** Writes a table as Markdown, as wide as its cells, with columns of numbers to the right. */
export function toMarkdown({ heading, rows }: Table): string {
  const widths = heading.map((name, column) =>
    Math.max(3, name.length, ...rows.map((row) => row[column].length)),
  );
  const isNumeric = heading.map((_, column) => rows.every((row) => !/^[^\d(]/.test(row[column])));
  const pad = (cell: string, column: number) =>
    isNumeric[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column]);
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  const rule = widths.map((width, column) =>
    isNumeric[column] ? `${"-".repeat(width - 1)}:` : "-".repeat(width),
  );
  const [first, ...others] = [heading, ...rows].map((cells) => line(cells.map(pad)));
  return [first, line(rule), ...others].join("\n");
}

/** Rounds to three digits: more than two runs agree on. */
function round(value: number): string {
  return value < 100 ? value.toPrecision(3) : value.toFixed(0);
}
