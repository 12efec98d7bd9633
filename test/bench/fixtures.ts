// Results with round numbers.
import type { AccuracyRecord, AccuracyRun } from "../../bench/accuracy-record.js";
import type { Results } from "../../bench/results.js";
import type { Timing } from "../../bench/rounds.js";
import type { ContenderName, Workload } from "../../bench/suite.js";
import { PRESETS } from "../../src/presets.js";

const LITE0: Workload = { kind: "train", variant: "lite0", imageSize: 48, batchSize: 32 };

/** Returns a timing with a range of 10 around the median, in images per second. */
export function timing(contender: ContenderName, median: number, workload: Partial<Workload> = {}): Timing {
  return {
    ...LITE0,
    ...workload,
    contender,
    median,
    min: median - 10,
    max: median + 10,
    numRounds: 3,
    numDisturbed: 0,
  };
}

export const results: Results = {
  date: "2026-01-02",
  machine: { cpu: "AMD EPYC", cores: 2, memoryGiB: 24 },
  versions: {
    ferkit: "0.1.0",
    node: "v20",
    tensorflow: "2.21.0",
    torch: "2.13.0",
    timm: "1.0.31",
    keras: "3.15.1",
  },
  parity: [],
  timings: [
    timing("ferkit", 300),
    timing("pytorch", 150),
    timing("pytorchChannelsLast", 200),
    timing("ferkit", 400, { batchSize: 128 }),
    timing("pytorch", 160, { batchSize: 128 }),
    timing("pytorchChannelsLast", 500, { batchSize: 128 }),
    timing("ferkit", 2000, { kind: "infer" }),
    timing("pytorch", 1000, { kind: "infer" }),
    timing("pytorchChannelsLast", 1600, { kind: "infer" }),
  ],
  memory: [
    { ...LITE0, contender: "ferkit", peakResidentBytes: 5e8 },
    { ...LITE0, contender: "pytorch", peakResidentBytes: 8e8 },
    { ...LITE0, contender: "pytorchChannelsLast", peakResidentBytes: 6e8 },
  ],
  tensors: [
    { epoch: 1, numTensors: 566, residentBytes: 4e8 },
    { epoch: 2, numTensors: 566, residentBytes: 5e8 },
    { epoch: 3, numTensors: 566, residentBytes: 5.1e8 },
  ],
};

/** Returns a run whose epochs take ten seconds each. */
export function accuracyRun(...accuracies: number[]): AccuracyRun {
  const curve = accuracies.map((accuracy, i) => ({ epoch: i + 1, seconds: 10 * (i + 1), accuracy }));
  return { date: "2026-01-02", preset: "baseline", config: PRESETS.baseline, curve, isComplete: true };
}

export const accuracyRecord: AccuracyRecord = {
  ...{ date: "2026-01-02", machine: results.machine, versions: results.versions },
  ...{ data: "faces", numImages: { train: 100, validation: 20 } },
  runs: {
    pytorchBaseline: accuracyRun(0.4, 0.5, 0.6, 0.55),
    ferkit: accuracyRun(0.62),
    pytorchRecipe: accuracyRun(0.5, 0.6),
  },
};
