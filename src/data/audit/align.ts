// Compares two images as pixels, at the shift and scale that fit best: the second stage of the search for near-duplicates.
import { isDeepStrictEqual } from "node:util";

/** Side of the grids that are compared, in pixels, and of a coarse version of them. */
export const GRID_SIZE = 32;
const COARSE_SIZE = GRID_SIZE / 2;

/** Scales, and shifts in pixels of the coarse grid, that a crop of a tenth can need. */
const OTHER_SCALES = [0.9, 0.95, 1.05, 1.11];
const SHIFTS = [-1, -0.5, 0, 0.5, 1];
/** Steps around the best of them on the fine grid. */
const [SCALE_STEP, SHIFT_STEP] = [0.025, 0.5];

/** Correlation of coarse grids below which nothing else is compared: at the best shift, and at the best scale too. */
const [MIN_SHIFTED, MIN_COARSE] = [0.7, 0.85];

/** Share of the side that is left out at each edge, since a shift brings other pixels there. */
const MARGIN = 1 / 16;
const MARGIN_WIDTH = Math.round(MARGIN * GRID_SIZE);
/** Parts along each side that are compared one by one; fewer in a narrow area, since a part has some pixels. */
const NUM_PARTS = 6;
const MIN_PART_WIDTH = 4;
/** The values of a bar differ by up to this; one or two pixels are of bar and picture. */
const [MAX_BAR_RANGE, BLEND] = [4, 2];
/** Parts with a variance of less than this, or than a share of the image's, show nothing to compare. */
const [MIN_VARIANCE, MIN_VARIANCE_SHARE] = [4, 0.02];
/** With fewer parts that show something, as in drawings of few lines, copies must be aligned as they are, and equal in detail. */
const MANY_PARTS = 12;
const MIN_SPARSE_DETAIL = 0.95;

/**
 * What copies have in common: the mean correlation within the parts, so that the details are the same; the correlation of the
 * parts' means and the root mean square of its residual in levels, so that the colours are the same up to one change of
 * brightness and contrast.
 *
 * Chosen on pairs of FER-2013 and of drawn faces (experiments/near-duplicates.mts, docs/decisions/near-duplicates.md): photographs
 * of two people stay below 0.84 in the first, drawn faces reach 0.96, but differ by 7 levels or more.
 */
const [MIN_DETAIL, MIN_TONE, MAX_RESIDUAL] = [0.86, 0.98, 6];

/** Scale about the centre and shift, from pixels of one grid to those of the other. */
interface Alignment {
  scale: number;
  dx: number;
  dy: number;
}

/**
 * Compares two grids of the same picture or of two.
 *
 * @param a - float32 `[32, 32, numChannels]`, 0–255.
 * @returns Mean correlation of their parts, [0.86, 1]; null if they are not copies.
 */
export function similarity(a: Float32Array, b: Float32Array, numChannels: number): number | null {
  if (numChannels > 1 && isGrey(a) !== isGrey(b)) return similarity(brightness(a, 3), brightness(b, 3), 1); // perhaps a grey copy
  const alignment = align(brightness(a, numChannels), brightness(b, numChannels));
  if (!alignment) return null;
  const moved = warp(b, numChannels, alignment);
  const inside = [MARGIN_WIDTH, GRID_SIZE - MARGIN_WIDTH] as const;
  const whole: Area = { rows: inside, columns: inside };
  const alike = likeness(a, moved, numChannels, whole, alignment);
  if (alike === null) return null;
  const picture = within(whole, pictureArea(a, numChannels), pictureArea(moved, numChannels));
  if (isDeepStrictEqual(picture, whole)) return alike;
  return likeness(a, moved, numChannels, picture, alignment); // the edges of bars correlate, whatever is between them
}

/** Rows and columns of a grid, each from the first to before the last. */
interface Area {
  rows: readonly [number, number];
  columns: readonly [number, number];
}

