// Labels that are no classes: amounts, names of single images, and several labels in one.
import { groupBy, tally } from "../../collections.js";
import type { InputProblem } from "../../errors.js";
import { inShort } from "../../names.js";
import { counted } from "../../text.js";
import { areDates, areSources } from "../sources/folders/folder-names.js";
import { LAST_FOLDER } from "../sources/folders/same-folders.js";
import { CLASS_FOLDERS, type Listing, type Sample } from "../sources/listing.js";
import type { SourceOptions } from "../sources/source.js";
import type { Conclusion } from "./report.js";

/** Why labels are no classes: what was found, what to do, and whether a training is refused. */
interface Doubt {
  found: string;
  fix: string;
  isRefused: boolean;
  examples: string[];
}

/** Images by their label, and where the labels come from. */
interface Labels {
  images: Map<string, string[]>;
  numImages: number;
  /** Whether a table or a Parquet file has them, in which several labels share a cell. */
  isTable: boolean;
  /** Whether they are class folders, and nobody chose these. */
  areFolders: boolean;
}

/** @returns Why the data set cannot be trained on; null if its labels may be classes. */
export function labelProblem(
  samples: readonly Pick<Sample, "path" | "className">[],
  listing: Pick<Listing, "where" | "isTable" | "labels">,
  choice: FolderChosen = {},
): InputProblem | null {
  const doubt = doubtOf(samples, listing, choice);
  if (!doubt?.isRefused) return null;
  return { expected: "labels that are classes", where: listing.where, found: doubt.found, fix: doubt.fix };
}

/** Concludes that labels look like no classes, where a training is not refused for it. */
export function labelConclusions(
  samples: readonly Pick<Sample, "path" | "className">[],
  listing: Pick<Listing, "isTable" | "labels">,
  choice: FolderChosen = {},
): Conclusion[] {
  const doubt = doubtOf(samples, listing, choice);
  if (!doubt || doubt.isRefused) return [];
  const { found, fix, examples } = doubt;
  return [{ about: "labels", text: `${found[0].toUpperCase()}${found.slice(1)}. ${fix}`, examples }];
}

/** Images with several labels, in percent of all, from which on they are worth a word. */
const MANY_SEVERAL = 0.05;

/** Concludes that much is left out because it has several labels. */
export function severalLabelsConclusion(numDropped: number, numUsed: number): Conclusion[] {
  const total = numDropped + numUsed;
  if (numDropped <= MANY_SEVERAL * total) return [];
  const text =
    `${numDropped} of ${counted(total, "image")} ${numDropped === 1 ? "has several labels and is" : "have several labels and are"} left out: ferkit learns one label an image. ` +
    "Choose one label for each of them to use them.";
  return [{ about: "labels", text, examples: [] }];
}

/** What says that class folders are the classes. */
type FolderChosen = Pick<SourceOptions, "labels" | "trainFolder">;

function doubtOf(
  samples: readonly Pick<Sample, "path" | "className">[],
  { isTable = false, labels }: Pick<Listing, "isTable" | "labels">,
  { labels: chosen, trainFolder }: FolderChosen,
): Doubt | null {
  const groups = groupBy(samples, ({ className }) => className);
  const images = new Map([...groups].map(([className, own]) => [className, own.map(({ path }) => path)]));
  const areFolders = labels === CLASS_FOLDERS && (chosen ?? trainFolder) === undefined;
  const all: Labels = { images, numImages: samples.length, isTable, areFolders };
  return sources(all) ?? severalInOne(all) ?? amounts(all) ?? namesOfImages(all);
}

/** Finds class folders that are numbered as patients, cameras or pieces of a data set are, or are dates. */
function sources({ images, areFolders }: Labels): Doubt | null {
  const labels = [...images.keys()].sort();
  const areDays = areFolders && areDates(labels);
  const kind = areDays ? "surely" : areFolders ? areSources(labels) : null;
  if (kind === null) return null;
  const examples = (images.get(labels[0]) ?? []).slice(0, 3);
  const isNested = examples.some((file) => file.split("/").at(-2) !== labels[0]);
  const inner = isNested ? `, or --label-pattern ${LAST_FOLDER} if the folders in them are` : "";
  return {
    found: areDays
      ? `class folders that are dates (${inShort(labels)}): ferkit would learn to tell these apart`
      : `the class folders differ only in a number or letter (${inShort(labels)}), as those of patients, cameras or pieces of a data set do: ` +
        "ferkit would learn to tell these apart",
    fix: `Choose a table of labels with --labels FILE, or --labels folders if these are the classes${inner}.`,
    isRefused: kind === "surely",
    examples,
  };
}

/** Characters between several labels in a cell, the usual ones first; the others are also part of names. */
const [SEPARATORS, RARE_SEPARATORS] = [
  ["|", ";", ","],
  ["+", "&", "/", " "],
];
/** Share of the parts that must be labels themselves. */
const [MIN_KNOWN, MIN_KNOWN_RARE] = [0.5, 0.8];

