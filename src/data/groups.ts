// Which images belong on one side of a split: copies of one picture, and images of one person or series.
import type { OnProgress } from "../progress.js";
import { DisjointSets, findNearDuplicates } from "./audit/near-duplicates.js";
import type { PackedImages } from "./dataset.js";
import { capture, groupPattern } from "./sources/file-names.js";

/** A larger share of near-duplicates means that the images are too similar to tell copies. */
const MAX_GROUP_SHARE = 0.1;
/** Groups up to this size may be copies in any data set. */
const LARGE_GROUP = 20;

/**
 * Groups images that belong on one side of a split: near-duplicates, and those with the same captured text.
 *
 * @param group - Regular expression for an image's path, as `--group` gives it.
 * @returns int32 `[numImages]`: the first index of each image's group; and what there is to say about it.
 */
export async function groupImages(
  images: PackedImages,
  group: string | undefined,
  onProgress?: OnProgress,
): Promise<{ groups: Int32Array; notes: string[] }> {
  const { paths, numImages } = images;
  const notes: string[] = [];
  const { groups, duplicates } = await findNearDuplicates([images], onProgress);
  const sizes = new Map<number, number>();
  for (const first of groups) sizes.set(first, (sizes.get(first) ?? 0) + 1);
  const largest = [...sizes.values()].reduce((most, size) => Math.max(most, size), 0);
  const isUsable = largest <= Math.max(LARGE_GROUP, MAX_GROUP_SHARE * numImages);
  if (!isUsable)
    notes.push(
      `${largest} of ${numImages} images are too similar to each other to tell near-duplicates, so only duplicates are held out together.`,
    );
  const sets = new DisjointSets(numImages);
  (isUsable ? groups : duplicates).forEach((first, index) => {
    sets.join(first, index);
  });
  if (group !== undefined) {
    const pattern = groupPattern("--group", group);
    const firstOf = new Map<string, number>();
    const keys = paths.map((path) => capture(pattern, path));
    keys.forEach((key, index) => {
      if (key === null) return;
      const first = firstOf.get(key);
      if (first === undefined) firstOf.set(key, index);
      else sets.join(first, index);
    });
    const numWithout = keys.filter((key) => key === null).length;
    notes.push(
      `${firstOf.size} groups by --group${numWithout > 0 ? `, and ${numWithout} images without one, as ${paths[keys.indexOf(null)]}` : ""}.`,
    );
  }
  return { groups: Int32Array.from({ length: numImages }, (_, index) => sets.firstOf(index)), notes };
}
