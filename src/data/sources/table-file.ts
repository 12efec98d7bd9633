// The rows of a table in a file: CSV, TSV, a list, JSON or JSON Lines.
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { decodeRoughly, decodeText, EncodingError, LINE_BREAK, SAVE_AS_UTF8 } from "../../decode.js";
import { DiskError, InputError } from "../../errors.js";
import { type ReadProblem, readError } from "../../files.js";
import { isPlainObject, parseExactJson, parseJson } from "../../json.js";
import { linesOf } from "../../lines.js";
import { nameOf } from "../../names.js";
import { type Folder, imagesBelow, otherFilesIn } from "./files.js";

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
  /** Set if bytes of the file are not text. Then its cells only tell whether it names images. */
  damage?: InputError;
}

/** Returns the index of the column of a name, or of a number from 1 in a table without a header. */
export function columnAt(header: string[] | null, name: string): number | undefined {
  const index = header ? header.findIndex((one) => nameOf(one.trim()) === nameOf(name)) : Number(name) - 1;
  return Number.isInteger(index) && index >= 0 ? index : undefined;
}

/** Returns how messages name a column. */
export function columnName(header: string[] | null, column: number): string {
  return header?.[column]?.trim() || `column ${column + 1}`;
}

/** Returns the indices of columns by their names with commas between them; null if a name is unknown. */
export function columnsAt(header: string[] | null, names: string): number[] | null {
  const whole = columnAt(header, names);
  if (whole !== undefined) return [whole];
  const columns = names.split(",").flatMap((name) => columnAt(header, name.trim()) ?? []);
  return columns.length === names.split(",").length ? columns : null;
}

