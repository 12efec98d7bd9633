import path from "node:path";
import { groupBy, tally } from "../collections.js";
import { checkNumber, InputError } from "../errors.js";
import { Random } from "../random.js";
import { usageOf } from "./sources/fer2013.js";
import { capture, groupPattern } from "./sources/file-names.js";
import { classesAt, type Sample } from "./sources/listing.js";
import { isGroupColumn } from "./sources/tables/group-columns.js";

/** How to split: by the folders, or as in the challenge that FER-2013 was made for. */
export const SPLIT_CHOICES = ["folders", "official", "official-test"] as const;
export type SplitChoice = (typeof SPLIT_CHOICES)[number];

/** How a data set was split. Without split folders, a share was held out, or all images are for validation. */
export type SplitName = SplitChoice | "held-out" | "all" | "run";

/** What each split validates on; `folders` is the split that the data set has, which may be a column too. */
const SPLIT_WORDS: Readonly<Record<SplitName, string>> = {
  folders: "the validation folder",
  official: "PublicTest of the official split",
  "official-test": "PrivateTest of the official split",
  "held-out": "a share that was held out",
  all: "all images",
  run: "the images that the model's run held out",
};

/** Says where validation images come from. @param splitBy - What has the data set's own split, if known. */
export function splitInWords(split: SplitName, splitBy?: string | null): string {
  return (split === "folders" && splitBy) || SPLIT_WORDS[split];
}

/** Indices of the images of each split, ascending. */
export interface Split {
  train: number[];
  validation: number[];
}

export interface SplitOptions {
  validationShare: number;
  seed: number;
  /** Default: `folders`. */
  split?: SplitChoice;
  /** Which fold of the training images to validate on instead: `2/5` is the second of five. */
  fold?: string;
  /** int32 `[numImages]`: equal numbers for images that belong on one side. Default: each image by itself. */
  groups?: Int32Array;
}

/**
 * Returns the classes of validation images that no training image has; none if train has other classes of its own too, since some may be
 * the same under another name, or if it has fewer than two.
 */
export function untrainedClasses(samples: readonly Sample[], { train, validation }: Split): string[] {
  const [trained, validated] = [train, validation].map((indices) => classesAt(samples, indices));
  const isRenamed = trained.some((name) => !validated.includes(name));
  return isRenamed || trained.length < 2 ? [] : validated.filter((name) => !trained.includes(name));
}

/** Returns the groups that are in both parts, and the number of those in validation. @param groupOf - Null for an image in no group. */
export function sharedGroups(
  samples: readonly Sample[],
  split: Split,
  groupOf: (sample: Sample) => string | null,
): { shared: string[]; numGroups: number } {
  const [train, validation] = [split.train, split.validation].map(
    (indices) => new Set(indices.map((index) => groupOf(samples[index]))),
  );
  const shared = [...validation].flatMap((key) => (key !== null && train.has(key) ? [key] : []));
  return { shared, numGroups: validation.size };
}

/** Says how many groups of `--group` are in both parts. */
export function groupsInBoth(samples: readonly Sample[], split: Split, group: string): string[] {
  const groupOf = isGroupColumn(group) ? (sample: Sample) => sample.group ?? null : byPattern(group);
  const { shared, numGroups } = sharedGroups(samples, split, groupOf);
  if (shared.length === 0) return [];
  const groups = `${shared.length} of ${numGroups} groups in validation`;
  return [`${groups}, such as ${shared[0]}, are in train too, so the accuracy is not that for new ones.`];
}

function byPattern(group: string): (sample: Sample) => string | null {
  const pattern = groupPattern("--group", group);
  return ({ path: file }) => capture(pattern, file);
}

/** Returns the kind of split that these options give. */
export function splitName(
  samples: readonly Sample[],
  { validationShare, split, fold }: SplitOptions,
): SplitName {
  if (fold !== undefined) return "held-out";
  if (split !== undefined && split !== "folders") return split;
  if (samples.some((sample) => sample.split !== null)) return "folders";
  return validationShare === 1 ? "all" : "held-out";
}

