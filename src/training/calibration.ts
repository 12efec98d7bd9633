// Makes a model's probabilities mean what they say: a temperature, and the thresholds of prediction sets.
import { type Dataset, type PackedImages, selectImages } from "../data/dataset.js";
import { groupImages, groupOption } from "../data/groups.js";
import { splitSamples } from "../data/split.js";
import { classify } from "../inference/evaluate.js";
import {
  calibrationError,
  fitTemperature,
  reliability,
  TEMPERATURES,
  withTemperature,
} from "../metrics/calibration.js";
import { fitThresholds } from "../metrics/conformal.js";
import { calibrated, type ModelConfig, Network, type ParameterValue } from "../model/network.js";
import { inShort } from "../names.js";

/** With fewer images, a temperature and a threshold say little. */
export const MIN_CALIBRATION_IMAGES = 100;

/** A model outside the engine. */
export interface Model {
  config: ModelConfig;
  parameters: ReadonlyMap<string, ParameterValue>;
}

/**
 * Divides the training images into those to train on and those that are set aside to calibrate on: a share of each class, drawn by
 * the seed. Images that a split keeps together, near-duplicates and those of a group, stay together.
 *
 * @returns Null for the images set aside if the share is 0; and what there is to say.
 */
export async function setAside(
  dataset: Pick<Dataset, "train" | "classNames" | "options">,
  { calibrationShare, seed }: { calibrationShare: number; seed: number },
): Promise<{ kept: PackedImages; aside: PackedImages | null; notes: string[] }> {
  const { train: images, classNames } = dataset;
  if (calibrationShare === 0) return { kept: images, aside: null, notes: [] };
  const samples = images.paths.map((path, i) => ({
    path,
    className: classNames[images.labels[i]],
    split: null,
    size: 0,
    changed: "",
  }));
  const { groups, notes } = await groupImages(images, groupOption(dataset));
  const sharing = { validationShare: calibrationShare, seed, groups };
  const { train, validation } = splitSamples(samples, sharing, "the training images");
  const trained = new Set(train.map((index) => groups[index]));
  const shared = validation.filter((index) => trained.has(groups[index]));
  if (shared.length > 0)
    notes.push(
      `${shared.length} of the images set aside, such as ${images.paths[shared[0]]}, belong with images that are trained on, since a class is a single group.`,
    );
  const [kept, aside] = [train, validation].map((indices) => selectImages(images, Int32Array.from(indices)));
  const lacking = lackingNote(aside, classNames);
  return { kept, aside, notes: [asideNote(aside), ...(lacking ? [lacking] : []), ...notes] };
}

/** Says which classes the images to calibrate on lack; null if they have all. */
export function lackingNote({ labels }: Pick<PackedImages, "labels">, classNames: string[]): string | null {
  const present = new Set(labels);
  const lacking = classNames.filter((_, index) => !present.has(index));
  if (lacking.length === 0) return null;
  return `no image to calibrate on is of ${inShort(lacking)}: what the model says of them is calibrated by the other classes`;
}

/** Says what becomes of the images that are set aside. */
function asideNote({ numImages }: PackedImages): string {
  const use =
    numImages < MIN_CALIBRATION_IMAGES
      ? `too few to calibrate the model on, which takes ${MIN_CALIBRATION_IMAGES}`
      : "to calibrate the model on";
  return `${numImages} training images are set aside by calibrationShare, ${use}`;
}

/**
 * Calibrates a model on images that it was neither trained nor validated on: by a temperature, and by the thresholds of
 * prediction sets. Leaves it as it is with fewer than 100 images.
 */
export async function calibrateOn(
  model: Model,
  images: PackedImages,
): Promise<Model & { temperature: number }> {
  if (images.numImages < MIN_CALIBRATION_IMAGES) return { ...model, temperature: 1 };
  const { predictionSets: _, ...config } = model.config; // of an earlier calibration
  const network = new Network(config, model.parameters);
  const probs = await classify(network, images).finally(() => network.dispose());
  const tempered = withFittedTemperature({ ...model, config }, probs, images.labels);
  const numClasses = config.classNames.length;
  const { temperature } = tempered;
  const shown = temperature === 1 ? probs : withTemperature(probs, numClasses, temperature);
  const thresholds = fitThresholds(shown, images.labels, numClasses);
  const predictionSets = { thresholds, numImages: images.numImages };
  return { parameters: tempered.parameters, temperature, config: { ...tempered.config, predictionSets } };
}

/** Says that a temperature is at the upper end of the search, so that a better one may lie outside. */
export function temperatureNotes({ temperature }: { temperature: number }): string[] {
  if (temperature < TEMPERATURES.max / 1.001) return [];
  return [
    `the temperature of the calibration is ${TEMPERATURES.max}, the largest that is tried: the model's probabilities say next to nothing about these images`,
  ];
}

/**
 * Scales the last layer by the temperature that fits these probabilities best, if there are 100 or more of them and it lowers the
 * calibration error: after label smoothing, the temperature of lowest cross-entropy can raise it (experiments/README.md). It changes
 * no class's rank.
 *
 * @param probs - The model's for some images, float32 `[numImages, numClasses]`.
 * @param labels - int32 `[numImages]`.
 * @returns The model, and the temperature that was fitted; 1 if it is as it was.
 */
export function withFittedTemperature(
  { config, parameters }: Model,
  probs: Float32Array,
  labels: Int32Array,
): Model & { temperature: number } {
  const [numImages, numClasses] = [labels.length, config.classNames.length];
  const unchanged = { config, parameters, temperature: 1 };
  if (numImages < MIN_CALIBRATION_IMAGES) return unchanged;
  const temperature = fitTemperature(probs, labels, numClasses);
  const errorOf = (values: Float32Array) => calibrationError(reliability(values, labels, numClasses));
  if (errorOf(withTemperature(probs, numClasses, temperature)) >= errorOf(probs)) return unchanged;
  return { ...calibrated(config, parameters, { temperature, numImages }), temperature };
}
