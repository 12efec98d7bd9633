// Which images belong on one side of a split: copies of one picture, and images of one person or series.
import path from "node:path";
import { groupBy } from "../collections.js";
import { inShort } from "../names.js";
import type { OnProgress } from "../progress.js";
import { DisjointSets } from "./audit/disjoint-sets.js";
import { findNearDuplicates } from "./audit/near-duplicates.js";
import type { Dataset, PackedImages } from "./dataset.js";
import { capture, groupPattern } from "./sources/file-names.js";
import type { Sample } from "./sources/listing.js";
import { isGroupColumn } from "./sources/tables/group-columns.js";
import { isSingleGroup, type Split, sharedGroups } from "./split.js";

/** Name that Roboflow gives to each version of a picture: `cat/1_jpg.rf.2f6c….jpg`. */
const VERSION = /^(.+)\.rf\.[^./]+\.[^./]+$/;

/** Returns what `group` was when a data set was loaded. */
export function groupOption({ options }: Pick<Dataset, "options">): string | undefined {
  return typeof options?.group === "string" ? options.group : undefined;
}

/**
 * Groups images that belong on one side of a split: near-duplicates, versions of one picture, and those of one group by `--group`.
 *
 * @param group - Regular expression for an image's path, or a column, whose values the images have, as `--group` gives it.
 * @returns int32 `[numImages]`: the first index of each image's group; and what there is to say about it.
 */
export async function groupImages(
  images: PackedImages,
  group: string | undefined,
  onProgress?: OnProgress,
): Promise<{ groups: Int32Array; notes: string[] }> {
  const { paths, numImages } = images;
  const notes: string[] = [];
  const { groups, alike } = await findNearDuplicates([images], onProgress);
  if (alike.length > 0)
    notes.push(
      `${alike.length} of ${numImages} images are too similar to each other to tell near-duplicates, so only duplicates of them are held out together.`,
    );
  const sets = new DisjointSets(numImages);
  groups.forEach((first, index) => {
    sets.join(first, index);
  });
  const join = (groupOf: (index: number) => string | null) => {
    const members = groupBy(paths.keys(), groupOf);
    const without = members.get(null) ?? [];
    members.delete(null);
    for (const [first, ...others] of members.values()) for (const other of others) sets.join(first, other);
    return { members: [...members.values()], without };
  };
  const versions = join((index) => capture(VERSION, paths[index])).members.filter(({ length }) => length > 1);
  if (group !== undefined) {
    const pattern = isGroupColumn(group) ? null : groupPattern("--group", group);
    const { members, without } = join((index) =>
      pattern ? capture(pattern, paths[index]) : (images.groupNames?.[index] ?? null),
    );
    notes.push(
      `${members.length} groups by --group${without.length > 0 ? `, and ${without.length} images without one, such as ${paths[without[0]]}` : ""}.`,
    );
  }
  const firsts = Int32Array.from({ length: numImages }, (_, index) => sets.firstOf(index));
  return { groups: firsts, notes: [...notes, ...versionNotes(images, versions, firsts)] };
}

/** Says what is done with the versions of one picture: if a class is a single group, its images are held out one by one. */
function versionNotes({ paths, labels, classNames }: PackedImages, versions: number[][], groups: Int32Array) {
  const classes = groupBy(labels.keys(), (index) => labels[index]);
  const isSingle = (label: number) => isSingleGroup(classes.get(label) ?? [], groups);
  const others = versions.filter((members) => members.some((index) => !isSingle(labels[index])));
  const single = new Set(versions.flat().flatMap((index) => (isSingle(labels[index]) ? labels[index] : [])));
  const notes: string[] = [];
  if (others.length > 0)
    notes.push(
      `Images that Roboflow made of one picture, by their names, are held out together, such as ${paths[others[0][0]]} and ${paths[others[0][1]]}.`,
    );
  if (single.size > 0) {
    const names = [...single].map((label) => classNames?.[label] ?? "");
    notes.push(
      `All images of ${inShort(names)} are of one picture, by the names that Roboflow gives, so they are held out one by one, and the accuracy is not that for new ones.`,
    );
  }
  return notes;
}

/** Words before a number that say whom or what an image was taken from, behind the start of a name or a separator. */
const SOURCE =
  /(?:^|[/ ._-])((?:patient|participant|subject|person|case|specimen|slide|scan|session|series|sequence|scene|video|clip|burst|donor)[ _-]?)\d+(?=[ ./_-])/i;
/** The side of a pair, such as both eyes of a person, at the end of a name. */
const SIDE = /[ ._-](?:left|right)\.[^./]+$/i;

/** Patterns for `--group` that names may call for. */
const CALLS: ((sample: Pick<Sample, "path" | "className">) => string | null)[] = [
  ({ path: file }) => {
    const [, word] = SOURCE.exec(file) ?? [];
    return word === undefined ? null : `(${word}\\d+)`;
  },
  ({ path: file }) => (SIDE.test(file) ? "([^/]+)[ ._-](?:[Ll]eft|[Rr]ight|LEFT|RIGHT)\\." : null),
  ({ path: file, className }) => {
    const folders = file.split("/").slice(0, -1);
    const [inner] = folders.slice(-1);
    const isInClass = folders.includes(className) && folders.lastIndexOf(className) < folders.length - 1;
    return isInClass && /\d/.test(inner) ? "([^/]+)/[^/]+$" : null; // frames of one video: cat/v_g01/001.jpg
  },
];

/** Says which pattern may tell images that belong together by their names: those of a patient, a video, or both eyes of a person. */
export function namedGroupsNote(samples: readonly Pick<Sample, "path" | "className">[]): string[] {
  for (const callOf of CALLS) {
    const [pattern, called = []] =
      [...groupBy(samples, callOf)].find(
        ([found, some]) => found !== null && some.length * 2 > samples.length,
      ) ?? [];
    if (!pattern) continue;
    const expression = groupPattern("--group", pattern);
    const groups = groupBy(called, ({ path: file }) => capture(expression, file));
    const some = [...groups].filter(([name, images]) => name !== null && images.length > 1);
    const numClasses = new Set(called.map(({ className }) => className)).size;
    if (some.length <= numClasses) continue; // also if they are the classes
    return [
      `The names of images may say which belong together, such as ${some[0][1][0].path}, and those of one ${some[0][0]} are not held out together (--group '${pattern}' does so).`,
    ];
  }
  return [];
}

/** Says how many pictures have versions by Roboflow in both parts of a split that the data set has. */
export function versionsInBoth(samples: readonly Sample[], split: Split): string[] {
  const { shared, numGroups } = sharedGroups(samples, split, ({ path: file, className }) => {
    const stem = capture(VERSION, path.posix.basename(file));
    return stem === null ? null : `${className}/${stem}`;
  });
  if (shared.length === 0) return [];
  return [
    `${shared.length} of ${numGroups} pictures in validation, such as ${shared[0]}, are in train too, in another version that Roboflow made of them, by their names, ` +
      "so the accuracy is not that for new ones (--fold 1/5 validates on a share of train instead, with versions of a picture together).",
  ];
}
