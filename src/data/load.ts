import { checkChoice, checkNames, checkNumber, checkPath, InputError } from "../errors.js";
import { reachCache } from "../files.js";
import { type Decoding, FITS } from "../model/preprocessing.js";
import { checkedClassNames, inShort } from "../names.js";
import { fileConclusions } from "./audit/file-conclusions.js";
import { labelConclusions, severalLabelsConclusion } from "./audit/labels.js";
import { classCounts, colourCounts, type DataReport, Duplicates, sizeCounts } from "./audit/report.js";
import { DATA_OPTIONS, type DataOptions } from "./data-options.js";
import { type Dataset, type PackedImages, printedImages } from "./dataset.js";
import { groupImages, namedGroupsNote, versionsInBoth } from "./groups.js";
import {
  checkClasses,
  checkKnownClasses,
  checkReadable,
  checkSplit,
  isTraining,
  type Loading,
  lackOfClasses,
  noClasses,
  nothingThere,
} from "./load-checks.js";
import { checkGrey, loadDecoded, withChannels } from "./pixels/cache.js";
import type { DecodedImages } from "./pixels/packed-file.js";
import { PixelSelection } from "./pixels/pixels.js";
import { groupPattern } from "./sources/file-names.js";
import { REASONS } from "./sources/left-out.js";
import { type ChosenListing, chooseParts, classesOf, type Listing, leaveOut } from "./sources/listing.js";
import { readSource } from "./sources/source.js";
import { isGroupColumn } from "./sources/tables/group-columns.js";
import { refuseUnusedGroup } from "./sources/unused-options.js";
import {
  groupsInBoth,
  holdsOut,
  parseFold,
  SPLIT_CHOICES,
  type Split,
  splitName,
  splitSamples,
  untrainedClasses,
} from "./split.js";

/** What scikit-learn, Keras and fastai call some of the options. */
const OTHER_NAMES: Record<string, keyof DataOptions> = {
  validationsplit: "validationShare",
  testsize: "validationShare",
  validpct: "validationShare",
  imgsize: "imageSize",
  size: "imageSize",
  randomstate: "seed",
};

const DEFAULTS = {
  seed: 0,
  validationShare: 0.2,
  split: "folders" as const,
  dropDuplicates: false,
  dropLeaked: false,
  maxUnreadableShare: 0.01,
  fit: "crop" as const,
  grey: "auto" as const,
  onProblem: "throw" as const,
};

/** A data set with what was found in it. */
export interface LoadedDataset extends Dataset {
  /** What was found, guessed and left out. */
  report: DataReport;
}

/**
 * Loads a data set: finds the images, decodes them once into the cache, splits them, and reports on them.
 *
 * @param given - `data`, where the images are, and `imageSize`. Every other option has a default.
 * @returns The images of both splits with their labels; `report` says what was found, guessed and left out.
 * @throws InputError when there are no images, or they can be understood in several ways; also when they cannot be trained on,
 * except with `onProblem: "report"`.
 * @throws ParameterError for an option out of range.
 * @example
 * ```ts
 * import { loadDataset } from "ferkit";
 *
 * const { classNames, train, validation, report } = await loadDataset({ data: "data/pets", imageSize: 48 });
 * console.log(classNames, train.numImages, validation.numImages);
 * for (const note of report.notes) console.log(note);
 * ```
 */
export async function loadDataset(
  given: Partial<DataOptions> & Pick<DataOptions, "data" | "imageSize">,
): Promise<LoadedDataset> {
  const options: DataOptions = { ...DEFAULTS, ...given };
  checkOptions(options);
  await reachCache();
  const { name, listing } = await findImages(options);
  const loading: Loading = {
    listing,
    decoded: await decodeImages(listing, options),
    options,
    notes: [],
    problems: [],
  };
  const { notes, problems } = loading;
  notes.push(...listing.notes);
  checkClasses(loading);
  checkReadable(loading);
  const { samples } = loading.decoded;
  const split = splitSamples(samples, { ...options, groups: await findGroups(loading) }, listing.where);
  const classNames = chooseClasses(loading, split);
  if (options.group !== undefined) notes.push(...groupsInBoth(samples, split, options.group));
  if (!holdsOut(samples, options)) notes.push(...versionsInBoth(samples, split));
  const duplicates = new Duplicates(samples, split);
  if (!options.dropLeaked) notes.push(...leakNote(duplicates));
  const { kept, dropped } = keepImages(loading, split, classNames, duplicates);
  checkSplit(loading, kept);
  if (problems.length > 0 && options.onProblem === "throw") throw new InputError(problems[0]);
  const report: DataReport = {
    name,
    classNames,
    ...reportOn(loading, kept, classNames),
    ...duplicates.summary(),
    dropped,
    notes,
    problems: problems.map((problem) => new InputError(problem).message),
  };
  const { split: splitName, splitBy } = report;
  const { onProgress: _, onProblem: __, ...used } = options;
  return {
    name,
    classNames,
    split: splitName,
    ...(splitBy !== null && { splitBy }),
    options: used,
    train: select(loading, kept.train, classNames),
    validation: select(loading, kept.validation, classNames),
    report,
  };
}