/** Returns the mean correlation of the parts of an area; null if they are not of copies, or too few to tell. */
function likeness(
  a: Float32Array,
  moved: Float32Array,
  numChannels: number,
  area: Area,
  alignment: Alignment,
): number | null {
  const { details, means } = compareParts(a, moved, numChannels, area);
  if (details.length === 0) return null;
  const detail = details.reduce((sum, one) => sum + one, 0) / details.length;
  const isSparse = details.length < MANY_PARTS;
  if (detail < (isSparse ? MIN_SPARSE_DETAIL : MIN_DETAIL)) return null;
  if (isSparse && isMoved(alignment)) return null;
  const { correlation, varianceA, varianceB } = moments(means[0], means[1], [[0, means[0].length]]);
  const residual = Math.sqrt(Math.max(varianceA, varianceB) * (1 - correlation ** 2));
  return correlation >= MIN_TONE && residual <= MAX_RESIDUAL ? detail : null;
}

/** Finds the picture between bars of one colour, such as those of `fit=pad`, without the pixels that they blend into. */
function pictureArea(grid: Float32Array, numChannels: number): Area {
  const isPlain = (row: boolean, line: number) => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = 0; i < GRID_SIZE; i++) {
      const pixel = (row ? line * GRID_SIZE + i : i * GRID_SIZE + line) * numChannels;
      for (let at = pixel; at < pixel + numChannels; at++) {
        low = Math.min(low, grid[at]);
        high = Math.max(high, grid[at]);
      }
    }
    return high - low <= MAX_BAR_RANGE;
  };
  const between = (isRow: boolean): [number, number] => {
    let [start, end] = [0, GRID_SIZE];
    while (start < end && isPlain(isRow, start)) start++;
    while (end > start && isPlain(isRow, end - 1)) end--;
    return [start > 0 ? start + BLEND : 0, end < GRID_SIZE ? end - BLEND : GRID_SIZE];
  };
  return { rows: between(true), columns: between(false) };
}

function within(...areas: Area[]): Area {
  const common = (side: "rows" | "columns"): [number, number] => [
    Math.max(...areas.map((area) => area[side][0])),
    Math.min(...areas.map((area) => area[side][1])),
  ];
  return { rows: common("rows"), columns: common("columns") };
}

/** Returns whether an alignment is more than the error of the search. */
function isMoved({ scale, dx, dy }: Alignment): boolean {
  return Math.max(Math.abs(dx), Math.abs(dy)) > SHIFT_STEP || Math.abs(scale - 1) > SCALE_STEP;
}

/** Whether the three channels of a grid are equal. */
function isGrey(grid: Float32Array): boolean {
  return grid.every((value, i) => Math.abs(value - grid[i - (i % 3)]) < 0.5);
}

/** Means of the channels. */
function brightness(grid: Float32Array, numChannels: number): Float32Array {
  if (numChannels === 1) return grid;
  const means = new Float32Array(grid.length / 3);
  for (let i = 0; i < means.length; i++) means[i] = (grid[3 * i] + grid[3 * i + 1] + grid[3 * i + 2]) / 3;
  return means;
}

/** Finds the alignment of two grids with the highest correlation, first on coarse ones; null if those differ. */
function align(a: Float32Array, b: Float32Array): Alignment | null {
  let best: Alignment = { scale: 1, dx: 0, dy: 0 };
  let highest = Number.NEGATIVE_INFINITY;
  const attempt = (grids: GridPair, alignment: Alignment) => {
    const correlation = grids.correlationAt(alignment);
    if (correlation <= highest) return;
    [highest, best] = [correlation, alignment];
  };
  const coarse = new GridPair(halve(a), halve(b), COARSE_SIZE);
  for (const dy of SHIFTS) for (const dx of SHIFTS) attempt(coarse, { scale: 1, dx, dy });
  if (highest < MIN_SHIFTED) return null;
  const shift = best;
  for (const scale of OTHER_SCALES)
    for (const down of [-SHIFT_STEP, 0, SHIFT_STEP])
      for (const right of [-SHIFT_STEP, 0, SHIFT_STEP])
        attempt(coarse, { scale, dx: shift.dx + right, dy: shift.dy + down });
  if (highest < MIN_COARSE) return null;
  const { scale, dx, dy } = best;
  highest = Number.NEGATIVE_INFINITY;
  const fine = new GridPair(a, b, GRID_SIZE);
  for (const step of [-1, 0, 1])
    for (const down of [-1, 0, 1])
      for (const right of [-1, 0, 1])
        attempt(fine, {
          scale: scale + step * SCALE_STEP,
          dx: 2 * dx + right * SHIFT_STEP,
          dy: 2 * dy + down * SHIFT_STEP,
        });
  return best;
}

