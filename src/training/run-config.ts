// What a run is started with, its `config.json`, and whether another one is of the same run. Beside it in the run's folder are
// `environment.json`, `metrics.jsonl`, `best/` (a model folder) and `last/` (a checkpoint).

import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { TrainConfig } from "../config.js";
import { NO_AUGMENTATION } from "../data/augment.js";
import type { Dataset, PackedImages } from "../data/dataset.js";
import {
  contentDigest,
  IMAGE_LIST,
  type ImageList,
  listChanges,
  listDigest,
  listImages,
  readImageList,
  writeImageList,
} from "../data/image-list.js";
import type { LoadedDataset } from "../data/load.js";
import type { SplitName } from "../data/split.js";
import { shortDigest } from "../digest.js";
import { checkPath, InputError } from "../errors.js";
import { isFolder, writeFileAtomically } from "../files.js";
import { flatten, prettyJson } from "../json.js";
import { readSaved } from "../saved-files.js";

/** What a run was started with. It resumes only with the same. */
export interface RunConfig {
  /** Digest of what follows, as it was at the start; the log names its run by it. Absent for runs before version 0.3. */
  id?: string;
  /** Every hyperparameter. */
  train: TrainConfig;
  /** Names of the classes, in the order of the outputs. */
  classNames: string[];
  /** What the data set was loaded from, as the user named it. */
  data: string;
  /** Options of the loader, such as `validationShare`. */
  dataOptions?: Readonly<Record<string, unknown>>;
  /** Digest of all images: their splits, classes, contents and paths. Absent for runs of version 0.1. */
  dataDigest?: string;
  /** Digest of the same without their splits. Absent for the drawn faces, which each seed draws differently, and before version 0.3. */
  imagesDigest?: string;
  /** Digest of the paths of the images that are set aside by `calibrationShare`; absent without it, and before version 0.3. */
  asideDigest?: string;
  /** `official` or `official-test`, if it was split so. */
  split?: SplitName;
  /** Images of each split. */
  numImages: { train: number; validation: number };
  /** What the files of weights held that the run was started with, if there were any; absent for runs before version 0.3. */
  weightDigests?: WeightDigests;
}

/** Digests of the weights that a run is started with. */
export interface WeightDigests {
  /** Digest of the network at the start. */
  start?: string;
  /** Digest of the same without the last layer, which the seed draws for other classes; not of a run that was started before. */
  features?: string;
  /** Digest of what came with these weights and stays: how the network takes pixels, and pads. */
  conventions?: string;
  /** Digest of each teacher with its settings. */
  teachers?: string[];
}

/**
 * Describes a run to be, and the images that it is for.
 *
 * @param aside - Training images that are set aside, if there are any.
 */
export async function describeRun(
  dataset: Dataset,
  train: TrainConfig,
  data: string,
  aside: Pick<PackedImages, "paths"> | null = null,
): Promise<{ config: RunConfig; images: ImageList }> {
  const { classNames, split, options } = dataset;
  const listed = await listImages(dataset);
  const asidePaths = new Set(aside?.paths);
  const setAside = listed.images.flatMap(({ split: part, path: file, digest }) =>
    part === "train" && asidePaths.has(file ?? "") ? digest : [],
  );
  const images = { ...listed, ...(aside && { setAside: [...new Set(setAside)].sort() }) };
  const numImages = { train: dataset.train.numImages, validation: dataset.validation.numImages };
  const isOfficial = split === "official" || split === "official-test"; // other splits follow from the options
  const config: RunConfig = {
    train,
    classNames,
    data,
    ...(options && { dataOptions: recordedOptions(options, train) }),
    dataDigest: listDigest(images),
    ...(data !== "synthetic" && { imagesDigest: contentDigest(images) }),
    ...(aside && { asideDigest: pathsDigest(aside) }),
    ...(isOfficial && { split }),
    numImages,
  };
  return { config, images };
}

/** Lists the models of the user that a run begins with or learns from. */
export function earlierModels({ weights, teachers }: Pick<TrainConfig, "weights" | "teachers">): string[] {
  return [...(isOwnModel(weights) ? [weights] : []), ...teachers];
}

/** Returns whether `weights` is the path of a model or file of the user, and not the name of weights. */
export function isOwnModel(weights: TrainConfig["weights"]): boolean {
  return weights !== "random" && weights !== "imagenet";
}

function pathsDigest({ paths }: Pick<PackedImages, "paths">): string {
  return shortDigest(JSON.stringify(paths));
}

/** Leaves out what the configuration has; it has the seed too, unless the data set was loaded with another. */
function recordedOptions(
  options: NonNullable<Dataset["options"]>,
  { seed }: TrainConfig,
): Record<string, unknown> {
  const known = ["data", "imageSize", "classNames", ...(options.seed === seed ? ["seed"] : [])];
  return Object.fromEntries(Object.entries(options).filter(([name]) => !known.includes(name)));
}

