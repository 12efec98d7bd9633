import { checkIndices, checkKind, InputError, ParameterError } from "../errors.js";
import type { ModelConfig } from "../model/network.js";
import { DEFAULT_DECODING, type Decoding, type Fit } from "../model/preprocessing.js";
import { areSameClasses } from "../names.js";
import { printedAs } from "../printed.js";
import { counted } from "../text.js";
import { PixelSelection, type Pixels } from "./pixels/pixels.js";
import type { SplitName } from "./split.js";

/**
 * Decoded images of one split, with their labels and paths.
 *
 * @example
 * ```ts
 * import { loadDataset, type PackedImages } from "ferkit";
 *
 * // Returns the mean of an image's pixel values, 0–255.
 * async function brightness({ pixels }: PackedImages, index: number): Promise<number> {
 *   const values = await pixels.read(Int32Array.of(index));
 *   return values.reduce((sum, value) => sum + value, 0) / values.length;
 * }
 *
 * const { train } = await loadDataset({ data: "data/pets", imageSize: 48 });
 * console.log(train.paths[0], await brightness(train, 0));
 * ```
 */
export interface PackedImages {
  /** uint8 `[numImages, imageSize, imageSize, numChannels]`, NHWC, RGB or grey. */
  pixels: Pixels;
  /** int32 `[numImages]`, each in `[0, numClasses)`. */
  labels: Int32Array;
  /** Number of images. */
  numImages: number;
  /** Side of the square images, in pixels. */
  imageSize: number;
  /** 1 if the data set is used in grey, otherwise 3. */
  numChannels: 1 | 3;
  /** Names of the classes: `classNames[label]`; absent for images whose classes have no names. */
  classNames?: readonly string[];
  /** True if colours were dropped, so that a network for colours cannot use the images. */
  lostColour?: boolean;
  /** File of each image, relative to the data set's root. */
  paths: string[];
  /** SHA-256 of each file's bytes, in hexadecimal; absent for images that come from no file. */
  digests?: string[];
  /** Group of each image by a column of the data set's table, as `group` chose it; null for images without one. */
  groupNames?: (string | null)[];
  /** float32 `[numImages, numClasses]`: share of each class in an image's label; absent if the labels are certain. */
  labelShares?: Float32Array;
  /** How the files became square pixels; absent for images that come from no file. */
  decoding?: Decoding;
}

/**
 * A data set ready to train on, as `loadDataset` returns it.
 *
 * @example
 * ```ts
 * import { type Dataset, loadDataset } from "ferkit";
 *
 * const numImages = ({ train, validation }: Dataset) => train.numImages + validation.numImages;
 * console.log(numImages(await loadDataset({ data: "data/pets", imageSize: 48 })));
 * ```
 */
export interface Dataset {
  /** Short name for titles: "synthetic faces", "FER-2013", or the name of the folder. */
  name: string;
  /** Sorted by code unit; `classNames[label]` is the class of a label. */
  classNames: string[];
  /** How it was split, if known. */
  split?: SplitName;
  /** Where its own split, `folders`, has the validation images: "the folder val", "the column part of labels.csv". */
  splitBy?: string;
  /** What `loadDataset` was called with, including defaults. */
  options?: Readonly<Record<string, unknown>>;
  /** Images to train on. */
  train: PackedImages;
  /** Images to score on, which are not trained on. */
  validation: PackedImages;
}

/** What is used of images. */
export const IMAGE_MEMBERS = ["pixels", "labels", "paths"] as const;

/** @throws ParameterError if an argument is not the images of a split, each with a label of one of its classes. */
export function checkImages(name: string, images: PackedImages, classNames = images?.classNames): void {
  checkKind(name, "the images of a split, such as dataset.validation", images, IMAGE_MEMBERS);
  const { labels, numImages } = images;
  if (labels.length !== numImages)
    throw new ParameterError(`numImages of ${name}`, `${labels.length}, as there are labels,`, numImages);
  checkIndices(`${name}.labels`, labels, classNames?.length);
}

/** @throws ParameterError if an argument of a program without types is no data set, or has labels of other classes than its own. */
export function checkDataset(dataset: Dataset): void {
  const members = ["classNames", "train", "validation"] as const;
  checkKind("dataset", "a data set, as loadDataset returns it", dataset, members);
  const { classNames, train, validation } = dataset;
  checkImages("train", train, classNames);
  checkImages("validation", validation, classNames);
}

/** Makes images print as a line that names their fields, and returns them. */
export function printedImages(images: PackedImages): PackedImages {
  return printedAs(images, () => {
    const { numImages, imageSize, numChannels } = images;
    const colour = numChannels === 1 ? "grey" : "colour";
    return `[${counted(numImages, "image")} of ${imageSize} × ${imageSize} pixels, ${colour}: ${Object.keys(images).join(", ")}]`;
  });
}

