// Which images of an evaluation to look at.
import type { Evaluation } from "./evaluate.js";

type Judged = Pick<Evaluation, "predicted" | "probs">;

/** Places of the images that the network took for another class than the labels say, the surest first. */
export function topLosses({ predicted, probs }: Judged, labels: Int32Array): number[] {
  const numClasses = probs.length / labels.length;
  const sureness = (i: number) => probs[i * numClasses + predicted[i]];
  return [...labels.keys()]
    .filter((i) => predicted[i] !== labels[i])
    .sort((a, b) => sureness(b) - sureness(a));
}

/**
 * Places of the images whose labels are likely wrong, the likeliest first, by confident learning: another class is the most
 * probable, and at least as probable as it is on average for the images that have its label; ranked by the cross-entropy of the
 * given label.
 *
 * @param evaluation - Of images that the network was not trained on.
 * @see Northcutt et al. 2021, https://arxiv.org/abs/1911.00068.
 */
export function labelIssues({ predicted, probs }: Judged, labels: Int32Array): number[] {
  const numClasses = probs.length / labels.length;
  const probOf = (i: number, label: number) => probs[i * numClasses + label];
  const usual = Array.from({ length: numClasses }, (_, label) => {
    const ofClass = [...labels.keys()].filter((i) => labels[i] === label);
    return ofClass.reduce((sum, i) => sum + probOf(i, label), 0) / ofClass.length; // NaN without images: none is as probable
  });
  return [...labels.keys()]
    .filter((i) => predicted[i] !== labels[i] && probOf(i, predicted[i]) >= usual[predicted[i]])
    .sort((a, b) => probOf(a, labels[a]) - probOf(b, labels[b]));
}
