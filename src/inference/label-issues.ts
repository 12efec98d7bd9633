// Images of an evaluation that deserve a look.
import type { Evaluation } from "./evaluate.js";

type Predictions = Pick<Evaluation, "predicted" | "probs">;

/** Returns the indices of wrongly classified images, the most confident errors first. */
export function topLosses({ predicted, probs }: Predictions, labels: Int32Array): number[] {
  const numClasses = probs.length / labels.length;
  const confidence = (i: number) => probs[i * numClasses + predicted[i]];
  return [...labels.keys()]
    .filter((i) => predicted[i] !== labels[i])
    .sort((a, b) => confidence(b) - confidence(a));
}

/**
 * Returns the indices of images whose labels are probably wrong, by confident learning: another class is the most probable,
 * and at least as probable as it is on average for the images with that label. The largest cross-entropy comes first.
 *
 * @param evaluation - For images that the network was not trained on.
 * @see Northcutt et al. 2021, https://arxiv.org/abs/1911.00068
 */
export function labelIssues({ predicted, probs }: Predictions, labels: Int32Array): number[] {
  const numClasses = probs.length / labels.length;
  const probOf = (i: number, label: number) => probs[i * numClasses + label];
  const usual = Array.from({ length: numClasses }, (_, label) => {
    const ofClass = [...labels.keys()].filter((i) => labels[i] === label);
    return ofClass.reduce((sum, i) => sum + probOf(i, label), 0) / ofClass.length; // NaN without images, so never reached
  });
  return [...labels.keys()]
    .filter((i) => predicted[i] !== labels[i] && probOf(i, predicted[i]) >= usual[predicted[i]])
    .sort((a, b) => probOf(a, labels[a]) - probOf(b, labels[b]));
}
