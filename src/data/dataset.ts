import type { Pixels } from "./pixels/pixels.js";
import type { SplitName } from "./split.js";

/** Decoded images of one split, with their labels and paths. */
export interface PackedImages {
  /** uint8 `[numImages, imageSize, imageSize, numChannels]`, NHWC, RGB or grey. */
  pixels: Pixels;
  /** int32 `[numImages]`, each in `[0, numClasses)`. */
  labels: Int32Array;
  numImages: number;
  /** Side of the square images, in pixels. */
  imageSize: number;
  /** 1 if every image of the data set is grey, otherwise 3. */
  numChannels: 1 | 3;
  /** File of each image, relative to the data set's root. */
  paths: string[];
  /** SHA-256 of each file's bytes, in hexadecimal; absent for images that come from no file. */
  digests?: string[];
}

/** A data set ready to train on. */
export interface Dataset {
  /** Short name for titles: "synthetic faces", "FER-2013", or the name of the folder. */
  name: string;
  /** Sorted by code unit; `classNames[label]` is the class of a label. */
  classNames: string[];
  /** How it was split, if known. */
  split?: SplitName;
  /** What `loadDataset` was called with, including defaults. */
  options?: Readonly<Record<string, unknown>>;
  train: PackedImages;
  validation: PackedImages;
}
