// Data sets whose labels are in the names of files.
import path from "node:path";
import { InputError } from "../../errors.js";
import { nameOf } from "../../names.js";
import { type Folder, otherFilesIn, type Walk } from "./files.js";
import { samplesOfRows } from "./image-rows.js";
import type { LabelChoice } from "./label-columns.js";
import { REASONS } from "./left-out.js";
import { type Listing, type Sample, stampOf, withParts } from "./listing.js";
import { type Part, partOf } from "./split-names.js";

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

interface ImageFile {
  /** Relative to the data set's folder. */
  file: string;
  folder: Folder;
}

function imagesBelow(folder: Folder): ImageFile[] {
  const own = folder.images.map((name) => ({ file: path.posix.join(folder.path, name), folder }));
  return [...own, ...folder.folders.flatMap(imagesBelow)];
}

/**
 * Reads JAFFE and KDEF, whose files name person and expression.
 *
 * @returns Null if the names are others, or the folders are classes.
 */
export function readKnownNames(walk: Walk, dir: string): Listing | null {
  const images = imagesBelow(walk.root);
  const known = KNOWN.find(({ pattern }) => {
    const fitting = images.filter(({ file }) => pattern.test(path.posix.basename(file)));
    return images.length > 1 && fitting.length > 0.9 * images.length && !areClasses(fitting, pattern);
  });
  if (!known) return null;
  const { name, pattern, classNames } = known;
  const listing = listBy(walk, dir, `file names of ${name}`, `whose name is none of ${name}`, (file) => {
    const code = pattern.exec(path.posix.basename(file))?.[2].toUpperCase();
    return code === undefined ? null : classNames[code];
  });
  listing.notes.push(
    `The file names are those of ${name}, which name the expression (--labels folders takes the folders).`,
  );
  return listing;
}

/** Whether each folder has images of one expression: then the folders are classes, and persons are mixed in them. */
function areClasses(images: ImageFile[], pattern: RegExp): boolean {
  const codes = new Map<Folder, Set<string>>();
  for (const { file, folder } of images) {
    const code = pattern.exec(path.posix.basename(file))?.[2].toUpperCase() as string;
    codes.set(folder, (codes.get(folder) ?? new Set()).add(code));
  }
  return codes.size > 1 && [...codes.values()].every(({ size }) => size === 1);
}

/**
 * Reads the class from the names of files.
 *
 * @param pattern - A regular expression for a path from the data set's folder; its first group is the class.
 * @throws InputError if the pattern is not valid, or fits no file.
 */