/** Finds labels such as `leaf|sky` beside `leaf` and `sky`. */
function severalInOne({ images, numImages, isTable }: Labels): Doubt | null {
  const labels = [...images.keys()];
  for (const separator of [...SEPARATORS, ...RARE_SEPARATORS]) {
    const isUsual = SEPARATORS.includes(separator);
    const partsOf = (label: string) => label.split(separator).flatMap((part) => part.trim() || []);
    const compound = labels.filter((label) => partsOf(label).length > 1);
    if (compound.length === 0) continue;
    const numUses = tally(compound.flatMap((label) => [...new Set(partsOf(label))]));
    const isDecimal = separator === "," && compound.every((label) => AMOUNT.test(label));
    const isKnown = ([part, uses]: [string, number]) =>
      images.has(part) || (uses > 1 && isUsual && !isDecimal);
    const share = [...numUses].filter(isKnown).length / numUses.size;
    if (share < (isUsual ? MIN_KNOWN : MIN_KNOWN_RARE)) continue;
    const numSeveral = compound.reduce((sum, label) => sum + (images.get(label)?.length ?? 0), 0);
    const [first] = compound;
    return {
      found:
        `${numSeveral} of ${numImages} images have labels such as "${first}", whose parts ${inShort(partsOf(first))} ` +
        "are labels too: ferkit learns one label an image, and would take each combination for a class",
      fix: `Choose one label for each image; if they are classes, rename them (${partsOf(first).join("-")}).`,
      isRefused: isUsual && isTable && numSeveral > MANY_SEVERAL * numImages,
      examples: (images.get(first) ?? []).slice(0, 3),
    };
  }
  return null;
}

/** A number, also with a unit: `38.6`, `-4`, `1,5`, `12 years`, `€20`. */
const AMOUNT = /^([$€£¥]?)\s*([-+]?\d+(?:[.,]\d+)?(?:e[-+]?\d+)?)\s*([a-z%°µ]{0,8})$/i;
/** Different numbers with fractions, and images for each, of which a training is refused; and of whole numbers. */
const [MIN_FRACTIONS, FEW_PER_FRACTION] = [10, 20];
const [MIN_NUMBERS, FEW_PER_NUMBER] = [10, 3];
/** More different numbers are worth a word, unless they count from 0 or 1 as codes of classes do. */
const MANY_NUMBERS = 20;

/** Finds labels that are amounts, such as temperatures, ages and years. */
function amounts({ images, numImages, isTable }: Labels): Doubt | null {
  const labels = [...images.keys()];
  const read = labels.map((label) => AMOUNT.exec(label));
  if (read.some((one) => one === null)) return null;
  const matches = read as RegExpExecArray[];
  if (new Set(matches.map(([, sign, , unit]) => `${sign} ${unit.toLowerCase()}`)).size > 1) return null;
  const numbers = matches.map(([, , number]) => Number(number.replace(",", ".")));
  const perNumber = numImages / labels.length;
  const hasFractions = numbers.some((number) => !Number.isInteger(number));
  const isRefused = hasFractions
    ? (labels.length > MIN_FRACTIONS && perNumber < FEW_PER_FRACTION) ||
      (labels.length > MIN_FRACTIONS / 2 && perNumber < FEW_PER_NUMBER)
    : labels.length > MIN_NUMBERS && perNumber < FEW_PER_NUMBER;
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const areCodes = !hasFractions && low >= 0 && low <= 1 && high - low + 1 === labels.length;
  if (!isRefused && (labels.length <= MANY_NUMBERS || areCodes)) return null;
  const sorted = [...labels.keys()].sort((a, b) => numbers[a] - numbers[b]).map((i) => labels[i]);
  const column = isTable ? ", or choose another column with --label-column" : "";
  return {
    found:
      `${labels.length} different numbers label ${numImages} images (${inShort(sorted)}): ` +
      "ferkit predicts classes, not amounts",
    fix: `Group the numbers into ranges${column}; if they name classes, write them with a letter (n${sorted[0]}).`,
    isRefused,
    examples: (images.get(sorted[0]) ?? []).slice(0, 3),
  };
}

/** Different labels, and fewer images for each, that are worth a word. */
const [MIN_NAMES, FEW_PER_NAME] = [10, 2];

/** Finds labels that name single images rather than classes: ids, dates, file names. */
function namesOfImages({ images, numImages, isTable }: Labels): Doubt | null {
  const labels = [...images.keys()].sort();
  if (labels.length < MIN_NAMES || numImages / labels.length >= FEW_PER_NAME) return null;
  return {
    found:
      `${labels.length} different labels for ${numImages} images (${inShort(labels)}): ` +
      "they look like names of single images, and a class needs several images to be learned",
    fix: isTable
      ? "Choose another column with --label-column, or add images."
      : "Fix the labels, or add images.",
    isRefused: false,
    examples: [],
  };
}
