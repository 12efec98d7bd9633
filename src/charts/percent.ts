/** A share as a percentage: "71.3%"; of whole percents with `digits` 0. */
export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)}%`;
}
