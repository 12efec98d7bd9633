import path from "node:path";
import { checkChoice, checkNumber, checkPath, InputError } from "../errors.js";
import { reachCache } from "../files.js";
import { type Decoding, FITS } from "../model/preprocessing.js";
import { checkedClassNames, inShort } from "../names.js";
import { fileConclusions } from "./audit/file-conclusions.js";
import { labelConclusions, labelProblem, severalLabelsConclusion } from "./audit/labels.js";
import { classCounts, colourCounts, type DataReport, Duplicates, sizeCounts } from "./audit/report.js";
import type { DataOptions } from "./data-options.js";
import { type Dataset, type PackedImages, printedImages } from "./dataset.js";
import { groupImages } from "./groups.js";
import {
  checkKnownClasses,
  checkReadable,
  checkSplit,
  isTraining,
  lackOfClasses,
  noteClasses,
  nothingThere,
  type Remarks,
} from "./load-checks.js";
import { checkGrey, loadDecoded, withChannels } from "./pixels/cache.js";
import type { DecodedImages } from "./pixels/packed-file.js";
import { PixelSelection } from "./pixels/pixels.js";
import { groupPattern } from "./sources/file-names.js";
import {
  type ChosenListing,
  chooseParts,
  classesOf,
  type Listing,
  NO_PART,
  type Sample,
  SEVERAL_LABELS,
} from "./sources/listing.js";
import { readSource } from "./sources/source.js";
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
  const { imageSize, onProgress } = options;
  await reachCache();
  const { name, listing: found } = await readSource(options);
  const listing: ChosenListing =
    options.split === "folders" ? chooseParts(found) : { ...found, splitWords: "", unusedFolders: [] };
  if (listing.samples.length === 0) throw nothingThere(listing);
  const noClasses = isTraining(options) ? labelProblem(listing.samples, listing) : null;
  const problem = lackOfClasses(listing, listing.samples, options)[0] ?? noClasses;
  if (problem && options.onProblem === "throw") throw new InputError(problem);
  const { fit, whiteLevels } = options;
  const decoding: Decoding = { fit, ...(whiteLevels && { whiteLevels }) };
  const decoded = withChannels(await loadDecoded(listing, imageSize, decoding, onProgress), options.grey);
  const remarks: Remarks = { notes: [...listing.notes], problems: noClasses ? [noClasses] : [] };
  noteClasses(listing, remarks);
  checkReadable(decoded, listing, options, remarks);
  const all = () => select(decoded, [...decoded.samples.keys()], null, options);
  const isHeldOut = holdsOut(decoded.samples, options);
  const grouped = isHeldOut ? await groupImages(all(), options.group, onProgress) : null;
  remarks.notes.push(...(grouped?.notes ?? []));
  const dataset = assemble(name, listing, decoded, grouped?.groups, options, remarks);
  if (remarks.problems.length > 0 && options.onProblem === "throw") throw new InputError(remarks.problems[0]);
  const { onProgress: _, onProblem: __, ...used } = options;
  return { ...dataset, options: used };
}

function checkOptions(options: DataOptions): void {
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
  if (options.group !== undefined) groupPattern("--group", options.group);
}

/** Chooses the images of each split, and reports on them. */
function assemble(
  name: string,
  listing: ChosenListing,
  decoded: DecodedImages,
  groups: Int32Array | undefined,
  options: DataOptions,
  remarks: Remarks,
): LoadedDataset {
  const { samples } = decoded;
  const { notes } = remarks;
  const split = splitSamples(samples, { ...options, groups }, listing.where);
  const classNames = chooseClasses(listing, samples, split, options, notes);
  if (options.group !== undefined) notes.push(...groupsInBoth(samples, split, options.group));
  const duplicates = new Duplicates(samples, split);
  const numLeaked = options.dropLeaked ? 0 : duplicates.leaked().length;
  if (numLeaked > 0)
    notes.push(
      `${numLeaked} validation images are in train too, which makes the accuracy look better (--drop-leaked leaves them out).`,
    );
  const dropped = new Set(options.dropDuplicates ? duplicates.duplicated() : []);
  const leaked = new Set(
    options.dropLeaked ? duplicates.leaked().filter((index) => !dropped.has(index)) : [],
  );
  const kept = keepImages(listing, samples, split, { classNames, dropped, leaked }, options);
  checkSplit(listing, samples, kept, options, remarks);
  const report: DataReport = {
    name,
    classNames,
    ...reportOn(listing, decoded, kept, classNames, options),
    ...duplicates.summary(),
    dropped: { duplicates: dropped.size, leaked: leaked.size },
    notes,
    problems: remarks.problems.map((problem) => new InputError(problem).message),
  };
  const [train, validation] = [kept.train, kept.validation].map((indices) =>
    select(decoded, indices, classNames, options),
  );
  const { split: kind, splitBy } = report;
  return { name, classNames, split: kind, ...(splitBy !== null && { splitBy }), train, validation, report };
}