function checkOptions(options: DataOptions): void {
  checkNames(options, DATA_OPTIONS, OTHER_NAMES);
  checkPath("data", options.data);
  for (const name of ["labels", "trainFolder", "validationFolder"] as const)
    if (options[name] !== undefined) checkPath(name, options[name]);
  checkNumber("imageSize", options.imageSize, { min: 1, max: 1024, integer: true });
  checkNumber("maxUnreadableShare", options.maxUnreadableShare, { min: 0, max: 1 });
  checkNumber("validationShare", options.validationShare, { min: 0, max: 1 });
  checkChoice("split", options.split, SPLIT_CHOICES);
  if (options.fold !== undefined) parseFold(options.fold);
  checkChoice("fit", options.fit, FITS);
  checkGrey(options.grey);
  checkNumber("seed", options.seed, { min: 0, integer: true });
  if (options.group !== undefined && !isGroupColumn(options.group)) groupPattern("--group", options.group);
}

/** Lists the images that are used for training or validation. @throws InputError if there are none, or they cannot be trained on. */
async function findImages(options: DataOptions): Promise<{ name: string; listing: ChosenListing }> {
  const { name, listing: found } = await readSource(options);
  const listing: ChosenListing =
    options.split === "folders" ? chooseParts(found) : { ...found, splitWords: "", unusedFolders: [] };
  if (listing.samples.length === 0) throw nothingThere(listing);
  if (isTraining(options)) refuseUnusedGroup(listing, options.group);
  const [problem] = [...lackOfClasses(listing, listing.samples, options), ...noClasses(listing, options)];
  if (problem && options.onProblem === "throw") throw new InputError(problem);
  return { name, listing };
}

async function decodeImages(listing: Listing, options: DataOptions): Promise<DecodedImages> {
  const { imageSize, fit, whiteLevels, grey, onProgress } = options;
  const decoding: Decoding = { fit, ...(whiteLevels && { whiteLevels }) };
  return withChannels(await loadDecoded(listing, imageSize, decoding, onProgress), grey);
}

/** Finds images that are held out together: near-duplicates, and those of a group. None are needed if no images are held out. */
async function findGroups(loading: Loading): Promise<Int32Array | undefined> {
  const { decoded, options, notes } = loading;
  if (!holdsOut(decoded.samples, options)) return undefined;
  const { groupHint } = loading.listing;
  if (groupHint !== undefined) notes.push(groupHint);
  else if (options.group === undefined) notes.push(...namedGroupsNote(decoded.samples));
  const all = select(loading, [...decoded.samples.keys()], classesOf(decoded.samples));
  const found = await groupImages(all, options.group, options.onProgress);
  notes.push(...found.notes);
  return found.groups;
}

function leakNote(duplicates: Duplicates): string[] {
  const { length } = duplicates.leaked();
  const note = `${length} validation images are in train too, which makes the accuracy look better (--drop-leaked leaves them out).`;
  return length > 0 ? [note] : [];
}

/** Returns the model's classes, or those of the images. A class that no training image has is left out, with a note. */
function chooseClasses(loading: Loading, split: Split): string[] {
  const { decoded, options, notes } = loading;
  const given = options.classNames && checkedClassNames(options.classNames);
  const untrained = untrainedClasses(decoded.samples, split).filter((one) => !given?.includes(one));
  if (given) checkKnownClasses(loading.listing, given, untrained, options);
  if (untrained.length > 0)
    notes.push(`No training image is of ${inShort(untrained)}, so such validation images are left out.`);
  return given ?? classesOf(decoded.samples).filter((one) => !untrained.includes(one));
}

