/** Any text. Beside names, as in `"cosine" | AnyText`, TypeScript completes the names all the same. */
export type AnyText = string & Record<never, never>;

/** Writes a number with what it counts: "1 image", "2,100 images". */
export function counted(number: number, singular: string, plural = `${singular}s`): string {
  return `${number.toLocaleString("en-US")} ${number === 1 ? singular : plural}`;
}
