import { createHash } from "node:crypto";
import type { OnProgress } from "../../progress.js";
import type { PackedImages } from "../dataset.js";
import { DisjointSet } from "./disjoint-set.js";
import { gradients, hasContrast, similarity } from "./gradients.js";
import { closeHashes } from "./lsh.js";
import { differenceHash, HASH_WORDS, mirrored, THUMBNAIL_SIZE, thumbnailer } from "./thumbnail.js";

/** Two images that show the same. */
export interface SimilarPair {
  places: [number, number];
  /** Correlation of their gradients, [0.8, 1]. */
  similarity: number;
  /** One is as a mirror shows the other. */
  isMirrored: boolean;
}

/** Which images show the same; places count through the splits, one after the other. */
export interface NearDuplicates {
  /** int32 `[numImages]`: for each image, the first place with the same pixels. */
  identical: Int32Array;
  /** int32 `[numImages]`: the first place of its group of near-identical images; those of the same pixels are in it. */
  similar: Int32Array;
  /** Of images with different pixels, the most alike first. */
  pairs: SimilarPair[];
}

/** Images that are read at a time. */
const BLOCK = 256;
/** Of a larger group, as drawings may make, not every pair is compared. */
const LARGE_GROUP = 64;

/**
 * Finds images that were made from the same picture, though they be scaled, cropped a little, lighter, mirrored, compressed or
 * marked otherwise: hashes of thumbnails tell which may be, and the thumbnails' gradients which are.
 *
 * It is made for photographs. Drawings of few lines, as of digits, are alike without being copies.
 *
 * @param splits - Of the same size and number of channels.
 */
export async function findNearDuplicates(
  splits: PackedImages[],
  onProgress?: OnProgress,
): Promise<NearDuplicates> {
  const { identical, thumbnails } = await scan(splits, onProgress);
  const { numChannels } = splits[0];
  const bytes = THUMBNAIL_SIZE ** 2 * numChannels;
  const thumbnailAt = (place: number) => thumbnails.subarray(place * bytes, (place + 1) * bytes);
  const places = identical.filter(
    (first, place) => first === place && hasContrast(gradients(thumbnailAt(place), numChannels)),
  );
  const groups = new DisjointSet(identical.length);
  identical.forEach((first, place) => {
    groups.join(first, place);
  });
  const pairs = similarPairs(places, thumbnailAt, numChannels, groups);
  return { identical, similar: identical.map((_, place) => groups.firstOf(place)), pairs };
}

/** Reads each image once, for what it is compared by. */
async function scan(
  splits: PackedImages[],
  onProgress?: OnProgress,
): Promise<{ identical: Int32Array; thumbnails: Uint8Array }> {
  const { imageSize, numChannels } = splits[0];
  const [imageBytes, bytes] = [imageSize, THUMBNAIL_SIZE].map((side) => side ** 2 * numChannels);
  const total = splits.reduce((sum, { numImages }) => sum + numImages, 0);
  const identical = new Int32Array(total);
  const thumbnails = new Uint8Array(total * bytes);
  const thumbnailOf = thumbnailer(imageSize, numChannels);
  const firstOf = new Map<string, number>();
  let place = 0;
  for (const { pixels, numImages } of splits)
    for (let start = 0; start < numImages; start += BLOCK) {
      const length = Math.min(BLOCK, numImages - start);
      const block = await pixels.read(Int32Array.from({ length }, (_, i) => start + i));
      for (let i = 0; i < length; i++, place++) {
        const image = block.subarray(i * imageBytes, (i + 1) * imageBytes);
        const digest = createHash("sha1").update(image).digest("base64");
        const first = firstOf.get(digest) ?? place;
        if (first === place) firstOf.set(digest, place);
        identical[place] = first;
        thumbnails.set(thumbnailOf(image).map(Math.round), place * bytes);
      }
      onProgress?.({ stage: "compare", done: place, total, unit: "images" });
    }
  return { identical, thumbnails };
}

/**
 * @param places - Of images with different pixels that are not of one colour.
 * @param groups - Where what is found to be alike is joined.
 */
function similarPairs(
  places: Int32Array,
  thumbnailAt: (place: number) => Uint8Array,
  numChannels: number,
  groups: DisjointSet,
): SimilarPair[] {
  const numPlaces = places.length;
  const hashes = new Uint32Array(2 * numPlaces * HASH_WORDS); // of the images, then of their mirror images
  places.forEach((place, i) => {
    const thumbnail = thumbnailAt(place);
    hashes.set(differenceHash(thumbnail, numChannels), i * HASH_WORDS);
    hashes.set(differenceHash(mirrored(thumbnail, numChannels), numChannels), (numPlaces + i) * HASH_WORDS);
  });
  const pairs: SimilarPair[] = [];
  closeHashes(hashes, numPlaces, (a, b) => {
    const isMirrored = b >= numPlaces;
    const [first, last] = [places[Math.min(a, b % numPlaces)], places[Math.max(a, b % numPlaces)]];
    const isKnown = groups.firstOf(first) === groups.firstOf(last);
    if (first === last || (isKnown && groups.sizeOf(first) > LARGE_GROUP)) return;
    const other = thumbnailAt(last);
    const compared = isMirrored ? mirrored(other, numChannels) : other;
    const alike = similarity(gradients(thumbnailAt(first), numChannels), gradients(compared, numChannels));
    if (alike === null) return;
    groups.join(first, last);
    pairs.push({ places: [first, last], similarity: alike, isMirrored });
  });
  return pairs.sort(inOrder).filter((pair, i) => i === 0 || inOrder(pairs[i - 1], pair) !== 0);
}

/** The most alike first; 0 for a pair that was found from both of its images. */
function inOrder(a: SimilarPair, b: SimilarPair): number {
  return (
    b.similarity - a.similarity ||
    a.places[0] - b.places[0] ||
    a.places[1] - b.places[1] ||
    Number(a.isMirrored) - Number(b.isMirrored)
  );
}
