import path from "node:path";
import { checkChoice, checkNumber, checkPath, InputError, type InputProblem } from "../errors.js";
import { reachCache } from "../files.js";
import { type Decoding, FITS } from "../model/preprocessing.js";
import { checkedClassNames, inShort } from "../names.js";
import { fileConclusions } from "./audit/conclusions.js";
import { isFromTable, labelConclusions, labelProblem, severalLabelsConclusion } from "./audit/labels.js";
import { classCounts, colourCounts, type DataReport, Duplicates, sizeCounts } from "./audit/report.js";
import type { DataOptions } from "./data-options.js";
import { type Dataset, type PackedImages, printedImages } from "./dataset.js";
import { groupImages } from "./groups.js";
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

/** What is noted while a data set is loaded. */
interface Remarks {
  /** Guesses and doubts, each a sentence. */
  notes: string[];
  /** Why the data set cannot be trained on. */
  problems: InputProblem[];
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
  const { imageSize, onProgress } = options;
  checkPath("data", options.data);
  for (const name of ["labels", "trainFolder", "validationFolder"] as const)
    if (options[name] !== undefined) checkPath(name, options[name]);
  checkNumber("imageSize", imageSize, { min: 1, max: 1024, integer: true });
  checkNumber("maxUnreadableShare", options.maxUnreadableShare, { min: 0, max: 1 });
  checkNumber("validationShare", options.validationShare, { min: 0, max: 1 });
  checkChoice("split", options.split, SPLIT_CHOICES);
  if (options.fold !== undefined) parseFold(options.fold);
  checkChoice("fit", options.fit, FITS);
  checkGrey(options.grey);
  checkNumber("seed", options.seed, { min: 0, integer: true });
  if (options.group !== undefined) groupPattern("--group", options.group);
  await reachCache();
  const { name, listing: found } = await readSource(options, onProgress);
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

function nothingThere({ where, labels, leftOut }: Listing): InputError {
  const reasons = leftOut.list().map(({ count, reason }) => `${count} ${reason}`);
  return new InputError({
    expected: "images with labels",
    where,
    found: `none by ${labels}${reasons.length > 0 ? ` (${reasons.slice(0, 4).join(", ")})` : ""}`,
    fix: "Fix the labels, or choose others with --labels.",
  });
}

/** Notes class folders without images, and names that a reader takes for one. */
function noteClasses({ samples, emptyClasses }: Listing, { notes }: Remarks): void {
  if (emptyClasses.length > 0)
    notes.push(`Folders without images, which are no classes: ${emptyClasses.join("; ")}.`);
  const alike = new Map<string, string[]>();
  for (const name of classesOf(samples)) {
    const key = name
      .normalize("NFKC")
      .replace(/[\u200b-\u200f\ufeff]/g, "") // marks without a width
      .toLowerCase()
      .replace(/[\s_-]+/g, " ")
      .trim()
      .replace(/^0+(?=\d)/, "")
      .replace(/^(\d+)\.0*$/, "$1");
    alike.set(key, [...(alike.get(key) ?? []), name]);
  }
  for (const names of alike.values())
    if (names.length > 1)
      notes.push(
        `The classes ${names.map((name) => `"${name}"`).join(" and ")} differ only in case, spaces, zeros or Unicode form.`,
      );
}

function checkReadable(
  { unreadable }: DecodedImages,
  { where, samples, leftOut, inner }: Listing,
  { maxUnreadableShare }: DataOptions,
  { problems }: Remarks,
): void {
  for (const { path: file, reason } of unreadable)
    leftOut.add(`unreadable: ${reason}`, path.posix.join(inner, file));
  const isNone = unreadable.length === samples.length;
  if (!isNone && unreadable.length / samples.length <= maxUnreadableShare) return;
  const percent = Number((100 * maxUnreadableShare).toPrecision(6));
  const first = unreadable.slice(0, 3).map(({ path, reason }) => `${path}: ${reason}`);
  const accept = "or accept more with --max-unreadable-share (maxUnreadableShare in a notebook)";
  problems.push({
    expected: isNone ? "images that can be read" : `at most ${percent}% of the images to be unreadable`,
    where,
    found: `${isNone ? "none" : unreadable.length} of ${samples.length} (${first.join("; ")}${unreadable.length > 3 ? "; …" : ""})`,
    fix: `Fix or remove them${isNone ? "" : `, ${accept}`}.`,
  });
}

/** Splits the decoded images, leaves out duplicates and leaked images if asked to, and writes the report. */
function assemble(
  name: string,
  listing: ChosenListing,
  decoded: DecodedImages,
  groups: Int32Array | undefined,
  options: DataOptions,
  remarks: Remarks,
): LoadedDataset {
  const { imageSize, dropDuplicates, dropLeaked, grey } = options;
  const { root, where, inner, leftOut, splitWords, unusedFolders, labels } = listing;
  const { samples, unreadable } = decoded;
  const split = splitSamples(samples, { ...options, groups }, where);
  const given = options.classNames && checkedClassNames(options.classNames);
  const untrained = untrainedClasses(samples, split).filter((one) => !given?.includes(one));
  const classNames = given ?? classesOf(samples).filter((one) => !untrained.includes(one));
  const isOutside = ({ className }: Sample) => !classNames.includes(className);
  if (options.classNames) checkKnownClasses(listing, classNames, untrained, options);
  if (untrained.length > 0)
    remarks.notes.push(
      `No training image is of ${inShort(untrained)}, so such validation images are left out.`,
    );
  if (options.group !== undefined) remarks.notes.push(...groupsInBoth(samples, split, options.group));
  const duplicates = new Duplicates(samples, split);
  const duplicated = new Set(dropDuplicates ? duplicates.duplicated() : []);
  const leaked = new Set(dropLeaked ? duplicates.leaked().filter((index) => !duplicated.has(index)) : []);
  const outside = options.classNames ? "the model does not have" : "no training image has";
  const reasons: [Set<number>, string][] = [
    [duplicated, "a duplicate, left out on request"],
    [leaked, "a validation image that is in train, left out on request"],
  ];
  const kept = (indices: number[]) =>
    indices.filter((index) => {
      const unknown = isOutside(samples[index]) ? `of a class that ${outside}` : undefined;
      const reason = reasons.find(([dropped]) => dropped.has(index))?.[1] ?? unknown;
      if (reason) leftOut.add(reason, path.posix.join(inner, samples[index].path));
      return !reason;
    });
  const keptSplit = { train: kept(split.train), validation: kept(split.validation) };
  const inSplit = new Set([...split.train, ...split.validation]);
  samples.forEach((sample, index) => {
    if (!inSplit.has(index)) leftOut.add(NO_PART, path.posix.join(inner, sample.path));
  });
  const numLeaked = dropLeaked ? 0 : duplicates.leaked().length;
  if (numLeaked > 0)
    remarks.notes.push(
      `${numLeaked} validation images are in train too, which makes the accuracy look better (--drop-leaked leaves them out).`,
    );
  const numImages = { train: keptSplit.train.length, validation: keptSplit.validation.length };
  checkSplit(listing, samples, keptSplit, options, remarks);
  const usedSamples = [...keptSplit.train, ...keptSplit.validation].map((index) => samples[index]);
  const used = usedSamples.length;
  const numSeveral = leftOut
    .list()
    .reduce((sum, { reason, count }) => sum + (reason === SEVERAL_LABELS ? count : 0), 0);
  const kind = splitName(samples, options);
  const splitBy = kind === "folders" ? splitWords : null;
  const report: DataReport = {
    name,
    root,
    classNames,
    labels,
    imageSize,
    split: kind,
    splitBy,
    numImages,
    classCounts: classCounts(samples, keptSplit, classNames),
    sizes: sizeCounts(samples),
    colours: colourCounts(decoded, grey),
    unreadable,
    ...duplicates.summary(),
    dropped: { duplicates: duplicated.size, leaked: leaked.size },
    unusedFolders,
    files: leftOut.counts(used),
    notes: remarks.notes,
    conclusions: [
      ...(isTraining(options) ? labelConclusions(usedSamples, labels) : []),
      ...severalLabelsConclusion(numSeveral, used),
      ...fileConclusions(
        { ...decoded, samples: usedSamples },
        { ...options, isFixed: options.classNames !== undefined },
      ),
    ],
    problems: remarks.problems.map((problem) => new InputError(problem).message),
  };
  const pack = (indices: number[]) => select(decoded, indices, classNames, options);
  const [train, validation] = [pack(keptSplit.train), pack(keptSplit.validation)];
  return { name, classNames, split: kind, ...(splitBy !== null && { splitBy }), train, validation, report };
}

/**
 * @param untrained - Classes that are left out, since no training image has them either.
 * @throws InputError if images have other classes that the model does not have; FER+ alone has one more class than FER-2013.
 */
function checkKnownClasses(
  { where, samples }: Listing,
  classNames: string[],
  untrained: string[],
  { labels = "" }: DataOptions,
): void {
  const known = [...classNames, ...untrained];
  const unknown = classesOf(samples).filter((name) => !known.includes(name));
  if (unknown.length === 0 || labels.startsWith("ferplus")) return;
  throw new InputError({
    expected: `the model's classes ${classNames.join(", ")}`,
    where,
    found: unknown.join(", "),
    fix: "Rename the folders, or choose a model that was trained on these classes.",
  });
}

/** Whether the images are to train on, not to score a model of known classes on. */
function isTraining({ classNames, validationShare }: ClassChoice): boolean {
  return classNames === undefined && validationShare < 1;
}

type ClassChoice = Pick<DataOptions, "classNames" | "validationShare">;

/** One class is enough to evaluate a model, but not to train one. */
function lackOfClasses(
  { where, labels }: Pick<Listing, "where" | "labels">,
  samples: readonly Sample[],
  choice: ClassChoice,
): InputProblem[] {
  const classes = classesOf(samples);
  if (classes.length !== 1 || !isTraining(choice)) return [];
  const fix =
    labels === "class folders"
      ? "Add a folder for each class."
      : `Add ${isFromTable(labels) ? "rows" : "images"} with other labels, which are by ${labels}.`;
  return [{ expected: "at least two classes", where, found: `only ${classes[0]}`, fix }];
}

/** Finds classes that a part of the split lacks, and parts that are empty. */
function checkSplit(
  { where, labels, samples: listed }: Listing,
  samples: readonly Sample[],
  split: Split,
  { classNames, validationShare, fold, group }: DataOptions,
  { notes, problems }: Remarks,
): void {
  const classes = classesOf(samples);
  const unread = classesOf(listed).filter((name) => !classes.includes(name));
  if (unread.length > 0) notes.push(`No image of ${inShort(unread)} can be read, so there is no such class.`);
  const [train, validation] = [split.train, split.validation].map((indices) =>
    classesOf(indices.map((index) => samples[index])),
  );
  const isToTrain = isTraining({ classNames, validationShare });
  problems.push(...lackOfClasses({ where, labels }, samples, { classNames, validationShare }));
  if (isToTrain && train.length === 0)
    problems.push({
      expected: "folders train and validation",
      where,
      found: "no images in train",
      fix: "Add the folder, or choose one with --train-folder.",
    });
  if (isToTrain && validation.length === 0 && validationShare > 0)
    problems.push({
      expected: "images to validate on",
      where,
      found: fold === undefined ? "only one image in each class" : `none in fold ${fold}`,
      fix:
        fold === undefined
          ? "Add images."
          : `Choose fewer folds, since there are fewer ${group === undefined ? "images" : "groups of --group"}.`,
    });
  if (train.length === 0 || validation.length === 0) return;
  const without = (some: string[], others: string[]) => some.filter((name) => !others.includes(name));
  const lacking = without(train, validation);
  const [onlyTrain, onlyValidation] = [inShort(lacking), inShort(without(validation, train))];
  if (onlyValidation && isToTrain)
    problems.push({
      expected: "the same classes in train and validation",
      where,
      found: [onlyTrain && `${onlyTrain} only in train`, `${onlyValidation} only in validation`]
        .filter(Boolean)
        .join(" and "),
      fix: "Add or rename the folders.",
    });
  else if (onlyTrain && !onlyValidation)
    notes.push(
      `No validation image is of ${onlyTrain}, so nothing is known about ${lacking.length > 1 ? "them" : "it"}.`,
    );
}

/** Packs the images at some indices. @param classNames - Null if the labels do not matter. */
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