/** Means of 2 × 2 pixels. */
function halve(grid: Float32Array): Float32Array {
  const means = new Float32Array(COARSE_SIZE ** 2);
  for (let i = 0; i < means.length; i++) {
    const at = 2 * Math.floor(i / COARSE_SIZE) * GRID_SIZE + 2 * (i % COARSE_SIZE);
    means[i] = (grid[at] + grid[at + 1] + grid[at + GRID_SIZE] + grid[at + GRID_SIZE + 1]) / 4;
  }
  return means;
}

/** Two grids of one channel that are compared at many alignments: what several of these share is computed once. */
class GridPair {
  private readonly margin: number;
  /** Over the first grid within its margins, which is the same part at each alignment. */
  private readonly sums = { sumA: 0, squaresA: 0 };
  /** The second grid, moved along its rows only, by scale and shift. */
  private readonly movedRows = new Map<Taps, Float64Array>();

  constructor(
    private readonly a: Float32Array,
    private readonly b: Float32Array,
    private readonly side: number,
  ) {
    this.margin = Math.round(MARGIN * side);
    for (let y = this.margin; y < side - this.margin; y++)
      for (let x = this.margin; x < side - this.margin; x++) {
        const value = a[y * side + x];
        this.sums.sumA += value;
        this.sums.squaresA += value * value;
      }
  }

  /** Returns the correlation within the margins. */
  correlationAt({ scale, dx, dy }: Alignment): number {
    const { a, side, margin } = this;
    const moved = this.moveRows(tapsOf(side, scale, dx));
    const { firsts, shares } = tapsOf(side, scale, dy);
    let [sumB, squaresB, products] = [0, 0, 0];
    for (let y = margin; y < side - margin; y++) {
      const share = shares[y];
      let from = firsts[y] * side + margin;
      const end = (y + 1) * side - margin;
      for (let at = y * side + margin; at < end; at++, from++) {
        const top = moved[from];
        const other = top + (moved[from + side] - top) * share;
        sumB += other;
        squaresB += other * other;
        products += a[at] * other;
      }
    }
    const { sumA, squaresA } = this.sums;
    return correlationOf((side - 2 * margin) ** 2, { sumA, squaresA, sumB, squaresB, products });
  }

  private moveRows(taps: Taps): Float64Array {
    const known = this.movedRows.get(taps);
    if (known) return known;
    const { b, side } = this;
    const { firsts, shares } = taps;
    const moved = new Float64Array(side * side);
    for (let row = 0; row < side * side; row += side)
      for (let x = 0; x < side; x++) {
        const at = row + firsts[x];
        moved[row + x] = b[at] + (b[at + 1] - b[at]) * shares[x];
      }
    this.movedRows.set(taps, moved);
    return moved;
  }
}

/** Moves a grid by an alignment: each pixel is interpolated linearly between the four that it comes from. */
function warp(grid: Float32Array, numChannels: number, { scale, dx, dy }: Alignment): Float32Array {
  const moved = new Float32Array(grid.length);
  const rowLength = GRID_SIZE * numChannels;
  const [rows, columns] = [tapsOf(GRID_SIZE, scale, dy), tapsOf(GRID_SIZE, scale, dx)];
  for (let y = 0, to = 0; y < GRID_SIZE; y++) {
    const [start, down] = [rows.firsts[y] * rowLength, rows.shares[y]];
    for (let x = 0; x < GRID_SIZE; x++) {
      const [from, across] = [start + columns.firsts[x] * numChannels, columns.shares[x]];
      for (let at = from; at < from + numChannels; at++) {
        const below = at + rowLength;
        const top = grid[at] + (grid[at + numChannels] - grid[at]) * across;
        const bottom = grid[below] + (grid[below + numChannels] - grid[below]) * across;
        moved[to++] = top + (bottom - top) * down;
      }
    }
  }
  return moved;
}

/** Where each pixel of a moved line comes from: the first of two pixels, and the share of the way to the next. */
interface Taps {
  firsts: Int32Array;
  shares: Float32Array;
}

/** Those of every scale and shift that the search tries, which are a few hundred. */
const allTaps = new Map<number, Taps>();

