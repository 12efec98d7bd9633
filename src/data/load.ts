import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { drawSyntheticFaces, SYNTHETIC_DEFAULTS, syntheticKey } from "../cartoons/draw.js";
import { checkChoice, checkNumber, InputError } from "../errors.js";
import { cacheDir } from "../files.js";
import { type Decoding, FITS, type Fit } from "../model/preprocessing.js";
import type { OnProgress } from "../progress.js";
import { classCounts, colourCounts, type DataReport, Duplicates, sizeCounts } from "./audit/report.js";
import type { Dataset, PackedImages } from "./dataset.js";
import { checkGrey, loadDecoded, withChannels } from "./pixels/cache.js";
import type { DecodedImages } from "./pixels/packed-file.js";
import { PixelSelection } from "./pixels/pixels.js";
import { isArchive, unpackArchive } from "./sources/archive.js";
import { type ClassFolders, scanClassFolders } from "./sources/class-folders.js";
import { downloadFer2013 } from "./sources/fer2013.js";
import { SPLIT_CHOICES, type SplitChoice, splitName, splitSamples } from "./split.js";

/** Data sets that ferkit knows by name, with their titles. */
export const OWN_SOURCES: Readonly<Record<string, string>> = {
  synthetic: "synthetic faces",
  fer2013: "FER-2013",
};

/** Returns a title for `data`: the name of an own source or of a folder or archive. */
export function dataName(data: string): string {
  return OWN_SOURCES[data] ?? path.basename(data).replace(/\.(tar\.gz|tgz|tar|zip)$/i, "");
}

export interface DataOptions {
  /** `synthetic`, `fer2013` (downloads it), or the path of a folder or archive of class folders. */
  data: string;
  /** Side of the square images, in pixels. */
  imageSize: number;
  /** Seed of the split and of the synthetic faces. */
  seed: number;
  /** Share of each class to validate on if the folders have no split; 1 = all, to evaluate only. */
  validationShare: number;
  /** `folders`: by folder, or a held-out share; `official`, `official-test`: as in FER-2013's challenge, by file name. */
  split: SplitChoice;
  /** Leave out all but the first of each group of duplicates in a split. Off, as in published figures. */
  dropDuplicates: boolean;
  /** Leave out validation images with a duplicate in train. Off, as in published figures. */
  dropLeaked: boolean;
  /** Share of unreadable images to accept. */
  maxUnreadableShare: number;
  /** Classes of a trained model, for the labels. Default: the classes of the folders. */
  classNames?: string[];
  /** How images become square: their central square, all of them between black bars, or all of them squeezed. */
  fit: Fit;
  /** For each number format other than 8 bits, the number that is white. Default: the range that the files use. */
  whiteLevels?: Record<string, number>;
  /** Whether images are used in grey; `auto`: if most of them are grey. */
  grey: "auto" | boolean;
  onProgress?: OnProgress;
}

const DEFAULTS = {
  seed: 0,
  validationShare: 0.2,
  split: "folders" as const,
  dropDuplicates: false,
  dropLeaked: false,
  maxUnreadableShare: 0.01,
  fit: "crop" as const,
  grey: "auto" as const,
};

/**
 * Loads a data set: finds the images, decodes them once into the cache, splits them, and reports on them.
 *
 * @throws InputError when there is nothing to train on, or too many images are unreadable.
 */
export async function loadDataset(
  given: Partial<DataOptions> & Pick<DataOptions, "data" | "imageSize">,
): Promise<Dataset & { report: DataReport }> {
  const options: DataOptions = { ...DEFAULTS, ...given };
  const { imageSize, maxUnreadableShare, onProgress } = options;
  checkNumber("imageSize", imageSize, { min: 1, max: 1024, integer: true });
  checkNumber("maxUnreadableShare", maxUnreadableShare, { min: 0, max: 1 });
  checkNumber("validationShare", options.validationShare, { min: 0, max: 1 });
  checkChoice("split", options.split, SPLIT_CHOICES);
  checkChoice("fit", options.fit, FITS);
  checkGrey(options.grey);
  checkNumber("seed", options.seed, { min: 0, integer: true });
  const { name, dir } = await locate(options);
  const folders = await scanClassFolders(dir);
  const classNames = options.classNames ?? folders.classNames;
  checkKnownClasses(folders, classNames);
  const { fit, whiteLevels } = options;
  const decoding: Decoding = { fit, ...(whiteLevels && { whiteLevels }) };
  const decoded = await loadDecoded(folders, imageSize, decoding, onProgress);
  checkReadable(decoded, folders, maxUnreadableShare);
  const { onProgress: _, ...used } = options;
  return { ...assemble(name, folders, decoded, classNames, options), options: used };
}

