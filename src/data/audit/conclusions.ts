// What the audit concludes from images and their labels: each a sentence with numbers, and what settles it.
import { checkKind } from "../../errors.js";
import { Random } from "../../random.js";
import { counted, formatCount, percent } from "../../text.js";
import { checkDataset, type Dataset, type PackedImages } from "../dataset.js";
import { THUMBNAIL_SIZE } from "./lsh.js";
import {
  averagePooling,
  findNearDuplicates,
  mirror,
  type NearDuplicatePair,
  type NearDuplicates,
  withoutMirrored,
} from "./near-duplicates.js";
import { type Conclusion, imageAt, named, nearDuplicateReport, pathsOf } from "./report.js";

/**
 * Concludes from the images and their labels: classes of very different sizes, copies across the splits, copies with two labels, classes that mirroring confuses.
 *
 * @param found - What `findNearDuplicates` found in train, then validation.
 * @example
 * ```ts
 * import { findNearDuplicates, imageConclusions, loadDataset } from "ferkit";
 *
 * const dataset = await loadDataset({ data: "data/pets", imageSize: 48 });
 * const found = await findNearDuplicates([dataset.train, dataset.validation]);
 * for (const { text } of await imageConclusions(dataset, found)) console.log(text);
 * ```
 */
export async function imageConclusions(dataset: Dataset, found: NearDuplicates): Promise<Conclusion[]> {
  checkDataset(dataset);
  checkKind("found", "near-duplicates, as findNearDuplicates returns them", found, [
    "groups",
    "pairs",
    "alike",
  ]);
  const evidence = evidenceOnLabels(found);
  const mirroring = await mirrorConclusions(dataset, evidence?.pairs);
  const copies = evidence && mirroring.length > 0 ? withoutMirrored(evidence) : evidence;
  return [
    ...imbalanceConclusion(dataset),
    ...alikeConclusion(dataset, found),
    ...leakConclusion(dataset, found),
    ...(copies ? conflictConclusion(dataset, copies) : []),
    ...mirroring,
  ];
}

/** The largest class has this many times the training images of the smallest. */
const IMBALANCE = 10;

function imbalanceConclusion({ train, classNames }: Dataset): Conclusion[] {
  const counts = new Array<number>(classNames.length).fill(0);
  for (const label of train.labels) counts[label]++;
  const order = [...counts.keys()].filter((label) => counts[label] > 0).sort((a, b) => counts[b] - counts[a]);
  const [largest, smallest] = [order[0], order[order.length - 1]];
  if (order.length < 2 || counts[largest] < IMBALANCE * counts[smallest]) return [];
  const text =
    `${classNames[largest]} has ${counted(counts[largest], "training image")} and ${classNames[smallest]} ` +
    `${formatCount(counts[smallest])}: always answering ${classNames[largest]} is right for ` +
    `${percent(counts[largest] / train.numImages, 0)} of all. Compare the recall of each class, and add images of the small ones, or ` +
    "train with --set classWeights=balanced, which also chooses the best epoch by macro-F1 (monitor).";
  return [{ about: "balance", text, examples: [] }];
}

/** Returns near-duplicates that say something about labels. If most images are too similar to tell copies, other pairs may be chance. */
function evidenceOnLabels(found: NearDuplicates | null): NearDuplicates | null {
  return found && found.alike.length <= found.groups.length / 2 ? found : null;
}

function alikeConclusion(dataset: Dataset, { alike, groups }: NearDuplicates): Conclusion[] {
  if (alike.length === 0) return [];
  const images = [...alike].map((index) => imageAt(dataset, index));
  const text =
    `${alike.length} of ${counted(groups.length, "image")} are too similar to each other to tell near-duplicates${named(images)}. ` +
    "Compare them yourself: of these, only equal ones count as copies here.";
  return [{ about: "copies", text, examples: pathsOf(images) }];
}

function leakConclusion(dataset: Dataset, { groups, duplicates }: NearDuplicates): Conclusion[] {
  const { train, validation } = dataset;
  const leaked = Array.from({ length: validation.numImages }, (_, i) => train.numImages + i).filter(
    (index) => groups[index] < train.numImages,
  );
  if (leaked.length === 0) return [];
  const index = leaked.find((one) => duplicates[one] >= train.numImages) ?? leaked[0];
  const examples = [imageAt(dataset, index).path, imageAt(dataset, groups[index]).path];
  const text =
    `${leaked.length} of ${counted(validation.numImages, "validation image")} look like one in train ` +
    `(${examples.join(" and ")}), so that scores on them are too high. ${leakRemedy(dataset, leaked)}`;
  return [{ about: "copies", text, examples }];
}

