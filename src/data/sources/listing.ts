// What every kind of data set is read to: images with their labels, and an account of all files.
import { statSync } from "node:fs";
import path from "node:path";
import { InputError } from "../../errors.js";
import type { Walk } from "./files.js";
import { type LeftOutFiles, REASONS } from "./left-out.js";
import type { Part } from "./split-names.js";

/** An image of a data set. */
export interface Sample {
  /** Relative to the root, with slashes. */
  path: string;
  /** Unicode form NFC. */
  className: string;
  /** Null if the data set has no split. */
  split: Part | null;
  /** Row of fer2013.csv, and the part of the challenge that it is in; if known. */
  row?: number;
  usage?: Usage;
  /** Images of the same one belong together, by the column that was chosen for it. */
  group?: string;
  /** Share of each class in the label, by name; without it, the label is certain. */
  shares?: Record<string, number>;
  /** Size in bytes. */
  size: number;
  /** Changes whenever the file does, even if its size and date stay: times of modification and change, and inode. */
  changed: string;
}

/** Parts of FER-2013, as its column Usage names them. */
export type Usage = "Training" | "PublicTest" | "PrivateTest";

/** What the split of a data set is read from. */
export interface SplitSource {
  /** In a sentence: "the column split of labels.csv", "the names of the files". */
  words: string;
  /** Whether it is a column, which `--split-column` can choose. */
  isColumn: boolean;
  /** Whether it is a list of the images of each part, which `--split-column none` leaves unread. */
  isList?: boolean;
}

/** The images of a data set. */
export interface Listing {
  root: string;
  /** What errors name: the root, or the file that it was unpacked from. */
  where: string;
  /** Folder of the data set that is the root, relative to what the user gave; "." is all of it. */
  inner: string;
  /** Where the labels come from, for the report: "class folders", "labels.csv". */
  labels: string;
  /** Whether a table or a Parquet file has them, in which several labels may share a cell. */
  isTable?: boolean;
  /** What has the split, if folders do not. */
  splitBy?: SplitSource;
  /** Training images first, then by path. */
  samples: Sample[];
  /** Says which column may tell the groups of images, if none was chosen. */
  groupHint?: string;
  /** Class folders without an image. */
  emptyClasses: string[];
  leftOut: LeftOutFiles;
  /** Guesses and doubts, each a sentence. */
  notes: string[];
}

/** Where the labels come from if they are the names of folders. */
export const CLASS_FOLDERS = "class folders";

/** Makes the listing of a folder whose samples are relative to it. */
export function listingOf(
  { dir, leftOut }: Pick<Walk, "dir" | "leftOut">,
  found: Pick<Listing, "labels" | "samples"> & Partial<Listing>,
): Listing {
  return { root: dir, where: dir, inner: ".", emptyClasses: [], leftOut, notes: [], ...found };
}

/** Adds a sentence to the notes of a listing. */
export function withNote(listing: Listing, note: string): Listing {
  return { ...listing, notes: [...listing.notes, note] };
}

/** Counts an image of a listing as left out. */
export function leaveOut({ leftOut, inner }: Listing, reason: string, image: Pick<Sample, "path">): void {
  leftOut.add(reason, path.posix.join(inner, image.path));
}

/**
 * Makes train and validation from the parts of a data set. Test images are for validation if no others are; otherwise they are
 * left out. A data set with training images alone has no split.
 */
export function chooseParts(listing: Listing): ChosenListing {
  const { samples, notes } = listing;
  const has = (part: Part) => samples.some(({ split }) => split === part);
  const isTestUsed = has("test") && !has("validation");
  const kept = samples.flatMap((sample) => {
    if (sample.split !== "test") return [sample];
    if (isTestUsed) return [{ ...sample, split: "validation" as const }];
    leaveOut(listing, REASONS.test, sample);
    return [];
  });
  const isHeldOut = !has("validation") && !isTestUsed;
  const note = "No images are for validation but those for tests, so these are used.";
  return {
    ...listing,
    samples: inOrder(isHeldOut ? kept.map((sample) => ({ ...sample, split: null })) : kept),
    notes: isTestUsed && has("train") ? [...notes, note] : notes,
    splitWords: listing.splitBy?.words ?? validationFolder(kept),
    unusedFolders: foldersWithout(
      samples.filter(({ split }) => split === "test" && !isTestUsed),
      kept,
    ),
  };
}

/** A listing whose parts are those that are used. */
export interface ChosenListing extends Listing {
  /** Where its own split has the validation images, in a sentence: "the folder val". */
  splitWords: string;
  /** Folders of test images that are not used. */
  unusedFolders: string[];
}

