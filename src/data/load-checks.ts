// What is checked while a data set is loaded: whether its images can be read, and whether its classes can be trained on.
import { groupBy } from "../collections.js";
import { InputError, type InputProblem } from "../errors.js";
import { inShort } from "../names.js";
import { labelProblem } from "./audit/labels.js";
import type { DataOptions } from "./data-options.js";
import type { DecodedImages } from "./pixels/packed-file.js";
import { patternInWords } from "./sources/file-names.js";
import {
  type ChosenListing,
  CLASS_FOLDERS,
  classesAt,
  classesOf,
  type Listing,
  leaveOut,
  type Sample,
} from "./sources/listing.js";
import type { Split } from "./split.js";

/** What is known of a data set while it is loaded. */
export interface Loading {
  listing: ChosenListing;
  decoded: DecodedImages;
  options: DataOptions;
  /** Guesses and doubts, each a sentence. */
  notes: string[];
  /** Why the data set cannot be trained on. */
  problems: InputProblem[];
}

export function nothingThere({ where, labels, leftOut }: Listing): InputError {
  const reasons = leftOut.list().map(({ count, reason }) => `${count} ${reason}`);
  return new InputError({
    expected: "images with labels",
    where,
    found: `none by ${labels}${reasons.length > 0 ? ` (${reasons.slice(0, 4).join(", ")})` : ""}`,
    fix: "Fix the labels, or choose others with --labels.",
  });
}

/** Notes class folders without images, and names that a reader takes for one; says why labels are no classes. */
export function checkClasses({ listing, options, notes, problems }: Loading): void {
  const { samples, emptyClasses } = listing;
  problems.push(...noClasses(listing, options));
  if (emptyClasses.length > 0)
    notes.push(`Folders without images, which are no classes: ${emptyClasses.join("; ")}.`);
  const alike = groupBy(classesOf(samples), (name) =>
    isNumber(name) ? String(Number(name)) : plainText(name),
  );
  const pairs = new Map<string, string[]>();
  for (const names of alike.values()) {
    if (names.length === 1) continue;
    const isMixed = new Set(names.map(toLatin)).size < names.length;
    const said = names.every(isNumber)
      ? "are one number"
      : isMixed
        ? "look alike, but are of letters from several alphabets"
        : "differ only in case, spaces or Unicode form";
    pairs.set(said, [...(pairs.get(said) ?? []), names.map((name) => `"${name}"`).join(" and ")]);
  }
  for (const [said, found] of pairs)
    notes.push(`The classes ${found.join("; ")} ${said}. Use one name for images of one class.`);
}

/** Says why labels are no classes, if they are not and must be. */
export function noClasses(listing: Listing, choice: ClassChoice): InputProblem[] {
  const problem = isTraining(choice) ? labelProblem(listing.samples, listing, choice) : null;
  return problem ? [problem] : [];
}

/** Whether a name is a number that JavaScript keeps: "-1", "+1", "1.50", "1e1". */
function isNumber(name: string): boolean {
  const digits = name.replace(/[eE].*/, "").replace(/\D/g, "");
  return /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?\s*$/.test(name) && digits.length <= 15;
}

/** Cyrillic and Greek letters, and the Latin ones that look like them. */
const [LOOK_ALIKE, LATIN] = [
  "аеорсухіјѕАВЕКМНОРСТХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧο",
  "aeopcyxijsABEKMHOPCTXIJSABEZHIKMNOPTYXo",
];

/** Returns a name in Latin letters if its other letters look like these. */
function toLatin(name: string): string {
  const latin = Array.from(name, (letter) => LATIN[LOOK_ALIKE.indexOf(letter)] ?? letter).join("");
  return /[^\p{Script=Latin}\P{L}]/u.test(latin) ? name : latin;
}

/** Returns a name without what a reader may not see. */
function plainText(name: string): string {
  return toLatin(name)
    .normalize("NFKC")
    .replace(/[\u200b-\u200f\ufeff]/g, "") // marks without a width
    .toUpperCase() // "ß" is "SS"
    .toLowerCase()
    .replace(/[\s_-]+/g, " ")
    .trim()
    .replace(/^0+(?=\d)/, "");
}

