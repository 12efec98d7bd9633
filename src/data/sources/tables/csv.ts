// Rows of cells in text: CSV, TSV and lists, whole or as they are read.
import { LINE_BREAK, SAVE_AS_UTF8 } from "../../../decode.js";
import { DiskError, InputError } from "../../../errors.js";
import type { ReadProblem } from "../../../files.js";
import { linesOf } from "../../../lines.js";

/** Splits text into rows of cells: comma, semicolon, tab, bar or blanks between them, quotes around them (RFC 4180). */
export function parseRows(text: string): string[][] {
  const [head, mark] = SEPARATOR_LINE.exec(text.replace(/^\uFEFF/, "")) ?? [""];
  const given = withoutComments(text.replace(/^\uFEFF/, "").slice(head.length));
  const content = withoutCount(given);
  const [first, second = ""] = content.split(LINE_BREAK, 2);
  // Below a count, the line with the name of a single attribute has no separator.
  const isOneName = content !== given && !/[\s,;|]/.test(first.trim());
  return rowsIn(content, (mark as Separator | undefined) ?? separatorOf(isOneName ? second : first));
}

/** A first line that names the separator, as Excel reads it. */
const SEPARATOR_LINE = /^"?sep=([,;\t|])"?[ ]*(?:\r\n?|\n|$)/i;

/** A blank stands for several, too. */
type Separator = "," | ";" | "\t" | "|" | " ";

function separatorOf(firstLine: string): Separator {
  const counts = ([",", ";", "\t", "|"] as const).map(
    (mark) => [mark, firstLine.split(mark).length] as const,
  );
  const [separator, most] = counts.reduce((a, b) => (b[1] > a[1] ? b : a));
  return most === 1 && /\S\s+\S/.test(firstLine) && !firstLine.includes('"') ? " " : separator;
}

function rowsIn(content: string, separator: Separator): string[][] {
  if (separator === " ") return filledLines(content).map((line) => line.split(/\s+/));
  const rows: string[][] = [];
  const cell = cellPattern(separator);
  let row: string[] = [];
  while (cell.lastIndex < content.length) {
    const found = cell.exec(content);
    if (!found) break;
    const [, quoted, plain, end] = found;
    row.push(quoted === undefined ? plain.trim() : quoted.replace(/""/g, '"').trim());
    if (end === separator && cell.lastIndex < content.length) continue;
    if (row.some((value) => value !== "")) rows.push(row);
    row = [];
  }
  return rows;
}

function cellPattern(separator: Separator): RegExp {
  return new RegExp(
    ` *(?:"([^"]*(?:""[^"]*)*)" *|([^${separator}\\r\\n]*))(\\${separator}|\\r\\n?|\\n|$)`,
    "y",
  );
}

/** A row of a large table, and the number of its first line in the file, from 1. */
export interface NumberedRow {
  cells: string[];
  line: number;
}

/**
 * Yields the rows of a table that may be larger than memory, with the header as the first one. They are read as `parseRows` does.
 *
 * @param maxLength - Characters of the longest row; a longer one is refused.
 * @throws InputError if it cannot be read; there are no rows if there is no such file.
 */
export async function* rowsOf(
  file: string,
  problem: ReadProblem,
  maxLength: number,
): AsyncGenerator<NumberedRow, void, undefined> {
  let [line, first, length, isOpen] = [0, 0, 0, false];
  let [above, separator, hasHeader] = ["", null as Separator | null, false];
  let record: string[] = [];
  for await (const text of linesOf(file, problem, maxLength)) {
    line++;
    const [, mark] = line === 1 ? (SEPARATOR_LINE.exec(text) ?? []) : [];
    if (mark !== undefined) {
      separator = mark as Separator;
      continue;
    }
    if (!hasHeader && text.startsWith("#")) {
      above += `${text}\n`;
      continue;
    }
    if (record.length === 0) [first, length] = [line, 0];
    record.push(text);
    length += text.length;
    isOpen = isOpen !== hasOpenQuote(text, isOpen);
    if (isOpen && length > maxLength) {
      const found = `more than ${maxLength} characters in the row that begins at line ${first}`;
      throw new InputError({ ...problem, where: file, found });
    }
    if (isOpen) continue;
    const joined = record.join("\n");
    const content = hasHeader ? joined : withoutComments(`${above}${joined}`);
    const isPlain = hasHeader && record.length === 1 && separator !== " " && !text.includes('"');
    record = [];
    if (content.trim() === "") continue;
    hasHeader = true;
    const known: Separator = separator ?? separatorOf(content.split("\n", 1)[0]);
    separator = known;
    const rows = isPlain ? [text.split(known).map((cell) => cell.trim())] : rowsIn(content, known);
    for (const cells of rows) if (cells.some((value) => value !== "")) yield { cells, line: first };
  }
  const rest = record.join("\n");
  for (const cells of rest === "" ? [] : rowsIn(rest, separator ?? separatorOf(rest)))
    yield { cells, line: first };
}

/** Whether a line opens a cell in quotes that continues in the next line, or closes the one that is open. */
function hasOpenQuote(line: string, isOpen: boolean): boolean {
  const isOdd = line.includes('"') && line.split('"').length % 2 === 0;
  return isOdd && (isOpen || /(^|[,;\t|]) *"/.test(line));
}

/** Takes out the lines before the header that start with `#`; the last one may be the header, as NumPy writes it. */
function withoutComments(text: string): string {
  const [comments] = /^(#.*(\r\n?|\n))*/.exec(text) ?? [""];
  const below = text.slice(comments.length);
  const last = comments.split(LINE_BREAK).at(-2) ?? "";
  const [first] = below.split(LINE_BREAK, 1);
  const width = (line: string) => line.split(/[,;\t|]/).length;
  if (width(last) < 2 || width(last) !== width(first)) return below;
  return `${last.replace(/^#+ +/, "")}\n${below}`;
}

/** Takes out a first line with the number of rows, as CelebA's lists have it. */
function withoutCount(text: string): string {
  const [count] = /^\s*\d+\s*?(\r\n?|\n)/.exec(text) ?? [""];
  const numBelow = count === "" ? 0 : filledLines(text.slice(count.length)).length;
  return numBelow > 1 && [numBelow, numBelow - 1].includes(Number(count)) ? text.slice(count.length) : text;
}

/** Returns the lines of a text that are not blank, without the blanks around them. */
export function filledLines(text: string): string[] {
  return text.split(LINE_BREAK).flatMap((line) => line.trim() || []);
}

/** Characters of the longest header that is read to tell what a table has. */
const MAX_HEADER_LENGTH = 2 ** 20;

/**
 * Reads the names of a table's columns; none if a file is no table.
 *
 * @throws InputError if its bytes are not text.
 */
export async function headerOf(file: string): Promise<string[]> {
  try {
    for await (const { cells } of rowsOf(file, { expected: "a table", fix: "Remove it." }, MAX_HEADER_LENGTH))
      return cells;
  } catch (error) {
    const isKnown = error instanceof InputError && !(error instanceof DiskError);
    if (!isKnown || error.problem.fix === SAVE_AS_UTF8) throw error;
  }
  return [];
}