/** @param leaked - Validation images like one in train, counted through both splits. */
function leakRemedy({ split, train, validation }: Dataset, leaked: number[]): string {
  if (split === "held-out")
    return "All images of a class are near-duplicates of each other, so they were held out one by one. Add other images of it, and remove copies.";
  const inTrain = new Set(train.digests);
  const numEqual = leaked.filter((index) =>
    inTrain.has(validation.digests?.[index - train.numImages] ?? ""),
  ).length;
  const drop = numEqual > 0 ? "Choose --drop-leaked to leave out those with equal files" : null;
  const remove =
    numEqual < leaked.length ? `${drop ? "remove the others" : "Remove them"} from one of the splits` : null;
  const others =
    leaked.length < validation.numImages ? "; `npx ferkit evaluate` also scores without all of them" : "";
  return `${[drop, remove].filter(Boolean).join(", and ")}${others}.`;
}

function conflictConclusion(dataset: Dataset, found: NearDuplicates): Conclusion[] {
  const { classNames } = dataset;
  const { labelConflicts } = nearDuplicateReport(dataset, found);
  if (labelConflicts === 0) return [];
  const index = found.groups.findIndex(
    (first, one) => imageAt(dataset, first).label !== imageAt(dataset, one).label,
  );
  const images = [imageAt(dataset, found.groups[index]), imageAt(dataset, index)];
  const shown = images.map(({ path, label }) => `${path} is ${classNames[label]}`);
  const text =
    `${counted(labelConflicts, "group")} of near-duplicates ${labelConflicts === 1 ? "has" : "have"} two labels ` +
    `(${shown.join(", ")}). Fix the wrong ones, or remove the images.`;
  return [{ about: "labels", text, examples: pathsOf(images) }];
}

const NO_MIRRORING = "Train with --set horizontalFlip=0, and evaluate without --flip.";
/** Images of each class that show whether mirroring confuses it; half of them make the class's mean. */
const NUM_MIRRORED = 200;
const MIN_MIRRORED = 4;
/** Share of a class that must look like it, and of its mirror images that must look like the other class. */
const MIN_LIKENESS = 0.75;

/**
 * More images than this are not compared with each other before a training. To compare fewer takes about a tenth of the time of an
 * epoch at 48 pixels, once: what was found is kept in the cache.
 */
const MAX_COMPARED = 200_000;

/**
 * Concludes what a training should know: classes of very different sizes, validation images that look like one in train, and classes
 * that mirroring makes one. Very large data sets are not searched for near-duplicates, and a conclusion says so.
 *
 * @param training - Whether training images are mirrored, and classes weighted.
 */
export async function trainingConclusions(
  dataset: Dataset,
  { isMirrored, isWeighted }: { isMirrored: boolean; isWeighted: boolean },
): Promise<Conclusion[]> {
  const { train, validation } = dataset;
  const numImages = train.numImages + validation.numImages;
  const found = numImages <= MAX_COMPARED ? await findNearDuplicates([train, validation]) : null;
  return [
    ...(isWeighted ? [] : imbalanceConclusion(dataset)),
    ...(found ? leakConclusion(dataset, found) : [notCompared(numImages)]),
    ...(isMirrored ? await mirrorConclusions(dataset, evidenceOnLabels(found)?.pairs) : []),
  ];
}

function notCompared(numImages: number): Conclusion {
  const text =
    `Validation images that look like one in train were not looked for among ${formatCount(numImages)} images, ` +
    "which takes minutes. Run `npx ferkit data` to look for them.";
  return { about: "copies", text, examples: [] };
}

