// Images of an evaluation that deserve a look.
import { checkKind, ParameterError } from "../errors.js";
import { checkProbs } from "../metrics/classification.js";
import type { Evaluation } from "./evaluate.js";

type Predictions = Pick<Evaluation, "predicted" | "probs">;

/**
 * Returns the indices of wrongly classified images, the most confident errors first.
 *
 * @param evaluation - From `evaluate`.
 * @param labels - int32 `[numImages]`, as the images have them.
 * @example
 * ```ts
 * import { evaluate, loadEvaluationData, loadModel, topLosses } from "ferkit";
 *
 * const network = await loadModel("runs/pets/best");
 * const { dataset } = await loadEvaluationData("runs/pets/best", { data: "data/pets" });
 * const { labels, paths } = dataset.validation;
 * const worst = topLosses(await evaluate(network, dataset.validation), labels).slice(0, 10);
 * console.log(worst.map((index) => paths[index]));
 * network.dispose();
 * ```
 */
export function topLosses({ predicted, probs }: Predictions, labels: Int32Array): number[] {
  const numClasses = checkedNumClasses({ predicted, probs }, labels);
  const confidence = (i: number) => probs[i * numClasses + predicted[i]];
  return [...labels.keys()]
    .filter((i) => predicted[i] !== labels[i])
    .sort((a, b) => confidence(b) - confidence(a));
}

/**
 * Returns the indices of images whose labels are probably wrong, by confident learning: another class is the most probable, and
 * at least as probable as it is on average for the images with that label. The largest cross-entropy comes first.
 *
 * @param evaluation - From `evaluate`, for images that the network was not trained on.
 * @param labels - int32 `[numImages]`, as the images have them.
 * @see Northcutt et al. 2021, https://arxiv.org/abs/1911.00068
 * @example
 * ```ts
 * import { evaluate, labelIssues, loadEvaluationData, loadModel } from "ferkit";
 *
 * const network = await loadModel("runs/pets/best");
 * const { dataset } = await loadEvaluationData("runs/pets/best", { data: "data/pets" });
 * const { labels, paths } = dataset.validation;
 * const suspects = labelIssues(await evaluate(network, dataset.validation), labels);
 * console.log(suspects.map((index) => paths[index]));
 * network.dispose();
 * ```
 */
export function labelIssues({ predicted, probs }: Predictions, labels: Int32Array): number[] {
  const numClasses = checkedNumClasses({ predicted, probs }, labels);
  const probOf = (i: number, label: number) => probs[i * numClasses + label];
  const [sums, counts] = [new Float64Array(numClasses), new Int32Array(numClasses)];
  labels.forEach((label, i) => {
    sums[label] += probOf(i, label);
    counts[label]++;
  });
  const usual = sums.map((sum, label) => sum / counts[label]); // NaN without images, so never reached
  return [...labels.keys()]
    .filter((i) => predicted[i] !== labels[i] && probOf(i, predicted[i]) >= usual[predicted[i]])
    .sort((a, b) => probOf(a, labels[a]) - probOf(b, labels[b]));
}

/**
 * Returns the number of classes of an evaluation.
 *
 * @throws ParameterError if arguments of a program without types are not of the same images.
 */
function checkedNumClasses({ predicted, probs }: Predictions, labels: Int32Array): number {
  checkKind("evaluation", "what evaluate returns", { predicted, probs }, ["predicted", "probs"]);
  const kind = "the labels of the images that were evaluated, such as dataset.validation.labels";
  checkKind("labels", kind, labels, ["length"]);
  if (predicted.length !== labels.length)
    throw new ParameterError("the number of labels", String(predicted.length), labels.length);
  const numClasses = probs.length / Math.max(1, labels.length);
  checkProbs(probs, labels, numClasses);
  return numClasses;
}
