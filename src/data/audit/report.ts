// What a data set holds, and what is doubtful about it.
import { groupBy, tally } from "../../collections.js";
import { inShort } from "../../names.js";
import type { Dataset } from "../dataset.js";
import type { DecodedImages, DecodedSample } from "../pixels/packed-file.js";
import type { FileCounts } from "../sources/left-out.js";
import type { Split, SplitName } from "../split.js";
import type { NearDuplicatePair, NearDuplicates } from "./near-duplicates.js";

/** Counts, sizes, unreadable files and duplicates of a data set. */
export interface DataReport {
  /** Short name of the data set. */
  name: string;
  /** Folder that `paths` are relative to. */
  root: string;
  /** Names of the classes, sorted. */
  classNames: string[];
  /** Side of the decoded images, in pixels. */
  imageSize: number;
  /** Where the validation images come from. */
  split: SplitName;
  /** For `folders`, what has the split: "the folder val", "the column part of labels.csv"; otherwise null. */
  splitBy: string | null;
  /** Images of each split. */
  numImages: { train: number; validation: number };
  /** Images of each class in each split. */
  classCounts: { split: "train" | "validation"; className: string; count: number }[];
  /** Sizes of the files' images, in pixels, most frequent first. */
  sizes: { width: number; height: number; count: number }[];
  /** Readable images without and with colour, how all of them are used, and whether that follows the majority. */
  colours: { grey: number; coloured: number; used: "grey" | "colour"; chosenBy: "majority" | "setting" };
  /** Files that cannot be decoded, with the reason. */
  unreadable: { path: string; reason: string }[];
  /** Where the labels come from. */
  labels: string;
  /** All files that were found: those that are used, and those that are not, with the reason. */
  files: FileCounts;
  /** Guesses and doubts, each a sentence. */
  notes: string[];
  /** What the audit concludes from the files. */
  conclusions: Conclusion[];
  /** Why the data set cannot be trained on; empty if it can. */
  problems: string[];
  /** Groups of duplicates, that is, byte-identical files, in both splits together. */
  duplicateGroups: number;
  /** Images beyond the first of each group within a split. */
  duplicateImages: number;
  /** Validation images with a duplicate in train. */
  leakedImages: number;
  /** Groups of duplicates with more than one label. */
  labelConflicts: number;
  /** Images left out on request. */
  dropped: { duplicates: number; leaked: number };
  /** Folders of test images alone, which are not used, since other images are for validation. */
  unusedFolders: string[];
  /** Paths of the images of some groups. */
  examples: { duplicates: string[][]; leaked: string[][]; conflicts: string[][] };
}

/** Something that the audit concludes. */
export interface Conclusion {
  /** What it is about. */
  about:
    | "trait"
    | "colour"
    | "brightness"
    | "crop"
    | "size"
    | "numbers"
    | "transparency"
    | "frames"
    | "copies"
    | "labels"
    | "balance"
    | "mirroring";
  /** One or two sentences with numbers, then what settles it. */
  text: string;
  /** Paths of images that show it. */
  examples: string[];
}

/** Images that a conclusion names. */
const NUM_NAMED = 3;
/** Lists the paths of some examples. */
export const pathsOf = (samples: { path: string }[]) => samples.slice(0, NUM_NAMED).map(({ path }) => path);
/** Names some examples, in brackets. */
export const named = (samples: { path: string }[]) =>
  ` (${inShort(
    samples.map(({ path }) => path),
    NUM_NAMED,
    NUM_NAMED,
  )})`;

const NUM_EXAMPLES = 5;

/** Images that belong together, as indices in each split. */
interface ImageGroup {
  train: number[];
  validation: number[];
}

/** Counts groups of images, those beyond the first in a split, those in validation with one in train, and groups with two labels. */
function countGroups(groups: ImageGroup[], labelOf: (index: number) => string | number) {
  const sum = (countOf: (group: ImageGroup) => number) =>
    groups.reduce((total, group) => total + countOf(group), 0);
  return {
    groups: groups.length,
    images: sum(
      ({ train, validation }) => Math.max(0, train.length - 1) + Math.max(0, validation.length - 1),
    ),
    leaked: sum(({ train, validation }) => (train.length > 0 ? validation.length : 0)),
    labelConflicts: groups.filter((group) => hasConflict(group, labelOf)).length,
  };
}

