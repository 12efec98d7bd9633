// The images of a data set that a model's run held out, and those that it was trained on.
import { BUNDLED_TRAINING, bundledName } from "../bundled-models.js";
import type { DataReport } from "../data/audit/report.js";
import type { DataOptions } from "../data/data-options.js";
import { type Dataset, type PackedImages, printedImages, selectImages } from "../data/dataset.js";
import { type ImageList, type ListedImage, listImages, readModelList } from "../data/image-list.js";
import { type LoadedDataset, loadDataset } from "../data/load.js";
import type { Pixels } from "../data/pixels/pixels.js";
import { isGroupColumn } from "../data/sources/tables/group-columns.js";
import { checkKind, InputError } from "../errors.js";
import { loadModelConfig } from "../model/weights/model-folder.js";
import { inShort } from "../names.js";
import { counted } from "../text.js";

/** Images to score a model on, and what is known about them. */
export interface EvaluationData {
  /** Its validation images are those to score. */
  dataset: LoadedDataset;
  /**
   * Whether the model, its starting weights or its teachers were trained on each of them; null if that is not known, or they are what
   * its run held out, and it had no such models.
   */
  isTrainedOn: boolean[] | null;
  /** What the user should know about the choice of images. */
  notes: string[];
}

/**
 * Loads the images to score a model on, with its classes, image size and decoding. If the model's run was trained on the data
 * set, these are the images that the run held out, whatever its seed and share were. Options that choose a split,
 * `validationShare`, `split` and `fold`, take precedence.
 *
 * @param modelDir - A model folder, such as `runs/NAME/best`.
 * @param options - Those of `loadDataset`; `data` says where the images are.
 * @throws InputError when the data cannot be loaded, or the run held out none of the images.
 * @example
 * ```ts
 * import { loadEvaluationData } from "ferkit";
 *
 * const { dataset, notes } = await loadEvaluationData("runs/pets/best", { data: "data/pets" });
 * console.log(dataset.validation.numImages, "images", notes.join(" "));
 * ```
 */
export async function loadEvaluationData(
  modelDir: string,
  options: Partial<DataOptions> & Pick<DataOptions, "data">,
): Promise<EvaluationData> {
  const { imageSize, classNames, decoding, grey = false, imageList } = await loadModelConfig(modelDir);
  const list = await readModelList(modelDir, imageList);
  checkKind("options", "the path of the images, as { data }", options, ["data"]);
  const { validationShare, split, fold } = options;
  const choosesSplit = [validationShare, split, fold].some((choice) => choice !== undefined);
  const seed = Number(options.seed ?? list?.options.seed ?? 0);
  const ownGroup = list?.options.group;
  const isColumn = typeof ownGroup === "string" && isGroupColumn(ownGroup); // which is read with the images
  const given = { validationShare: 1, ...(isColumn && { group: ownGroup }), ...options };
  const known = { ...given, seed, imageSize, classNames, ...decoding, grey };
  const load = (more: Partial<DataOptions>) => loadDataset({ ...known, ...more });
  const isKnown = list !== null && list.images.length > 0;
  if (isKnown && !choosesSplit) {
    const all = await load({ dropDuplicates: false, dropLeaked: false });
    const own = await ownSplit(all, list, options);
    if (own) return own;
  }
  const { dataset, digests, notes } = await forCalibrated(await load({}), list, choosesSplit);
  if (!isKnown) return { dataset, isTrainedOn: null, notes: [unknownNote(modelDir), ...notes] };
  const trained = new Set([...digestsOf(list, "train"), ...(list.trainedBefore ?? [])]);
  const isTrainedOn = digests.map((digest) => trained.has(digest));
  const isSettled = !list.unlistedModels || isTrainedOn.some(Boolean);
  return {
    dataset,
    isTrainedOn: isSettled ? isTrainedOn : null,
    notes: [...notes, ...unlistedNotes(list)],
  };
}

function unknownNote(modelDir: string): string {
  const name = bundledName(modelDir);
  return name === undefined
    ? "the model has no list of the images that it was trained on, so some of these may be among them"
    : `the bundled model ${name} was trained on ${BUNDLED_TRAINING}, so some of these may be among them`;
}

/** Says which models that a model began with, or learned from, may have been trained on some of the images. */
function unlistedNotes({ unlistedModels = [] }: ImageList): string[] {
  return unlistedModels.map((name) => {
    const which =
      name === "other"
        ? "a model that has no list of the images that it was trained on"
        : `the bundled model ${name}, which was trained on ${BUNDLED_TRAINING}`;
    return `the model's run started or learned from ${which}, so some of these may be among them`;
  });
}

/**
 * Leaves out the validation images that a model was calibrated on, unless the user chose a split.
 *
 * @returns Also the digests of the validation images.
 * @throws InputError if there are no others.
 */
