// What the commands that score a model load: the model, and images that it was not trained on.
import { InputError, type internals, loadEvaluationData, loadModel, type Network } from "../src/index.js";
import { type DataFlags, dataOptions, printData, printRemarks } from "./options.js";
import { dataProgress } from "./progress.js";

type EvaluationData = Awaited<ReturnType<typeof loadEvaluationData>>;

/** Says that a score is of images that were seen in training. */
export function trainedOnInWords(numTrainedOn: number, numImages: number): string {
  return `the model, or one that it started from or learned from, was trained on ${numTrainedOn} of these ${numImages} images`;
}

/** A model and the images to score it on, with the bar for what is done with them. */
export interface Scored extends Pick<EvaluationData, "dataset" | "isTrainedOn"> {
  network: Network;
  progress: ReturnType<typeof dataProgress>;
}

/**
 * Loads a model and the images to score it on, and says on standard error what the user should know about them.
 *
 * @throws InputError if one of them cannot be loaded, or there are no images.
 */
export async function loadScored(
  model: string,
  flags: DataFlags & { precision: internals.Precision },
): Promise<Scored> {
  const progress = dataProgress();
  const network = await loadModel(model);
  network.setPrecision(flags.precision);
  const options = { ...dataOptions(flags), onProgress: progress.onProgress };
  const { dataset, isTrainedOn, notes } = await loadEvaluationData(model, options).finally(progress.stop);
  const { numImages } = dataset.validation;
  if (numImages === 0)
    throw new InputError({
      expected: "images to evaluate",
      where: dataset.name,
      found: "none",
      fix: "Choose a --validation-share above 0.",
    });
  printData(flags, {
    ...dataset.report,
    numImages: { train: dataset.train.numImages, validation: numImages },
  });
  printRemarks(dataset.report, notes);
  return { network, dataset, isTrainedOn, progress };
}
