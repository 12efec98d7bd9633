import { classCounts, type DataReport, Duplicates, sizeCounts } from "./audit/report.js";
import type { Dataset, PackedImages } from "./dataset.js";
import type { DecodedImages } from "./pixels/packed-file.js";
import { PixelSelection } from "./pixels/pixels.js";
import type { ClassFolders } from "./sources/class-folders.js";
import { splitName, splitSamples } from "./split.js";
import type { SplitChoice } from "./split-names.js";

export interface AssembleOptions {
  imageSize: number;
  seed: number;
  validationShare: number;
  split: SplitChoice;
  dropDuplicates: boolean;
  dropLeaked: boolean;
}

/**
 * Splits decoded images, leaves out what is to be left out, and reports on them.
 *
 * @param classNames - Of the labels.
 * @throws InputError when the folders have one split only, or cannot be split as asked.
 */
export function assemble(
  name: string,
  { root, unusedFolders }: ClassFolders,
  decoded: DecodedImages,
  classNames: string[],
  { imageSize, dropDuplicates, dropLeaked, ...splitting }: AssembleOptions,
): Dataset & { report: DataReport } {
  const { samples, unreadable } = decoded;
  const split = splitSamples(samples, splitting, root);
  const duplicates = new Duplicates(samples, split);
  const duplicated = new Set(dropDuplicates ? duplicates.duplicated() : []);
  const leaked = new Set(dropLeaked ? duplicates.leaked().filter((place) => !duplicated.has(place)) : []);
  const kept = (places: number[]) => places.filter((place) => !duplicated.has(place) && !leaked.has(place));
  const keptSplit = { train: kept(split.train), validation: kept(split.validation) };
  const numImages = { train: keptSplit.train.length, validation: keptSplit.validation.length };
  const report: DataReport = {
    name,
    root,
    classNames,
    imageSize,
    split: splitName(samples, splitting),
    numImages,
    classCounts: classCounts(samples, keptSplit, classNames),
    sizes: sizeCounts(samples),
    unreadable,
    ...duplicates.summary(),
    dropped: { duplicates: duplicated.size, leaked: leaked.size },
    unusedFolders,
  };
  const pack = (places: number[]) => select(decoded, places, classNames, imageSize);
  return {
    name,
    classNames,
    split: report.split,
    train: pack(keptSplit.train),
    validation: pack(keptSplit.validation),
    report,
  };
}

/** The images at some places, with their labels. */
function select(
  { pixels, numChannels, samples }: DecodedImages,
  places: number[],
  classNames: string[],
  imageSize: number,
): PackedImages {
  const labelOf = new Map(classNames.map((name, label) => [name, label]));
  return {
    pixels: new PixelSelection(pixels, Int32Array.from(places)),
    labels: Int32Array.from(places, (place) => labelOf.get(samples[place].className) as number),
    numImages: places.length,
    imageSize,
    numChannels,
    paths: places.map((place) => samples[place].path),
  };
}