function hasConflict(
  { train, validation }: ImageGroup,
  labelOf: (index: number) => string | number,
): boolean {
  return new Set([...train, ...validation].map(labelOf)).size > 1;
}

/** Groups of byte-identical files, as indices of samples. */
export class Duplicates {
  private readonly groups: ImageGroup[];

  constructor(
    private readonly samples: DecodedSample[],
    split: Split,
  ) {
    const [train, validation] = [split.train, split.validation].map((indices) =>
      groupBy(indices, (index) => samples[index].digest),
    );
    const digests = new Set([...train.keys(), ...validation.keys()]);
    const groups = Array.from(digests, (digest) => ({
      train: train.get(digest) ?? [],
      validation: validation.get(digest) ?? [],
    }));
    this.groups = groups.filter((group) => group.train.length + group.validation.length > 1);
  }

  /** Lists the images beyond the first of each group within a split. */
  duplicated(): number[] {
    return this.groups.flatMap(({ train, validation }) => [...train.slice(1), ...validation.slice(1)]);
  }

  /** Lists the validation images with a duplicate in train. */
  leaked(): number[] {
    return this.groups.flatMap(({ train, validation }) => (train.length > 0 ? validation : []));
  }

  summary() {
    const labelOf = (index: number) => this.samples[index].className;
    const pathsOf = (fits: (group: ImageGroup) => boolean) =>
      this.groups
        .filter(fits)
        .slice(0, NUM_EXAMPLES)
        .map(({ train, validation }) => [...train, ...validation].map((index) => this.samples[index].path));
    const { groups, images, leaked, labelConflicts } = countGroups(this.groups, labelOf);
    return {
      duplicateGroups: groups,
      duplicateImages: images,
      leakedImages: leaked,
      labelConflicts,
      examples: {
        duplicates: pathsOf(({ train, validation }) => train.length > 1 || validation.length > 1),
        leaked: pathsOf(({ train, validation }) => train.length > 0 && validation.length > 0),
        conflicts: pathsOf((group) => hasConflict(group, labelOf)),
      },
    };
  }
}

export function classCounts(
  samples: DecodedSample[],
  split: Split,
  classNames: string[],
): DataReport["classCounts"] {
  return (["train", "validation"] as const).flatMap((name) => {
    const counts = tally(split[name].map((index) => samples[index].className));
    return classNames.map((className) => ({ split: name, className, count: counts.get(className) ?? 0 }));
  });
}

/** Counts the files of each size, most frequent first. */
export function sizeCounts(samples: DecodedSample[]): DataReport["sizes"] {
  const counts = new Map<number, { width: number; height: number; count: number }>();
  for (const { width, height } of samples) {
    const key = width * 2 ** 26 + height; // no side within `MAX_PIXELS` is longer
    const entry = counts.get(key) ?? { width, height, count: 0 };
    entry.count++;
    counts.set(key, entry);
  }
  return [...counts.values()].sort((a, b) => b.count - a.count);
}

/** Counts images without and with colour, and says how they are used. */
export function colourCounts(
  { samples, numChannels }: Pick<DecodedImages, "samples" | "numChannels">,
  setting: "auto" | boolean,
): DataReport["colours"] {
  const grey = samples.filter(({ isGrey }) => isGrey).length;
  return {
    grey,
    coloured: samples.length - grey,
    used: numChannels === 1 ? "grey" : "colour",
    chosenBy: setting === "auto" ? "majority" : "setting",
  };
}

/** Near-duplicates of a data set; duplicates are among them. */
export interface NearDuplicateReport {
  /** Groups of images that show the same picture, in both splits together. */
  groups: number;
  /** Images beyond the first of each group within a split. */
  images: number;
  /** Validation images whose group has an image in train. */
  leaked: number;
  /** Groups with more than one label. */
  labelConflicts: number;
  /** Pairs of an image and its mirror image. */
  mirroredPairs: number;
  /** Some pairs from different groups, those with different pixels first. */
  examples: Record<PairKind, PairExample[]>;
}

