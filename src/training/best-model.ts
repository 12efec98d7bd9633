// The best model of a run: which epoch's it is, how it is saved, and whether it is still there when the run resumes.
import { existsSync } from "node:fs";
import path from "node:path";
import type { Monitor } from "../config.js";
import type { PackedImages } from "../data/dataset.js";
import {
  IMAGE_LIST,
  type ImageList,
  listDigest,
  modelListDigest,
  readImageList,
  writeImageList,
} from "../data/image-list.js";
import { checkPath, InputError, isOfContent } from "../errors.js";
import { kindOf, moveAside, statIfThere } from "../files.js";
import { classify, type Evaluation, score } from "../inference/evaluate.js";
import { bootstrapIntervals, countGroups, INTERVAL_SEED, type ScoreIntervals } from "../metrics/bootstrap.js";
import { download, type ModelConfig, nonFinite, type ParameterValue } from "../model/network.js";
import { loadParameters, saveModel, weightFileName } from "../model/weights/model-folder.js";
import { areSameClasses } from "../names.js";
import { calibrateOn, type Model, withFittedTemperature } from "./calibration.js";
import type { TrainState } from "./step.js";

/** The epoch whose model is kept, with its scores on the validation images. */
export interface BestEpoch {
  epoch: number;
  accuracy: number;
  macroF1: number;
  loss: number;
  /** Epoch in which the monitored score first was as good. */
  reached: number;
  /** Name of the model's file of weights, with their digest; absent for runs of version 0.2 until they save a model. */
  weightFile?: string;
  /** The same for the best model before, which is still in the folder if the process was killed before it saved this one. */
  replaces?: string;
}

/**
 * Returns the model folder of a run's best epoch: `best` in the run's folder.
 *
 * @example
 * ```ts
 * import { bestModelDir, loadClassifier } from "ferkit";
 *
 * const classifier = await loadClassifier(bestModelDir("runs/pets"));
 * console.log(classifier.config.classNames);
 * classifier.dispose();
 * ```
 */
export function bestModelDir(runDir: string): string {
  return path.join(checkPath("runDir", runDir), "best");
}

/** The images that a best model is chosen and calibrated by. */
export interface ModelImages {
  validation: PackedImages;
  /** Set aside to calibrate on, or null. */
  aside: PackedImages | null;
}

/** A model outside the engine, calibrated. */
interface BestModel extends Model {
  /** What was fitted; 1 if the model was not calibrated. */
  temperature: number;
  weightFile: string;
}

/** A network's scores on the validation images, and the parameters that they are for. */
export interface Validated {
  scores: Evaluation;
  parameters: ReadonlyMap<string, ParameterValue>;
}

/**
 * Classifies the validation images.
 *
 * @throws InputError when a probability or a parameter is not finite.
 */
export async function validate(
  { network, ema }: TrainState,
  images: PackedImages,
  epoch: number,
  best: BestEpoch | null,
): Promise<Validated> {
  const values = (ema ?? network).read();
  const probs = await classify(network, images, { values });
  const parameters = await download(values);
  const name = nonFinite(parameters);
  if (name !== null || !probs.every(Number.isFinite))
    throw new InputError({
      expected: `finite ${name === null ? "probabilities of the validation images" : "weights"}`,
      where: `epoch ${epoch}`,
      found: name === null ? "NaN" : `NaN or infinity in ${name}`,
      fix: `Choose a lower learningRate for a new run (--run); ${best ? `the model of epoch ${best.epoch} is kept` : "there is no model yet"}.`,
    });
  return { scores: score(probs, images.labels, network.config.classNames), parameters };
}

/** Compares by the monitored score; of equal ones, the lower loss is better. */
export function isBetter(monitor: Monitor, scores: Evaluation, best: BestEpoch | null): boolean {
  if (!best) return true;
  if (monitor === "loss" || scores[monitor] === best[monitor]) return scores.loss < best.loss;
  return scores[monitor] > best[monitor];
}

