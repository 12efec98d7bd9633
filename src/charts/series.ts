// Long curves, made readable.

/**
 * The mean of each value and its neighbours before and after, fewer at the ends: no lag, unlike a running mean.
 *
 * @param reach - Neighbours on each side; 0 changes nothing.
 */
export function smooth(values: number[], reach: number): number[] {
  const sums = [0];
  for (const value of values) sums.push(sums[sums.length - 1] + value);
  return values.map((_, i) => {
    const [start, end] = [Math.max(0, i - reach), Math.min(values.length, i + reach + 1)];
    return (sums[end] - sums[start]) / (end - start);
  });
}

/** At most `maxCount` of the items, evenly spaced, the first and the last among them. */
export function thin<T>(items: T[], maxCount: number): T[] {
  if (items.length <= maxCount) return items;
  const stride = (items.length - 1) / (maxCount - 1);
  return Array.from({ length: maxCount }, (_, i) => items[Math.round(i * stride)]);
}
