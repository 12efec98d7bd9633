// Finds images that were made from the same picture.
import { createHash } from "node:crypto";
import type { OnProgress } from "../../progress.js";
import type { PackedImages } from "../dataset.js";
import { closeHashes, differenceHash, HASH_WORDS, THUMBNAIL_SIZE } from "./lsh.js";

/** Two images that show the same picture. */
export interface NearDuplicatePair {
  indices: [number, number];
  /** Correlation of their gradients, [0.8, 1]. */
  similarity: number;
  /** Whether one is the mirror image of the other. */
  isMirrored: boolean;
}

/** Which images show the same picture. Indices count through the splits, one after the other. */
export interface NearDuplicates {
  /** int32 `[numImages]`: for each image, the first index with the same pixels. */
  duplicates: Int32Array;
  /** int32 `[numImages]`: for each image, the first index of its group of near-duplicates, which includes duplicates. */
  groups: Int32Array;
  /** Pairs with different pixels, the most similar first. */
  pairs: NearDuplicatePair[];
}

/** Images read at a time. */
const BLOCK = 256;
/** In a larger group, as drawings may form, not every pair is compared. */
const LARGE_GROUP = 64;

/**
 * Finds images that were made from the same picture by scaling, a small crop, brightness, mirroring, compression or a mark.
 * Hashes of thumbnails find candidates, and the thumbnails' gradients decide.
 *
 * It is made for photographs. Drawings of few lines, such as digits, are similar without being copies.
 *
 * @param splits - All of the same image size and number of channels.
 */
export async function findNearDuplicates(
  splits: PackedImages[],
  onProgress?: OnProgress,
): Promise<NearDuplicates> {
  const { duplicates, thumbnails } = await scan(splits, onProgress);
  const { numChannels } = splits[0];
  const bytes = THUMBNAIL_SIZE ** 2 * numChannels;
  const thumbnailAt = (index: number) => thumbnails.subarray(index * bytes, (index + 1) * bytes);
  const candidates = duplicates.filter(
    (first, index) => first === index && hasContrast(gradients(thumbnailAt(index), numChannels)),
  );
  const sets = new DisjointSets(duplicates.length);
  duplicates.forEach((first, index) => {
    sets.join(first, index);
  });
  const pairs = findPairs(candidates, thumbnailAt, numChannels, sets);
  return { duplicates, groups: duplicates.map((_, index) => sets.firstOf(index)), pairs };
}

/**
 * Groups images that show the same picture, so that a split can keep each group on one side.
 *
 * @returns int32 `[numImages]`: the first index of each image's group, its own if there is no other image like it.
 */
export async function nearDuplicateGroups(
  images: PackedImages,
  onProgress?: OnProgress,
): Promise<Int32Array> {
  const { groups } = await findNearDuplicates([images], onProgress);
  return groups;
}

/** Reads each image once: finds equal pixels and makes thumbnails. */
async function scan(
  splits: PackedImages[],
  onProgress?: OnProgress,
): Promise<{ duplicates: Int32Array; thumbnails: Uint8Array }> {
  const { imageSize, numChannels } = splits[0];
  const [imageBytes, bytes] = [imageSize, THUMBNAIL_SIZE].map((side) => side ** 2 * numChannels);
  const total = splits.reduce((sum, { numImages }) => sum + numImages, 0);
  const duplicates = new Int32Array(total);
  const thumbnails = new Uint8Array(total * bytes);
  const thumbnailOf = thumbnailer(imageSize, numChannels);
  const firstOf = new Map<string, number>();
  let index = 0;
  for (const { pixels, numImages } of splits)
    for (let start = 0; start < numImages; start += BLOCK) {
      const length = Math.min(BLOCK, numImages - start);
      const block = await pixels.read(Int32Array.from({ length }, (_, i) => start + i));
      for (let i = 0; i < length; i++, index++) {
        const image = block.subarray(i * imageBytes, (i + 1) * imageBytes);
        const digest = createHash("sha1").update(image).digest("base64");
        const first = firstOf.get(digest) ?? index;
        if (first === index) firstOf.set(digest, index);
        duplicates[index] = first;
        thumbnails.set(thumbnailOf(image).map(Math.round), index * bytes);
      }
      onProgress?.({ stage: "compare", done: index, total, unit: "images" });
    }
  return { duplicates, thumbnails };
}

