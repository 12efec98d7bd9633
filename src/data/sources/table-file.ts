// The rows of a table in a file: CSV, TSV, a list, or JSON Lines.
import { createReadStream, readFileSync, statSync } from "node:fs";
import { stat } from "node:fs/promises";
import path from "node:path";
import { DiskError } from "../../errors.js";
import { readError } from "../../files.js";

/** Names of files that may be tables. */
export const TABLE_FILE = /\.(csv|tsv|jsonl|ndjson|txt|lst|list)$/i;

/** Usual names of a column with labels. */
export const LABEL_COLUMN =
  /^(label|labels|class|classes|class[ _-]?name|class[ _-]?label|label[ _-]?name|category|emotion|expression|target|tag|y|species|breed|diagnosis|disease|type)$/i;

export interface Table {
  /** Relative to the data set's folder. */
  file: string;
  /** Null if the table has no header. */
  columns: string[] | null;
  rows: string[][];
}

/** Splits text into rows of cells: comma, semicolon, tab or blanks between them, quotes around them (RFC 4180). */
export function parseRows(text: string): string[][] {
  const content = text.replace(/^\uFEFF/, "");
  const [firstLine] = content.split(/\r?\n/, 1);
  const counts = [",", ";", "\t"].map((mark) => [mark, firstLine.split(mark).length] as const);
  const [delimiter, most] = counts.reduce((a, b) => (b[1] > a[1] ? b : a));
  if (most === 1 && /\S\s+\S/.test(firstLine) && !firstLine.includes('"'))
    return lines(content).map((line) => line.split(/\s+/));
  const rows: string[][] = [];
  const cell = new RegExp(
    ` *(?:"([^"]*(?:""[^"]*)*)" *|([^${delimiter}\\r\\n]*))(${delimiter}|\\r?\\n|$)`,
    "y",
  );
  let row: string[] = [];
  while (cell.lastIndex < content.length) {
    const found = cell.exec(content);
    if (!found) break;
    const [, quoted, plain, end] = found;
    row.push(quoted === undefined ? plain.trim() : quoted.replace(/""/g, '"').trim());
    if (end === delimiter && cell.lastIndex < content.length) continue;
    if (row.some((value) => value !== "")) rows.push(row);
    row = [];
  }
  return rows;
}

function lines(text: string): string[] {
  return text.split(/\r?\n/).flatMap((line) => line.trim() || []);
}

/** A table of labels has fewer columns, one-hot classes included. */
const MAX_COLUMNS = 10_000;

/** Reads a table; null if the file is none. */
export function readTable(dir: string, file: string): Table | null {
  let text: string;
  const onDisk = path.join(dir, file);
  try {
    if (!statSync(onDisk).isFile()) return null; // a named pipe would wait for its writer
    text = readFileSync(onDisk, "utf8");
  } catch (error) {
    const named = readError(onDisk, { expected: "a table", fix: "Remove it." }, error);
    if (named instanceof DiskError) throw named; // its labels must not be passed over
    return null; // larger than a string may be, or not there
  }
  if (/\.(jsonl|ndjson)$/i.test(file)) return jsonTable(file, text);
  const rows = parseRows(text);
  const width = rows.reduce((most, row) => Math.max(most, row.length), 0);
  return width > 1 && width <= MAX_COLUMNS ? { file, columns: null, rows } : null;
}

/** Writes a value as a cell: a list of one as what is in it, and other lists and objects in JSON. */
function cell(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value) && value.length < 2) return cell(value[0]);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function jsonTable(file: string, text: string): Table | null {
  try {
    const objects = lines(text).map((line) => JSON.parse(line) as Record<string, unknown>);
    const columns = [...new Set(objects.flatMap((object) => Object.keys(object)))];
    if (columns.length > MAX_COLUMNS) return null;
    return { file, columns, rows: objects.map((object) => columns.map((name) => cell(object[name]))) };
  } catch {
    return null;
  }
}

/** Reads the names of a table's columns, in lower case, and what is between them. */
export async function headerOf(file: string): Promise<string[] & { delimiter: string }> {
  if (!(await stat(file)).isFile()) return Object.assign([], { delimiter: "," }); // a named pipe would wait for its writer
  const stream = createReadStream(file, { encoding: "utf8", end: 2 ** 16 });
  let text = "";
  for await (const chunk of stream) text += chunk;
  const [line] = text.split(/\r?\n/, 1);
  const names = (parseRows(line)[0] ?? []).map((name) => name.toLowerCase());
  const delimiter =
    [";", "\t"].find((mark) => line.split(mark).length === names.length && names.length > 1) ?? ",";
  return Object.assign(names, { delimiter });
}
