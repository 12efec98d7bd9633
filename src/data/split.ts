import { checkNumber, InputError } from "../errors.js";
import { Random } from "../random.js";
import { officialSplit } from "./official-split.js";
import type { DecodedSample } from "./pixels/packed-file.js";
import type { SplitChoice, SplitName } from "./split-names.js";

/** Places of the images of each split. */
export interface Split {
  train: number[];
  validation: number[];
}

export interface SplitOptions {
  validationShare: number;
  seed: number;
  /** `folders` unless told. */
  split?: SplitChoice;
}

/** What a split by these options is. */
export function splitName(samples: DecodedSample[], { validationShare, split }: SplitOptions): SplitName {
  if (split !== undefined && split !== "folders") return split;
  if (samples.some((sample) => sample.split !== null)) return "folders";
  return validationShare === 1 ? "all" : "held-out";
}

/**
 * The split that was chosen; that of the folders is, where they have none, a seeded one that takes `validationShare` of each class: a class of two images or
 * more keeps one in each split, and a class of one is trained on, except for a share of 0 or 1.
 *
 * @throws InputError when the folders have one split only, or do not hold what the official split is of.
 */
export function splitSamples(
  samples: DecodedSample[],
  { validationShare, seed, split: choice = "folders" }: SplitOptions,
  root: string,
): Split {
  checkNumber("validationShare", validationShare, { min: 0, max: 1 });
  if (choice !== "folders") return officialSplit(samples, choice, root);
  const places = samples.map((_, i) => i);
  const split: Split = {
    train: places.filter((i) => samples[i].split === "train"),
    validation: places.filter((i) => samples[i].split === "validation"),
  };
  if (split.train.length + split.validation.length === 0) return stratified(samples, validationShare, seed);
  if (validationShare === 1 || (split.train.length > 0 && split.validation.length > 0)) return split;
  const missing = split.train.length === 0 ? "train" : "validation";
  throw new InputError({
    expected: "folders train and validation",
    where: root,
    found: `no images in ${missing}`,
    fix: "Add the folder, or put the class folders at the top to have a share of them held out.",
  });
}

function stratified(samples: DecodedSample[], validationShare: number, seed: number): Split {
  const byClass = new Map<string, number[]>();
  samples.forEach(({ className }, i) => {
    const places = byClass.get(className);
    if (places) places.push(i);
    else byClass.set(className, [i]);
  });
  const split: Split = { train: [], validation: [] };
  for (const [className, places] of byClass) {
    const order = [...new Random(seed, "split", className).permutation(places.length)].map((i) => places[i]);
    const exact = Math.round(validationShare * places.length);
    const isProper = validationShare > 0 && validationShare < 1;
    const count = isProper ? Math.min(places.length - 1, Math.max(1, exact)) : exact;
    split.validation.push(...order.slice(0, count));
    split.train.push(...order.slice(count));
  }
  const ascending = (a: number, b: number) => a - b;
  return { train: split.train.sort(ascending), validation: split.validation.sort(ascending) };
}
