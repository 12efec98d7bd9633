// Text of files that people write: in UTF-8 or, if their byte-order mark says so, in UTF-16.
import { TextDecoder } from "node:util";

export type Encoding = "utf-8" | "utf-16le" | "utf-16be";

/** What to do about a file that is refused for its bytes. */
export const SAVE_AS_UTF8 = "Save it as UTF-8.";
/** What ends a line: Windows, Unix and old programs on the Mac each have their own. */
export const LINE_BREAK = /\r\n?|\n/g;

/** Bytes that are not text in the encoding of their file. */
export class EncodingError extends SyntaxError {
  override readonly name = "EncodingError";

  /** @param offset - Index of the first of these bytes. */
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message);
  }
}

/** Returns the encoding of a file by its first bytes: UTF-16 if its byte-order mark says so, as PowerShell writes it. */
export function encodingOf(start: Buffer): Encoding {
  const marks: Record<string, Encoding> = { fffe: "utf-16le", feff: "utf-16be" };
  return marks[start.toString("hex", 0, 2)] ?? "utf-8";
}

/**
 * Decodes text, without its byte-order mark. No byte is replaced, since names that differ in it alone would become one.
 *
 * @param encoding - By default that of a whole file.
 * @param line - Number of its first line.
 * @throws EncodingError "line 3 with the byte E9, not in UTF-8", also for NUL, which UTF-16 without a mark is full of
 */
export function decodeText(bytes: Buffer, encoding = encodingOf(bytes), line = 1): string {
  try {
    const text = decode(bytes, encoding, true);
    if (!text.includes("\0")) return line > 1 ? text : text.replace(/^\ufeff/, "");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_ENCODING_INVALID_ENCODED_DATA") throw error; // too long
  }
  const offset = encoding === "utf-8" ? strangeByte(bytes) : strangeUnit(bytes, encoding);
  const above = decode(bytes.subarray(0, offset), encoding).match(LINE_BREAK)?.length ?? 0;
  const isNul = bytes[offset] === 0 && (encoding === "utf-8" || bytes[offset + 1] === 0);
  const length = encoding === "utf-8" && !(bytes[offset + 1] > 0x7f) ? 1 : 2; // a letter of English after it is right
  const name = encoding.slice(0, 6).toUpperCase();
  const found = isNul ? nulIn(bytes, offset) : `${inHex(bytes, offset, length)}, not in ${name}`;
  throw new EncodingError(`line ${line + above} with ${found}`, offset);
}

/** Decodes text of an unknown encoding, of which the letters of English alone are right. */
export function decodeRoughly(bytes: Buffer): string {
  const encoding = encodingOf(bytes);
  return encoding === "utf-8" ? bytes.toString("latin1").replace(/\0/g, "") : decode(bytes, encoding);
}

/** Returns the length of the bytes without a last character of which more bytes follow. */
export function wholeLength(bytes: Buffer, encoding: Encoding): number {
  const { length } = bytes;
  if (encoding !== "utf-8") {
    const even = length - (length % 2);
    const isOpen = even > 0 && (bytes[even - (encoding === "utf-16le" ? 1 : 2)] & 0xfc) === 0xd8;
    return isOpen ? even - 2 : even;
  }
  for (let at = length - 1; at >= 0 && at > length - 4; at--) {
    if ((bytes[at] & 0xc0) === 0x80) continue; // a later byte of a character
    const size = bytes[at] < 0xc0 ? 1 : bytes[at] < 0xe0 ? 2 : bytes[at] < 0xf0 ? 3 : 4;
    return at + size > length ? at : length;
  }
  return length;
}

function decode(bytes: Buffer, encoding: Encoding, fatal = false): string {
  return new TextDecoder(encoding, { fatal, ignoreBOM: true }).decode(bytes);
}

/** Finds the first byte that is not UTF-8, or is NUL. */
function strangeByte(bytes: Buffer): number {
  const text = bytes.toString("utf8");
  const nul = bytes.indexOf(0);
  let [at, offset] = [0, 0];
  for (;;) {
    const next = text.indexOf("\ufffd", at);
    if (next < 0) return nul;
    offset += Buffer.byteLength(text.slice(at, next));
    if (nul >= 0 && nul < offset) return nul;
    if (bytes.toString("hex", offset, offset + 3) !== "efbfbd") return offset; // otherwise the character itself
    [at, offset] = [next + 1, offset + 3];
  }
}

/** Finds the first half of a character in UTF-16, or NUL. */
function strangeUnit(bytes: Buffer, encoding: Encoding): number {
  const text = decode(bytes, encoding);
  const isStrange = (at: number) =>
    text[at] === "\0" ||
    (text[at] === "\ufffd" && !/^(fffd|fdff)$/.test(bytes.toString("hex", at * 2, at * 2 + 2)));
  let at = 0;
  while (at < text.length && !isStrange(at)) at++;
  return at * 2;
}

/** Names one or two bytes: "the bytes C4 FA". */
function inHex(bytes: Buffer, offset: number, length = 2): string {
  const pairs =
    bytes
      .toString("hex", offset, offset + length)
      .toUpperCase()
      .match(/../g) ?? [];
  return `the byte${pairs.length > 1 ? "s" : ""} ${pairs.join(" ")}`;
}

/** Names a NUL, which every letter of English has in UTF-16. */
function nulIn(bytes: Buffer, offset: number): string {
  const isWide = offset < 2 && bytes[0] !== bytes[1];
  return isWide
    ? `${inHex(bytes, 0)}, in UTF-16 without a byte-order mark`
    : "the byte 00, which text does not have";
}
