import { createHash } from "node:crypto";

/** Hexadecimal digits of a short digest. */
export const DIGEST_LENGTH = 16;

/** Returns the start of the SHA-256 of some texts and bytes in a row, which tells contents apart but does not stand up to an attack. */
export function shortDigest(...parts: (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex").slice(0, DIGEST_LENGTH);
}