/** Options of the loader that only choose images, which the digest covers. Others change what an image looks like. */
const CHOOSING = [
  "seed",
  "validationShare",
  "split",
  "splitColumn",
  "fold",
  "group",
  "dropDuplicates",
  "dropLeaked",
  "maxUnreadableShare",
  "trainFolder",
  "validationFolder",
  "leaveOut",
  "labels",
  "labelColumn",
  "labelNames",
  "labelPattern",
  "pathColumn",
];

/**
 * Checks that the folder of a new run is not that of the data set, nor in a folder of its images: its files would be among them.
 *
 * @param data - What the data set was loaded from.
 * @returns What to note if it is elsewhere in the data set's folder.
 * @throws InputError if it is one of these.
 */
export function checkRunDir(runDir: string, data: string, dataset: Dataset): string[] {
  if (existsSync(path.join(runDir, "config.json"))) return [];
  const { report } = dataset as Partial<LoadedDataset>;
  const roots = [data, report?.root ?? data].filter(isFolder).map(realPath);
  const around = foldersAround(realPath(runDir));
  if (!roots.some((root) => around.includes(root))) return [];
  const { train, validation } = dataset;
  const folders = new Set([...train.paths, ...validation.paths].map((file) => path.dirname(file)));
  folders.delete("."); // images beside the run's folder, not around it
  const isRoot = roots.includes(around[0]);
  if (!isRoot && ![...folders].some((folder) => around.includes(path.join(roots[roots.length - 1], folder))))
    return [
      `the run's folder is in that of the data set, ${data}: ferkit passes over it, but others may read it as data`,
    ];
  throw new InputError({
    expected: "a folder of its own for a run",
    where: runDir,
    found: isRoot ? "the folder of the data set" : "a folder with images of the data set around it",
    fix: "Choose another run folder (--run), such as runs/mine.",
  });
}

/** Lists a folder and those that it is in, from the inside out. */
function foldersAround(folder: string): string[] {
  const above = path.dirname(folder);
  return above === folder ? [folder] : [folder, ...foldersAround(above)];
}

/** Returns the real path of what may not be there yet. */
function realPath(file: string): string {
  const resolved = path.resolve(file);
  if (existsSync(resolved)) return realpathSync(resolved);
  return path.join(realPath(path.dirname(resolved)), path.basename(resolved));
}

/** Writes what a run is started with into its folder. */
export async function saveRunConfig(runDir: string, config: RunConfig, images: ImageList): Promise<void> {
  await writeImageList(path.join(runDir, IMAGE_LIST), images, true);
  await writeFileAtomically(path.join(runDir, "config.json"), prettyJson(config));
}

/**
 * Checks that the run in a folder is the same: trained by the same configuration on the same images, wherever these are now.
 * Only `epochs`, `patience` and `maxMinutes` may differ, to train it longer.
 *
 * @throws InputError with what differs.
 */
export async function checkSameRun(
  runDir: string,
  present: RunConfig,
  config: RunConfig,
  images: ImageList,
): Promise<void> {
  const given = JSON.parse(JSON.stringify(config)) as RunConfig; // as it will be read
  const { inWords, repeated } = compareSettings(differences(present, given), present, given);
  const found: string[] = [];
  let folder = " (--run runs/NAME)";
  if (inWords.length > 0) found.push(`one that differs in ${inWords.join(", ")}`);
  if (present.dataDigest !== undefined && present.dataDigest !== given.dataDigest) {
    const earlier = await readImageList(path.join(runDir, IMAGE_LIST)).catch(() => null);
    const isOwn = earlier && listDigest(earlier) === present.dataDigest;
    const whose = present.data === given.data ? "" : `, those of ${present.data}`;
    found.push(`other images${whose}: ${isOwn ? listChanges(earlier, images) : "their digest differs"}`);
    if (whose) folder = `, such as --run runs/${path.parse(given.data).name}`;
  } else if ((present.asideDigest ?? given.asideDigest) !== (given.asideDigest ?? present.asideDigest))
    found.push("other images set aside by calibrationShare, as another --group sets aside");
  if (found.length === 0) return;
  const isRepeated = found.length === 1 && repeated.length > 0;
  const same = isRepeated ? `repeat ${repeated.join(" ")} to continue this run, ` : "";
  throw new InputError({
    expected: "a run of the same configuration and images",
    where: runDir,
    found: found.join("; and "),
    fix: `Choose another run folder${folder}, ${same}or remove this one to start from scratch.`,
  });
}

