import type { Dataset } from "../dataset.js";
import type { NearDuplicates, SimilarPair } from "./near-duplicates.js";

/** What a data set holds of near-identical images, byte-identical ones among them. */
export interface NearDuplicateReport {
  /** Groups of images that show the same, over both splits. */
  groups: number;
  /** Images beyond the first of each group within a split. */
  images: number;
  /** Validation images whose group has an image in train. */
  leaked: number;
  /** Groups with more than one label. */
  labelConflicts: number;
  /** Pairs of which one is as a mirror shows the other. */
  mirroredPairs: number;
  /** Some pairs with different pixels, of different groups. */
  examples: Record<SimilarKind, SimilarExample[]>;
}

export interface SimilarExample {
  paths: [string, string];
  classNames: [string, string];
  /** Correlation of their gradients, [0.8, 1]. */
  similarity: number;
  isMirrored: boolean;
}

/** In both splits; of different labels; mirrored; any other. */
export const SIMILAR_KINDS = ["leaked", "conflicts", "mirrored", "others"] as const;
export type SimilarKind = (typeof SIMILAR_KINDS)[number];

const NUM_EXAMPLES = 5;

/** Validation images, by their places there, whose group in `first` has an image in train. */
export function seenInTrain(first: Int32Array, { train, validation }: Dataset): boolean[] {
  const { numImages } = train; // the first place of a group lies in train if any does
  return Array.from({ length: validation.numImages }, (_, i) => first[numImages + i] < numImages);
}

/** Counts near-identical images and names some pairs. */
export function nearDuplicateReport(dataset: Dataset, found: NearDuplicates): NearDuplicateReport {
  const groups = new Map<number, number[]>();
  found.similar.forEach((first, place) => {
    const group = groups.get(first);
    if (group) group.push(place);
    else groups.set(first, [place]);
  });
  const several = [...groups.values()].filter(({ length }) => length > 1);
  const { numImages } = dataset.train;
  const repeated = several.map((group) => {
    const inTrain = group.filter((place) => place < numImages).length;
    return Math.max(0, inTrain - 1) + Math.max(0, group.length - inTrain - 1);
  });
  const pairs = similarPairsOf(dataset, found, NUM_EXAMPLES);
  const examples = SIMILAR_KINDS.map((kind) => [kind, pairs[kind].map((pair) => exampleOf(dataset, pair))]);
  return {
    groups: several.length,
    images: repeated.reduce((total, count) => total + count, 0),
    leaked: seenInTrain(found.similar, dataset).filter(Boolean).length,
    labelConflicts: several.filter(
      (group) => new Set(group.map((place) => at(dataset, place).label)).size > 1,
    ).length,
    mirroredPairs: found.pairs.filter(({ isMirrored }) => isMirrored).length,
    examples: Object.fromEntries(examples) as NearDuplicateReport["examples"],
  };
}

/** At most `numEach` pairs of each kind, the least alike of those that are surely copies last; one a group. */
export function similarPairsOf(
  dataset: Dataset,
  { similar, pairs }: NearDuplicates,
  numEach: number,
): Record<SimilarKind, SimilarPair[]> {
  const chosen: Record<SimilarKind, SimilarPair[]> = { leaked: [], conflicts: [], mirrored: [], others: [] };
  const shown = new Set<number>();
  for (const pair of pairs) {
    const group = similar[pair.places[0]];
    const kind = kindOf(dataset, pair);
    if (shown.has(group) || chosen[kind].length === numEach) continue;
    shown.add(group);
    chosen[kind].push(pair);
  }
  return chosen;
}

function kindOf(dataset: Dataset, { places, isMirrored }: SimilarPair): SimilarKind {
  const [a, b] = places.map((place) => at(dataset, place));
  if (isMirrored) return "mirrored";
  if (a.label !== b.label) return "conflicts";
  return a.images !== b.images ? "leaked" : "others";
}

/** The image at a place that counts through train, then validation. */
export function at({ train, validation }: Dataset, place: number) {
  const images = place < train.numImages ? train : validation;
  const index = images === train ? place : place - train.numImages;
  return { images, index, label: images.labels[index], path: images.paths[index] };
}

function exampleOf(dataset: Dataset, { places, similarity, isMirrored }: SimilarPair): SimilarExample {
  const [a, b] = places.map((place) => at(dataset, place));
  const { classNames } = dataset;
  return {
    paths: [a.path, b.path],
    classNames: [classNames[a.label], classNames[b.label]],
    similarity,
    isMirrored,
  };
}