/** Counts unreadable images as left out, and says if they are too many. */
export function checkReadable({ listing, decoded: { unreadable }, options, problems }: Loading): void {
  const { where, samples } = listing;
  const { maxUnreadableShare } = options;
  for (const { path: file, reason } of unreadable) leaveOut(listing, `unreadable: ${reason}`, { path: file });
  const isNone = unreadable.length === samples.length;
  if (!isNone && unreadable.length / samples.length <= maxUnreadableShare) return;
  const percent = Number((100 * maxUnreadableShare).toPrecision(6));
  const first = unreadable.slice(0, 3).map(({ path, reason }) => `${path}: ${reason}`);
  const share = Math.ceil((100 * unreadable.length) / samples.length) / 100;
  const accept = `or accept them with --max-unreadable-share ${share} (maxUnreadableShare in a notebook)`;
  problems.push({
    expected: isNone ? "images that can be read" : `at most ${percent}% of the images to be unreadable`,
    where,
    found: `${isNone ? "none" : unreadable.length} of ${samples.length} (${first.join("; ")}${unreadable.length > 3 ? "; …" : ""})`,
    fix: `Fix or remove them${isNone ? "" : `, ${accept}`}.`,
  });
}

/**
 * @param untrained - Classes that are left out, since no training image has them either.
 * @throws InputError if images have other classes that the model does not have; FER+ alone has one more class than FER-2013.
 */
export function checkKnownClasses(
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
export function isTraining({ classNames, validationShare }: ClassChoice): boolean {
  return classNames === undefined && validationShare < 1;
}

type ClassChoice = Pick<DataOptions, "classNames" | "validationShare" | "labels" | "trainFolder">;

/** One class is enough to evaluate a model, but not to train one. */
export function lackOfClasses(
  { where, labels, isTable }: Listing,
  samples: readonly Sample[],
  choice: ClassChoice,
): InputProblem[] {
  const classes = classesOf(samples);
  if (classes.length !== 1 || !isTraining(choice)) return [];
  const pattern = labels === CLASS_FOLDERS && patternInWords(samples.map(({ path: file }) => file));
  const fix =
    labels === CLASS_FOLDERS
      ? "Add a folder for each class, or choose a table of labels with --labels."
      : `Add ${isTable ? "rows" : "images"} with other labels, which are by ${labels}.`;
  return [
    {
      expected: "at least two classes",
      where,
      found: `only ${classes[0]}`,
      fix: pattern ? `${fix} ${pattern}` : fix,
    },
  ];
}

/** Finds classes that a part of the split lacks, and parts that are empty. */
export function checkSplit({ listing, decoded, options, notes, problems }: Loading, split: Split): void {
  const { where, samples: listed, splitBy } = listing;
  const { samples } = decoded;
  const classes = classesOf(samples);
  const unread = without(classesOf(listed), classes);
  if (unread.length > 0) notes.push(`No image of ${inShort(unread)} can be read, so there is no such class.`);
  const isToTrain = isTraining(options);
  problems.push(...lackOfClasses(listing, samples, options));
  if (isToTrain) problems.push(...emptyParts(split, where, options));
  if (split.train.length === 0 || split.validation.length === 0) return;
  const [train, validation] = [split.train, split.validation].map((indices) => classesAt(samples, indices));
  const lacking = without(train, validation);
  const [onlyTrain, onlyValidation] = [inShort(lacking), inShort(without(validation, train))];
  if (onlyValidation && isToTrain)
    problems.push({
      expected: "the same classes in train and validation",
      where,
      found: [onlyTrain && `${onlyTrain} only in train`, `${onlyValidation} only in validation`]
        .filter(Boolean)
        .join(" and "),
      fix:
        splitBy?.isColumn || splitBy?.isList
          ? `Fix ${splitBy.words}, or leave it unread with --split-column none.`
          : "Add or rename the folders.",
    });
  else if (onlyTrain && !onlyValidation)
    notes.push(
      `No validation image is of ${onlyTrain}, so nothing is known about ${lacking.length > 1 ? "them" : "it"}.`,
    );
}

function without(names: string[], others: string[]): string[] {
  return names.filter((name) => !others.includes(name));
}

/** Says which part of a split has no images to train or validate on. */
function emptyParts(
  { train, validation }: Split,
  where: string,
  { validationShare, fold, group }: DataOptions,
): InputProblem[] {
  const problems: InputProblem[] = [];
  if (train.length === 0)
    problems.push({
      expected: "folders train and validation",
      where,
      found: "no images in train",
      fix: "Add the folder, or choose one with --train-folder.",
    });
  if (validation.length === 0 && validationShare > 0)
    problems.push({
      expected: "images to validate on",
      where,
      found: fold === undefined ? "only one image in each class" : `none in fold ${fold}`,
      fix:
        fold === undefined
          ? "Add images."
          : `Choose fewer folds, since there are fewer ${group === undefined ? "images" : "groups of --group"}.`,
    });
  return problems;
}
