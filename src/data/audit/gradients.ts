import { THUMBNAIL_SIZE } from "./thumbnail.js";

/** Differences between the neighbouring parts of a thumbnail: brightness does not count in them. */
export interface Gradients {
  /** Of the whole thumbnail. */
  whole: Float32Array;
  /** Of the middle ninth, where the subject is. */
  middle: Float32Array;
}

/** Of neighbouring parts, in levels of 0–255, in the root mean square: an image with less shows nothing. */
const MIN_CONTRAST = 1;

/**
 * Least correlation of the gradients of copies, over the whole thumbnail and over its middle, so that a shape alone is not
 * enough. Chosen by looking at pairs of FER-2013, where faces are alike: of 64 pairs above 0.80 none shows two people, of 64
 * between 0.76 and 0.80 one does, of 64 between 0.66 and 0.70 half do. So it misses some copies, and finds nearly nothing else.
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

/** False for an image of one colour. */
export function hasContrast({ whole }: Gradients): boolean {
  return Math.sqrt(product(whole, whole) / whole.length) >= MIN_CONTRAST;
}

/** How alike copies of the same picture are, [0.8, 1]; null for what are no copies. */
export function similarity(a: Gradients, b: Gradients): number | null {
  const alike = correlation(a.whole, b.whole);
  return alike >= MIN_WHOLE && correlation(a.middle, b.middle) >= MIN_MIDDLE ? alike : null;
}

/** 0 where one of them is of one colour. */
function correlation(a: Float32Array, b: Float32Array): number {
  const scale = Math.sqrt(product(a, a) * product(b, b));
  return scale ? Math.min(1, product(a, b) / scale) : 0;
}

function product(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