export interface PairExample {
  paths: [string, string];
  classNames: [string, string];
  /** Mean correlation of their parts at the best alignment, [0.86, 1]. */
  similarity: number;
  isMirrored: boolean;
}

/** Kinds of pairs: across the splits, with different labels, mirrored, any other. */
export const PAIR_KINDS = ["leaked", "conflicts", "mirrored", "others"] as const;
export type PairKind = (typeof PAIR_KINDS)[number];

/**
 * Tells for each validation image whether its group has an image in train.
 *
 * @param groups - int32 `[numImages]`: the first index of each image's group, train before validation.
 */
export function seenInTrain(groups: Int32Array, { train, validation }: Dataset): boolean[] {
  const { numImages } = train; // the first index of a group is in train if any is
  return Array.from({ length: validation.numImages }, (_, i) => groups[numImages + i] < numImages);
}

/** Counts near-duplicates and names some pairs. */
export function nearDuplicateReport(dataset: Dataset, found: NearDuplicates): NearDuplicateReport {
  const isInTrain = (index: number) => index < dataset.train.numImages;
  const several = [...groupBy(found.groups.keys(), (index) => found.groups[index]).values()]
    .filter(({ length }) => length > 1)
    .map((all) => ({ train: all.filter(isInTrain), validation: all.filter((index) => !isInTrain(index)) }));
  const pairs = choosePairs(dataset, found, NUM_EXAMPLES);
  const examples = PAIR_KINDS.map((kind) => [kind, pairs[kind].map((pair) => exampleOf(dataset, pair))]);
  return {
    ...countGroups(several, (index) => imageAt(dataset, index).label),
    mirroredPairs: found.pairs.filter(({ isMirrored }) => isMirrored).length,
    examples: Object.fromEntries(examples) as NearDuplicateReport["examples"],
  };
}

/**
 * Chooses at most `numEach` pairs of each kind, and one from each group: with different labels or across the splits if there is one.
 * Pairs with different pixels come first, then those with equal ones.
 */
export function choosePairs(
  dataset: Dataset,
  { groups, pairs, duplicates }: NearDuplicates,
  numEach: number,
): Record<PairKind, NearDuplicatePair[]> {
  const chosen: Record<PairKind, NearDuplicatePair[]> = {
    leaked: [],
    conflicts: [],
    mirrored: [],
    others: [],
  };
  const equal = [...duplicates.keys()]
    .filter((index) => duplicates[index] !== index)
    .map((index): NearDuplicatePair => {
      return { indices: [duplicates[index], index], similarity: 1, isMirrored: false };
    });
  const all = [...pairs, ...equal].map((pair) => ({ pair, kind: kindOf(dataset, pair) }));
  const rank = ({ kind }: { kind: PairKind }) => (kind === "conflicts" ? 0 : kind === "leaked" ? 1 : 2);
  const shown = new Set<number>();
  for (const { pair, kind } of all.sort((a, b) => rank(a) - rank(b))) {
    const group = groups[pair.indices[0]];
    if (shown.has(group) || chosen[kind].length === numEach) continue;
    shown.add(group);
    chosen[kind].push(pair);
  }
  return chosen;
}

function kindOf(dataset: Dataset, { indices, isMirrored }: NearDuplicatePair): PairKind {
  const [a, b] = indices.map((index) => imageAt(dataset, index));
  if (isMirrored) return "mirrored";
  if (a.label !== b.label) return "conflicts";
  return a.images !== b.images ? "leaked" : "others";
}

/** Returns the image at an index that counts through train, then validation. */
export function imageAt({ train, validation }: Dataset, index: number) {
  const images = index < train.numImages ? train : validation;
  const indexInSplit = images === train ? index : index - train.numImages;
  return {
    images,
    index: indexInSplit,
    label: images.labels[indexInSplit],
    path: images.paths[indexInSplit],
  };
}

function exampleOf(dataset: Dataset, { indices, similarity, isMirrored }: NearDuplicatePair): PairExample {
  const [a, b] = indices.map((index) => imageAt(dataset, index));
  const { classNames } = dataset;
  return {
    paths: [a.path, b.path],
    classNames: [classNames[a.label], classNames[b.label]],
    similarity,
    isMirrored,
  };
}
