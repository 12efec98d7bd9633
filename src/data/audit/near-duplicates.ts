// Finds images that were made from the same picture.
import { createHash } from "node:crypto";
import type { OnProgress } from "../../progress.js";
import type { PackedImages } from "../dataset.js";
import { GRID_SIZE, similarity } from "./align.js";
import { closeHashes, differenceHash, HASH_WORDS, THUMBNAIL_SIZE } from "./lsh.js";

/** Two images that show the same picture. */
export interface NearDuplicatePair {
  /** Index of each of them, counted through the splits. */
  indices: [number, number];
  /** Mean correlation of their parts at the best alignment, [0.86, 1]. */
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
/** Candidates whose images are read at a time. */
const CANDIDATE_BLOCK = 8192;
/** In a larger group, not every pair is compared. */
const LARGE_GROUP = 64;
/** Root mean square of a thumbnail's gradients, in levels of 0–255; an image with less shows nothing. */
const MIN_CONTRAST = 1;
/** Nine in ten copies that are cropped by up to 6 % have this much, and nearly all others. */
const MIN_GRADIENT_CORRELATION = 0.5;

/**
 * Finds images that were made from the same picture by scaling, a small crop, brightness, mirroring, compression or a mark.
 * Hashes of thumbnails and the thumbnails' gradients find candidates; their pixels decide, once they are aligned.
 *
 * @param splits - Images to compare, all of the same size and number of channels.
 * @param onProgress - Called while images are compared.
 * @example
 * ```ts
 * import { findNearDuplicates, loadDataset } from "ferkit";
 *
 * const { train, validation } = await loadDataset({ data: "data/pets", imageSize: 48 });
 * const { pairs } = await findNearDuplicates([train, validation]);
 * const paths = [...train.paths, ...validation.paths];
 * for (const { indices, similarity } of pairs) console.log(indices.map((i) => paths[i]), similarity);
 * ```
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
    (first, index) => first === index && hasContrast(thumbnailAt(index), numChannels),
  );
  const sets = new DisjointSets(duplicates.length);
  duplicates.forEach((first, index) => {
    sets.join(first, index);
  });
  const similar = findCandidates(candidates, thumbnailAt, numChannels);
  const pairs = await verify(similar, splits, sets);
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
  const thumbnailOf = gridder(imageSize, numChannels, THUMBNAIL_SIZE);
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

/** Two images to compare as pixels; `a < b`. */
interface Candidate {
  a: number;
  b: number;
  isMirrored: boolean;
}

/** @param indices - Images with different pixels and some contrast. */
function findCandidates(
  indices: Int32Array,
  thumbnailAt: (index: number) => Uint8Array,
  numChannels: number,
): Candidate[] {
  const count = indices.length;
  const hashes = new Uint32Array(2 * count * HASH_WORDS); // of the images, then of their mirror images
  indices.forEach((index, i) => {
    const thumbnail = thumbnailAt(index);
    hashes.set(differenceHash(thumbnail, numChannels), i * HASH_WORDS);
    hashes.set(
      differenceHash(mirror(thumbnail, THUMBNAIL_SIZE, numChannels), numChannels),
      (count + i) * HASH_WORDS,
    );
  });
  const found = new Map<string, Candidate>(); // a mirrored pair is found from both of its images
  closeHashes(hashes, count, (first, second) => {
    const isMirrored = second >= count;
    const [one, other] = [indices[first], indices[second % count]];
    if (one === other) return;
    const [a, b] = [Math.min(one, other), Math.max(one, other)];
    const key = `${a} ${b} ${isMirrored}`;
    if (found.has(key)) return;
    const compared = isMirrored ? mirror(thumbnailAt(b), THUMBNAIL_SIZE, numChannels) : thumbnailAt(b);
    if (gradientCorrelation(thumbnailAt(a), compared, numChannels) >= MIN_GRADIENT_CORRELATION)
      found.set(key, { a, b, isMirrored });
  });
  return [...found.values()].sort((one, other) => one.a - other.a || one.b - other.b);
}

/**
 * Compares candidates as pixels.
 *
 * @param sets - The images of each pair are joined in it.
 */
async function verify(
  candidates: Candidate[],
  splits: PackedImages[],
  sets: DisjointSets,
): Promise<NearDuplicatePair[]> {
  const { numChannels } = splits[0];
  const pairs: NearDuplicatePair[] = [];
  for (let start = 0; start < candidates.length; start += CANDIDATE_BLOCK) {
    const block = candidates.slice(start, start + CANDIDATE_BLOCK);
    const grids = await gridsOf(new Set(block.flatMap(({ a, b }) => [a, b])), splits);
    for (const { a, b, isMirrored } of block) {
      if (sets.firstOf(a) === sets.firstOf(b) && sets.sizeOf(a) > LARGE_GROUP) continue;
      const [one, other] = [grids.get(a), grids.get(b)] as [Float32Array, Float32Array];
      const compared = isMirrored ? mirror(other, GRID_SIZE, numChannels) : other;
      const alike = similarity(one, compared, numChannels);
      if (alike === null) continue;
      sets.join(a, b);
      pairs.push({ indices: [a, b], similarity: alike, isMirrored });
    }
  }
  return pairs.sort(inOrder);
}

/** Reads images by indices that count through the splits, as grids to compare. */
async function gridsOf(indices: Set<number>, splits: PackedImages[]): Promise<Map<number, Float32Array>> {
  const { imageSize, numChannels } = splits[0];
  const [imageBytes, gridOf] = [imageSize ** 2 * numChannels, gridder(imageSize, numChannels, GRID_SIZE)];
  const grids = new Map<number, Float32Array>();
  const ascending = [...indices].sort((a, b) => a - b);
  let offset = 0;
  for (const { pixels, numImages } of splits) {
    const own = ascending.filter((index) => index >= offset && index < offset + numImages);
    for (let start = 0; start < own.length; start += BLOCK) {
      const block = own.slice(start, start + BLOCK);
      const read = await pixels.read(Int32Array.from(block, (index) => index - offset));
      block.forEach((index, i) => {
        grids.set(index, gridOf(read.subarray(i * imageBytes, (i + 1) * imageBytes)));
      });
    }
    offset += numImages;
  }
  return grids;
}

/** Puts the most similar first. */
function inOrder(a: NearDuplicatePair, b: NearDuplicatePair): number {
  return (
    b.similarity - a.similarity ||
    a.indices[0] - b.indices[0] ||
    a.indices[1] - b.indices[1] ||
    Number(a.isMirrored) - Number(b.isMirrored)
  );
}

/**
 * Reduces square images to grids of means.
 *
 * @param imageSize - Side of the images, in pixels.
 * @param side - Side of the grids.
 * @returns A function from one image's pixels, uint8 `[imageSize, imageSize, numChannels]`, to float32 `[side, side, numChannels]`.
 */
export function gridder(
  imageSize: number,
  numChannels: number,
  side: number,
): (pixels: Uint8Array) => Float32Array {
  const parts = partsOf(imageSize, side);
  const rowLength = imageSize * numChannels;
  return (pixels) => {
    const grid = new Float32Array(side * side * numChannels);
    const row = new Float32Array(rowLength);
    parts.forEach((across, y) => {
      row.fill(0);
      for (const { at, weight } of across)
        for (let i = 0; i < rowLength; i++) row[i] += weight * pixels[at * rowLength + i];
      parts.forEach((along, x) => {
        for (const { at, weight } of along)
          for (let c = 0; c < numChannels; c++)
            grid[(y * side + x) * numChannels + c] += weight * row[at * numChannels + c];
      });
    });
    return grid;
  };
}

/** Lists the pixels of each part of a line, with their weights, which sum to 1 in a part. */
function partsOf(imageSize: number, side: number): { at: number; weight: number }[][] {
  const length = imageSize / side;
  return Array.from({ length: side }, (_, part) => {
    const [from, to] = [part * length, (part + 1) * length];
    const pixels: { at: number; weight: number }[] = [];
    for (let at = Math.floor(from); at < Math.min(imageSize, Math.ceil(to)); at++)
      pixels.push({ at, weight: (Math.min(to, at + 1) - Math.max(from, at)) / length });
    return pixels;
  });
}

/** Mirrors a grid of square pixels left to right. */
export function mirror<Grid extends Uint8Array | Float32Array>(
  grid: Grid,
  side: number,
  numChannels: number,
): Grid {
  const copy = grid.slice() as Grid;
  for (let i = 0; i < copy.length; i++) {
    const [pixel, channel] = [Math.floor(i / numChannels), i % numChannels];
    const [y, x] = [Math.floor(pixel / side), pixel % side];
    copy[i] = grid[(y * side + side - 1 - x) * numChannels + channel];
  }
  return copy;
}

/**
 * Correlates the gradients of two thumbnails, that is, the differences between neighbouring parts, which do not depend on
 * brightness.
 *
 * @param a - uint8 `[18, 18, numChannels]`.
 */
export function gradientCorrelation(a: Uint8Array, b: Uint8Array, numChannels: number): number {
  let [squaresA, squaresB, products] = [0, 0, 0];
  const add = (at: number, next: number) => {
    const [one, other] = [a[next] - a[at], b[next] - b[at]];
    squaresA += one * one;
    squaresB += other * other;
    products += one * other;
  };
  forEachGradient(numChannels, add);
  return squaresA * squaresB > 0 ? products / Math.sqrt(squaresA * squaresB) : 0;
}

/** Returns whether a thumbnail shows anything: false if it has one colour. */
export function hasContrast(thumbnail: Uint8Array, numChannels: number): boolean {
  let [squares, count] = [0, 0];
  forEachGradient(numChannels, (at, next) => {
    squares += (thumbnail[next] - thumbnail[at]) ** 2;
    count++;
  });
  return Math.sqrt(squares / count) >= MIN_CONTRAST;
}

/** Visits each value of a thumbnail with the next one along its row, and with the next one down its column. */
function forEachGradient(numChannels: number, visit: (at: number, next: number) => void): void {
  for (let y = 0; y + 1 < THUMBNAIL_SIZE; y++)
    for (let x = 0; x + 1 < THUMBNAIL_SIZE; x++)
      for (let c = 0; c < numChannels; c++) {
        const at = (y * THUMBNAIL_SIZE + x) * numChannels + c;
        visit(at, at + numChannels);
        visit(at, at + THUMBNAIL_SIZE * numChannels);
      }
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