/** Leaves out images that are dropped on request, and those of other classes; counts these, and images of no split. */
function keepImages(
  { listing, decoded: { samples }, options }: Loading,
  split: Split,
  classNames: string[],
  duplicates: Duplicates,
): { kept: Split; dropped: DataReport["dropped"] } {
  const dropped = new Set(options.dropDuplicates ? duplicates.duplicated() : []);
  const leaked = new Set(
    options.dropLeaked ? duplicates.leaked().filter((index) => !dropped.has(index)) : [],
  );
  const whoLacks = options.classNames ? "the model does not have" : "no training image has";
  const inSplit = new Set([...split.train, ...split.validation]);
  const reasonAgainst = (index: number) => {
    if (!inSplit.has(index)) return REASONS.noPart;
    if (dropped.has(index)) return REASONS.duplicate;
    if (leaked.has(index)) return REASONS.leaked;
    return classNames.includes(samples[index].className) ? null : `of a class that ${whoLacks}`;
  };
  const out = new Set<number>();
  for (const index of samples.keys()) {
    const reason = reasonAgainst(index);
    if (reason === null) continue;
    out.add(index);
    leaveOut(listing, reason, samples[index]);
  }
  const isKept = (index: number) => !out.has(index);
  return {
    kept: { train: split.train.filter(isKept), validation: split.validation.filter(isKept) },
    dropped: { duplicates: dropped.size, leaked: leaked.size },
  };
}

/** Reports on the images that are used, and counts the others. */
function reportOn({ listing, decoded, options }: Loading, kept: Split, classNames: string[]) {
  const { root, labels, leftOut, splitWords, unusedFolders } = listing;
  const { samples, unreadable } = decoded;
  const used = [...kept.train, ...kept.validation].map((index) => samples[index]);
  const several = leftOut.list().filter(({ reason }) => reason === REASONS.severalLabels);
  const numSeveral = several.reduce((sum, { count }) => sum + count, 0);
  const split = splitName(samples, options);
  return {
    root,
    labels,
    imageSize: options.imageSize,
    split,
    splitBy: split === "folders" ? splitWords : null,
    numImages: { train: kept.train.length, validation: kept.validation.length },
    classCounts: classCounts(samples, kept, classNames),
    sizes: sizeCounts(samples),
    colours: colourCounts(decoded, options.grey),
    unreadable,
    unusedFolders,
    files: leftOut.counts(used.length),
    conclusions: [
      ...(isTraining(options) ? labelConclusions(used, listing, options) : []),
      ...severalLabelsConclusion(numSeveral, used.length),
      ...fileConclusions(
        { ...decoded, samples: used },
        { ...options, isFixed: options.classNames !== undefined },
      ),
    ],
  };
}

/**
 * Packs the images at some indices.
 *
 * @param classNames - Null if the labels do not matter.
 */
function select({ decoded, options }: Loading, indices: number[], classNames: string[] | null): PackedImages {
  const { pixels, numChannels, samples, whiteLevels } = decoded;
  const { imageSize, fit } = options;
  const labelOf = new Map(classNames?.map((name, label) => [name, label]));
  const packed: PackedImages = {
    pixels: new PixelSelection(pixels, Int32Array.from(indices)),
    labels: Int32Array.from(indices, (index) => labelOf.get(samples[index].className) ?? 0),
    numImages: indices.length,
    imageSize,
    numChannels,
    ...(classNames && { classNames }),
    ...(numChannels === 1 && indices.some((index) => !samples[index].isGrey) && { lostColour: true }),
    paths: indices.map((index) => samples[index].path),
    digests: indices.map((index) => samples[index].digest),
    ...(samples.some(({ group }) => group) && {
      groupNames: indices.map((index) => samples[index].group ?? null),
    }),
    decoding: { fit, ...(Object.keys(whiteLevels).length > 0 && { whiteLevels }) },
  };
  if (!classNames || !indices.some((index) => samples[index].shares)) return printedImages(packed);
  const labelShares = indices.flatMap((index) => {
    const { className, shares } = samples[index];
    return classNames.map((name) => shares?.[name] ?? (shares || name !== className ? 0 : 1));
  });
  return printedImages({ ...packed, labelShares: Float32Array.from(labelShares) });
}
