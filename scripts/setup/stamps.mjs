// Stamps: a file inside what a step made, holding a digest of what it was made from.
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";

/** Digest of a step's inputs: strings as they are, `{ file }` by content (a missing file counts as empty). */
export function stampKey(inputs) {
  const hash = crypto.createHash("sha256");
  for (const input of [process.platform, process.arch, ...inputs]) {
    const isFile = typeof input === "object";
    hash.update(isFile ? (fs.existsSync(input.file) ? fs.readFileSync(input.file) : "") : String(input));
    hash.update("\0");
  }
  return hash.digest("hex");
}

/** Whether the stamp at `file` was written for the same inputs. */
export function isStamped(file, key) {
  return fs.existsSync(file) && fs.readFileSync(file, "utf8") === key;
}

/** Writes a stamp, last of all, so that an interrupted step has none. */
export function writeStamp(file, key) {
  writeWhole(file, key);
}

/** Writes a small file so that readers see the old or the new content, never half of it. */
export function writeWhole(file, content) {
  const temporary = `${file}.${process.pid}.tmp`;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(temporary, content);
  fs.renameSync(temporary, file);
}
