// Finds images that were made from the same picture.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { tally } from "../../collections.js";
import { checkList, ParameterError } from "../../errors.js";
import { cacheDir, writeFileAtomically } from "../../files.js";
import type { OnProgress } from "../../progress.js";
import { IMAGE_MEMBERS, type PackedImages } from "../dataset.js";
import { GRID_SIZE, similarity } from "./align.js";
import { DisjointSets } from "./disjoint-sets.js";
import { closeHashes, differenceHash, HASH_WORDS } from "./lsh.js";
import { averagePooling, gradientCorrelation, hasContrast, mirror, THUMBNAIL_SIZE } from "./thumbnails.js";

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
  /** Images that are too similar to each other to tell copies, as a form with other numbers: only their duplicates count. */
  alike: Int32Array;
}

/** Changes when the same pixels would give another result, or another layout of its file. */
const FORMAT_VERSION = 5;
/** A search among fewer images takes less than a second. */
const MIN_CACHED = 1000;
/** Images read at a time. */
const BLOCK = 256;
/** Candidates whose images are read at a time. */
const CANDIDATE_BLOCK = 8192;
/** In a larger group, not every pair is compared. */
const LARGE_GROUP = 64;
/** A group of more images is not of copies: they are too similar to each other. Small data sets have few copies of a picture. */
const maxCopies = (numImages: number) => Math.max(8, Math.min(20, numImages / 2), numImages / 10);
/** Nine in ten copies that are cropped by up to 6% have this much, and nearly all others. */
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
  checkList("splits", "a list of the images of splits, such as [dataset.train]", splits, IMAGE_MEMBERS);
  if (splits.length === 0) throw new ParameterError("splits", "the images of a split or more", "none");
  const { duplicates, key } = await findDuplicates(splits, onProgress);
  const file =
    duplicates.length < MIN_CACHED ? null : path.join(cacheDir(), "near-duplicates", `${key}.json`);
  const cached = file && (await readFound(file, duplicates));
  if (cached) return cached;
  const found = await findPairs(splits, duplicates);
  // A cache that cannot be written costs only time.
  if (file) await writeFileAtomically(file, withDigest(found)).catch(() => {});
  return found;
}