/** Tells whether images are held out here, so that those which belong together must be known. */
export function holdsOut(samples: readonly Sample[], options: SplitOptions): boolean {
  const isShare = options.fold !== undefined || options.validationShare > 0;
  return samples.length > 0 && isShare && splitName(samples, options) === "held-out";
}

/** Reads `2/5`. @throws InputError if it is no fold. */
export function parseFold(fold: string): { number: number; count: number } {
  const [, number, count] = (/^(\d{1,4})\/(\d{1,4})$/.exec(fold) ?? []).map(Number);
  if (count >= 2 && number >= 1 && number <= count) return { number, count };
  const expected = "the number of a fold and of all folds, two or more, such as 2/5 for --fold";
  throw new InputError({ expected, found: fold || "nothing", fix: "Choose one from 1/5 to 5/5." });
}

/**
 * Splits as chosen. `folders` without a split of its own is a seeded split that holds out `validationShare` of each class: a
 * class with two or more images keeps at least one in each split, and the only image of a class is for training, except with a
 * share of 0 or 1. With a fold, the training images are split again, and those of the validation folder are in no part.
 *
 * @throws InputError when the images are not FER-2013's, for its official split.
 */
export function splitSamples(
  samples: readonly Sample[],
  { validationShare, seed, split: choice = "folders", fold, groups }: SplitOptions,
  root: string,
): Split {
  checkNumber("validationShare", validationShare, { min: 0, max: 1 });
  if (fold !== undefined) {
    const isOwn = choice === "folders" && samples.every(({ split }) => split === null);
    const options = { validationShare, seed, split: choice };
    const all = isOwn ? indicesOf(samples, () => true) : splitSamples(samples, options, root).train;
    return splitByFold(samples, all, fold, seed, groups);
  }
  if (choice !== "folders") return officialSplit(samples, choice, root);
  if (samples.every(({ split }) => split === null)) return heldOut(samples, validationShare, seed, groups);
  return {
    train: indicesOf(samples, ({ split }) => split === "train"),
    validation: indicesOf(samples, ({ split }) => split === "validation"),
  };
}

function indicesOf<Item>(items: readonly Item[], fits: (item: Item) => boolean): number[] {
  return items.flatMap((item, index) => (fits(item) ? index : []));
}

/** Tells whether the images at some indices are a single group. Those of such a class are drawn one by one. */
export function isSingleGroup(indices: readonly number[], groups: Int32Array): boolean {
  return indices.every((index) => groups[index] === groups[indices[0]]);
}

/**
 * Draws images of each class in random order, each with its group, as long as they fit into the share. A group with images of
 * several classes goes where the first of these classes puts it. If a class is a single group, its images are drawn one by one.
 */
function heldOut(
  samples: readonly Sample[],
  share: number,
  seed: number,
  groups: Int32Array = Int32Array.from(samples, (_, index) => index),
): Split {
  const isProper = share > 0 && share < 1;
  const heldGroups = new Map<number, boolean>();
  /** Images of classes that are single groups. */
  const single = new Map<number, boolean>();
  for (const [className, indices] of groupBy(samples.keys(), (index) => samples[index].className)) {
    const order = [...new Random(seed, "split", className).permutation(indices.length)].map(
      (i) => indices[i],
    );
    const exact = Math.round(share * indices.length);
    const target = isProper ? Math.min(indices.length - 1, Math.max(1, exact)) : exact;
    if (isSingleGroup(indices, groups)) {
      order.forEach((index, i) => {
        single.set(index, i < target);
      });
      continue;
    }
    const sizes = tally(order.map((index) => groups[index]));
    const sizeOf = (group: number) => sizes.get(group) as number;
    const free = [...sizes.keys()].filter((group) => !heldGroups.has(group));
    let numHeld = [...sizes].reduce((sum, [group, size]) => (heldGroups.get(group) ? sum + size : sum), 0);
    for (const group of free) {
      const fits = numHeld + sizeOf(group) <= target;
      heldGroups.set(group, fits);
      if (fits) numHeld += sizeOf(group);
    }
    const [smallest] = free.sort((a, b) => sizeOf(a) - sizeOf(b));
    if (isProper && numHeld === 0 && smallest !== undefined) heldGroups.set(smallest, true);
  }
  const isHeld = samples.map((_, index) => single.get(index) ?? heldGroups.get(groups[index]) ?? false);
  return { train: indicesOf(isHeld, (held) => !held), validation: indicesOf(isHeld, (held) => held) };
}