async function mirrorConclusions(
  dataset: Dataset,
  pairs: readonly NearDuplicatePair[] = [],
): Promise<Conclusion[]> {
  const conclusions: Conclusion[] = [];
  const mirrored = pairs.filter(({ isMirrored }) => isMirrored);
  const conflicts = mirrored.filter(
    ({ indices: [a, b] }) => imageAt(dataset, a).label !== imageAt(dataset, b).label,
  );
  const { classNames } = dataset;
  if (conflicts.length >= 2 && 2 * conflicts.length >= mirrored.length) {
    const images = conflicts[0].indices.map((index) => imageAt(dataset, index));
    const examples = images.map(({ path }) => path);
    const shown = images.map(({ path, label }) => `${path} is ${classNames[label]}`);
    const text =
      `${conflicts.length} of ${counted(mirrored.length, "pair")} of mirror images have two labels (${shown.join(", ")}): ` +
      `mirroring makes these classes one. ${NO_MIRRORING}`;
    return [{ about: "mirroring", text, examples }];
  }
  for (const { a, b, share, examples } of await mirroredClasses(dataset)) {
    const text =
      `${percent(share, 0)} of the mirror images of ${classNames[a]} look like ${classNames[b]}, and the reverse: mirroring makes ` +
      `these classes one. ${NO_MIRRORING}`;
    conclusions.push({ about: "mirroring", text, examples });
  }
  return conclusions;
}

/** Two classes of which each looks like the other's mirror image. */
interface MirroredClasses {
  a: number;
  b: number;
  /** Share of their mirror images that look like the other class. */
  share: number;
  examples: string[];
}

/** Compares images and their mirror images with the mean of each class, made of other images. */
async function mirroredClasses({ train, classNames }: Dataset): Promise<MirroredClasses[]> {
  const { numChannels } = train;
  const samples = await Promise.all(classNames.map((_, label) => thumbnailsOf(train, label)));
  const halves = samples.map(({ thumbnails }) => Math.floor(thumbnails.length / 2));
  const means = samples.map(({ thumbnails }, label) =>
    meanOf(thumbnails.slice(0, halves[label]), numChannels),
  );
  const nearest = (thumbnail: Float32Array) => {
    const scores = means.map((mean) => (mean ? dot(mean, thumbnail) : Number.NEGATIVE_INFINITY));
    return scores.indexOf(Math.max(...scores));
  };
  /** Shares of a class's images, and of their mirror images, that look like each class. */
  const shares = samples.map(({ thumbnails }, label) => {
    const tested = thumbnails.slice(halves[label]);
    const shareOf = (some: Float32Array[]) => {
      const found = some.map(nearest);
      return classNames.map(
        (_, other) => found.filter((one) => one === other).length / Math.max(1, found.length),
      );
    };
    return {
      own: shareOf(tested),
      mirrored: shareOf(tested.map((one) => mirror(one, THUMBNAIL_SIZE, numChannels))),
    };
  });
  const isLike = (label: number, other: number) =>
    shares[label].own[label] >= MIN_LIKENESS && shares[label].mirrored[other] >= MIN_LIKENESS;
  return classNames.flatMap((_, a) =>
    classNames.flatMap((_, b): MirroredClasses[] => {
      if (b <= a || Math.min(halves[a], halves[b]) < MIN_MIRRORED || !isLike(a, b) || !isLike(b, a))
        return [];
      const share = Math.min(shares[a].mirrored[b], shares[b].mirrored[a]);
      return [{ a, b, share, examples: [samples[a].paths[halves[a]], samples[b].paths[halves[b]]] }];
    }),
  );
}

/** Reads some images of a class as thumbnails of mean 0 and length 1. */
async function thumbnailsOf(
  { pixels, labels, imageSize, numChannels, paths }: PackedImages,
  label: number,
): Promise<{ thumbnails: Float32Array[]; paths: string[] }> {
  const own = [...labels.keys()].filter((index) => labels[index] === label);
  const order = new Random(0, "mirrored classes", label).permutation(own.length).subarray(0, NUM_MIRRORED);
  const indices = Int32Array.from(order, (i) => own[i]);
  const bytes = await pixels.read(indices);
  const gridOf = averagePooling(imageSize, numChannels, THUMBNAIL_SIZE);
  const length = imageSize ** 2 * numChannels;
  const thumbnails = [...indices.keys()].map((i) =>
    normalized(gridOf(bytes.subarray(i * length, (i + 1) * length))),
  );
  return { thumbnails, paths: [...indices].map((index) => paths[index]) };
}

function normalized(values: Float32Array): Float32Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const centered = values.map((value) => value - mean);
  const length = Math.sqrt(dot(centered, centered));
  return length > 0 ? centered.map((value) => value / length) : centered;
}

function meanOf(thumbnails: Float32Array[], numChannels: number): Float32Array | null {
  if (thumbnails.length < MIN_MIRRORED) return null;
  const sum = new Float32Array(THUMBNAIL_SIZE ** 2 * numChannels);
  for (const thumbnail of thumbnails)
    thumbnail.forEach((value, i) => {
      sum[i] += value;
    });
  return normalized(sum);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