/** Returns what a search found, as a line of JSON after the line of its digest. */
function withDigest({ groups, pairs, alike }: NearDuplicates): string {
  const text = JSON.stringify({ groups: [...groups], pairs, alike: [...alike] });
  return `${sha256(text)}\n${text}`;
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** Returns what an earlier search of the same images found; null if there was none, or its file is damaged. */
async function readFound(file: string, duplicates: Int32Array): Promise<NearDuplicates | null> {
  const [written, text] = (await readFile(file, "utf8").catch(() => "")).split("\n");
  if (text === undefined || sha256(text) !== written) return null;
  const { groups, pairs, alike } = JSON.parse(text);
  return { duplicates, groups: Int32Array.from(groups), pairs, alike: Int32Array.from(alike) };
}

async function findPairs(splits: PackedImages[], duplicates: Int32Array): Promise<NearDuplicates> {
  const { numChannels } = splits[0];
  const thumbnails = await thumbnailsOf(splits, duplicates.length);
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
  const pairs = await comparePixels(similar, splits, sets);
  const groups = duplicates.map((_, index) => sets.firstOf(index));
  return splitLargeGroups({ duplicates, groups, pairs });
}

/** Groups near-duplicates again, without mirror images: where mirroring changes the class, their labels may both be right. */
export function withoutMirrored(found: NearDuplicates): NearDuplicates {
  const pairs = found.pairs.filter(({ isMirrored }) => !isMirrored);
  const sets = new DisjointSets(found.groups.length);
  found.duplicates.forEach((first, index) => {
    sets.join(first, index);
  });
  for (const { indices } of pairs) sets.join(...indices);
  return { ...found, pairs, groups: found.groups.map((_, index) => sets.firstOf(index)) };
}

/** Takes groups apart that have more pictures than there are likely copies. */
function splitLargeGroups({ duplicates, groups, pairs }: Omit<NearDuplicates, "alike">): NearDuplicates {
  const sizes = tally(groups.filter((_, index) => duplicates[index] === index)); // without duplicates
  const numDifferent = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const isAlike = (index: number) => (sizes.get(groups[index]) as number) > maxCopies(numDifferent);
  return {
    duplicates,
    groups: groups.map((group, index) => (isAlike(index) ? duplicates[index] : group)),
    pairs: pairs.filter(({ indices }) => !isAlike(indices[0])),
    alike: groups.map((_, index) => index).filter(isAlike),
  };
}

/** Reads all images in blocks, in order. */
async function forEachImage(
  splits: PackedImages[],
  visit: (pixels: Uint8Array, index: number) => void,
  onBlock?: (done: number) => void,
): Promise<void> {
  let index = 0;
  for (const { pixels, numImages, imageSize, numChannels } of splits) {
    const imageBytes = imageSize ** 2 * numChannels;
    for (let start = 0; start < numImages; start += BLOCK) {
      const length = Math.min(BLOCK, numImages - start);
      const block = await pixels.read(Int32Array.from({ length }, (_, i) => start + i));
      for (let i = 0; i < length; i++, index++)
        visit(block.subarray(i * imageBytes, (i + 1) * imageBytes), index);
      onBlock?.(index);
    }
  }
}

/** Finds equal pixels, and names the images by their pixels. */
async function findDuplicates(
  splits: PackedImages[],
  onProgress?: OnProgress,
): Promise<{ duplicates: Int32Array; key: string }> {
  const total = splits.reduce((sum, { numImages }) => sum + numImages, 0);
  const duplicates = new Int32Array(total);
  const { imageSize, numChannels } = splits[0];
  const all = createHash("sha256").update(JSON.stringify([FORMAT_VERSION, imageSize, numChannels]));
  const firstOf = new Map<string, number>();
  const add = (pixels: Uint8Array, index: number) => {
    const one = createHash("sha1").update(pixels).digest("base64");
    all.update(one);
    const first = firstOf.get(one) ?? index;
    if (first === index) firstOf.set(one, index);
    duplicates[index] = first;
  };
  await forEachImage(splits, add, (done) => onProgress?.({ stage: "compare", done, total, unit: "images" }));
  return { duplicates, key: all.digest("hex").slice(0, 16) };
}

/** Returns a thumbnail of each image: uint8 `[numImages, 18, 18, numChannels]`. */
async function thumbnailsOf(splits: PackedImages[], numImages: number): Promise<Uint8Array> {
  const { imageSize, numChannels } = splits[0];
  const bytes = THUMBNAIL_SIZE ** 2 * numChannels;
  const thumbnails = new Uint8Array(numImages * bytes);
  const thumbnailOf = averagePooling(imageSize, numChannels, THUMBNAIL_SIZE);
  await forEachImage(splits, (pixels, index) => {
    thumbnails.set(thumbnailOf(pixels).map(Math.round), index * bytes);
  });
  return thumbnails;
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
async function comparePixels(
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
      const [one, other] = byFirstDifference(grids.get(a) as Float32Array, grids.get(b) as Float32Array);
      const compared = isMirrored ? mirror(other, GRID_SIZE, numChannels) : other;
      const alike = similarity(one, compared, numChannels);
      if (alike === null) continue;
      sets.join(a, b);
      pairs.push({ indices: [a, b], similarity: alike, isMirrored });
    }
  }
  return pairs.sort(bySimilarity);
}

/** Orders two grids by their values, since which of them is moved to the other can decide, and the split must not. */
function byFirstDifference(a: Float32Array, b: Float32Array): [Float32Array, Float32Array] {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 || a[at] < b[at] ? [a, b] : [b, a];
}

/** Reads images by indices that count through the splits, as grids to compare. */
async function gridsOf(indices: Set<number>, splits: PackedImages[]): Promise<Map<number, Float32Array>> {
  const { imageSize, numChannels } = splits[0];
  const [imageBytes, gridOf] = [
    imageSize ** 2 * numChannels,
    averagePooling(imageSize, numChannels, GRID_SIZE),
  ];
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

function bySimilarity(a: NearDuplicatePair, b: NearDuplicatePair): number {
  return (
    b.similarity - a.similarity ||
    a.indices[0] - b.indices[0] ||
    a.indices[1] - b.indices[1] ||
    Number(a.isMirrored) - Number(b.isMirrored)
  );
}
