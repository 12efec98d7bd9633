// Tables in files: CSV, TSV, a list, JSON or JSON Lines.
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { decodeRoughly, decodeText, EncodingError, SAVE_AS_UTF8 } from "../../../decode.js";
import { DiskError, InputError } from "../../../errors.js";
import { readError } from "../../../files.js";
import { isPlainObject, parseExactJson } from "../../../json.js";
import { type Folder, imagesBelow, otherFilesIn } from "../files.js";
import { type Part, partsOf } from "../split-names.js";
import { filledLines, parseRows } from "./csv.js";
import { columnsIn, type Table } from "./table.js";

/** Names of files that may be tables. */
export const TABLE_FILE = /\.(csv|tsv|json|jsonl|ndjson|txt|lst|list)$/i;

/** With more tables than this, they are notes on single images. */
export const MAX_TABLES = 20;

const JSON_FILE = /\.json$/i;
/** A table of labels has fewer columns, one-hot classes included. */
const MAX_COLUMNS = 10_000;

/** Reads a table, or a list of names; null if the file is none. */
export function readTable(dir: string, file: string): Table | null {
  let bytes: Buffer;
  const onDisk = path.join(dir, file);
  if (isUnreadTable(file)) return null;
  try {
    if (!statSync(onDisk).isFile()) return null; // a named pipe would wait for its writer
    bytes = readFileSync(onDisk);
  } catch (error) {
    const named = readError(onDisk, { expected: "a table", fix: "Remove it." }, error);
    if (named instanceof DiskError) throw named; // its labels must not be passed over
    return null; // larger than a string may be, or not there
  }
  try {
    return tableIn(file, onDisk, decodeText(bytes));
  } catch (error) {
    if (!(error instanceof EncodingError)) return null; // longer than a string may be
    const problem = { expected: "a table in UTF-8", where: onDisk, found: error.message, fix: SAVE_AS_UTF8 };
    const rough = tableIn(file, onDisk, decodeRoughly(bytes));
    return rough && { ...rough, damage: new InputError(problem) };
  }
}

function tableIn(file: string, where: string, text: string): Table | null {
  const isJson = /\.(json|jsonl|ndjson)$/i.test(file);
  const content = isJson ? jsonRows(text, !JSON_FILE.test(file)) : csvRows(text);
  return content && { file, where, ...content };
}

type Content = Pick<Table, "columns" | "rows">;

function csvRows(text: string): Content | null {
  const content = { columns: null, rows: parseRows(text) };
  const width = columnsIn(content).length;
  return width > 0 && width <= MAX_COLUMNS ? content : null;
}

/** Writes a value as a cell: a list of one as what is in it, and other lists and objects in JSON. */
function cell(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value) && value.length < 2) return cell(value[0]);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** @returns Null if it is no JSON, or has no records. */
function jsonRows(text: string, isByLine: boolean): Content | null {
  try {
    const records = isByLine
      ? filledLines(text).map((line) => parseExactJson(line))
      : recordsIn(parseExactJson(text));
    if (records === null || records.length === 0) return null;
    if (records.every(Array.isArray)) return { columns: null, rows: records.map((row) => row.map(cell)) };
    if (!records.every(isPlainObject)) return null;
    const columns = [...new Set(records.flatMap((record) => Object.keys(record)))];
    if (columns.length > MAX_COLUMNS) return null;
    return { columns, rows: records.map((record) => columns.map((name) => cell(record[name]))) };
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

export function isCoco(content: Record<string, unknown>): content is Record<string, unknown> & Coco {
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

export function hasBoxes(annotation: unknown): boolean {
  return isPlainObject(annotation) && ("bbox" in annotation || "segmentation" in annotation);
}

/** Files of tables that are not read. */
const UNREAD_FILE =
  /\.(xlsx?|xlsm|ods|numbers|xml|ya?ml|pkl|pickle|npy|npz|mat|h5|hdf5|db|sqlite3?|feather|arrow|parquet)$/i;

/** Returns whether a file has the ending of a table that is not read. */
export function isUnreadTable(file: string): boolean {
  return UNREAD_FILE.test(file);
}

/** Words in the names of tables that do not change which part they are for. */
const TABLE_WORDS = /labels?|annotations?|list|metadata|meta|info|classes/gi;

/** Returns the part of a split that each table is for, by its folder or name: `train/_classes.csv`, `test_labels.csv`. */
export function partsOfTables(files: readonly string[]): (Part | null)[] {
  const steps = files.map((file) =>
    file
      .replace(/\.[^./]+$/, "")
      .replace(TABLE_WORDS, "")
      .split("/"),
  );
  const parts = partsOf(steps.flat());
  return steps.map((some) => some.map((step) => parts.get(step)).find(Boolean) ?? null);
}

const NO_LABELS = /submission|readme|licen[cs]e|requirements|changelog|citation/i;
/** Names of files that are usual for labels. */
const LABEL_FILE =
  /label|annot|class|categor|emotion|express|target|meta|truth|^gt|train|val|test|split|instances|list|attr|data|image|face|files/i;
/** With more files than this, they are each about an image. */
const MAX_UNREAD = 20;

/** With more JSON files of other names than this, they are no tables of labels. */
const MAX_OTHER_JSON = 5;

function hasLabelName(file: string): boolean {
  return LABEL_FILE.test(path.posix.basename(file));
}

/** Returns whether a file is JSON with another name than is usual for labels. */
export function isOtherJson(file: string): boolean {
  return JSON_FILE.test(file) && !hasLabelName(file);
}

/** Lists the files with a usual name for labels that are tables of kinds that are not read. */
export function unreadLabelFiles(root: Folder): string[] {
  const unread = otherFilesIn(root).filter((file) => isUnreadTable(file) && hasLabelName(file));
  return unread.slice(0, MAX_UNREAD);
}

/** Lists the files that may be tables of labels. JSON must not be about the image of its name. */
export function tableFiles(root: Folder): string[] {
  const stemOf = (file: string) => file.replace(/\.[^./]+$/, "");
  const files = otherFilesIn(root).filter(
    (file) => TABLE_FILE.test(file) && !NO_LABELS.test(path.posix.basename(file)),
  );
  const images = files.some((file) => JSON_FILE.test(file)) ? imagesBelow(root) : [];
  const stems = new Set(images.map(stemOf));
  const names = new Set(images.map((file) => stemOf(path.posix.basename(file))));
  const others = files.filter((file) => isOtherJson(file) && !names.has(stemOf(path.posix.basename(file))));
  return files.filter((file) => {
    if (isOtherJson(file)) return others.length <= MAX_OTHER_JSON && others.includes(file);
    return !JSON_FILE.test(file) || !stems.has(stemOf(file));
  });
}