async function forCalibrated(
  dataset: LoadedDataset,
  list: ImageList | null,
  choosesSplit: boolean,
): Promise<{ dataset: LoadedDataset; digests: string[]; notes: string[] }> {
  const digests = (await listImages(dataset)).images
    .filter(({ split }) => split === "validation")
    .map(({ digest }) => digest);
  const known = new Set(list?.calibratedOn);
  const others = [...digests.keys()].filter((i) => !known.has(digests[i]));
  const numKnown = digests.length - others.length;
  if (numKnown === 0) return { dataset, digests, notes: [] };
  if (choosesSplit) {
    const note = `the model was calibrated on ${numKnown} of these ${digests.length} images, which makes its calibration error and its prediction sets look better`;
    return { dataset, digests, notes: [note] };
  }
  if (others.length === 0)
    throw new InputError({
      expected: "images that the model was not calibrated on",
      where: dataset.name,
      found: `${numKnown} images, all from its calibration`,
      fix: ANYWAY,
    });
  const validation = selectImages(dataset.validation, Int32Array.from(others));
  const notes = [calibrationNote(numKnown)];
  return { dataset: { ...dataset, validation }, digests: others.map((i) => digests[i]), notes };
}

const ANYWAY = "Choose other images, or --validation-share 1 to score these all the same.";

function calibrationNote(numImages: number): string {
  return `${numImages} images are left out: the model was calibrated on them`;
}

/**
 * Loads the images of a data set that a model's run neither trained nor validated on, in the model's size and decoding: all of both
 * parts of a split, each content once.
 *
 * @throws InputError when the data cannot be loaded.
 */
export async function loadUnseenImages(
  modelDir: string,
  options: Partial<DataOptions> & Pick<DataOptions, "data">,
): Promise<{ images: PackedImages; digests: string[]; report: DataReport; notes: string[] }> {
  const { imageSize, classNames, decoding, grey = false, imageList } = await loadModelConfig(modelDir);
  const known = { validationShare: 1, imageSize, classNames, ...decoding, grey };
  const dataset = await loadDataset({ ...known, ...options });
  const list = await readModelList(modelDir, imageList);
  const seen = new Set([...(list?.images ?? []).map(({ digest }) => digest), ...(list?.trainedBefore ?? [])]); // those of an earlier calibration may serve again
  const all = (await listImages(dataset)).images.map(({ digest }) => digest);
  const chosen = [...all.keys()].filter((i) => {
    const isNew = !seen.has(all[i]);
    seen.add(all[i]);
    return isNew;
  });
  const numSeen = all.length - chosen.length;
  const notes = [
    ...(list && list.images.length > 0
      ? unlistedNotes(list)
      : [
          "the model has no list of the images of its training, so it is not known whether these are among them",
        ]),
    ...(numSeen > 0
      ? [`${numSeen} images are left out: the model's run had them, or another has the same bytes`]
      : []),
  ];
  const digests = chosen.map((i) => all[i]);
  return { images: select(dataset, chosen), digests, report: dataset.report, notes };
}

function digestsOf({ images }: ImageList, split: ListedImage["split"]): Set<string> {
  return new Set(images.filter((image) => image.split === split).map(({ digest }) => digest));
}

/** Splits a data set as a model's run did; null unless the run knew at least half of the images. */
async function ownSplit(
  dataset: LoadedDataset,
  list: ImageList,
  {
    dropDuplicates = false,
    dropLeaked = false,
    group = list.options.group as string | undefined,
  }: Partial<DataOptions>,
): Promise<EvaluationData | null> {
  const { images } = await listImages(dataset);
  const chosen: Record<ListedImage["split"], number[]> = { train: [], validation: [] };
  const counts = { unknown: 0, calibrated: 0 };
  const [relabelled, heldOutDigests]: string[][] = [[], []];
  const calibratedOn = new Set(list.calibratedOn);
  const known = remaining(list);
  const [trained, seen] = [digestsOf(list, "train"), new Set<string>()];
  for (const [index, image] of images.entries()) {
    const taken = takeImage(known, image);
    if (taken === null) {
      if (calibratedOn.has(image.digest)) counts.calibrated++;
      else counts.unknown++;
      continue;
    }
    const { split } = taken;
    if (split === "validation" && taken.className !== image.className)
      relabelled.push(image.path ?? image.digest);
    const isDropped = (dropLeaked && trained.has(image.digest)) || (dropDuplicates && seen.has(image.digest));
    if (split === "validation") seen.add(image.digest);
    if (split === "train" || !isDropped) chosen[split].push(index);
    if (split === "validation" && !isDropped) heldOutDigests.push(image.digest);
  }
  const numOthers = images.length - counts.calibrated;
  if (numOthers === 0 || counts.unknown > numOthers / 2) return null;
  if (chosen.validation.length === 0)
    throw new InputError({
      expected: "images that the model was not trained on",
      where: dataset.name,
      found: `${chosen.train.length} images, all from its training`,
      fix: ANYWAY,
    });
  const notes = [
    `the model's run was trained on this data set; the images are those that it held out${howHeldOut(list)}`,
    ...heldOutChanges(list, known, relabelled),
    ...(counts.unknown > 0 ? [`${counts.unknown} images that the run did not have are left out`] : []),
    ...(counts.calibrated > 0 ? [calibrationNote(counts.calibrated)] : []),
    ...unlistedNotes(list),
  ];
  const [train, validation] = [select(dataset, chosen.train), select(dataset, chosen.validation)];
  const before = new Set(list.trainedBefore?.filter((digest) => !trained.has(digest))); // duplicates of its own are reported as such
  const isTrainedOn = before.size > 0 ? heldOutDigests.map((digest) => before.has(digest)) : null;
  const options = { ...dataset.options, ...(group !== undefined && { group }) };
  return { dataset: { ...dataset, options, split: "run", train, validation }, isTrainedOn, notes };
}