/** Returns the folder of the images; draws, downloads or unpacks them first if necessary. */
async function locate({ data, seed, onProgress }: DataOptions): Promise<{ name: string; dir: string }> {
  if (data === "synthetic") {
    const drawing = { ...SYNTHETIC_DEFAULTS, seed };
    const dir = path.join(cacheDir(), "synthetic", syntheticKey(drawing));
    const isDrawn = (await stat(dir).catch(() => null)) !== null;
    if (!isDrawn) await drawSyntheticFaces(dir, { ...drawing, onProgress });
    return { name: OWN_SOURCES.synthetic, dir };
  }
  if (data === "fer2013")
    return { name: OWN_SOURCES.fer2013, dir: await unpackArchive(await downloadFer2013(onProgress)) };
  const found = await stat(data).catch(() => null);
  if (found?.isDirectory()) return { name: path.basename(path.resolve(data)), dir: data };
  if (found && isArchive(data)) {
    const dir = await unpackArchive(data);
    const entries = await readdir(dir);
    const name = entries.length === 1 ? entries[0] : path.basename(data).replace(/\.(tar\.gz|\w+)$/i, "");
    return { name, dir };
  }
  throw new InputError({
    expected: "synthetic, fer2013, or a folder or archive (.tar.gz, .tgz, .tar, .zip) of class folders",
    where: data,
    found: found ? "a file of another kind" : "no such path",
    fix: "Fix the path.",
  });
}

function checkKnownClasses(folders: ClassFolders, classNames: string[]): void {
  const unknown = folders.classNames.filter((name) => !classNames.includes(name));
  if (unknown.length === 0) return;
  throw new InputError({
    expected: `the model's classes ${classNames.join(", ")}`,
    where: folders.root,
    found: unknown.join(", "),
    fix: "Rename the folders, or choose a model that was trained on these classes.",
  });
}

function checkReadable(
  { unreadable }: DecodedImages,
  { root, samples }: ClassFolders,
  maxShare: number,
): void {
  const isNone = unreadable.length === samples.length;
  if (!isNone && unreadable.length / samples.length <= maxShare) return;
  const percent = Number((100 * maxShare).toPrecision(6));
  const first = unreadable.slice(0, 3).map(({ path, reason }) => `${path}: ${reason}`);
  throw new InputError({
    expected: isNone ? "images that can be read" : `at most ${percent} % of the images to be unreadable`,
    where: root,
    found: `${isNone ? "none" : unreadable.length} of ${samples.length} (${first.join("; ")}${unreadable.length > 3 ? "; …" : ""})`,
    fix: `Fix or remove them${isNone ? "" : ", or accept more with --max-unreadable-share"}.`,
  });
}

/** Splits the decoded images, leaves out duplicates and leaked images if asked to, and writes the report. */
function assemble(
  name: string,
  { root, unusedFolders }: ClassFolders,
  read: DecodedImages,
  classNames: string[],
  options: DataOptions,
): Dataset & { report: DataReport } {
  const { imageSize, dropDuplicates, dropLeaked, validationShare, seed, split: choice, grey } = options;
  const decoded = withChannels(read, grey);
  const { samples, unreadable } = decoded;
  const splitting = { validationShare, seed, split: choice };
  const split = splitSamples(samples, splitting, root);
  const duplicates = new Duplicates(samples, split);
  const duplicated = new Set(dropDuplicates ? duplicates.duplicated() : []);
  const leaked = new Set(dropLeaked ? duplicates.leaked().filter((index) => !duplicated.has(index)) : []);
  const kept = (indices: number[]) => indices.filter((index) => !duplicated.has(index) && !leaked.has(index));
  const keptSplit = { train: kept(split.train), validation: kept(split.validation) };
  const report: DataReport = {
    name,
    root,
    classNames,
    imageSize,
    split: splitName(samples, splitting),
    numImages: { train: keptSplit.train.length, validation: keptSplit.validation.length },
    classCounts: classCounts(samples, keptSplit, classNames),
    sizes: sizeCounts(samples),
    colours: colourCounts(decoded, grey),
    unreadable,
    ...duplicates.summary(),
    dropped: { duplicates: duplicated.size, leaked: leaked.size },
    unusedFolders,
  };
  const pack = (indices: number[]) => select(decoded, indices, classNames, options);
  const [train, validation] = [pack(keptSplit.train), pack(keptSplit.validation)];
  return { name, classNames, split: report.split, train, validation, report };
}

function select(
  { pixels, numChannels, samples, whiteLevels }: DecodedImages,
  indices: number[],
  classNames: string[],
  { imageSize, fit }: Pick<DataOptions, "imageSize" | "fit">,
): PackedImages {
  const labelOf = new Map(classNames.map((name, label) => [name, label]));
  return {
    pixels: new PixelSelection(pixels, Int32Array.from(indices)),
    labels: Int32Array.from(indices, (index) => labelOf.get(samples[index].className) as number),
    numImages: indices.length,
    imageSize,
    numChannels,
    paths: indices.map((index) => samples[index].path),
    digests: indices.map((index) => samples[index].digest),
    decoding: { fit, ...(Object.keys(whiteLevels).length > 0 && { whiteLevels }) },
  };
}