/**
 * Computes the 95% intervals of an epoch's scores on the validation images, as `npx ferkit evaluate` does.
 *
 * @param groups - int32 `[numImages]`, as `groupImages` returns them; null if they are not known.
 * @returns Null without groups: copies of a picture would make the intervals too narrow.
 */
export function precisionOf(
  { predicted, confusionMatrix }: Evaluation,
  { validation, groups }: { validation: Pick<PackedImages, "labels">; groups: Int32Array | null },
): { intervals: ScoreIntervals; numGroups: number } | null {
  if (!groups) return null;
  const { labels } = validation;
  const intervals = bootstrapIntervals(labels, predicted, confusionMatrix.length, INTERVAL_SEED, groups);
  return { intervals, numGroups: countGroups(groups) };
}

/**
 * Calibrates the model of an epoch: on the images that the run set aside, or if there are none, by a temperature that is fitted on
 * the validation images.
 */
export async function calibratedModel(
  config: ModelConfig,
  { scores, parameters }: { scores: Pick<Evaluation, "probs">; parameters: Validated["parameters"] },
  { validation, aside }: { validation: Pick<PackedImages, "labels">; aside: PackedImages | null },
): Promise<BestModel> {
  const given = { config, parameters };
  const model = aside
    ? await calibrateOn(given, aside)
    : withFittedTemperature(given, scores.probs, validation.labels);
  return { ...model, weightFile: weightFileName(model.config, model.parameters) };
}

/** Describes the epoch whose model becomes the best one. */
export function bestEpoch(
  epoch: number,
  { accuracy, macroF1, loss }: Pick<Evaluation, "accuracy" | "macroF1" | "loss">,
  { weightFile }: Pick<BestModel, "weightFile">,
  before: { best: BestEpoch | null; monitor: Monitor },
): BestEpoch {
  const scores = { accuracy, macroF1, loss };
  const { best, monitor } = before;
  const reached = best && best[monitor] === scores[monitor] ? best.reached : epoch;
  const replaces = best?.weightFile;
  return { epoch, ...scores, reached, weightFile, ...(replaces !== undefined && { replaces }) };
}

/** Saves the best model with the list of the run's images. */
export async function saveBestModel(
  runDir: string,
  { config, parameters }: Omit<BestModel, "weightFile">,
  images: ImageList,
): Promise<void> {
  const dir = bestModelDir(runDir);
  await writeImageList(path.join(dir, IMAGE_LIST), images, false);
  await saveModel(dir, { ...config, imageList: modelListDigest(images) }, parameters);
}

/**
 * Writes a list of images again if it is not the run's; what was there is moved aside.
 *
 * @param inModel - Whether it is that of the best model, which has no paths, or the run's own.
 * @returns What was wrong, and what was done; empty if nothing was.
 */
export async function recoverImageList(
  runDir: string,
  images: ImageList,
  inModel: boolean,
): Promise<string[]> {
  const file = path.join(inModel ? bestModelDir(runDir) : runDir, IMAGE_LIST);
  const digest = inModel ? modelListDigest : listDigest;
  const [found, list] = await readImageList(file).then(
    (read) => [read ? "was of other images" : "was missing", read] as const,
    (error) => {
      if (!isOfContent(error)) throw error;
      return [`was ${error.problem.found}`, null] as const;
    },
  );
  if (list && digest(list) === digest(images)) return [];
  const moved = existsSync(file) ? `, is now ${await moveAside(file)},` : "";
  await writeImageList(file, images, !inModel);
  return [`${inModel ? "best/" : ""}${IMAGE_LIST} ${found}${moved} and is written again`];
}

/** What a run that resumes does about its best model. */
export interface Recovery {
  /** Null if there is no best epoch any more. */
  best: BestEpoch | null;
  /** A model to save as the best one. */
  model: BestModel | null;
  /** What was wrong, and what was done; null if nothing was. */
  repair: string | null;
}

