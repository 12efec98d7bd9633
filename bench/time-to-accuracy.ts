// Seconds to the validation accuracy that PyTorch's seed recipe reaches at best.

import { machine } from "../src/environment.js";
import { InputError, trainConfig } from "../src/index.js";
import {
  ACCURACY_RUNS,
  type AccuracyRecord,
  type AccuracyRun,
  type AccuracyRunName,
  latestAccuracyRecord,
  saveAccuracyRecord,
  secondsToTarget,
  targetAccuracy,
} from "./accuracy-record.js";
import { readVersions } from "./machine.js";
import { today } from "./results.js";
import { loadFor, type PytorchWay, trainInFerkit, trainInPytorch } from "./trainings.js";
import { Workers } from "./workers.js";

export interface TimeToAccuracyOptions {
  /** Folder or archive of class folders. */
  data: string;
  /** ferkit's recipe. */
  preset: string;
  /** Runs to do, while the newest record keeps its others; all of them unless told. */
  runs?: AccuracyRunName[];
  /** In place of each recipe's own, to try the bench out: then nothing is recorded. */
  epochs?: number;
}

/** How each run trains; all but the first stop at the target. */
const RECIPES: Record<AccuracyRunName, { isSeed: boolean; pytorch?: PytorchWay }> = {
  pytorchSeed: { isSeed: true, pytorch: { layout: "default", head: "timm" } },
  ferkit: { isSeed: false },
  pytorchRecipe: { isSeed: false, pytorch: { layout: "channels-last", head: "ferkit" } },
};

const NAMES = Object.keys(ACCURACY_RUNS) as AccuracyRunName[];

/** Does the runs that are wanted, one after another, recording each epoch as it ends. */
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
  const { isSeed, pytorch } = RECIPES[name];
  const until = isSeed ? undefined : requireTarget(record);
  const recipe = isSeed ? "seed" : preset;
  const config = trainConfig(recipe, { epochs });
  const run: AccuracyRun = { date: today(), preset: recipe, config, curve: [], isComplete: false };
  record.runs[name] = run;
  const save = () => (epochs === undefined ? saveAccuracyRecord(record) : Promise.resolve());
  let saved = save();
  const training = {
    ...{ config, data, until },
    onPoint: (point: AccuracyRun["curve"][number]) => {
      run.curve.push(point);
      const percent = (100 * point.accuracy).toFixed(2);
      console.error(
        `${ACCURACY_RUNS[name].label}: epoch ${point.epoch}/${config.epochs}, ${percent} % after ${point.seconds.toFixed(0)} s`,
      );
      saved = saved.then(save);
    },
  };
  await (pytorch ? trainInPytorch(training, pytorch) : trainInFerkit(training));
  run.isComplete = true;
  await saved.then(save);
}

/** What each run took to the target, a line each. */
export function describeTimes(record: AccuracyRecord): string {
  const target = requireTarget(record);
  const lines = NAMES.filter((name) => record.runs[name]).map((name) => {
    const seconds = secondsToTarget(record, name);
    return `  ${ACCURACY_RUNS[name].label}: ${seconds === undefined ? "not reached" : `${seconds.toFixed(0)} s`}`;
  });
  return [`Time to a validation accuracy of ${(100 * target).toFixed(2)} %:`, ...lines].join("\n");
}

/** The newest record where some runs are kept and it is of the same images and machine, else one without runs. */
async function openRecord({ data, preset, runs }: TimeToAccuracyOptions): Promise<AccuracyRecord> {
  const { name, report } = await loadFor(trainConfig(preset), data);
  const workers = new Workers();
  const versions = await readVersions(workers, ["ferkit", "pytorch"]).finally(() => workers.close());
  const { numImages } = report;
  const own = { date: today(), machine: machine(), versions, data: name, numImages };
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
    expected: "PyTorch's seed recipe, whose best accuracy is the target",
    where: "bench/results",
    found: "no complete run of it",
    fix: "Leave out --runs, or name pytorchSeed too.",
  });
}
