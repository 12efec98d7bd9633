// Runs that can be compared: those on the same images, and those that differ only in their seed.
import { isDeepStrictEqual } from "node:util";
import { dataName } from "../data/sources/source.js";
import { type Run, type RunSummary, summarizeRun } from "./runs.js";

/** A run by the name that a table shows. */
export interface NamedRun {
  name: string;
  run: Run;
}

/** Scores of runs that differ only in their seed. */
export interface MeanOfRuns extends Pick<RunSummary, "data" | "variant" | "imageSize" | "fold"> {
  /** Names of the runs, in the order of their seeds. */
  names: string[];
  seeds: number[];
  /** Mean and standard deviation (with n − 1) of the kept epochs; no deviation for a single run. */
  accuracy: MeanScore;
  /** Null if a run did not log it. */
  macroF1: MeanScore | null;
}

interface MeanScore {
  mean: number;
  deviation: number | null;
}

/**
 * Averages over the runs that differ only in their seed, the best mean of a data set first, folds last.
 *
 * @returns Also what a user must know of it: which runs are left out, and what could not be compared.
 */
export function meansOverSeeds(runs: readonly NamedRun[]): { means: MeanOfRuns[]; notes: string[] } {
  const labels = dataLabels(runs.map(({ run }) => run));
  const isInMean = ({ run }: NamedRun) => run.state !== "interrupted" && run.epochs.length > 0;
  const left = runs
    .filter((one) => !isInMean(one))
    .map(({ name }) => `${name} is left out: it has not ended`);
  const groups: NamedRun[][] = [];
  for (const one of [...runs.filter(isInMean)].sort(byStart)) {
    const group = groups.find((members) => members.every(({ run }) => differInSeedAlone(run, one.run)));
    if (!group) {
      groups.push([one]);
      continue;
    }
    const twin = group.find(({ run }) => run.config.train.seed === one.run.config.train.seed);
    if (!twin) group.push(one);
    else left.push(`${one.name} is left out: it is ${twin.name} again, with the same seed ${seedOf(one)}`);
  }
  const guessed = groups.find((members) => members.length > 1 && members.some(({ run }) => isGuess(run)));
  if (guessed) {
    const { name } = guessed.find(({ run }) => isGuess(run)) as NamedRun;
    left.push(`${name} recorded no digest of its images, so their name and number are compared`);
  }
  const means = groups.map((members) => ({ run: members[0].run, mean: meanOfGroup(members, labels) }));
  const byData = byDataSet(labels);
  means.sort((a, b) => byData(a.run, b.run) || b.mean.accuracy.mean - a.mean.accuracy.mean);
  return { means: means.map(({ mean }) => mean), notes: left };
}

/**
 * Returns a function that sorts runs by data set, and folds after whole runs, since each fold is validated on other images.
 *
 * @param labels - As `dataLabels` returns them.
 */
export function byDataSet(labels: ReadonlyMap<Run, string>): (a: Run, b: Run) => number {
  const keyOf = (run: Run) => [
    labels.get(run) as string,
    run.config.dataOptions?.fold === undefined ? "" : "fold",
  ];
  return (a, b) => {
    const [x, y] = [keyOf(a), keyOf(b)];
    const first = x.findIndex((part, i) => part !== y[i]);
    return first < 0 ? 0 : x[first] < y[first] ? -1 : 1;
  };
}

function seedOf({ run }: NamedRun): number {
  return run.config.train.seed;
}

/** Sorts the first started run first, so that a copy or a repetition counts as one, whatever it scored. */
function byStart(a: NamedRun, b: NamedRun): number {
  const [x, y] = [a, b].map(({ run }) => run.sessions[0]?.started ?? "~");
  return x === y ? (a.name < b.name ? -1 : 1) : x < y ? -1 : 1;
}

function meanOfGroup(members: NamedRun[], labels: ReadonlyMap<Run, string>): MeanOfRuns {
  const sorted = [...members].sort((a, b) => seedOf(a) - seedOf(b));
  const summaries = sorted.map(({ run }) => summarizeRun(run));
  const { variant, imageSize, fold } = summaries[0];
  const macroF1 = summaries.flatMap((summary) => summary.macroF1 ?? []);
  return {
    data: labels.get(sorted[0].run) as string,
    variant,
    imageSize,
    fold,
    names: sorted.map(({ name }) => name),
    seeds: sorted.map(seedOf),
    accuracy: meanScore(summaries.map(({ bestAccuracy }) => bestAccuracy as number)),
    macroF1: macroF1.length === sorted.length ? meanScore(macroF1) : null,
  };
}

function meanScore(values: number[]): MeanScore {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : null };
}

/**
 * Names the data set of each run, with all names that it had if its folder was renamed. Data sets of one name that hold different
 * images get part of their digest, or their number of images.
 */
export function dataLabels(runs: readonly Run[]): Map<Run, string> {
  const sets: Run[][] = [];
  for (const run of runs) {
    const same = sets.find((members) => members.every((member) => haveSameImages(member, run)));
    if (same) same.push(run);
    else sets.push([run]);
  }
  const namesOf = (members: Run[]) => [...new Set(members.map(({ config }) => dataName(config.data)))].sort();
  return new Map(
    sets.flatMap((members) => {
      const names = namesOf(members);
      const isShared = sets.some(
        (other) => other !== members && namesOf(other).some((name) => names.includes(name)),
      );
      const [{ config, imagesDigest }] = members;
      const mark = imagesDigest?.slice(0, 6) ?? `${numImagesOf(config)} images`;
      const name = names.join(" = ");
      return members.map((run): [Run, string] => [run, isShared ? `${name} (${mark})` : name]);
    }),
  );
}

/** Returns whether two runs had the same images, in whatever split: by their digests, or by name and number if one has none. */
function haveSameImages(a: Run, b: Run): boolean {
  if (a.imagesDigest !== null && b.imagesDigest !== null) return a.imagesDigest === b.imagesDigest;
  const [x, y] = [a, b].map(({ config }) => config);
  return (
    dataName(x.data) === dataName(y.data) &&
    isDeepStrictEqual(x.classNames, y.classNames) &&
    numImagesOf(x) === numImagesOf(y) &&
    !areKnownToDiffer(x, y)
  );
}

/** Returns whether runs that split their data in the same way had other images. */
function areKnownToDiffer(a: Run["config"], b: Run["config"]): boolean {
  const isSameSplit = a.train.seed === b.train.seed && isDeepStrictEqual(a.dataOptions, b.dataOptions);
  return (
    isSameSplit && a.dataDigest !== undefined && b.dataDigest !== undefined && a.dataDigest !== b.dataDigest
  );
}

function isGuess({ config, imagesDigest }: Run): boolean {
  return imagesDigest === null && config.data !== "synthetic";
}

function numImagesOf({ numImages }: Run["config"]): number {
  return numImages.train + numImages.validation;
}

/** Returns whether runs differ only in their seed and what follows from it: the split and the random start. */
function differInSeedAlone(a: Run, b: Run): boolean {
  const digests = [a, b].map(({ config }) => config.weightDigests ?? {});
  const areKnown = (name: "features" | "teachers") => digests.every((known) => known[name] !== undefined);
  const settings = ({ config: { train, classNames, dataOptions, split, weightDigests } }: Run) => {
    const weights = areKnown("features") ? weightDigests?.features : train.weights;
    const teachers = areKnown("teachers") ? weightDigests?.teachers : train.teachers;
    return { train: { ...train, seed: 0, weights, teachers }, classNames, dataOptions, split };
  };
  return haveSameImages(a, b) && isDeepStrictEqual(settings(a), settings(b));
}
