// The images that a run's starting weights and teachers had been trained on. The run records them when it starts, for these models
// may be moved, changed or removed later.
import path from "node:path";
import { BUNDLED_TRAINING, bundledName } from "../bundled-models.js";
import type { TrainConfig } from "../config.js";
import {
  IMAGE_LIST,
  type ImageList,
  listDigest,
  modelListDigest,
  readImageList,
  readModelList,
} from "../data/image-list.js";
import { isOfContent, visible } from "../errors.js";
import { isFolder } from "../files.js";
import { loadModelConfig } from "../model/weights/model-folder.js";
import { counted } from "../text.js";
import { bestModelDir } from "./best-model.js";
import { earlierModels } from "./run-config.js";

/** What a list of images says about earlier trainings; nothing for a run without starting weights and teachers. */
export type EarlierTraining = Pick<ImageList, "trainedBefore" | "unlistedModels">;

/**
 * Lists the images that models were trained on, by their own lists and by those of the models that they began with.
 *
 * @param models - Model folders, or files of weights, which have no list.
 * @throws InputError if a list is broken, or of another model.
 */
export async function earlierTraining(models: readonly string[]): Promise<EarlierTraining> {
  const [digests, unlisted] = [new Set<string>(), new Set<string>()];
  for (const model of models) {
    const list = await listOf(model);
    if (!list || list.images.length === 0) unlisted.add(bundledName(model) ?? "other"); // an imported model has a list once it is calibrated
    const aside = new Set(list?.setAside);
    for (const { split, digest } of list?.images ?? [])
      if (split === "train" && !aside.has(digest)) digests.add(digest);
    for (const digest of list?.trainedBefore ?? []) digests.add(digest);
    for (const name of list?.unlistedModels ?? []) unlisted.add(name);
  }
  return {
    ...(digests.size > 0 && { trainedBefore: [...digests].sort() }),
    ...(unlisted.size > 0 && { unlistedModels: [...unlisted].sort() }),
  };
}

async function listOf(model: string): Promise<ImageList | null> {
  return isFolder(model) ? readModelList(model, (await loadModelConfig(model)).imageList) : null;
}

/**
 * Returns what a run that resumes recorded of earlier trainings: in its list of images or in its best model's. If both are gone, the
 * models at hand tell, as far as they are still those that the run began with.
 *
 * @param list - The run's images.
 * @param isStartGone - Whether other weights, or none, are where the run began from.
 */
export async function recordedEarlierTraining(
  runDir: string,
  list: ImageList,
  { weights, teachers }: Pick<TrainConfig, "weights" | "teachers">,
  isStartGone: boolean,
): Promise<EarlierTraining> {
  const models = earlierModels({ weights, teachers });
  if (models.length === 0) return {};
  for (const [dir, digest] of [
    [runDir, listDigest],
    [bestModelDir(runDir), modelListDigest],
  ] as const) {
    const found = await readable(readImageList(path.join(dir, IMAGE_LIST)));
    if (!found || digest(found) !== digest(list)) continue;
    const { trainedBefore, unlistedModels } = found;
    if (trainedBefore || unlistedModels)
      return { ...(trainedBefore && { trainedBefore }), ...(unlistedModels && { unlistedModels }) };
  }
  const found = await readable(earlierTraining(isStartGone ? teachers : models));
  if (found && !isStartGone) return found;
  return { ...found, unlistedModels: [...new Set([...(found?.unlistedModels ?? []), "other"])].sort() };
}

/** Returns what can be read; null if a file is broken. */
async function readable<T>(reading: Promise<T>): Promise<T | null> {
  return reading.catch((error) => {
    if (isOfContent(error)) return null;
    throw error;
  });
}

/**
 * Says how many validation images, and images set aside to calibrate on, the starting weights or the teachers had been trained on, and
 * of which that is not known.
 */
export function earlierTrainingNotes(
  { images, trainedBefore, setAside = [], unlistedModels = [] }: ImageList,
  config: Pick<TrainConfig, "weights" | "teachers">,
): string[] {
  const before = new Set(trainedBefore);
  const own = new Set(images.filter(({ split }) => split === "train").map(({ digest }) => digest)); // said elsewhere
  const validation = images.filter(({ split }) => split === "validation");
  const numSeen = validation.filter(({ digest }) => before.has(digest) && !own.has(digest)).length;
  const models = earlierModels(config).join(" or ");
  const seen = `${numSeen} of ${counted(validation.length, "validation image")}`;
  const notes =
    numSeen > 0
      ? [
          `${seen} were in the training of ${models}, so scores on them are too high. ` +
            "Choose the seed and the split of that training, or other validation images.",
        ]
      : [];
  const numAside = setAside.filter((digest) => before.has(digest)).length;
  if (numAside > 0)
    notes.push(
      `${numAside} of ${counted(setAside.length, "image")} set aside by calibrationShare were in the training of ${models}, so the calibrated ` +
        "probabilities are too high. Choose the seed and the calibrationShare of that training, or calibrate on other images with npx ferkit calibrate.",
    );
  for (const name of unlistedModels)
    notes.push(
      name === "other"
        ? `there is no full list of the images that ${models} was trained on, so validation images may be among them`
        : `the bundled model ${name}, from which this training starts or learns, was trained on ${BUNDLED_TRAINING}, so validation images may be among them`,
    );
  return notes.map((note) => visible(note));
}
