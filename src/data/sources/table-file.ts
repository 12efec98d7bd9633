// The rows of a table in a file: CSV, TSV, a list, JSON or JSON Lines.
import { createReadStream, readFileSync, statSync } from "node:fs";
import { stat } from "node:fs/promises";
import path from "node:path";
import { DiskError } from "../../errors.js";
import { readError } from "../../files.js";
import { decodeText, parseJson } from "../../json.js";

/** Names of files that may be tables. */
export const TABLE_FILE = /\.(csv|tsv|json|jsonl|ndjson|txt|lst|list)$/i;

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

/** Splits text into rows of cells: comma, semicolon, tab, bar or blanks between them, quotes around them (RFC 4180). */
export function parseRows(text: string): string[][] {
  const content = withoutComments(text.replace(/^\uFEFF/, ""));
  const [firstLine] = content.split(/\r?\n/, 1);
  const counts = [",", ";", "\t", "|"].map((mark) => [mark, firstLine.split(mark).length] as const);
  const [delimiter, most] = counts.reduce((a, b) => (b[1] > a[1] ? b : a));
  if (most === 1 && /\S\s+\S/.test(firstLine) && !firstLine.includes('"'))
    return lines(content).map((line) => line.split(/\s+/));
  const rows: string[][] = [];
  const cell = new RegExp(
    ` *(?:"([^"]*(?:""[^"]*)*)" *|([^${delimiter}\\r\\n]*))(\\${delimiter}|\\r?\\n|$)`,
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

/** Takes out the lines before the header that start with `#`; the last one may be the header, as NumPy writes it. */
function withoutComments(text: string): string {
  const [comments] = /^(#.*\r?\n)*/.exec(text) ?? [""];
  const below = text.slice(comments.length);
  const last = comments.split(/\r?\n/).at(-2) ?? "";
  const [first] = below.split(/\r?\n/, 1);
  const width = (line: string) => line.split(/[,;\t|]/).length;
  if (width(last) < 2 || width(last) !== width(first)) return below;
  return `${last.replace(/^#+ +/, "")}\n${below}`;
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
    text = decodeText(readFileSync(onDisk));
  } catch (error) {
    const named = readError(onDisk, { expected: "a table", fix: "Remove it." }, error);
    if (named instanceof DiskError) throw named; // its labels must not be passed over
    return null; // larger than a string may be, or not there
  }
  if (/\.json$/i.test(file)) return jsonTable(file, text, false);
  if (/\.(jsonl|ndjson)$/i.test(file)) return jsonTable(file, text, true);
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

/** @returns Null if it is no JSON, or has no records. */
function jsonTable(file: string, text: string, isByLine: boolean): Table | null {
  try {
    const records = isByLine
      ? lines(text).map((line) => JSON.parse(line) as unknown)
      : recordsIn(JSON.parse(text));
    if (records === null || records.length === 0) return null;
    if (records.every(Array.isArray))
      return { file, columns: null, rows: records.map((row) => row.map(cell)) };
    if (!records.every(isRecord)) return null;
    const columns = [...new Set(records.flatMap((record) => Object.keys(record)))];
    if (columns.length > MAX_COLUMNS) return null;
    return { file, columns, rows: records.map((record) => columns.map((name) => cell(record[name]))) };
  } catch {
    return null;
  }
}

/** Returns the records of a JSON file: a list of objects or lists, alone or in an object, or labels by the names of files. */
function recordsIn(content: unknown): unknown[] | null {
  if (Array.isArray(content)) return content;
  if (!isRecord(content) || isCoco(content)) return null;
  const entries = Object.entries(content);
  const lists = entries.filter(([, value]) => Array.isArray(value) && value.length > 1);
  if (lists.length === 1) return lists[0][1] as unknown[];
  if (entries.every(([, value]) => isRecord(value)))
    return entries.map(([name, value]) => ({ file: name, ...(value as object) }));
  return entries;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCoco(content: Record<string, unknown>): boolean {
  return Array.isArray(content.images) && Array.isArray(content.annotations);
}

/** Files of tables that are not read. */
const UNREAD_FILE =
  /\.(xlsx?|xlsm|ods|numbers|xml|ya?ml|pkl|pickle|npy|npz|mat|h5|hdf5|db|sqlite3?|feather|arrow)$/i;

/** Returns whether a file has the ending of a table that is not read. */
export function isUnreadTable(file: string): boolean {
  return UNREAD_FILE.test(file);
}

/** Returns why a file is not read as a table, and what to do; null if it is one. */
export function whyNoTable(dir: string, file: string): { reason: string; fix: string } | null {
  if (isUnreadTable(file))
    return { reason: `${path.extname(file).toLowerCase()} files are not read`, fix: "Save it as CSV." };
  if (readTable(dir, file) !== null) return null;
  if (!/\.(json|jsonl|ndjson)$/i.test(file)) return null;
  const fix = "Write a CSV with the columns file and label.";
  if (!/\.json$/i.test(file)) return { reason: "a line of it is no JSON object", fix };
  try {
    const content = parseJson(readFileSync(path.join(dir, file)));
    if (isRecord(content) && isCoco(content))
      return { reason: "it has boxes in images, as those of COCO, and not one label for each image", fix };
    return { reason: "it is neither a list of records nor has labels by the names of files", fix };
  } catch (error) {
    return { reason: `it is no JSON (${(error as Error).message})`, fix: "Fix it." };
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
    [";", "\t", "|"].find((mark) => line.split(mark).length === names.length && names.length > 1) ?? ",";
  return Object.assign(names, { delimiter });
}