/** Selects the images at some indices, in their order. */
export function selectImages(images: PackedImages, indices: Int32Array): PackedImages {
  const { pixels, labels, numImages, paths, digests, groupNames, labelShares } = images;
  const numClasses = (labelShares?.length ?? 0) / numImages;
  const sharesOf = (index: number) => [
    ...(labelShares?.subarray(index * numClasses, (index + 1) * numClasses) ?? []),
  ];
  return printedImages({
    ...images,
    pixels: new PixelSelection(pixels, indices),
    labels: indices.map((index) => labels[index]),
    numImages: indices.length,
    paths: Array.from(indices, (index) => paths[index]),
    ...(digests && { digests: Array.from(indices, (index) => digests[index]) }),
    ...(groupNames && { groupNames: Array.from(indices, (index) => groupNames[index]) }),
    ...(labelShares && { labelShares: Float32Array.from([...indices].flatMap(sharesOf)) }),
  });
}

/** How images must have been loaded, by whom, and how to write the options of `loadDataset` for it. */
interface Loading {
  as: string;
  where?: string;
  imageSize: number;
  decoding: Decoding;
  /** Absent if they may be either. */
  grey?: boolean;
  options: Record<"imageSize" | "fit" | "whiteLevels" | "grey", string>;
}

/** @throws InputError with the option of `loadDataset` to set. */
function checkLoading(
  images: PackedImages,
  { as, where, imageSize, decoding, grey, options }: Loading,
): void {
  const problem = (setting: keyof Loading["options"], expected: unknown, found: unknown, of = "") =>
    new InputError({
      expected: `images loaded with ${setting}${of} ${expected}, as ${as}`,
      where,
      found: `${setting}${of} ${found}`,
      fix: `Add ${options[setting]} to the options of loadDataset.`,
    });
  if (images.decoding && images.imageSize !== imageSize)
    throw problem("imageSize", imageSize, images.imageSize);
  if (images.decoding && images.decoding.fit !== decoding.fit)
    throw problem("fit", decoding.fit, images.decoding.fit);
  for (const [format, level] of Object.entries(images.decoding?.whiteLevels ?? {})) {
    const expected = decoding.whiteLevels?.[format] ?? level;
    if (expected !== level) throw problem("whiteLevels", expected, level, ` of ${format}`);
  }
  const isGrey = images.numChannels === 1;
  if (grey !== undefined && grey !== isGrey) throw problem("grey", grey, isGrey);
}

/** Checks that the images were loaded as the configuration says, since it is what the run records. */
export function checkDecoding(
  { name, classNames, train, validation }: Dataset,
  { imageSize, fit, grey }: { imageSize: number; fit: Fit; grey: boolean | "auto" },
): void {
  const options = {
    imageSize: "imageSize: config.imageSize",
    fit: "fit: config.fit",
    whiteLevels: "whiteLevels",
    grey: "grey: config.grey",
  };
  for (const images of [train, validation]) {
    checkLoading(images, {
      as: "the configuration says",
      where: name,
      imageSize,
      decoding: { fit },
      ...(grey !== "auto" && { grey }),
      options,
    });
    const own = images.classNames;
    if (own && !areSameClasses(own, classNames))
      throw new InputError({
        expected: `images of the classes ${classNames.join(", ")}, as the data set says`,
        where: name,
        found: own.join(", "),
        fix: "Choose train and validation images of one data set.",
      });
  }
}

/**
 * Checks that files were decoded like those that a model was trained on. Otherwise it would see other images than it learned from.
 *
 * @throws InputError with the option of `loadDataset` to set.
 */
export function checkDecodingFor(
  { imageSize, decoding = DEFAULT_DECODING, grey }: Pick<ModelConfig, "imageSize" | "decoding" | "grey">,
  images: PackedImages,
): void {
  checkLoading(images, {
    as: "the model was trained on",
    imageSize,
    decoding,
    ...(!grey && images.lostColour && { grey: false }),
    options: {
      imageSize: "imageSize: network.config.imageSize",
      fit: `fit: "${decoding.fit}"`,
      whiteLevels: "whiteLevels: network.config.decoding.whiteLevels",
      grey: "grey: false",
    },
  });
}

/**
 * Checks that images are labelled by a model's classes in their order. Otherwise the scores would be against other labels.
 *
 * @throws InputError with the option of `loadDataset` to set.
 */
export function checkClassesFor({ classNames }: Pick<ModelConfig, "classNames">, images: PackedImages): void {
  const own = images.classNames;
  if (!own || areSameClasses(own, classNames)) return;
  const unknown = own.filter((name) => !classNames.includes(name));
  throw new InputError({
    expected: `images with labels of the model's classes ${classNames.join(", ")}`,
    found: unknown.length > 0 ? `the classes ${unknown.join(", ")}` : `labels of ${own.join(", ")}`,
    fix:
      unknown.length > 0
        ? "Rename the classes, or choose a model that was trained on them."
        : "Add classNames: network.config.classNames to the options of loadDataset.",
  });
}
