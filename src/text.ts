/** Any text. Beside names, as in `"cosine" | AnyText`, TypeScript completes the names all the same. */
export type AnyText = string & Record<never, never>;
