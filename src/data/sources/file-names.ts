// Data sets whose labels are in the names of files.
import path from "node:path";
import { groupBy } from "../../collections.js";
import { InputError } from "../../errors.js";
import { inShort, nameOf } from "../../names.js";
import { counted } from "../../text.js";
import { imagesBelow, leaveOutOthers, type Walk } from "./files.js";
import { classesOf, type Listing, listingOf, type Sample, stampOf, withParts } from "./listing.js";
import { partOfFolders, partsOf } from "./split-names.js";

/** A data set whose file names follow a known pattern: the first group is the person, the second the class's code. */
interface KnownNames {
  name: string;
  pattern: RegExp;
  classNames: Record<string, string>;
}

const EXPRESSIONS = {
  AN: "angry",
  DI: "disgust",
  FE: "fear",
  HA: "happy",
  NE: "neutral",
  SA: "sad",
  SU: "surprise",
};

const KNOWN: KnownNames[] = [
  {
    name: "JAFFE", // Lyons et al. 1998: KA.AN1.39.tiff
    pattern: /^([A-Z]{2})[.-](AN|DI|FE|HA|NE|SA|SU)\d?[.-]\d+\.(tiff?|jpe?g|png|bmp)$/i,
    classNames: EXPRESSIONS,
  },
  {
    name: "KDEF", // Lundqvist et al. 1998: AF01ANS.JPG is session A, female, person 1, angry, straight
    pattern: /^[AB]([FM]\d\d)(AF|AN|DI|HA|NE|SA|SU)(?:FL|HL|S|HR|FR)\.(?:jpe?g|png)$/i,
    classNames: { ...EXPRESSIONS, AF: "fear" },
  },
];

/**
 * Reads JAFFE and KDEF, whose files name person and expression.
 *
 * @returns Null if the names are others, or the folders are classes.
 */
export function readKnownNames(walk: Walk): Listing | null {
  const images = imagesBelow(walk.root);
  const known = KNOWN.find(({ pattern }) => {
    const fitting = images.filter((file) => codeIn(file, pattern) !== undefined);
    return images.length > 1 && fitting.length > 0.9 * images.length && !areClasses(fitting, pattern);
  });
  if (!known) return null;
  const { name, pattern, classNames } = known;
  const listing = listBy(walk, `file names of ${name}`, `whose name is none of ${name}`, (file) => {
    const code = codeIn(file, pattern);
    return code === undefined ? null : classNames[code];
  });
  listing.notes.push(
    `The file names are those of ${name}, which name the expression (--labels folders takes the folders).`,
  );
  return listing;
}

/** Returns the code of the class in a file's name, if the name fits. */
function codeIn(file: string, pattern: RegExp): string | undefined {
  return pattern.exec(path.posix.basename(file))?.[2].toUpperCase();
}

/** Whether each folder has images of one expression: then the folders are classes, and persons are mixed in them. */
function areClasses(images: string[], pattern: RegExp): boolean {
  const folders = [...groupBy(images, path.posix.dirname).values()];
  const codesIn = (some: string[]) => new Set(some.map((file) => codeIn(file, pattern)));
  return folders.length > 1 && folders.every((some) => codesIn(some).size === 1);
}

/**
 * Reads the class from the names of files.
 *
 * @param pattern - A regular expression for a path from the data set's folder; its first group is the class.
 * @throws InputError if the pattern is not valid, or fits no file.
 */
export function readLabelPattern(walk: Walk, pattern: string): Listing {
  const expression = groupPattern("--label-pattern", pattern);
  const listing = listBy(
    walk,
    `file names, by ${pattern}`,
    "whose name does not fit the label pattern",
    (file) => capture(expression, file),
  );
  if (listing.samples.length > 0) {
    listing.notes.push(`The label pattern finds ${classesInWords(classesOf(listing.samples))}.`);
    return listing;
  }
  const [first] = imagesBelow(walk.root);
  throw new InputError({
    expected: `file names that fit ${pattern}`,
    where: walk.dir,
    found: first ? `${first} and others` : "no images",
    fix: "Fix --label-pattern: it is compared with a path such as cat/cat.12.jpg, and its group is the class.",
  });
}

