// A small picture of an image, by which it is compared with others, and a hash of that.

/** Side of a thumbnail, in pixels. */
export const THUMBNAIL_SIZE = 18;
/** 32-bit words of a hash. */
export const HASH_WORDS = 4;

/** Side of what is hashed: half a thumbnail's. */
const HASH_SIDE = THUMBNAIL_SIZE / 2;

/**
 * Means of the parts of square images, on a grid of 18 × 18.
 *
 * @param imageSize - Side of the images, in pixels.
 * @returns A function of one image's pixels, uint8 `[imageSize, imageSize, numChannels]`, that gives float32 `[18, 18, numChannels]`.
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

/** Which pixels of a line make each of its 18 parts, and by how much of them; the weights of a part add up to 1. */
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

/** A thumbnail as a mirror shows it. */
export function mirrored(thumbnail: Uint8Array, numChannels: number): Uint8Array {
  const copy = new Uint8Array(thumbnail.length);
  for (let i = 0; i < copy.length; i++) {
    const [pixel, channel] = [Math.floor(i / numChannels), i % numChannels];
    const [y, x] = [Math.floor(pixel / THUMBNAIL_SIZE), pixel % THUMBNAIL_SIZE];
    copy[i] = thumbnail[(y * THUMBNAIL_SIZE + THUMBNAIL_SIZE - 1 - x) * numChannels + channel];
  }
  return copy;
}

/**
 * Difference hash of 128 bits: whether a thumbnail gets lighter from each part to the next, 64 times along the rows and 64 times
 * along the columns. It stays nearly the same when an image is scaled, compressed anew, or made lighter.
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

/** In how many bits two of the hashes differ. */
export function hashDistance(hashes: Uint32Array, a: number, b: number): number {
  let distance = 0;
  for (let word = 0; word < HASH_WORDS; word++)
    distance += bitCount(hashes[a * HASH_WORDS + word] ^ hashes[b * HASH_WORDS + word]);
  return distance;
}

/** Warren 2013, Hacker's Delight, §5-1. */
function bitCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