/**
 * @param candidates - Indices of images with different pixels and some contrast.
 * @param sets - The images of each pair are joined in it.
 */
function findPairs(
  candidates: Int32Array,
  thumbnailAt: (index: number) => Uint8Array,
  numChannels: number,
  sets: DisjointSets,
): NearDuplicatePair[] {
  const count = candidates.length;
  const hashes = new Uint32Array(2 * count * HASH_WORDS); // of the images, then of their mirror images
  candidates.forEach((index, i) => {
    const thumbnail = thumbnailAt(index);
    hashes.set(differenceHash(thumbnail, numChannels), i * HASH_WORDS);
    hashes.set(differenceHash(mirror(thumbnail, numChannels), numChannels), (count + i) * HASH_WORDS);
  });
  const pairs: NearDuplicatePair[] = [];
  closeHashes(hashes, count, (a, b) => {
    const isMirrored = b >= count;
    const [first, last] = [candidates[Math.min(a, b % count)], candidates[Math.max(a, b % count)]];
    const isKnown = sets.firstOf(first) === sets.firstOf(last);
    if (first === last || (isKnown && sets.sizeOf(first) > LARGE_GROUP)) return;
    const other = thumbnailAt(last);
    const compared = isMirrored ? mirror(other, numChannels) : other;
    const alike = similarity(gradients(thumbnailAt(first), numChannels), gradients(compared, numChannels));
    if (alike === null) return;
    sets.join(first, last);
    pairs.push({ indices: [first, last], similarity: alike, isMirrored });
  });
  return pairs.sort(inOrder).filter((pair, i) => i === 0 || inOrder(pairs[i - 1], pair) !== 0);
}

/** Puts the most similar first. It is 0 for a pair that was found from both of its images. */
function inOrder(a: NearDuplicatePair, b: NearDuplicatePair): number {
  return (
    b.similarity - a.similarity ||
    a.indices[0] - b.indices[0] ||
    a.indices[1] - b.indices[1] ||
    Number(a.isMirrored) - Number(b.isMirrored)
  );
}

/**
 * Makes thumbnails of square images: means of their parts on a grid of 18 × 18.
 *
 * @param imageSize - Side of the images, in pixels.
 * @returns A function from one image's pixels, uint8 `[imageSize, imageSize, numChannels]`, to float32 `[18, 18, numChannels]`.
 */
export function thumbnailer(imageSize: number, numChannels: number): (pixels: Uint8Array) => Float32Array {
  const parts = partsOf(imageSize);
  const rowLength = imageSize * numChannels;
  return (pixels) => {
    const thumbnail = new Float32Array(THUMBNAIL_SIZE * THUMBNAIL_SIZE * numChannels);
    const row = new Float32Array(rowLength);
    parts.forEach((across, y) => {
      row.fill(0);
      for (const { at, weight } of across)
        for (let i = 0; i < rowLength; i++) row[i] += weight * pixels[at * rowLength + i];
      parts.forEach((along, x) => {
        for (const { at, weight } of along)
          for (let c = 0; c < numChannels; c++)
            thumbnail[(y * THUMBNAIL_SIZE + x) * numChannels + c] += weight * row[at * numChannels + c];
      });
    });
    return thumbnail;
  };
}

/** Lists the pixels of each of the 18 parts of a line, with their weights, which sum to 1 in a part. */
function partsOf(imageSize: number): { at: number; weight: number }[][] {
  const length = imageSize / THUMBNAIL_SIZE;
  return Array.from({ length: THUMBNAIL_SIZE }, (_, part) => {
    const [from, to] = [part * length, (part + 1) * length];
    const pixels: { at: number; weight: number }[] = [];
    for (let at = Math.floor(from); at < Math.min(imageSize, Math.ceil(to)); at++)
      pixels.push({ at, weight: (Math.min(to, at + 1) - Math.max(from, at)) / length });
    return pixels;
  });
}

/** Mirrors a thumbnail left to right. */
export function mirror(thumbnail: Uint8Array, numChannels: number): Uint8Array {
  const copy = new Uint8Array(thumbnail.length);
  for (let i = 0; i < copy.length; i++) {
    const [pixel, channel] = [Math.floor(i / numChannels), i % numChannels];
    const [y, x] = [Math.floor(pixel / THUMBNAIL_SIZE), pixel % THUMBNAIL_SIZE];
    copy[i] = thumbnail[(y * THUMBNAIL_SIZE + THUMBNAIL_SIZE - 1 - x) * numChannels + channel];
  }
  return copy;
}

