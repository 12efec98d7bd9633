// Which images belong on one side of a split: copies of one picture, and images of one person or series.
import { groupBy } from "../collections.js";
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
    const members = groupBy(paths.keys(), (index) => capture(pattern, paths[index]));
    const without = members.get(null) ?? [];
    members.delete(null);
    for (const [first, ...others] of members.values()) for (const other of others) sets.join(first, other);
    notes.push(
      `${members.size} groups by --group${without.length > 0 ? `, and ${without.length} images without one, such as ${paths[without[0]]}` : ""}.`,
    );
  }
  return { groups: Int32Array.from({ length: numImages }, (_, index) => sets.firstOf(index)), notes };
}