/** Returns settings of other values in a command than in the run, and what repeats them if that makes the two the same. */
function compareSettings(names: string[], present: RunConfig, given: RunConfig) {
  const [inRun, now] = [flatten(present), flatten(given)];
  const asText = (value: unknown) => (typeof value === "string" ? value : (JSON.stringify(value) ?? "none"));
  const shortly = (value: unknown) => {
    const text = asText(value);
    return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
  };
  const setting = (name: string) => /^train\.(?:augment\.)?(.+)$/.exec(name)?.[1];
  const inWords = names.map(
    (name) =>
      `${setting(name) ?? name} (${shortly(inRun.get(name))} in the run, ${shortly(now.get(name))} now)`,
  );
  const areRepeatable = names.every((name) => setting(name) !== undefined && inRun.has(name));
  const asWord = (name: string) => {
    const word = `${setting(name)}=${asText(inRun.get(name))}`;
    return /^[\w.,:=/+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
  };
  return { inWords, repeated: areRepeatable ? names.map((name) => `--set ${asWord(name)}`) : [] };
}

/** Characters of a value that a message shows. */
const MAX_SHOWN = 200;

/** What to do about a `config.json` that the state has a copy of. */
export const WRITTEN_AGAIN = "Rename it and run again: it is then written again from last/state.json.";

/**
 * Checks that the `config.json` of a run is the one that the run's state recorded.
 *
 * @throws InputError with what differs.
 */
export function checkOwnConfig(runDir: string, present: RunConfig, recorded: RunConfig): void {
  const differing = differences(present, recorded);
  if (present.dataDigest !== recorded.dataDigest) differing.push("dataDigest");
  if (differing.length === 0) return;
  throw new InputError({
    expected: "the configuration that last/state.json recorded",
    where: path.join(runDir, "config.json"),
    found: `one that differs in ${differing.join(", ")}`,
    fix: WRITTEN_AGAIN,
  });
}

/** Returns the dotted names of the settings by which two configurations are of different runs. */
function differences(a: RunConfig, b: RunConfig): string[] {
  const ignored = ignoredNames(a, b);
  const isIgnored = (name: string) => ignored.some((one) => name === one || name.startsWith(`${one}.`));
  const [ofA, ofB] = [flatten(a), flatten(b)];
  const found = [...new Set([...ofA.keys(), ...ofB.keys()])].filter(
    (name) => !isIgnored(name) && !isDeepStrictEqual(ofA.get(name), ofB.get(name)),
  );
  // A setting of the training is an option of the loader too.
  return found.filter(
    (name) => !found.includes(name.replace(/^dataOptions\./, "train.")) || !name.startsWith("dataOptions."),
  );
}

/** Returns the names, or first parts of names, of what may differ between two configurations of one run. */
function ignoredNames(a: RunConfig, b: RunConfig): string[] {
  const both = (isTrue: (config: RunConfig) => boolean) => isTrue(a) && isTrue(b);
  const [started, given] = [a.weightDigests ?? {}, b.weightDigests ?? {}];
  const hasImageDigests = both(({ dataDigest }) => dataDigest !== undefined);
  // The group decides which images are set aside.
  const setsAside = !both(({ train }) => (train.calibrationShare ?? 0) === 0);
  const hasAsideDigests = both(({ asideDigest }) => asideDigest !== undefined);
  const choosing = CHOOSING.filter((name) => name !== "group" || !setsAside || hasAsideDigests);
  return [
    "id",
    ...["train.epochs", "train.patience", "train.maxMinutes"],
    ...["dataDigest", "imagesDigest", "asideDigest", "weightDigests"], // compared one by one, with an error of their own
    // Files of weights may be at another place.
    ...(started.start !== undefined && started.start === given.start ? ["train.weights"] : []),
    ...(started.teachers && started.teachers.length === given.teachers?.length ? ["train.teachers"] : []),
    ...(hasImageDigests
      ? ["data", "numImages", "split", ...choosing.map((name) => `dataOptions.${name}`)]
      : ["dataOptions"]),
  ];
}

/** What to do about a file of a run that is broken. Nothing of the run is to be removed: its best model is in it. */
export const ANOTHER_RUN = "Fix the file, or choose another run folder (--run).";

/**
 * Reads the configuration of a run; undefined if there is none.
 *
 * @throws InputError if the file is none of a run.
 */
export async function loadRunConfig(runDir: string): Promise<RunConfig | undefined> {
  const problem = { expected: "the config.json of a run", fix: ANOTHER_RUN };
  const config = (await readSaved(
    path.join(checkPath("runDir", runDir), "config.json"),
    "config",
    problem,
  )) as RunConfig | undefined;
  return config && upgraded(config);
}

/** Returns the configuration of a run of any version under today's names. */
export function upgraded(config: RunConfig): RunConfig {
  // Version 0.1 called `emaDecay` otherwise, and had neither `monitor`, `weightsFamily`, `fit`, `grey` nor `fill`. Version 0.2 had
  // none of `maxMinutes`, `calibrationShare` and `activations`, and no noise or blur.
  const { averageDecay, ...train } = config.train as TrainConfig & { averageDecay?: number };
  const emaDecay = train.emaDecay ?? averageDecay;
  const added = { monitor: "accuracy", weightsFamily: "auto", fit: "crop", grey: "auto" } as const;
  const addedLater = { maxMinutes: 0, calibrationShare: 0, activations: "float32" } as const;
  return {
    ...config,
    train: {
      ...added,
      ...addedLater,
      ...train,
      ...(emaDecay !== undefined && { emaDecay }),
      augment: { ...NO_AUGMENTATION, ...train.augment },
    },
  };
}
