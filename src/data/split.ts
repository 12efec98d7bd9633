import path from "node:path";
import { checkNumber, InputError } from "../errors.js";
import { Random } from "../random.js";
import type { DecodedSample } from "./pixels/packed-file.js";

/** How to split: by the folders, or as in the challenge that FER-2013 was made for. */
export const SPLIT_CHOICES = ["folders", "official", "official-test"] as const;
export type SplitChoice = (typeof SPLIT_CHOICES)[number];

/** How a data set was split. Without split folders, a share was held out, or all images are for validation. */
export type SplitName = SplitChoice | "held-out" | "all" | "run";

/** What each split validates on. */
export const SPLIT_WORDS: Readonly<Record<SplitName, string>> = {
  folders: "the validation folder",
  official: "PublicTest of the official split",
  "official-test": "PrivateTest of the official split",
  "held-out": "a share that was held out",
  all: "all images",
  run: "the images that the model's run held out",
};

/** Indices of the images of each split, ascending. */
export interface Split {
  train: number[];
  validation: number[];
}

export interface SplitOptions {
  validationShare: number;
  seed: number;
  /** Default: `folders`. */
  split?: SplitChoice;
}

/** Returns the kind of split that these options give. */
export function splitName(samples: DecodedSample[], { validationShare, split }: SplitOptions): SplitName {
  if (split !== undefined && split !== "folders") return split;
  if (samples.some((sample) => sample.split !== null)) return "folders";
  return validationShare === 1 ? "all" : "held-out";
}

/**
 * Splits as chosen. `folders` without split folders is a seeded split that holds out `validationShare` of each class: a class
 * with two or more images keeps at least one in each split, and the only image of a class is for training, except with a
 * share of 0 or 1.
 *
 * @throws InputError when the folders have only one split, or do not hold FER-2013 for its official split.
 */
export function splitSamples(
  samples: DecodedSample[],
  { validationShare, seed, split: choice = "folders" }: SplitOptions,
  root: string,
): Split {
  checkNumber("validationShare", validationShare, { min: 0, max: 1 });
  if (choice !== "folders") return officialSplit(samples, choice, root);
  const split: Split = {
    train: indicesOf(samples, (sample) => sample.split === "train"),
    validation: indicesOf(samples, (sample) => sample.split === "validation"),
  };
  if (split.train.length + split.validation.length === 0) return heldOut(samples, validationShare, seed);
  if (validationShare === 1 || (split.train.length > 0 && split.validation.length > 0)) return split;
  const missing = split.train.length === 0 ? "train" : "validation";
  throw new InputError({
    expected: "folders train and validation",
    where: root,
    found: `no images in ${missing}`,
    fix: "Add the folder, or put the class folders at the top to have a share of them held out.",
  });
}

function indicesOf<Item>(items: Item[], fits: (item: Item) => boolean): number[] {
  return items.flatMap((item, index) => (fits(item) ? index : []));
}

function heldOut(samples: DecodedSample[], validationShare: number, seed: number): Split {
  const byClass = new Map<string, number[]>();
  samples.forEach(({ className }, index) => {
    const indices = byClass.get(className);
    if (indices) indices.push(index);
    else byClass.set(className, [index]);
  });
  const split: Split = { train: [], validation: [] };
  for (const [className, indices] of byClass) {
    const order = [...new Random(seed, "split", className).permutation(indices.length)].map(
      (i) => indices[i],
    );
    const exact = Math.round(validationShare * indices.length);
    const isProper = validationShare > 0 && validationShare < 1;
    const count = isProper ? Math.min(indices.length - 1, Math.max(1, exact)) : exact;
    split.validation.push(...order.slice(0, count));
    split.train.push(...order.slice(count));
  }
  const ascending = (a: number, b: number) => a - b;
  return { train: split.train.sort(ascending), validation: split.validation.sort(ascending) };
}

/**
 * First rows of PublicTest and PrivateTest in the original fer2013.csv, by its column Usage, and the number of rows. The files
 * of the class folders are named by row.
 */
const [PUBLIC_TEST, PRIVATE_TEST, NUM_ROWS] = [28_709, 32_298, 35_887];

/**
 * Splits FER-2013 as its challenge did, whatever folders the images are in: trains on Training, and validates on PublicTest, or
 * on PrivateTest as published figures do.
 *
 * @throws InputError when the files are not named by the rows of fer2013.csv, each once.
 */
function officialSplit(samples: DecodedSample[], part: "official" | "official-test", root: string): Split {
  const [from, to] = part === "official" ? [PUBLIC_TEST, PRIVATE_TEST] : [PRIVATE_TEST, NUM_ROWS];
  const rows = rowsOf(samples, root);
  return {
    train: indicesOf(rows, (row) => row < PUBLIC_TEST),
    validation: indicesOf(rows, (row) => row >= from && row < to),
  };
}

function rowsOf(samples: DecodedSample[], root: string): number[] {
  const seen = new Map<number, string>();
  return samples.map((sample) => {
    const { name } = path.parse(sample.path);
    const row = /^\d+$/.test(name) ? Number(name) : Number.NaN;
    const other = seen.get(row);
    if (!(row < NUM_ROWS) || other !== undefined)
      throw new InputError({
        expected: `files named by the rows 0 to ${NUM_ROWS - 1} of fer2013.csv, each once, for its official split`,
        where: root,
        found: other === undefined ? sample.path : `both ${other} and ${sample.path}`,
        fix: "Remove --split, or give the class folders of FER-2013.",
      });
    seen.set(row, sample.path);
    return row;
  });
}