function tapsOf(side: number, scale: number, shift: number): Taps {
  const key = (scale * 4096 + shift) * 4096 + side; // shifts are far smaller than 4096 steps of scale
  const known = allTaps.get(key);
  if (known) return known;
  const taps = { firsts: new Int32Array(side), shares: new Float32Array(side) };
  const center = (side - 1) / 2;
  for (let i = 0; i < side; i++) {
    const at = Math.min(side - 1, Math.max(0, (i - center) * scale + center + shift));
    taps.firsts[i] = Math.min(side - 2, Math.floor(at));
    taps.shares[i] = at - taps.firsts[i];
  }
  allTaps.set(key, taps);
  return taps;
}

/** Returns the correlation within each part of an area that shows something, and the means of its parts and channels in both grids. */
function compareParts(
  a: Float32Array,
  b: Float32Array,
  numChannels: number,
  { rows, columns }: Area,
): { details: number[]; means: [number[], number[]] } {
  const [down, across] = [edgesOf(rows), edgesOf(columns)];
  const whole = moments(a, b, runsOf(rows, columns, numChannels));
  const minVariance = Math.max(MIN_VARIANCE, MIN_VARIANCE_SHARE * whole.varianceA);
  const details: number[] = [];
  const means: [number[], number[]] = [[], []];
  for (let row = 0; row + 1 < down.length; row++)
    for (let column = 0; column + 1 < across.length; column++) {
      const runs = runsOf([down[row], down[row + 1]], [across[column], across[column + 1]], numChannels);
      const { correlation, varianceA, varianceB } = moments(a, b, runs);
      if (Math.max(varianceA, varianceB) > minVariance) details.push(correlation);
      for (let c = 0; c < numChannels; c++) {
        means[0].push(meanOfChannel(a, runs, numChannels, c));
        means[1].push(meanOfChannel(b, runs, numChannels, c));
      }
    }
  return { details, means };
}

/** Returns where the parts of a side start, and its end; a single edge if it is too narrow for one. */
function edgesOf([start, end]: readonly [number, number]): number[] {
  const numParts = Math.max(0, Math.min(NUM_PARTS, Math.floor((end - start) / MIN_PART_WIDTH)));
  return Array.from({ length: numParts + 1 }, (_, i) => Math.round(start + (i * (end - start)) / numParts));
}

/** Start and end of some values that follow each other in an array. */
type Run = [number, number];

/** Returns the values of a part of a grid, row by row. */
function runsOf(
  [top, bottom]: readonly [number, number],
  [left, right]: readonly [number, number],
  numChannels: number,
): Run[] {
  return Array.from({ length: bottom - top }, (_, i) => {
    const start = (top + i) * GRID_SIZE;
    return [(start + left) * numChannels, (start + right) * numChannels];
  });
}

function meanOfChannel(grid: Float32Array, runs: Run[], numChannels: number, channel: number): number {
  let [sum, count] = [0, 0];
  for (const [start, end] of runs) {
    count += end - start;
    for (let at = start + channel; at < end; at += numChannels) sum += grid[at];
  }
  return (sum * numChannels) / count;
}

interface Sums {
  sumA: number;
  sumB: number;
  squaresA: number;
  squaresB: number;
  products: number;
}

interface Moments {
  correlation: number;
  varianceA: number;
  varianceB: number;
}

/** Returns the moments of the values in some runs. */
function moments(a: ArrayLike<number>, b: ArrayLike<number>, runs: Run[]): Moments {
  let [count, sumA, sumB, squaresA, squaresB, products] = [0, 0, 0, 0, 0, 0];
  for (const [start, end] of runs) {
    count += end - start;
    for (let at = start; at < end; at++) {
      const [one, other] = [a[at], b[at]];
      sumA += one;
      sumB += other;
      squaresA += one * one;
      squaresB += other * other;
      products += one * other;
    }
  }
  return {
    correlation: correlationOf(count, { sumA, sumB, squaresA, squaresB, products }),
    varianceA: squaresA / count - (sumA / count) ** 2,
    varianceB: squaresB / count - (sumB / count) ** 2,
  };
}

/** Returns 0 if either side has one value. */
function correlationOf(count: number, { sumA, sumB, squaresA, squaresB, products }: Sums): number {
  const varianceA = squaresA / count - (sumA / count) ** 2;
  const varianceB = squaresB / count - (sumB / count) ** 2;
  if (varianceA < 1e-6 || varianceB < 1e-6) return 0;
  const covariance = products / count - (sumA * sumB) / count ** 2;
  return Math.max(-1, Math.min(1, covariance / Math.sqrt(varianceA * varianceB))); // within the error of rounding
}