/**
 * Checks that the folder of the best model has the one that the run recorded. If not, what is there is moved aside, and the state
 * gives the model again if it is still that of its epoch; otherwise, the model of the last epoch takes its place. A state from within
 * an epoch has no model to give, so the next epoch's becomes the best.
 *
 * @param state - As the checkpoint left it.
 */
export async function recoverBestModel(
  runDir: string,
  state: TrainState,
  { epoch, step, best }: { epoch: number; step: number; best: BestEpoch | null },
  images: ModelImages,
): Promise<Recovery> {
  const dir = bestModelDir(runDir);
  const { found, weightFile, isRecorded } = await inspect(dir, best, state.network.config.classNames);
  if (isRecorded) return { best: best && { weightFile, ...best }, model: null, repair: null };
  const isAtEnd = epoch > 0 && step === epoch * state.plan.numBatches;
  const isSame = isAtEnd && best?.epoch === epoch;
  // A process that is killed while it saves the best model leaves the one before, or none.
  const isUnfinished =
    isSame && (found === NO_MODEL || found === EMPTY || (weightFile && weightFile === best.replaces));
  const moved = !isUnfinished && existsSync(dir) ? await moveAside(dir) : null;
  const wrong = `best/ should hold ${recordedModel(best)}, but held ${found}${moved === null ? "" : `, which is now in ${moved}`}`;
  if (!best) return { best, model: null, repair: wrong };
  if (!isAtEnd) return { best: null, model: null, repair: `${wrong}; the next epoch's takes its place` };
  const validated = await validate(state, images.validation, epoch, null);
  const model = await calibratedModel(state.network.config, validated, images);
  if (isSame)
    return {
      best: { ...best, weightFile: model.weightFile },
      model,
      repair: `${wrong}; it is saved again from last/`,
    };
  return {
    best: bestEpoch(epoch, validated.scores, model, { best: null, monitor: state.config.monitor }),
    model,
    repair: `${wrong}; the model of epoch ${epoch}, the last one, takes its place`,
  };
}

function recordedModel(best: Pick<BestEpoch, "epoch"> | null): string {
  return best ? `the model of epoch ${best.epoch}` : "no model, since no epoch had ended";
}

/**
 * Says what is wrong with the folder of a run's best model; null if it holds what the run recorded.
 *
 * @param classNames - Not compared if they are absent, as a record of another program may be.
 */
export async function bestModelProblem(
  runDir: string,
  best: Pick<BestEpoch, "epoch" | "weightFile"> | null,
  classNames?: string[],
): Promise<string | null> {
  const { found, isRecorded } = await inspect(bestModelDir(runDir), best, classNames);
  return isRecorded ? null : `best/ should hold ${recordedModel(best)}, but holds ${found}`;
}

const [NO_MODEL, EMPTY] = ["none", "no model.json"];

/** Says what is in the folder of the best model, and whether it is what the run recorded: a calibrated one is still the same. */
async function inspect(
  dir: string,
  best: Pick<BestEpoch, "weightFile"> | null,
  classNames?: string[],
): Promise<{ found: string; weightFile?: string; isRecorded: boolean }> {
  const folder = await statIfThere(dir);
  const kind = folder && !folder.isDirectory() ? (kindOf(folder) ?? "a file") : null;
  if (kind !== null) return { found: kind, isRecorded: false };
  if (!(await statIfThere(path.join(dir, "model.json"))))
    return { found: folder ? EMPTY : NO_MODEL, isRecorded: best === null };
  try {
    const { config, weightFile } = await loadParameters(dir);
    const isUnknown = best?.weightFile === undefined; // not before version 0.3
    const isSame = isUnknown || [weightFile, config.calibratedFrom].includes(best.weightFile);
    const isOfClasses = !classNames || areSameClasses(config.classNames, classNames);
    const isRecorded = best !== null && isSame && isOfClasses;
    return { found: "another model", weightFile, isRecorded };
  } catch (error) {
    if (!isOfContent(error)) throw error;
    const { expected, found } = error.problem;
    return { found: `a damaged one (expected ${expected}, found ${found})`, isRecorded: false };
  }
}
