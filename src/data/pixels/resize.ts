// Resizes pixels by bicubic interpolation, antialiased on reduction: `resize(size, BICUBIC, box=…)` of Pillow 12 to the bit.
// Pillow 13 takes the columns of tall images first. Every image of training, evaluation and prediction takes this path, since
// sharp moves enlarged images by half a pixel.

/** Part of an image, in pixels from its top left. It may start and end between pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Raster {
  /** uint8 `[height, width, numChannels]`. */
  pixels: Uint8Array;
  width: number;
  height: number;
  numChannels: 1 | 3;
}

/** Bits after the point of the weights, which are integers. */
const PRECISION = 22;
const HALF = 1 << (PRECISION - 1);
/** Reach of the cubic kernel, in pixels of the larger of source and result. */
const SUPPORT = 2;

/**
 * Resizes part of an image.
 *
 * @returns uint8 `[height, width, numChannels]`; the source's own pixels if nothing changes.
 * @see Keys 1981, "Cubic convolution interpolation for digital image processing", with a = -0.5
 */
export function resize(source: Raster, box: Box, width: number, height: number): Uint8Array {
  const isSameWidth = width === source.width && box.left === 0 && box.width === width;
  const isSameHeight = height === source.height && box.top === 0 && box.height === height;
  if (isSameWidth && isSameHeight) return source.pixels;
  const rows = weightsOf(source.height, box.top, box.height, height);
  const narrow = isSameWidth
    ? source.pixels
    : alongRows(source, weightsOf(source.width, box.left, box.width, width), rows);
  return isSameHeight ? narrow : alongColumns(narrow, width * source.numChannels, rows);
}

/** For each pixel of a resized line, the weights of the pixels that make it. */
interface Weights {
  /** Pixels of the result. */
  length: number;
  /** Weights for each pixel of the result; those that it does not need are 0. */
  numTaps: number;
  /** First pixel of the source, `[length]`. */
  starts: Int32Array;
  /** Pixels of the source, `[length]`. */
  counts: Int32Array;
  /** Fixed-point weights, `[length, numTaps]`. */
  values: Int32Array;
}

/** Weights of the last sizes, since most data sets have few. */
const known = new Map<string, Weights>();
const MAX_KNOWN = 32;

function weightsOf(sourceLength: number, start: number, extent: number, length: number): Weights {
  const key = [sourceLength, start, extent, length].join(" ");
  const weights = known.get(key) ?? computeWeights(sourceLength, start, extent, length);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(key, weights);
  return weights;
}

function computeWeights(sourceLength: number, start: number, extent: number, length: number): Weights {
  const scale = extent / length;
  const stretch = Math.max(1, scale);
  const reach = SUPPORT * stretch;
  const numTaps = Math.ceil(reach) * 2 + 1;
  const [starts, counts] = [new Int32Array(length), new Int32Array(length)];
  const values = new Int32Array(length * numTaps);
  const line = new Float64Array(numTaps);
  for (let i = 0; i < length; i++) {
    const center = start + (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - reach + 0.5));
    const count = Math.min(sourceLength, Math.trunc(center + reach + 0.5)) - first;
    let sum = 0;
    for (let tap = 0; tap < count; tap++) {
      line[tap] = cubic((tap + first - center + 0.5) * (1 / stretch));
      sum += line[tap];
    }
    starts[i] = first;
    counts[i] = count;
    for (let tap = 0; tap < count; tap++) {
      const value = (line[tap] / sum) * (1 << PRECISION);
      values[i * numTaps + tap] = Math.trunc(value < 0 ? value - 0.5 : value + 0.5);
    }
  }
  return { length, numTaps, starts, counts, values };
}

function cubic(distance: number): number {
  const a = -0.5;
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

/** Resizes the rows that the result needs; the others stay empty. */
function alongRows(
  { pixels, width, height, numChannels }: Raster,
  columns: Weights,
  rows: Weights,
): Uint8Array {
  const { length, numTaps, starts, counts, values } = columns;
  const result = new Uint8ClampedArray(height * length * numChannels);
  const firstRow = rows.starts[0];
  const endRow = rows.starts[rows.length - 1] + rows.counts[rows.length - 1];
  for (let y = firstRow; y < endRow; y++)
    for (let x = 0; x < length; x++) {
      const weight = x * numTaps;
      const count = counts[x];
      let at = (y * width + starts[x]) * numChannels;
      const to = (y * length + x) * numChannels;
      if (numChannels === 1) {
        let sum = HALF;
        for (let tap = 0; tap < count; tap++)
          sum = (sum + Math.imul(pixels[at + tap], values[weight + tap])) | 0;
        result[to] = sum >> PRECISION;
      } else {
        let red = HALF;
        let green = HALF;
        let blue = HALF;
        for (let tap = 0; tap < count; tap++, at += 3) {
          const value = values[weight + tap];
          red = (red + Math.imul(pixels[at], value)) | 0;
          green = (green + Math.imul(pixels[at + 1], value)) | 0;
          blue = (blue + Math.imul(pixels[at + 2], value)) | 0;
        }
        result[to] = red >> PRECISION;
        result[to + 1] = green >> PRECISION;
        result[to + 2] = blue >> PRECISION;
      }
    }
  return new Uint8Array(result.buffer);
}

/** @param rowLength - Values in a row: width times channels. */
function alongColumns(pixels: Uint8Array, rowLength: number, rows: Weights): Uint8Array {
  const { length, numTaps, starts, counts, values } = rows;
  const result = new Uint8ClampedArray(length * rowLength);
  const sums = new Int32Array(rowLength);
  for (let y = 0; y < length; y++) {
    sums.fill(HALF);
    for (let tap = 0; tap < counts[y]; tap++) {
      const value = values[y * numTaps + tap];
      const from = (starts[y] + tap) * rowLength;
      for (let i = 0; i < rowLength; i++) sums[i] += Math.imul(pixels[from + i], value);
    }
    for (let i = 0; i < rowLength; i++) result[y * rowLength + i] = sums[i] >> PRECISION;
  }
  return new Uint8Array(result.buffer);
}