/** Returns what the first group of a pattern captures; null if it does not fit. */
export function capture(pattern: RegExp, file: string): string | null {
  return pattern.exec(file)?.[1] || null;
}

/** @throws InputError if it is not a regular expression with a group. */
export function groupPattern(option: string, pattern: string): RegExp {
  const fix = `Write a regular expression with a group, such as ${option} '^([a-z]+)'.`;
  try {
    const expression = new RegExp(pattern, "u");
    if (new RegExp(`${pattern}|`, "u").exec("")?.length !== 1) return expression;
  } catch (error) {
    throw new InputError({ expected: `a pattern for ${option}`, found: (error as Error).message, fix });
  }
  throw new InputError({ expected: `a pattern with a group for ${option}`, found: pattern, fix });
}

/** Where a name has its class: all before the last number, all before the first one, or all after it. Each takes the whole name. */
const NAMED_BY = [
  "(?:^|/)([^/]+?)[ ._(-]*\\d+\\)?\\.\\w+$", // sea_lion_1.png, n01440764_1.JPEG, Cat (1).png
  "(?:^|/)([^/]+?)[ ._(-]+\\d[^/]*$", // cat-1-a.png
  "(?:^|/)[^\\d/]*\\d[\\d ._-]*([^\\d/ ._-][^/]*)\\.\\w+$", // 1_sea_lion.png
];

/** Names the classes that a pattern finds. */
function classesInWords(classNames: string[]): string {
  return `${counted(classNames.length, "class", "classes")}: ${inShort(classNames, 10)}`;
}

/** A pattern that fits all images, and the classes that it gives. */
interface Suggestion {
  pattern: string;
  classNames: string[];
}

/** Suggests a label pattern for images without labels, if their names hold words that repeat. Images for tests may have no class. */
export function suggestPattern(images: readonly string[]): Suggestion | null {
  const areForTests = groupBy(images, (file) => partOfFolders(file) === "test");
  const [files, tests] = [areForTests.get(false) ?? [], areForTests.get(true) ?? []];
  for (const pattern of NAMED_BY) {
    const expression = groupPattern("--label-pattern", pattern);
    const found = files.map((file) => capture(expression, file));
    const classNames = classesOf(found.flatMap((className) => (className === null ? [] : { className })));
    const fitsAll = !found.includes(null) && classNames.length > 1 && classNames.length * 2 <= files.length;
    const isKnown = tests.every((file) => [null, ...classNames].includes(capture(expression, file)));
    if (fitsAll && isKnown && partsOf(classNames).size < classNames.length) return { pattern, classNames };
  }
  return null;
}

/** Says how to read the classes in the names of images; null if they hold none. */
export function patternInWords(images: readonly string[]): string | null {
  const suggested = suggestPattern(images);
  return (
    suggested &&
    `If the class is in the files' names, run again with --label-pattern '${suggested.pattern}', which finds ${classesInWords(suggested.classNames)}.`
  );
}

function listBy(
  walk: Walk,
  labels: string,
  reason: string,
  classOf: (file: string) => string | null,
): Listing {
  const samples = collectSamples(walk, imagesBelow(walk.root), reason, classOf);
  leaveOutOthers(walk);
  const listing = listingOf(walk, { labels, samples });
  const parts = samples.map(({ split }) => split);
  return { ...listing, samples: withParts(samples, parts, listing) };
}

/** Lists the images that have a class, with the part that the folders around them are for; leaves out the others. */
export function collectSamples(
  { dir, leftOut }: Walk,
  images: string[],
  reason: string,
  classOf: (file: string) => string | null,
): Sample[] {
  return images.flatMap((file): Sample[] => {
    const label = classOf(file);
    if (label === null) leftOut.add(reason, file);
    const [className, split] = [nameOf(label ?? ""), partOfFolders(file)];
    return label === null ? [] : [{ path: file, className, split, ...stampOf(path.join(dir, file)) }];
  });
}
