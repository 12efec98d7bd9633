import { InputError } from "../errors.js";
import type { Decoding, Fit } from "../model/preprocessing.js";
import { printedAs } from "../printed.js";
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
  /** File of each image, relative to the data set's root. */
  paths: string[];
  /** SHA-256 of each file's bytes, in hexadecimal; absent for images that come from no file. */
  digests?: string[];
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
  /** What `loadDataset` was called with, including defaults. */
  options?: Readonly<Record<string, unknown>>;
  /** Images to train on. */
  train: PackedImages;
  /** Images to score on, which are not trained on. */
  validation: PackedImages;
}

/** Makes images print as a line that names their fields, and returns them. */
export function printedImages(images: PackedImages): PackedImages {
  return printedAs(images, () => {
    const { numImages, imageSize, numChannels } = images;
    const colour = numChannels === 1 ? "grey" : "colour";
    const count = `${numImages.toLocaleString("en-US")} ${numImages === 1 ? "image" : "images"}`;
    return `[${count} of ${imageSize} × ${imageSize} pixels, ${colour}: ${Object.keys(images).join(", ")}]`;
  });
}

/** Selects the images at some indices, in their order. */
export function selectImages(images: PackedImages, indices: Int32Array): PackedImages {
  const { pixels, labels, numImages, paths, digests, labelShares } = images;
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
    ...(labelShares && { labelShares: Float32Array.from([...indices].flatMap(sharesOf)) }),
  });
}

/** Checks that the images were loaded as the configuration says, since it is what the run records. */
export function checkDecoding(
  { name, train: { decoding, numChannels } }: Dataset,
  { fit, grey }: { fit: Fit; grey: boolean | "auto" },
): void {
  const problem = (setting: "fit" | "grey", expected: unknown, found: unknown) =>
    new InputError({
      expected: `images loaded with ${setting} ${expected}, as the configuration says`,
      where: name,
      found: `${setting} ${found}`,
      fix: `Add ${setting}: config.${setting} to the options of loadDataset.`,
    });
  if (decoding && decoding.fit !== fit) throw problem("fit", fit, decoding.fit);
  if (grey !== "auto" && grey !== (numChannels === 1)) throw problem("grey", grey, numChannels === 1);
}
