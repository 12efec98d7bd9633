// Predictions for every image of a data set, by networks that were not trained on it: one training for each fold.
import path from "node:path";
import type { TrainConfig } from "../config.js";
import type { DataOptions } from "../data/data-options.js";
import { type PackedImages, selectImages } from "../data/dataset.js";
import { type LoadedDataset, loadDataset } from "../data/load.js";
import { classify } from "../inference/evaluate.js";
import { imagesOf } from "../inference/held-out.js";
import { loadModel } from "../model/weights/model-folder.js";
import { bestModelDir } from "./best-model.js";
import type { TrainEvent } from "./events.js";
import { train } from "./train.js";

export interface CrossValidationOptions {
  /** Folder with a run for each fold. Runs that are there resume, or are used if they are complete. */
  dir: string;
  /** Number of folds, two or more. */
  numFolds: number;
  /** Stops after the current batch. */
  signal?: AbortSignal;
}

/** What happens in a fold. */
export interface FoldEvent {
  /** From 1. */
  fold: number;
  event: TrainEvent;
}

/** Images with the probabilities of networks that were not trained on them. */
export interface CrossValidation {
  /** Those of both parts of the data set's split. */
  images: PackedImages;
  classNames: string[];
  /** float32 `[numImages, numClasses]`, row after row. */
  probs: Float32Array;
  /** Fold that each image is in, from 1; 0 for images of a validation folder, whose probabilities are the mean over all folds. */
  folds: Int32Array;
  /** Paths of images that no network could be asked about, as those of a class that is in one fold alone. */
  unchecked: string[];
}

/** Returns the folder of a fold's run. */
export function foldRunDir(dir: string, fold: number, numFolds: number): string {
  return path.join(dir, `fold-${fold}-of-${numFolds}`);
}

/**
 * Trains a network for each fold of a data set, and has it classify the images of the fold. Images of a validation folder are in no
 * fold, so every network classifies them.
 *
 * @param all - The data set with all of its images, loaded with `validationShare: 1`.
 * @param load - Options that it was loaded with.
 * @returns Null if a training was interrupted; the next call resumes it.
 * @throws InputError as `loadDataset` and `train`.
 */
export async function* crossValidate(
  all: LoadedDataset,
  load: Partial<DataOptions> & Pick<DataOptions, "data" | "imageSize">,
  config: TrainConfig,
  { dir, numFolds, signal }: CrossValidationOptions,
): AsyncGenerator<FoldEvent, CrossValidation | null, undefined> {
  const { classNames } = all;
  const images = imagesOf(all);
  const own = all.split === "all" ? [] : [...all.validation.paths.keys()].map((i) => all.train.numImages + i);
  const probs = new Float32Array(images.numImages * classNames.length);
  const folds = new Int32Array(images.numImages).fill(-1);
  const indexOf = new Map(images.paths.map((file, index) => [file, index]));
  const add = (
    found: Float32Array,
    indices: (number | undefined)[],
    foldClasses: string[],
    share: number,
  ) => {
    const labels = foldClasses.map((name) => classNames.indexOf(name));
    indices.forEach((index, row) => {
      if (index === undefined) return;
      labels.forEach((label, column) => {
        probs[index * classNames.length + label] += share * found[row * labels.length + column];
      });
    });
  };
  for (let fold = 1; fold <= numFolds; fold++) {
    const runDir = foldRunDir(dir, fold, numFolds);
    const dataset = await loadDataset({ ...load, fold: `${fold}/${numFolds}` });
    for await (const event of train(dataset, config, {
      runDir,
      data: load.data,
      signal,
      onProgress: load.onProgress,
    })) {
      yield { fold, event };
      if (event.type === "done" && event.reason === "interrupted") return null;
    }
    const network = await loadModel(bestModelDir(runDir));
    try {
      const indices = dataset.validation.paths.map((file) => indexOf.get(file));
      add(await classify(network, dataset.validation), indices, dataset.classNames, 1);
      for (const index of indices) if (index !== undefined) folds[index] = fold;
      if (own.length === 0) continue;
      const others = selectImages(images, Int32Array.from(own));
      add(await classify(network, others), own, dataset.classNames, 1 / numFolds);
    } finally {
      network.dispose();
    }
    if (signal?.aborted) return null;
  }
  for (const index of own) folds[index] = 0;
  const checked = Int32Array.from([...folds.keys()].filter((index) => folds[index] >= 0));
  const kept = new Float32Array(checked.length * classNames.length);
  checked.forEach((index, row) => {
    const start = index * classNames.length;
    kept.set(probs.subarray(start, start + classNames.length), row * classNames.length);
  });
  return {
    images: selectImages(images, checked),
    classNames,
    probs: kept,
    folds: checked.map((index) => folds[index]),
    unchecked: images.paths.filter((_, index) => folds[index] < 0),
  };
}
