// What the audit concludes from images and their labels: each a sentence with numbers, and what settles it.
import { checkKind } from "../../errors.js";
import { counted, formatCount, percent } from "../../text.js";
import { checkDataset, type Dataset } from "../dataset.js";
import { mirrorConclusions } from "./mirroring.js";
import { findNearDuplicates, type NearDuplicates, withoutMirrored } from "./near-duplicates.js";
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
    `(${examples.join(" and ")}), so scores on them are too high. ${leakRemedy(dataset, leaked)}`;
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

/**
 * More images than this are not compared with each other before a training. To compare fewer takes about a tenth of the time of an
 * epoch at 48 pixels, once: what was found is kept in the cache.
 */
export const MAX_COMPARED = 200_000;

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
