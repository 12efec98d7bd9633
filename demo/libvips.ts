// Resizes as libvips does inside sharp, so that the detector sees on the page what it sees in Node.js: large reductions by whole
// blocks first, then bicubic interpolation at 64 positions between two pixels. See libvips' resize.c, reduceh.cpp and bicubic.cpp.
import type { Raster } from "../src/data/pixels/resize.js";

/** Positions between two pixels. */
const PHASES = 64;
/** Weights are integers of this many bits after the point. */
const WEIGHT_BITS = 12;
/** What interpolation reduces by at least, if blocks reduce first. */
const GAP = 2;

/** For each pixel of a resized line, the first pixel of the source and the weights of those from there on. */
interface Line {
  starts: number[];
  weights: number[][];
}

/** RGB numbers, which are whole ones of 0–255 but between the two sides of an enlargement. */
interface Plane {
  values: Uint8Array | Float32Array;
  width: number;
  height: number;
}

/** Resizes RGB pixels to a size, whatever the proportions. */
export function resizeLikeLibvips({ pixels, ...size }: Raster, width: number, height: number): Raster {
  const image: Plane = { values: pixels, width: size.width, height: size.height };
  const [rows, columns] = [image.height / (height * GAP), image.width / (width * GAP)].map(Math.floor);
  const tall = alongY(image, blockMeans(image.height, rows));
  const blocks = alongX(tall, blockMeans(image.width, columns));
  const narrow = alongY(blocks, height < blocks.height ? reduction(blocks.height, height) : null);
  const reduced = alongX(narrow, width < blocks.width ? reduction(blocks.width, width) : null);
  const isEnlarged = height > reduced.height || width > reduced.width;
  const wide = alongX(reduced, isEnlarged ? enlargement(reduced.width, width) : null, false);
  const { values } = alongY(wide, isEnlarged ? enlargement(reduced.height, height) : null);
  return { pixels: values as Uint8Array, width, height, numChannels: 3 };
}

/** Means of `size` pixels each; null if there is nothing to do. */
function blockMeans(length: number, size: number): Line | null {
  if (size < 2) return null;
  const starts = Array.from({ length: Math.ceil(length / size) }, (_, i) => i * size);
  return { starts, weights: starts.map(() => new Array<number>(size).fill(1 / size)) };
}

/** A cubic kernel that is stretched over the pixels that make one. */
function reduction(length: number, newLength: number): Line {
  const shrink = length / newLength;
  const numTaps = 2 * Math.round(2 * shrink) + 1;
  return lineOf(
    newLength,
    Math.ceil(numTaps / 2) - 1,
    (i) => (i + 0.5) * shrink,
    (phase) =>
      normalized(
        Array.from({ length: numTaps }, (_, tap) => cubic((tap - phase - numTaps / 2 + 1) / shrink)),
      ),
  );
}

/** A cubic kernel between four pixels; half a pixel off, as sharp's is, also along a side that keeps its length. */
function enlargement(length: number, newLength: number): Line {
  return lineOf(
    newLength,
    1,
    (i) => (i * length) / newLength - 0.5,
    (phase) => normalized([0, 1, 2, 3].map((tap) => cubic(tap - 1 - phase))),
  );
}

function lineOf(
  length: number,
  before: number,
  position: (i: number) => number,
  weightsAt: (phase: number) => number[],
): Line {
  const masks = Array.from({ length: PHASES + 1 }, (_, phase) => weightsAt(phase / PHASES));
  const positions = Array.from({ length }, (_, i) => position(i));
  return {
    starts: positions.map((x) => Math.floor(x) - before),
    weights: positions.map((x) => masks[(Math.floor((x - Math.floor(x)) * PHASES * 2) + 1) >> 1]),
  };
}

/** Catmull and Rom's cubic. */
function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

/** Returns weights that add up to 1, rounded to 12 bits so that they still do. */
function normalized(values: number[]): number[] {
  const total = sumOf(values);
  const one = 1 << WEIGHT_BITS;
  const margin = (values.length + 1) >> 1;
  let [low, high, weights] = [one - margin, one + margin, values];
  // Rounding may take or add up to half a unit for each weight, so the scale is searched that gives the wanted sum.
  do {
    const scale = (low + high) / 2;
    weights = values.map((value) => Math.round((value / total) * scale));
    if (sumOf(weights) === one) break;
    if (sumOf(weights) < one) low = scale;
    else high = scale;
  } while (high - low > 0.01);
  const rest = one - sumOf(weights);
  const spread = weights.map((weight, i) => weight + (i < Math.abs(rest) ? Math.sign(rest) : 0));
  return spread.map((weight) => weight / one);
}

function sumOf(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function alongY({ values, width, height }: Plane, line: Line | null): Plane {
  if (!line) return { values, width, height };
  const rowLength = width * 3;
  const result = new Uint8ClampedArray(line.starts.length * rowLength);
  const sums = new Float64Array(rowLength);
  line.starts.forEach((start, y) => {
    sums.fill(0.5);
    line.weights[y].forEach((weight, tap) => {
      const from = Math.min(height - 1, Math.max(0, start + tap)) * rowLength;
      for (let i = 0; i < rowLength; i++) sums[i] += weight * values[from + i];
    });
    for (let i = 0; i < rowLength; i++) result[y * rowLength + i] = Math.floor(sums[i]);
  });
  return { values: new Uint8Array(result.buffer), width, height: line.starts.length };
}

function alongX({ values, width, height }: Plane, line: Line | null, isRounded = true): Plane {
  if (!line) return { values, width, height };
  const newWidth = line.starts.length;
  const result = isRounded
    ? new Uint8ClampedArray(newWidth * height * 3)
    : new Float32Array(newWidth * height * 3);
  line.starts.forEach((start, x) => {
    const weights = line.weights[x];
    const columns = weights.map((_, tap) => Math.min(width - 1, Math.max(0, start + tap)) * 3);
    for (let y = 0; y < height; y++) {
      const [from, to] = [y * width * 3, (y * newWidth + x) * 3];
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let tap = 0; tap < weights.length; tap++) sum += weights[tap] * values[from + columns[tap] + c];
        result[to + c] = isRounded ? Math.floor(sum + 0.5) : sum;
      }
    }
  });
  const isBytes = result instanceof Uint8ClampedArray;
  return { values: isBytes ? new Uint8Array(result.buffer) : result, width: newWidth, height };
}