/** Names the folder that all validation images are in, if no other image is. */
function validationFolder(samples: readonly Sample[]): string {
  const held = samples.filter(({ split }) => split === "validation");
  const [folder, ...others] = foldersWithout(
    held,
    samples.filter(({ split }) => split !== "validation"),
  );
  const isOne = folder !== undefined && others.length === 0;
  return isOne ? `the folder ${folder}` : "the folders for validation";
}

/** Returns the outermost folders that hold some images and none of the others, sorted. */
function foldersWithout(samples: readonly Sample[], others: readonly Sample[]): string[] {
  const foldersOf = ({ path: file }: Sample) =>
    file.split("/").flatMap((_, i, steps) => (i > 0 ? steps.slice(0, i).join("/") : []));
  const mixed = new Set(others.flatMap(foldersOf));
  const found = samples.flatMap((sample) => foldersOf(sample).find((folder) => !mixed.has(folder)) ?? []);
  return [...new Set(found)].sort();
}

/**
 * Gives samples the parts that their paths name. If only some paths name one, the other images are left out, as folders beside
 * train and validation are. A single part beside other images is no split.
 *
 * @param parts - The part that the path of each sample names.
 * @throws InputError if most images are in no part of a split that has several.
 */
export function withParts(
  samples: Sample[],
  parts: (Part | null)[],
  { where, leftOut, notes }: { where: string; leftOut: LeftOutFiles; notes: string[] },
): Sample[] {
  const named = new Set(parts.flatMap((part) => part ?? []));
  const strays = samples.filter((_, i) => parts[i] === null);
  const [stray] = strays;
  const isSplit = named.size > 0 && (stray === undefined || (named.has("train") && named.size > 1));
  if (!isSplit) {
    if (named.size > 0)
      notes.push(
        `Images in ${[...named].join(" and ")} are read as all others, since ${strays.length} are in no part of a split, such as ${stray.path}.`,
      );
    return samples.map((sample) => ({ ...sample, split: null }));
  }
  if (strays.length * 2 > samples.length)
    throw new InputError({
      expected: "images in the parts of a split",
      where,
      found: `${strays.length} of ${samples.length} in no part, such as ${stray.path}`,
      fix: `Move them into a folder such as ${path.posix.join("train", path.posix.dirname(stray.path))}, or out of the data set.`,
    });
  for (const { path: file } of strays) leftOut.add(REASONS.noPart, file);
  if (stray)
    notes.push(
      `${strays.length} of ${samples.length} images are in no part of the split, such as ${stray.path}, and are left out.`,
    );
  return samples.flatMap((sample, i) => (parts[i] === null ? [] : [{ ...sample, split: parts[i] }]));
}

/** Says how many images have no part of the split that others have; nothing if all have one. */
export function withoutPartNote(samples: Sample[], labels: string): string[] {
  const isSplit = samples.some(({ split }) => split === "validation" || split === "test");
  const numWithout = samples.filter(({ split }) => split === null).length;
  return isSplit && numWithout > 0
    ? [`Images without a part of the split in ${labels}, which are not used: ${numWithout}.`]
    : [];
}

/**
 * Says where two splits differ; nothing if they agree.
 *
 * @param name - Names the split at the start of the sentence.
 * @param used - Says which of them is used.
 */
export function differenceNotes(
  name: string,
  images: { name: string; part: Part | "extra" | null; other: Part | "extra" | null }[],
  than: string,
  used: string,
): string[] {
  const differing = images.filter(({ part, other }) => part && other && part !== other);
  if (differing.length === 0) return [];
  const [first] = differing;
  return [
    `${name} puts ${differing.length} of ${images.length} images into another part than ${than}, for example ${first.name} into ${first.part}. ${used}`,
  ];
}

/** Puts training images first, then those for validation, and sorts each by path. */
export function inOrder(samples: Sample[]): Sample[] {
  const rank = ({ split }: Sample) => (split === null ? 0 : ["train", "validation", "test"].indexOf(split));
  return samples.sort((a, b) => rank(a) - rank(b) || (a.path < b.path ? -1 : 1));
}

/** Returns the classes of samples, sorted by code unit. */
export function classesOf(samples: readonly Pick<Sample, "className">[]): string[] {
  return [...new Set(samples.map(({ className }) => className))].sort();
}

export function classesAt(samples: readonly Sample[], indices: readonly number[]): string[] {
  return classesOf(indices.map((index) => samples[index]));
}

/** Reads what tells whether a file has changed. Synchronous, which takes a fifth of the time. */
export function stampOf(file: string): Pick<Sample, "size" | "changed"> {
  try {
    const { size, mtimeMs, ctimeMs, ino } = statSync(file);
    return { size, changed: `${mtimeMs} ${ctimeMs} ${ino}` };
  } catch {
    return { size: 0, changed: "" }; // a broken link is reported as unreadable
  }
}
