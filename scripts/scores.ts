// Scores with their 95% intervals, as the commands write them.
import { internals } from "../src/index.js";

const { imagesInGroups, percent } = internals;

/** Scores of some images; without intervals for an epoch that was logged before version 0.3. */
type ScoresToWrite = Pick<internals.Scores, "accuracy" | "macroF1" | "numImages"> &
  Partial<Pick<internals.Scores, "intervals" | "numGroups">>;

/** Writes scores: "accuracy 71.8% (70.7%–72.9%), macro-F1 0.710 (0.695–0.722), 7,178 images". */
export function scoresInWords({
  accuracy,
  macroF1,
  intervals,
  numImages,
  numGroups = numImages,
}: ScoresToWrite): string {
  const share = intervals ? ` (${range(intervals.accuracy, percent)})` : "";
  const isWide = intervals && intervals.macroF1[0] < intervals.macroF1[1]; // not if all images are correct
  const f1 = isWide ? ` (${range(intervals.macroF1, (value) => value.toFixed(3))})` : "";
  const images = imagesInGroups({ numImages, numGroups });
  return `accuracy ${percent(accuracy)}${share}, macro-F1 ${macroF1.toFixed(3)}${f1}, ${images}`;
}

/** Says what the intervals are of. */
export function bracketsInWords({
  numImages,
  numGroups,
}: Pick<internals.Scores, "numImages" | "numGroups">): string {
  return numGroups < numImages
    ? "(in brackets: 95% interval, by a bootstrap over groups of near-duplicates and of --group)"
    : "(in brackets: 95% interval, by a bootstrap over the images)";
}

/** Says what always answering the largest class would score, if a model is not clearly better. */
export function largestInWords(largest: ReturnType<typeof internals.largestClass>): string[] {
  if (!largest || largest.isBeaten) return [];
  const { className, accuracy } = largest;
  return [
    `always answering ${internals.visible(className)} would score accuracy ${percent(accuracy)}: the model is not clearly better`,
  ];
}

/** Writes the bounds of an interval. */
export function range([low, high]: readonly [number, number], format: (value: number) => string): string {
  return `${format(low)}–${format(high)}`;
}