export function readLabelPattern(walk: Walk, dir: string, pattern: string): Listing {
  const expression = groupPattern("--label-pattern", pattern);
  const listing = listBy(
    walk,
    dir,
    `file names, by ${pattern}`,
    "whose name does not fit the label pattern",
    (file) => capture(expression, file),
  );
  if (listing.samples.length > 0) return listing;
  const [first] = imagesBelow(walk.root);
  throw new InputError({
    expected: `file names that fit ${pattern}`,
    where: dir,
    found: first ? `${first.file} and others` : "no images",
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

/** Suggests a label pattern for images in no class folder, if their names begin with words that repeat. */
export function suggestPattern(walk: Walk): string | null {
  const names = imagesBelow(walk.root).map(({ file }) => path.posix.basename(file));
  for (const pattern of [
    "^([A-Za-z]+)[._ -]?\\d+\\.",
    "([A-Za-z]+)[._ -]?\\d+\\.",
    "\\d+[._ -]?([A-Za-z]+)\\.",
  ]) {
    const words = names.map((name) => capture(new RegExp(pattern), name));
    const distinct = new Set(words);
    if (!distinct.has(null) && distinct.size > 1 && distinct.size * 2 <= names.length)
      return pattern.startsWith("^") ? pattern.replace("^", "(?:^|/)") : pattern;
  }
  return null;
}

function listBy(
  walk: Walk,
  dir: string,
  labels: string,
  reason: string,
  classOf: (file: string) => string | null,
): Listing {
  const { leftOut } = walk;
  const samples = collectSamples(walk, dir, reason, classOf);
  const notes: string[] = [];
  const parts = samples.map(({ split }) => split);
  return {
    root: dir,
    where: dir,
    inner: ".",
    labels,
    samples: withParts(samples, parts, { where: dir, leftOut, notes }),
    emptyClasses: [],
    leftOut,
    notes,
  };
}

/** Lists the images that have a class, with the part that the folders around them are for, and counts all other files. */
function collectSamples(
  { root, leftOut }: Walk,
  dir: string,
  reason: string,
  classOf: (file: string) => string | null,
): Sample[] {
  const samples: Sample[] = [];
  const visit = (folder: Folder, around: Part | null): void => {
    const split = around ?? (folder.path === "." ? null : partOf(folder.name));
    for (const name of folder.images) {
      const file = path.posix.join(folder.path, name);
      const label = classOf(file);
      if (label === null) leftOut.add(reason, file);
      else samples.push({ path: file, className: nameOf(label), split, ...stampOf(path.join(dir, file)) });
    }
    for (const other of folder.others) leftOut.add(other.reason, path.posix.join(folder.path, other.name));
    for (const inner of folder.folders) visit(inner, split);
  };
  visit(root, null);
  return samples;
}

/** What a file beside an image says about it. */
export interface BesideImage {
  label: string | null;
  /** Fields of JSON, which may name the part of the split. */
  fields: Record<string, string>;
}

/**
 * Reads pairs of an image and a file of the same name with its label, as webdataset's tar files hold: `.cls`, or `.json` with
 * a field `label`. The split is in another field of it, or in the folders' names.
 *
 * @returns Null if the folder holds no such pairs.
 */
export function readLabelFiles(
  { root, leftOut }: Walk,
  dir: string,
  choice: LabelChoice,
  read: (dir: string, file: string) => BesideImage,
): Listing | null {
  const files = otherFilesIn(root).filter((file) => /\.(cls|json)$/i.test(file));
  const keyBy = sampleKey(files);
  const [labelOf, fieldsOf] = [new Map<string, string>(), new Map<string, string>()];
  for (const file of files) {
    if (/\.json$/i.test(file)) fieldsOf.set(keyBy(file), file);
    const isBetter = /\.cls$/i.test(file) || !labelOf.has(keyBy(file));
    if (isBetter) labelOf.set(keyBy(file), file);
  }
  const images = imagesBelow(root);
  const labelled = images.filter(({ file }) => labelOf.has(keyBy(file)));
  if (labelled.length * 2 < images.length || labelled.length === 0) return null;
  const { chosen: paired, others, note } = chooseImages(labelled, keyBy, dir);
  const pairOf = (image: string): LabelPair => {
    const labelFile = labelOf.get(keyBy(image)) as string;
    const fieldsFile = fieldsOf.get(keyBy(image)) ?? labelFile;
    const own = read(dir, labelFile);
    const other = labelFile === fieldsFile ? own : read(dir, fieldsFile);
    return { label: own.label, other: other.label, fields: other.fields, labelFile, fieldsFile };
  };
  const pairs = new Map(paired.map(({ file }) => [file, pairOf(file)]));
  const notes = [...note, ...chooseLabels([...pairs.values()], choice, dir)];
  if ([...pairs.values()].every(({ label }) => label === null)) return null;
  for (const { file } of others) leftOut.add(OTHER_IMAGE, file);
  const used = new Set([...pairs.values()].flatMap(({ labelFile, fieldsFile }) => [labelFile, fieldsFile]));
  const rest = { root: withoutImages(root, new Set(others.map(({ file }) => file)), used), leftOut };
  const labelIn = (file: string) => pairs.get(file)?.label ?? null;
  const found = collectSamples(rest, dir, "without a label beside it", labelIn);
  const table = {
    file: "the files beside the images",
    where: dir,
    ...fieldRows(found, pairs),
    areNames: false,
  };
  const { samples, splitBy } = samplesOfRows(table, choice, { root: dir, leftOut, notes });
  return {
    root: dir,
    where: dir,
    inner: ".",
    labels: "a file beside each image",
    splitBy,
    samples,
    emptyClasses: [],
    leftOut,
    notes,
  };
}

/**
 * Returns what gives a file the key of its sample, as webdataset defines it: the path up to the name's first dot, as of `1.cls` and
 * `1.mask.png`. If that makes one sample of `cat.1.cls` and `cat.2.cls`, the key ends at the last dot.
 */
function sampleKey(labelFiles: string[]): (file: string) => string {
  const upToFirstDot = (file: string) =>
    path.posix.join(path.posix.dirname(file), path.posix.basename(file).split(".")[0]);
  const areStems = ["cls", "json"].some((ending) => {
    const ofEnding = labelFiles.filter((file) => file.toLowerCase().endsWith(`.${ending}`));
    return new Set(ofEnding.map(upToFirstDot)).size < ofEnding.length;
  });
  return areStems ? (file) => file.replace(/\.[^./]+$/, "") : upToFirstDot;
}

/** Returns a folder without some of its images, in which the files of labels that are used have that as their reason. */
function withoutImages(folder: Folder, images: Set<string>, labelFiles: Set<string>): Folder {
  const fileOf = (name: string) => path.posix.join(folder.path, name);
  return {
    ...folder,
    images: folder.images.filter((name) => !images.has(fileOf(name))),
    others: folder.others.map(({ name, reason }) => ({
      name,
      reason: labelFiles.has(fileOf(name)) ? REASONS.labels : reason,
    })),
    folders: folder.folders.map((inner) => withoutImages(inner, images, labelFiles)),
  };
}

/** Lists the fields of each image's JSON as rows of a table. */
function fieldRows(found: readonly Sample[], pairs: ReadonlyMap<string, LabelPair>) {
  const fieldsIn = (file: string) => pairs.get(file)?.fields ?? {};
  const columns = [...new Set(found.flatMap((sample) => Object.keys(fieldsIn(sample.path))))];
  const rows = found.map(({ path: file, className, split }) => {
    const fields = fieldsIn(file);
    const cells = columns.map((name) => fields[name] ?? "");
    return { path: file, name: file, label: className, cells, part: split };
  });
  return { columns, rows };
}

/** The labels of a sample in two files, or in one. */
interface LabelPair extends BesideImage {
  other: string | null;
  labelFile: string;
  fieldsFile: string;
}

/**
 * Chooses between the labels in `.cls` and in `.json` files. They may be other names for the same classes.
 *
 * @returns Notes on what was chosen.
 * @throws InputError if they are not, so that some are wrong or of another kind.
 */
function chooseLabels(pairs: LabelPair[], { labelColumn }: LabelChoice, dir: string): string[] {
  if (labelColumn === "json") for (const pair of pairs) pair.label = pair.other ?? pair.label;
  if (labelColumn === "cls" || labelColumn === "json") return [];
  const both = pairs.filter(({ label, other }) => label !== null && other !== null);
  const differing = both.find(({ label, other }) => label !== other);
  if (!differing) return [];
  const [labels, others] = [both.map(({ label }) => label), both.map(({ other }) => other)];
  const { size } = new Set(both.map(({ label, other }) => JSON.stringify([label, other])));
  const areNames = [labels, others].every((names) => new Set(names).size === size);
  if (areNames && !labels.some((label) => others.includes(label)))
    return [
      `The labels of the .cls files are used. Those of the .json files are other names for them, as ${differing.other} for ${differing.label} (--label-column json takes these).`,
    ];
  throw new InputError({
    expected: "one label for each image",
    where: dir,
    found: `${differing.labelFile} with ${differing.label}, and ${differing.fieldsFile} with ${differing.other}`,
    fix: "Choose --label-column cls or --label-column json.",
  });
}

const OTHER_IMAGE = "another image of a sample, as a mask";
/** Words in the names of images to train on, as in `1.image.png`, beside others such as `1.mask.png`. */
const IMAGE_WORDS = ["", "image", "img", "input", "rgb", "photo", "jpg", "jpeg", "png"];

/**
 * Chooses the image of each sample. A sample may have more, such as `1.mask.png` beside `1.jpg`.
 *
 * @throws InputError if it is not clear which is meant.
 */
function chooseImages(images: ImageFile[], keyBy: (file: string) => string, dir: string) {
  const kindOf = ({ file }: ImageFile) =>
    file.slice(keyBy(file).length).toLowerCase().split(".").slice(1, -1).join(".");
  const samples = new Map<string, ImageFile[]>();
  for (const image of images) {
    const sample = samples.get(keyBy(image.file));
    if (sample) sample.push(image);
    else samples.set(keyBy(image.file), [image]);
  }
  const several = [...samples.values()].find((sample) => sample.length > 1);
  if (!several) return { chosen: images, others: [], note: [] };
  const kinds = new Set(images.map(kindOf));
  const kind = IMAGE_WORDS.find((word) => kinds.has(word));
  const [chosen, others] = [true, false].map((isChosen) =>
    images.filter((image) => (kindOf(image) === kind) === isChosen),
  );
  const unclear = [...samples.values()].find(
    (sample) => sample.filter((image) => kindOf(image) === kind).length > 1,
  );
  if (kind === undefined || unclear)
    throw new InputError({
      expected: "one image for each label",
      where: dir,
      found: (unclear ?? several).map(({ file }) => file).join(" and "),
      fix: "Remove the others, or rename the image to train on as 1.jpg beside 1.cls.",
    });
  return {
    chosen,
    others,
    note: [
      `Samples hold several images: ${chosen[0].file} and its like are used, ${others[0].file} and its like are not.`,
    ],
  };
}
