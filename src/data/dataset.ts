import type { Pixels } from "./pixels/pixels.js";
import type { SplitName } from "./split-names.js";

/** Images of one split, decoded once, with what is known of each. */
export interface PackedImages {
  /** uint8 `[numImages, imageSize, imageSize, numChannels]`, NHWC, RGB or grey. */
  pixels: Pixels;
  /** int32 `[numImages]`, each in `[0, numClasses)`. */
  labels: Int32Array;
  numImages: number;
  /** Side of the square images, in pixels. */
  imageSize: number;
  /** 1 where every image of the data set is grey, else 3. */
  numChannels: 1 | 3;
  /** File of each image, relative to the data set's root, as the reports and charts name it. */
  paths: string[];
}

/** A data set ready to train on. */
export interface Dataset {
  /** Short name for titles: "synthetic faces", "FER-2013", or the folder's. */
  name: string;
  /** Sorted; `classNames[label]` names a class. */
  classNames: string[];
  /** How it was split, where that is known. */
  split?: SplitName;
  train: PackedImages;
  validation: PackedImages;
}
