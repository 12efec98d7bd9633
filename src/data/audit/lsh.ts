// Difference hashes (dHash) of thumbnails, and locality-sensitive hashing (LSH), which finds those that differ in a few bits.
import { Random } from "../../random.js";
import { THUMBNAIL_SIZE } from "./thumbnails.js";

/** 32-bit words of a hash. */
export const HASH_WORDS = 4;

/** Side of the grid that is hashed: half a thumbnail's. */
const HASH_SIDE = THUMBNAIL_SIZE / 2;

/**
 * Computes a difference hash of 128 bits: whether a thumbnail gets lighter from each part to the next, in 64 bits along the rows
 * and 64 bits along the columns. Scaling, compression and brightness hardly change it.
 *
 * @param thumbnail - uint8 `[18, 18, numChannels]`.
 * @returns uint32 `[4]`.
 * @see Krawetz 2013, "Kind of Like That", https://hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html
 */
export function differenceHash(thumbnail: Uint8Array, numChannels: number): Uint32Array {
  const sums = new Int32Array(HASH_SIDE * HASH_SIDE);
  for (let i = 0; i < thumbnail.length; i++) {
    const pixel = Math.floor(i / numChannels);
    const [y, x] = [Math.floor(pixel / THUMBNAIL_SIZE), pixel % THUMBNAIL_SIZE];
    sums[(y >> 1) * HASH_SIDE + (x >> 1)] += thumbnail[i];
  }
  const hash = new Uint32Array(HASH_WORDS);
  const last = HASH_SIDE - 1;
  for (let y = 0, bit = 0; y < last; y++)
    for (let x = 0; x < last; x++, bit++) {
      const here = sums[y * HASH_SIDE + x];
      const [along, across] = [sums[y * HASH_SIDE + x + 1], sums[(y + 1) * HASH_SIDE + x]];
      if (along > here) hash[bit >> 5] |= 1 << (bit & 31);
      if (across > here) hash[2 + (bit >> 5)] |= 1 << (bit & 31);
    }
  return hash;
}

/** Counts the bits in which two of the hashes differ. */
export function hashDistance(hashes: Uint32Array, a: number, b: number): number {
  let distance = 0;
  for (let word = 0; word < HASH_WORDS; word++)
    distance += bitCount(hashes[a * HASH_WORDS + word] ^ hashes[b * HASH_WORDS + word]);
  return distance;
}

/** @see Warren 2013, Hacker's Delight, §5-1 */
function bitCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Two hashes are compared if all bits of a band are equal; the bits are shuffled into bands this many times. */
const [BAND_BITS, NUM_SHUFFLES] = [16, 4];
/** Bits of 128 that may differ. Five in six copies that are cropped by up to 6% differ in no more, and nearly all others. */
const MAX_DISTANCE = 22;
/** Comparisons of a hash within a band. In a crowded band, the other hashes link the rest. */
const MAX_COMPARED = 500;
/** Pairs reported for a hash. One with more, such as a drawing on a plain ground, says little. */
const MAX_CLOSE = 200;

/**
 * Finds hashes that differ in a few bits without comparing every pair: their bits are shuffled into bands of 16, and hashes with
 * an equal band are compared.
 *
 * @param hashes - uint32 `[numHashes, 4]`.
 * @param numFirst - The first `numFirst` hashes are compared with all, the others only with these.
 * @param found - Called once for each pair; `a` is one of the first hashes.
 * @see Leskovec, Rajaraman, Ullman 2020, Mining of Massive Datasets, §3.4
 */
export function closeHashes(
  hashes: Uint32Array,
  numFirst: number,
  found: (a: number, b: number) => void,
): void {
  const numHashes = hashes.length / HASH_WORDS;
  const numClose = new Uint8Array(numFirst);
  const earlier: Uint16Array[] = []; // keys of earlier bands
  for (let shuffle = 0; shuffle < NUM_SHUFFLES; shuffle++) {
    const bits = new Random(0, "bands", shuffle).permutation(32 * HASH_WORDS);
    for (let start = 0; start < bits.length; start += BAND_BITS) {
      const band = bits.subarray(start, start + BAND_BITS);
      const keys = Uint16Array.from({ length: numHashes }, (_, i) => keyOf(hashes, i, band));
      forEachEqual(keys, numFirst, (a, b) => {
        if (numClose[a] === MAX_CLOSE || hashDistance(hashes, a, b) > MAX_DISTANCE) return;
        if (earlier.some((one) => one[a] === one[b])) return;
        numClose[a]++;
        found(a, b);
      });
      earlier.push(keys);
    }
  }
}

function keyOf(hashes: Uint32Array, index: number, band: Int32Array): number {
  let key = 0;
  for (let i = 0; i < BAND_BITS; i++) {
    const word = hashes[index * HASH_WORDS + (band[i] >> 5)];
    key |= ((word >>> (band[i] & 31)) & 1) << i;
  }
  return key;
}

function forEachEqual(keys: Uint16Array, numFirst: number, visit: (a: number, b: number) => void): void {
  const { order, starts } = sortByKey(keys);
  for (let key = 0; key + 1 < starts.length; key++)
    for (let i = starts[key]; i < starts[key + 1] && order[i] < numFirst; i++) {
      const end = Math.min(starts[key + 1], i + 1 + MAX_COMPARED);
      for (let j = i + 1; j < end; j++) visit(order[i], order[j]);
    }
}

/** Sorts indices by key, and ascending within a key, by counting. */
function sortByKey(keys: Uint16Array): { order: Int32Array; starts: Int32Array } {
  const starts = new Int32Array(2 ** BAND_BITS + 1);
  for (const key of keys) starts[key + 1]++;
  for (let key = 0; key < 2 ** BAND_BITS; key++) starts[key + 1] += starts[key];
  const next = starts.slice();
  const order = new Int32Array(keys.length);
  keys.forEach((key, index) => {
    order[next[key]++] = index;
  });
  return { order, starts };
}