/** Splits text into rows of cells: comma, semicolon, tab, bar or blanks between them, quotes around them (RFC 4180). */
export function parseRows(text: string): string[][] {
  const given = withoutComments(text.replace(/^\uFEFF/, ""));
  const content = withoutCount(given);
  const [first, second = ""] = content.split(LINE_BREAK, 2);
  // Below a count, the line with the name of a single attribute has no separator.
  const isOneName = content !== given && !/[\s,;|]/.test(first.trim());
  return rowsIn(content, separatorOf(isOneName ? second : first));
}

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
  if (separator === " ") return lines(content).map((line) => line.split(/\s+/));
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
  let [above, separator, line, first, length, isOpen] = ["", null as Separator | null, 0, 0, 0, false];
  let record: string[] = [];
  for await (const text of linesOf(file, problem, maxLength)) {
    line++;
    if (separator === null && text.startsWith("#")) {
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
    const content = separator === null ? withoutComments(`${above}${joined}`) : joined;
    const isPlain = record.length === 1 && separator !== null && separator !== " " && !text.includes('"');
    record = [];
    if (content.trim() === "") continue;
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
  const numBelow = count === "" ? 0 : lines(text.slice(count.length)).length;
  return numBelow > 1 && [numBelow, numBelow - 1].includes(Number(count)) ? text.slice(count.length) : text;
}

function lines(text: string): string[] {
  return text.split(LINE_BREAK).flatMap((line) => line.trim() || []);
}

/** A table of labels has fewer columns, one-hot classes included. */
const MAX_COLUMNS = 10_000;

/** Reads a table; null if the file is none. */
export function readTable(dir: string, file: string): Table | null {
  let bytes: Buffer;
  const onDisk = path.join(dir, file);
  try {
    if (!statSync(onDisk).isFile()) return null; // a named pipe would wait for its writer
    bytes = readFileSync(onDisk);
  } catch (error) {
    const named = readError(onDisk, { expected: "a table", fix: "Remove it." }, error);
    if (named instanceof DiskError) throw named; // its labels must not be passed over
    return null; // larger than a string may be, or not there
  }
  try {
    return tableIn(file, decodeText(bytes));
  } catch (error) {
    if (!(error instanceof EncodingError)) return null; // longer than a string may be
    const problem = { expected: "a table in UTF-8", where: onDisk, found: error.message, fix: SAVE_AS_UTF8 };
    const rough = tableIn(file, decodeRoughly(bytes));
    return rough && { ...rough, damage: new InputError(problem) };
  }
}

function tableIn(file: string, text: string): Table | null {
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
      ? lines(text).map((line) => parseExactJson(line))
      : recordsIn(parseExactJson(text));
    if (records === null || records.length === 0) return null;
    if (records.every(Array.isArray))
      return { file, columns: null, rows: records.map((row) => row.map(cell)) };
    if (!records.every(isPlainObject)) return null;
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
  if (!isPlainObject(content)) return null;
  if (isCoco(content)) return categoryRecords(content);
  const entries = Object.entries(content);
  const lists = entries.filter(([, value]) => Array.isArray(value) && value.length > 1);
  if (lists.length === 1) return lists[0][1] as unknown[];
  if (entries.every(([, value]) => isPlainObject(value)))
    return entries.map(([name, value]) => ({ file: name, ...(value as object) }));
  return entries;
}

/** JSON as of COCO and iNaturalist: images, and annotations of them with a category each. */
interface Coco {
  images: unknown[];
  annotations: unknown[];
  categories?: unknown;
}

function isCoco(content: Record<string, unknown>): content is Record<string, unknown> & Coco {
  return Array.isArray(content.images) && Array.isArray(content.annotations);
}

/**
 * Returns a record with the name of its category for each image, as iNaturalist has one. Where a category has a folder, its name is the
 * folder's.
 *
 * @returns Null if annotations have boxes, or an image has several categories.
 */
function categoryRecords({ images, annotations, categories }: Coco): unknown[] | null {
  const objects = (list: unknown) => (Array.isArray(list) ? list.filter(isPlainObject) : []);
  const names = new Map(
    objects(categories).map(({ id, name, image_dir_name }) => [cell(id), cell(image_dir_name ?? name)]),
  );
  const labels = new Map<string, string>();
  for (const one of objects(annotations)) {
    const [image, category] = [cell(one.image_id), cell(one.category_id)];
    const isOther = labels.has(image) && labels.get(image) !== category;
    if (hasBoxes(one) || isOther || image === "" || category === "") return null;
    labels.set(image, category);
  }
  return objects(images).map(({ id, file_name }) => {
    const category = labels.get(cell(id)) ?? "";
    return { file: file_name, label: names.get(category) || category };
  });
}

function hasBoxes(annotation: unknown): boolean {
  return isPlainObject(annotation) && ("bbox" in annotation || "segmentation" in annotation);
}

/** Files of tables that are not read. */
const UNREAD_FILE =
  /\.(xlsx?|xlsm|ods|numbers|xml|ya?ml|pkl|pickle|npy|npz|mat|h5|hdf5|db|sqlite3?|feather|arrow)$/i;

/** Returns whether a file has the ending of a table that is not read. */
export function isUnreadTable(file: string): boolean {
  return UNREAD_FILE.test(file);
}

const NO_LABELS = /submission|readme|licen[cs]e|requirements|changelog|citation/i;
/** Names of files that are usual for labels. */
const LABEL_FILE =
  /label|annot|class|categor|emotion|express|target|meta|truth|^gt|train|val|test|split|instances|list|attr|data|image|face|files/i;
/** With more files than this, they are each about an image. */
const MAX_UNREAD = 20;

const JSON_FILE = /\.json$/i;
/** With more JSON files of other names than this, they are no tables of labels. */
const MAX_OTHER_JSON = 5;

function hasLabelName(file: string): boolean {
  return LABEL_FILE.test(path.posix.basename(file));
}

/** Returns whether a file is JSON with another name than is usual for labels. */
export function isOtherJson(file: string): boolean {
  return JSON_FILE.test(file) && !hasLabelName(file);
}

/** Lists the tables, and other files with a usual name for labels. */
export function labelFiles(root: Folder): string[] {
  const unread = otherFilesIn(root).filter((file) => isUnreadTable(file) && hasLabelName(file));
  const tables = tableFiles(root).filter((file) => !isOtherJson(file));
  return [...tables, ...unread.slice(0, MAX_UNREAD)];
}

/** Lists the files that may be tables of labels. JSON must not be about the image of its name. */
export function tableFiles(root: Folder): string[] {
  const stemOf = (file: string) => file.replace(/\.[^./]+$/, "");
  const files = otherFilesIn(root).filter(
    (file) => TABLE_FILE.test(file) && !NO_LABELS.test(path.posix.basename(file)),
  );
  const images = files.some((file) => JSON_FILE.test(file)) ? imagesBelow(root) : [];
  const stems = new Set(images.map(({ file }) => stemOf(file)));
  const names = new Set(images.map(({ file }) => stemOf(path.posix.basename(file))));
  const others = files.filter((file) => isOtherJson(file) && !names.has(stemOf(path.posix.basename(file))));
  return files.filter((file) => {
    if (isOtherJson(file)) return others.length <= MAX_OTHER_JSON && others.includes(file);
    return !JSON_FILE.test(file) || !stems.has(stemOf(file));
  });
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
    if (isPlainObject(content) && isCoco(content)) {
      const { annotations } = content;
      const found = annotations.some(hasBoxes)
        ? "boxes in images, as those of COCO"
        : annotations.length > 0
          ? "several categories for an image"
          : "no annotations";
      return { reason: `it has ${found}, and not one label for each image`, fix };
    }
    return { reason: "it is neither a list of records nor has labels by the names of files", fix };
  } catch (error) {
    return { reason: `it is no JSON (${(error as Error).message})`, fix: "Fix it." };
  }
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
