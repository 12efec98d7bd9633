/** The middle of some measurements, and how far they lie apart. */
export interface Spread {
  median: number;
  min: number;
  max: number;
  numRounds: number;
}

/** Of an even number of values, the median is the mean of the two in the middle. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const last = sorted.length - 1;
  const median = (sorted[Math.floor(last / 2)] + sorted[Math.ceil(last / 2)]) / 2;
  return { median, min: sorted[0], max: sorted[last], numRounds: sorted.length };
}
