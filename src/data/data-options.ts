// What loadDataset can be told about a data set.
import type { Fit } from "../model/preprocessing.js";
import type { OnProgress } from "../progress.js";
import type { SourceOptions } from "./sources/source.js";
import type { SplitChoice } from "./split.js";

/**
 * Options for loading a data set. Only `data` and `imageSize` have no default.
 *
 * @example
 * ```ts
 * import { type DataOptions, loadDataset } from "ferkit";
 *
 * const options: Partial<DataOptions> = { validationShare: 0.1, dropDuplicates: true, group: "(person-\\d+)" };
 * const { train } = await loadDataset({ data: "data/pets", imageSize: 48, ...options });
 * console.log(train.numImages);
 * ```
 */
export interface DataOptions extends SourceOptions {
  /** Side of the square images, in pixels, [1, 1024]; networks take 33 or more. */
  imageSize: number;
  /** Seed of the split and of the synthetic faces. Default: 0. */
  seed: number;
  /** Share of each class to validate on if the data set has no split; 1 = all, to evaluate only. Default: 0.2. */
  validationShare: number;
  /**
   * `folders`: the data set's own, or a held-out share; `official`, `official-test`: as in FER-2013's challenge. Default:
   * `folders`.
   */
  split: SplitChoice;
  /** Which fold of the training images to validate on: `2/5` is the second of five. Default: as `split` says. */
  fold?: string;
  /** Leave out all but the first of each group of duplicates in a split. Default: false, as in published figures. */
  dropDuplicates: boolean;
  /** Leave out validation images with a duplicate in train. Default: false, as in published figures. */
  dropLeaked: boolean;
  /** Share of unreadable images to accept, [0, 1]. Default: 0.01. */
  maxUnreadableShare: number;
  /** Classes of a trained model, for the labels. Default: the classes of the data set. */
  classNames?: string[];
  /** How images become square: `crop` to the central square, `pad` with black bars, or `squash`. Default: `crop`. */
  fit: Fit;
  /** For each number format other than 8 bits, the number that is white. Default: the range that the files use. */
  whiteLevels?: Record<string, number>;
  /** Whether images are used in grey; `auto`: if most of them are grey. Default: `auto`. */
  grey: "auto" | boolean;
  /**
   * What to do with data that cannot be trained on: `throw` an InputError, or `report` it in `report.problems`. Default:
   * `throw`.
   */
  onProblem: "throw" | "report";
  /** Called while images are downloaded, unpacked, drawn, decoded and compared. */
  onProgress?: OnProgress;
}

/** Names of all options: of the data set alone, of a training's configuration too, or of a single call. */
export const DATA_OPTIONS: Readonly<Record<keyof DataOptions, "data" | "training" | "call">> = {
  data: "data",
  labels: "data",
  labelPattern: "data",
  labelColumn: "data",
  pathColumn: "data",
  splitColumn: "data",
  labelNames: "data",
  trainFolder: "data",
  validationFolder: "data",
  leaveOut: "data",
  validationShare: "data",
  split: "data",
  fold: "data",
  group: "data",
  dropDuplicates: "data",
  dropLeaked: "data",
  maxUnreadableShare: "data",
  imageSize: "training",
  seed: "training",
  fit: "training",
  grey: "training",
  classNames: "call",
  whiteLevels: "call",
  onProblem: "call",
  onProgress: "call",
};