function howHeldOut({ split, options: { seed, validationShare, fold } }: ImageList): string {
  if (split !== "held-out") return "";
  return ` (seed ${seed}, ${fold === undefined ? `share ${validationShare}` : `fold ${fold}`})`;
}

/** Says which of the images that a run held out are missing or have another label, since scores cannot be compared with the run's then. */
function heldOutChanges(
  list: ImageList,
  known: Map<string, Map<string, number>>,
  relabelled: string[],
): string[] {
  const numHeldOut = list.images.filter(({ split }) => split === "validation").length;
  const left = [...known.values()].flatMap((counts) => [...counts]);
  const numMissing = left.reduce(
    (sum, [key, count]) => (key.startsWith("validation/") ? sum + count : sum),
    0,
  );
  return [
    ...(numMissing > 0
      ? [`${numMissing} of the ${numHeldOut} images that the run held out are missing`]
      : []),
    ...(relabelled.length > 0
      ? [
          `${counted(relabelled.length, "image has", "images have")} another label than in the run (${inShort(relabelled, 3, 3)})`,
        ]
      : []),
  ];
}

/** Counts of a list's images that have not been found yet, by digest, then by split and class. */
function remaining({ images }: ImageList): Map<string, Map<string, number>> {
  const counts = new Map<string, Map<string, number>>();
  for (const { split, className, digest } of images) {
    const own = counts.get(digest) ?? new Map<string, number>();
    const key = `${split}/${className}`;
    counts.set(digest, own.set(key, (own.get(key) ?? 0) + 1));
  }
  return counts;
}

/**
 * Returns the split and class of an image in a run, and counts it as found; null if the run did not have it. Of byte-identical
 * images, the class tells them apart. An image whose label was corrected since is still one that the run had.
 */
function takeImage(
  known: Map<string, Map<string, number>>,
  { className, digest }: ListedImage,
): Pick<ListedImage, "split" | "className"> | null {
  const own = known.get(digest);
  if (!own) return null;
  const keys = [`validation/${className}`, `train/${className}`, ...own.keys()];
  const key = keys.find((candidate) => (own.get(candidate) ?? 0) > 0);
  if (key === undefined) return own.has(`train/${className}`) ? { split: "train", className } : null; // a copy of it that the run did not have
  own.set(key, (own.get(key) as number) - 1);
  const split = key.startsWith("train/") ? "train" : "validation";
  return { split, className: key.slice(split.length + 1) };
}

/** Returns the images of both splits, those of train first. */
export function imagesOf({ train, validation }: Dataset): PackedImages {
  const { digests, groupNames } = validation;
  const noGroups = ({ numImages }: PackedImages) => new Array<null>(numImages).fill(null);
  const { labelShares: _, ...images } = train;
  return printedImages({
    ...images,
    pixels: new JoinedPixels(train, validation),
    labels: Int32Array.from([...train.labels, ...validation.labels]),
    numImages: train.numImages + validation.numImages,
    paths: [...train.paths, ...validation.paths],
    ...((train.lostColour || validation.lostColour) && { lostColour: true }),
    digests: train.digests && digests && [...train.digests, ...digests],
    ...((train.groupNames || groupNames) && {
      groupNames: [...(train.groupNames ?? noGroups(train)), ...(groupNames ?? noGroups(validation))],
    }),
  });
}

/** Selects images of a data set by their indices among those of both splits, as `listImages` has them. */
function select(dataset: Dataset, indices: number[]): PackedImages {
  return selectImages(imagesOf(dataset), Int32Array.from(indices));
}

/** Pixels of images of two splits, one after the other. */
class JoinedPixels implements Pixels {
  constructor(
    private readonly train: PackedImages,
    private readonly validation: PackedImages,
  ) {}

  async read(indices: Int32Array): Promise<Uint8Array> {
    const { imageSize, numChannels, numImages: numTrain } = this.train;
    const imageBytes = imageSize ** 2 * numChannels;
    const result = new Uint8Array(indices.length * imageBytes);
    for (const split of ["train", "validation"] as const) {
      const positions = [...indices.keys()].filter((i) => indices[i] < numTrain === (split === "train"));
      const first = split === "train" ? 0 : numTrain;
      const bytes = await this[split].pixels.read(Int32Array.from(positions, (i) => indices[i] - first));
      positions.forEach((i, k) => {
        result.set(bytes.subarray(k * imageBytes, (k + 1) * imageBytes), i * imageBytes);
      });
    }
    return result;
  }
}
