// Lines of files that may be larger than memory.
import { createReadStream } from "node:fs";
import {
  decodeText,
  type Encoding,
  EncodingError,
  encodingOf,
  LINE_BREAK,
  SAVE_AS_UTF8,
  wholeLength,
} from "./decode.js";
import { InputError } from "./errors.js";
import { openRegularFile, type ReadProblem, readError, unreadable } from "./files.js";

/**
 * Yields the lines of a file, without their ends. The last one has none if the file ends with a line break. Text is in UTF-8 or, if
 * its byte-order mark says so, in UTF-16.
 *
 * @param maxLength - Characters of the longest line, as a string of JavaScript counts them; a longer one is refused.
 * @throws InputError as `readRegularFile`; there are no lines if there is no such file.
 */
export async function* linesOf(
  file: string,
  problem: ReadProblem,
  maxLength: number,
): AsyncGenerator<string, void, undefined> {
  const handle = await openRegularFile(file, problem);
  if (handle === null) return;
  let parts: string[] = [];
  let length = 0;
  let number = 1;
  const add = (part: string) => {
    parts.push(part);
    length += part.length;
    if (length > maxLength)
      throw unreadable(file, problem, `more than ${maxLength} characters in line ${number}`);
  };
  const take = () => {
    const line = parts.join("");
    [parts, length] = [[], 0];
    number++;
    return line;
  };
  try {
    let encoding: Encoding | undefined;
    let [rest, held] = [Buffer.alloc(0), ""];
    const chunks = createReadStream(file, { fd: handle, autoClose: false });
    for await (const { bytes, isLast } of withLast(chunks)) {
      const all = Buffer.concat([rest, bytes]);
      encoding ??= encodingOf(all);
      const end = isLast ? all.length : wholeLength(all, encoding);
      rest = all.subarray(end);
      const { text, problem: found } = textIn(all.subarray(0, end), encoding, number);
      const joined = held + text;
      held = joined.endsWith("\r") && !isLast ? "\r" : ""; // a \n may follow
      let start = 0;
      for (const { 0: mark, index = 0 } of joined
        .slice(0, joined.length - held.length)
        .matchAll(LINE_BREAK)) {
        add(joined.slice(start, index));
        yield take();
        start = index + mark.length;
      }
      add(joined.slice(start, joined.length - held.length));
      if (found)
        throw new InputError({
          expected: `${problem.expected} in UTF-8`,
          where: file,
          found,
          fix: SAVE_AS_UTF8,
        });
    }
    if (length > 0) yield take();
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code ? readError(file, problem, error) : error;
  } finally {
    await handle.close();
  }
}

/** Tells which chunk of a file is the last one. */
async function* withLast(chunks: AsyncIterable<Buffer>) {
  let before: Buffer | null = null;
  for await (const bytes of chunks) {
    if (before) yield { bytes: before, isLast: false };
    before = bytes;
  }
  if (before) yield { bytes: before, isLast: true };
}

/** Decodes bytes up to those that are no text, if there are any. */
function textIn(bytes: Buffer, encoding: Encoding, line: number): { text: string; problem?: string } {
  try {
    return { text: decodeText(bytes, encoding, line) };
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    const text = decodeText(bytes.subarray(0, error.offset), encoding, line);
    return { text, problem: error.message };
  }
}