/** Differences between neighbouring parts of a thumbnail, which do not depend on brightness. */
export interface Gradients {
  whole: Float32Array;
  /** Those of the middle ninth, where the subject is. */
  middle: Float32Array;
}

/** Root mean square of the gradients, in levels of 0–255; an image with less shows nothing. */
const MIN_CONTRAST = 1;

/**
 * Minimum correlation of the gradients of copies, over the whole thumbnail and over its middle, so that a shape alone is not
 * enough. Chosen by looking at pairs of FER-2013, where faces are similar: of 64 pairs above 0.80 none shows two people, of 64
 * between 0.76 and 0.80 one does, of 64 between 0.66 and 0.70 half do. So it misses some copies, and finds hardly anything else.
 */
const [MIN_WHOLE, MIN_MIDDLE] = [0.8, 0.7];

/** @param thumbnail - uint8 `[18, 18, numChannels]`. */
export function gradients(thumbnail: Uint8Array, numChannels: number): Gradients {
  const [from, to] = [THUMBNAIL_SIZE / 3, (2 * THUMBNAIL_SIZE) / 3];
  const whole = new Float32Array(2 * numChannels * (THUMBNAIL_SIZE - 1) ** 2);
  const middle = new Float32Array(2 * numChannels * (to - from) ** 2);
  let [numWhole, numMiddle] = [0, 0];
  for (let y = 0; y + 1 < THUMBNAIL_SIZE; y++)
    for (let x = 0; x + 1 < THUMBNAIL_SIZE; x++) {
      const isMiddle = y >= from && y < to && x >= from && x < to;
      for (let c = 0; c < numChannels; c++) {
        const at = (y * THUMBNAIL_SIZE + x) * numChannels + c;
        const along = thumbnail[at + numChannels] - thumbnail[at];
        const across = thumbnail[at + THUMBNAIL_SIZE * numChannels] - thumbnail[at];
        whole[numWhole++] = along;
        whole[numWhole++] = across;
        if (!isMiddle) continue;
        middle[numMiddle++] = along;
        middle[numMiddle++] = across;
      }
    }
  return { whole, middle };
}

/** Returns whether an image shows anything: false if it has one colour. */
export function hasContrast({ whole }: Gradients): boolean {
  return Math.sqrt(product(whole, whole) / whole.length) >= MIN_CONTRAST;
}

/** Returns the similarity of two copies of a picture, [0.8, 1]; null if they are not copies. */
export function similarity(a: Gradients, b: Gradients): number | null {
  const alike = correlation(a.whole, b.whole);
  return alike >= MIN_WHOLE && correlation(a.middle, b.middle) >= MIN_MIDDLE ? alike : null;
}

/** Returns 0 if either has one colour. */
function correlation(a: Float32Array, b: Float32Array): number {
  const scale = Math.sqrt(product(a, a) * product(b, b));
  return scale ? Math.min(1, product(a, b) / scale) : 0;
}

function product(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Disjoint sets of indices, joined pair by pair (union-find). */
export class DisjointSets {
  private readonly parents: Int32Array;
  private readonly sizes: Int32Array;

  constructor(size: number) {
    this.parents = Int32Array.from({ length: size }, (_, index) => index);
    this.sizes = new Int32Array(size).fill(1);
  }

  /** Returns the first index of the set that contains an index. */
  firstOf(index: number): number {
    const { parents } = this;
    let at = index;
    while (parents[at] !== at) {
      parents[at] = parents[parents[at]]; // shortens the path for later calls
      at = parents[at];
    }
    return at;
  }

  /** Returns the size of the set that contains an index. */
  sizeOf(index: number): number {
    return this.sizes[this.firstOf(index)];
  }

  join(a: number, b: number): void {
    const [one, other] = [this.firstOf(a), this.firstOf(b)];
    if (one === other) return;
    const [first, last] = one < other ? [one, other] : [other, one];
    this.parents[last] = first;
    this.sizes[first] += this.sizes[last];
  }
}