/**
 * Deals the images of each class to folds, in random order and each with its group: a group goes to the fold that has the fewest
 * images of the class so far. Every image is in one fold, which is the same for each number of the fold.
 */
function splitByFold(
  samples: readonly Sample[],
  all: readonly number[],
  fold: string,
  seed: number,
  groups: Int32Array = Int32Array.from(samples, (_, index) => index),
): Split {
  const { number, count } = parseFold(fold);
  const foldOf = new Map<number, number>();
  const foldOfGroup = new Map<number, number>();
  const totals = new Array<number>(count).fill(0);
  for (const [className, indices] of groupBy(all, (index) => samples[index].className)) {
    const sizes = new Array<number>(count).fill(0); // images of the class in each fold
    // Images of a class that is a single group are dealt one by one.
    const isSingle = isSingleGroup(indices, groups);
    const members = groupBy(indices, (index, i) => (isSingle ? -1 - i : groups[index]));
    const keys = [...members.keys()];
    const order = [...new Random(seed, "folds", className).permutation(keys.length)].map((i) => keys[i]);
    const isDealt = (key: number) => foldOfGroup.has(key); // with an earlier class
    for (const key of [...order.filter(isDealt), ...order.filter((key) => !isDealt(key))]) {
      const chosen = foldOfGroup.get(key) ?? emptiestFold(sizes, totals);
      if (!isSingle) foldOfGroup.set(key, chosen);
      const images = members.get(key) as number[];
      for (const index of images) foldOf.set(index, chosen);
      sizes[chosen] += images.length;
      totals[chosen] += images.length;
    }
  }
  const isHeld = (index: number) => foldOf.get(index) === number - 1;
  return { train: all.filter((index) => !isHeld(index)), validation: all.filter(isHeld) };
}

/** Returns the fold with the fewest images of a class; of these, the one with the fewest images of all. */
function emptiestFold(sizes: number[], totals: number[]): number {
  const folds = [...sizes.keys()];
  return folds.reduce((best, k) =>
    sizes[k] < sizes[best] || (sizes[k] === sizes[best] && totals[k] < totals[best]) ? k : best,
  );
}

/**
 * Splits FER-2013 as its challenge did, whatever folders the images are in: trains on Training, and validates on PublicTest, or
 * on PrivateTest as published figures do.
 *
 * @throws InputError when an image's part of the challenge is not known, or a row comes twice.
 */
function officialSplit(
  samples: readonly Sample[],
  choice: "official" | "official-test",
  root: string,
): Split {
  const seen = new Map<string, string>();
  const usages = samples.map((sample) => {
    const usage = usageOf(sample);
    const { name } = path.parse(sample.path);
    const key = /^\d+$/.test(name) ? name : sample.path; // other names count from 1 in each class
    const other = seen.get(key);
    seen.set(key, sample.path);
    if (usage !== null && other === undefined) return usage;
    throw new InputError({
      expected:
        "files named by the rows 0 to 35886 of fer2013.csv or as PublicTest_1.jpg, each once, for its official split",
      where: root,
      found: other === undefined ? sample.path : `both ${other} and ${sample.path}`,
      fix: "Remove --split, or give FER-2013: fer2013.csv, or its class folders.",
    });
  });
  const held = choice === "official" ? "PublicTest" : "PrivateTest";
  return {
    train: indicesOf(usages, (usage) => usage === "Training"),
    validation: indicesOf(usages, (usage) => usage === held),
  };
}
