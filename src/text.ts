// Values as people read them.

/** Any text. Beside names, as in `"cosine" | AnyText`, TypeScript completes the names all the same. */
export type AnyText = string & Record<never, never>;

/** Writes a number with what it counts: "1 image", "2,100 images". */
export function counted(number: number, singular: string, plural = `${singular}s`): string {
  return `${formatCount(number)} ${number === 1 ? singular : plural}`;
}

/** Writes a share as a percentage, "71.3%", with `digits` decimals. */
export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)}%`;
}

/** Writes a time as "45 s" or "2 min 5 s". */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

/** Writes a whole number with a comma between thousands: "35,887". */
export function formatCount(value: number): string {
  return value.toLocaleString("en-US");
}