/** Returns the model's classes, or those of the images. A class that no training image has is left out, with a note. */
function chooseClasses(
  listing: Listing,
  samples: readonly Sample[],
  split: Split,
  options: DataOptions,
  notes: string[],
): string[] {
  const given = options.classNames && checkedClassNames(options.classNames);
  const untrained = untrainedClasses(samples, split).filter((one) => !given?.includes(one));
  if (given) checkKnownClasses(listing, given, untrained, options);
  if (untrained.length > 0)
    notes.push(`No training image is of ${inShort(untrained)}, so such validation images are left out.`);
  return given ?? classesOf(samples).filter((one) => !untrained.includes(one));
}

/** Leaves out images that are dropped on request, and those of other classes; counts these, and images of no split. */
function keepImages(
  { leftOut, inner }: Listing,
  samples: readonly Sample[],
  split: Split,
  { classNames, dropped, leaked }: { classNames: string[]; dropped: Set<number>; leaked: Set<number> },
  options: DataOptions,
): Split {
  const whoLacks = options.classNames ? "the model does not have" : "no training image has";
  const reasonAgainst = (index: number) => {
    if (dropped.has(index)) return "a duplicate, left out on request";
    if (leaked.has(index)) return "a validation image that is in train, left out on request";
    return classNames.includes(samples[index].className) ? null : `of a class that ${whoLacks}`;
  };
  const leaveOut = (reason: string, index: number) =>
    leftOut.add(reason, path.posix.join(inner, samples[index].path));
  const isKept = (index: number) => {
    const reason = reasonAgainst(index);
    if (reason !== null) leaveOut(reason, index);
    return reason === null;
  };
  const kept = { train: split.train.filter(isKept), validation: split.validation.filter(isKept) };
  const inSplit = new Set([...split.train, ...split.validation]);
  for (const index of samples.keys()) if (!inSplit.has(index)) leaveOut(NO_PART, index);
  return kept;
}

/** Reports on the images that are used, and counts the others. */
function reportOn(
  { root, labels, leftOut, splitWords, unusedFolders }: ChosenListing,
  decoded: DecodedImages,
  kept: Split,
  classNames: string[],
  options: DataOptions,
) {
  const { samples, unreadable } = decoded;
  const used = [...kept.train, ...kept.validation].map((index) => samples[index]);
  const numSeveral = leftOut
    .list()
    .reduce((sum, { reason, count }) => sum + (reason === SEVERAL_LABELS ? count : 0), 0);
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
      ...(isTraining(options) ? labelConclusions(used, labels) : []),
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
function select(
  { pixels, numChannels, samples, whiteLevels }: DecodedImages,
  indices: number[],
  classNames: string[] | null,
  { imageSize, fit }: DataOptions,
): PackedImages {
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
    decoding: { fit, ...(Object.keys(whiteLevels).length > 0 && { whiteLevels }) },
  };
  if (!classNames || !indices.some((index) => samples[index].shares)) return printedImages(packed);
  const labelShares = indices.flatMap((index) => {
    const { className, shares } = samples[index];
    return classNames.map((name) => shares?.[name] ?? (shares || name !== className ? 0 : 1));
  });
  return printedImages({ ...packed, labelShares: Float32Array.from(labelShares) });
}
