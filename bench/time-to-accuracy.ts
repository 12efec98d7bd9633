// Measures the seconds until each engine reaches the best validation accuracy of PyTorch's baseline run.
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import {
  type Dataset,
  InputError,
  internals,
  loadDataset,
  type PackedImages,
  type TrainConfig,
  train,
  trainConfig,
} from "../src/index.js";
import {
  ACCURACY_RUNS,
  type AccuracyRecord,
  type AccuracyRun,
  type AccuracyRunName,
  type CurvePoint,
  latestAccuracyRecord,
  saveAccuracyRecord,
  secondsToTarget,
  targetAccuracy,
} from "./accuracy-record.js";
import { today } from "./results.js";
import type { Layout } from "./suite.js";
import { startWorker, Workers } from "./workers.js";

export interface TimeToAccuracyOptions {
  /** Folder or archive of class folders. */
  data: string;
  /** Name of ferkit's preset. */
  preset: string;
  /** Runs to do; the others come from the newest record. By default all are done. */
  runs?: AccuracyRunName[];
  /** Replaces the epochs of each preset, to try the bench; nothing is recorded then. */
  epochs?: number;
}

/** PyTorch's way of training. */
interface PytorchWay {
  layout: Layout;
  /** Initial values of the last layer. timm's are larger, so training takes longer. */
  head: "timm" | "ferkit";
}

/** How each run trains. All but the first stop at the target. */
const WAYS: Record<AccuracyRunName, { isBaseline: boolean; pytorch?: PytorchWay }> = {
  pytorchBaseline: { isBaseline: true, pytorch: { layout: "default", head: "timm" } },
  ferkit: { isBaseline: false },
  pytorchRecipe: { isBaseline: false, pytorch: { layout: "channels-last", head: "ferkit" } },
};

const NAMES = Object.keys(ACCURACY_RUNS) as AccuracyRunName[];

/** Does the chosen runs, one after another, and records each epoch. */
export async function measureTimeToAccuracy(options: TimeToAccuracyOptions): Promise<AccuracyRecord> {
  const record = await openRecord(options);
  for (const name of NAMES) if (options.runs?.includes(name) ?? true) await trainRun(name, record, options);
  return record;
}

async function trainRun(
  name: AccuracyRunName,
  record: AccuracyRecord,
  { data, preset, epochs }: TimeToAccuracyOptions,
): Promise<void> {
  const { isBaseline, pytorch } = WAYS[name];
  const until = isBaseline ? undefined : requireTarget(record);
  const ownPreset = isBaseline ? "baseline" : preset;
  const config = trainConfig(ownPreset, { epochs });
  const run: AccuracyRun = { date: today(), preset: ownPreset, config, curve: [], isComplete: false };
  record.runs[name] = run;
  const save = () => (epochs === undefined ? saveAccuracyRecord(record) : Promise.resolve());
  let saved = save();
  const training = {
    ...{ config, data, until },
    onPoint: (point: CurvePoint) => {
      run.curve.push(point);
      const percent = (100 * point.accuracy).toFixed(2);
      console.error(
        `${ACCURACY_RUNS[name].label}: epoch ${point.epoch}/${config.epochs}, ${percent}% after ${point.seconds.toFixed(0)} s`,
      );
      saved = saved.then(save);
    },
  };
  await (pytorch ? trainInPytorch(training, pytorch) : trainInFerkit(training));
  run.isComplete = true;
  await saved.then(save);
}

/** Lists the seconds that each run took to the target. */
export function describeTimes(record: AccuracyRecord): string {
  const target = requireTarget(record);
  const lines = NAMES.filter((name) => record.runs[name]).map((name) => {
    const seconds = secondsToTarget(record, name);
    return `  ${ACCURACY_RUNS[name].label}: ${seconds === undefined ? "not reached" : `${seconds.toFixed(0)} s`}`;
  });
  return [`Time to a validation accuracy of ${(100 * target).toFixed(2)}%:`, ...lines].join("\n");
}

/** Returns the newest record if some of its runs are kept and it has the same images and machine, or otherwise an empty one. */
async function openRecord({ data, preset, runs }: TimeToAccuracyOptions): Promise<AccuracyRecord> {
  const { name, report } = await loadFor(trainConfig(preset), data);
  const workers = new Workers(os.tmpdir());
  const versions = await workers.versions(["ferkit", "pytorch"]).finally(() => workers.close());
  const { numImages } = report;
  const own = { date: today(), machine: internals.machine(), versions, data: name, numImages };
  const latest = runs && latestAccuracyRecord();
  const identity = ({ machine, data, numImages }: Omit<AccuracyRecord, "runs">) =>
    JSON.stringify([machine, data, numImages]);
  const isSame = latest && identity(latest) === identity(own);
  return { ...own, runs: isSame ? latest.runs : {} };
}

function requireTarget(record: AccuracyRecord): number {
  const target = targetAccuracy(record);
  if (target !== undefined) return target;
  throw new InputError({
    expected: "PyTorch's baseline run, whose best accuracy is the target",
    where: "bench/results",
    found: "no complete run of it",
    fix: "Remove --runs, or add pytorchBaseline to it.",
  });
}

interface Training {
  config: TrainConfig;
  /** Folder or archive of class folders. */
  data: string;
  /** Validation accuracy at which training stops; otherwise it runs to the last epoch. */
  until?: number;
  onPoint: (point: CurvePoint) => void;
}

/** Loads the data set at the image size of a configuration. */
function loadFor({ imageSize, seed }: TrainConfig, data: string) {
  return loadDataset({ data, imageSize, seed });
}

/** Trains like `npx ferkit train`. The clock starts when the images are in memory. */
async function trainInFerkit({ config, data, until, onPoint }: Training): Promise<void> {
  const dataset: Dataset = await loadFor(config, data);
  const runDir = await mkdtemp(path.join(os.tmpdir(), "ferkit-bench-"));
  try {
    const start = performance.now();
    for await (const event of train(dataset, config, { runDir, data })) {
      if (event.type !== "epoch") continue;
      const { accuracy } = event.validation;
      onPoint({ epoch: event.epoch, seconds: (performance.now() - start) / 1000, accuracy });
      if (until !== undefined && accuracy >= until) break;
    }
  } finally {
    await rm(runDir, { recursive: true });
  }
}

/** Trains with the same configuration in PyTorch, on the files that ferkit found. */
async function trainInPytorch(
  { config, data, until, onPoint }: Training,
  { layout, head }: PytorchWay,
): Promise<void> {
  const { train: trainImages, validation, classNames, report } = await loadFor(config, data);
  const split = ({ paths, labels }: PackedImages) => ({ paths, labels: Array.from(labels) });
  const splits = { train: split(trainImages), validation: split(validation) };
  const worker = await startWorker("pytorch");
  try {
    const options = { config, root: path.resolve(report.root), splits, numClasses: classNames.length };
    await worker.request<null, CurvePoint>("train", { ...options, layout, head, until }, onPoint);
  } finally {
    await worker.close();
  }
}
