// Which images belong on one side of a split: copies of one picture, and images of one person or series.
import type { OnProgress } from "../progress.js";
import { DisjointSets } from "./audit/disjoint-sets.js";
import { findNearDuplicates } from "./audit/near-duplicates.js";
import type { PackedImages } from "./dataset.js";
import { capture, groupPattern } from "./sources/file-names.js";

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
  const { groups, alike } = await findNearDuplicates([images], onProgress);
  if (alike.length > 0)
    notes.push(
      `${alike.length} of ${numImages} images are too similar to each other to tell near-duplicates, so only duplicates of them are held out together.`,
    );
  const sets = new DisjointSets(numImages);
  groups.forEach((first, index) => {
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
