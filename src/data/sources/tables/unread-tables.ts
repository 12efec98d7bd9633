// Files that may have labels but are not read, and why.
import { readFileSync } from "node:fs";
import path from "node:path";
import { tally } from "../../../collections.js";
import { InputError } from "../../../errors.js";
import { isPlainObject, parseJson } from "../../../json.js";
import { inShort } from "../../../names.js";
import { areDoubtful, isWhole } from "../folders/folder-names.js";
import { CLASS_FOLDERS, classesOf, type Listing, withNote } from "../listing.js";
import { pathRank } from "./column-names.js";
import type { ImageIndex } from "./image-index.js";
import { columnsBeside } from "./label-columns.js";
import { isOfNames, type Reason, type Tables } from "./matched-tables.js";
import { columnName, columnsIn, filledIn, type Table, valuesIn } from "./table.js";
import { hasBoxes, isCoco, isUnreadTable } from "./table-file.js";

/**
 * Says which files beside class folders may have labels and are not read.
 *
 * @throws InputError if the folders look like pieces of a data set, or there is only one, so that these files may have its labels.
 */
export function withUnread(listing: Listing, dir: string, tables: Tables): Listing {
  if (listing.labels !== CLASS_FOLDERS) return listing;
  const classNames = classesOf(listing.samples);
  const unread = unreadTables(dir, tables, classNames);
  const [first] = unread;
  const isLabelFile =
    first && isUnreadTable(first.file) && (classNames.length === 1 || classNames.every(isWhole));
  if (first && (isLabelFile || areDoubtful(classNames)))
    throw new InputError({
      expected: "class folders, or a table that names images",
      where: dir,
      found: `the folders ${inShort(classNames)}, and ${first.found}`,
      fix: `${first.fix} Or choose --labels folders if these are the classes.`,
    });
  if (!first) return listing;
  const others = inShort(unread.slice(1).map(({ file }) => file));
  const note = `Images are labelled by their folders, not by ${first.found}${others && `; nor by ${others}`}.`;
  return withNote(listing, note);
}

/** A file that may have labels but is not read. */
export interface Unread {
  file: string;
  /** Begins with the file's name: "labels.csv, whose column id names none of them: …". */
  found: string;
  fix: string;
}

/**
 * Returns why files that may have labels are not read: they name no image here, or are no tables.
 *
 * @param classNames - A table of these is no table of images.
 */
export function unreadTables(dir: string, { others, index }: Tables, classNames: string[] = []): Unread[] {
  return others.flatMap(({ file, table, why }): Unread[] => {
    const reason = why ?? (table ? null : whyNoTable(dir, file));
    const notRead = ({ reason, fix }: Reason) => [
      { file, found: `${file}, which is not read, since ${reason}`, fix },
    ];
    if (reason) return notRead(reason);
    if (!table || isOfClasses(table, classNames) || isOfNames(table)) return [];
    const found = explainUnmatched(table, index);
    const { found: damage, fix = "" } = table.damage?.problem ?? {};
    if (found && damage) return notRead({ reason: `it has ${damage}`, fix });
    const fixNames = "Fix the names in the table, or choose its column of names with --path-column.";
    return found ? [{ file, found, fix: fixNames }] : [];
  });
}

/** Returns the tables that name images, but have no column that was read as their labels. */
export function tablesWithoutLabels({ useful }: Tables): Unread[] {
  return useful.map((table) => {
    const { file, columns } = table;
    const names = inShort(columnsBeside(table).map((column) => columnName(columns, column)));
    return {
      file,
      found: `${file}, which names images, without a known column of labels beside ${names}`,
      fix: "If one of its columns has the labels, choose it with --label-column NAME.",
    };
  });
}

/** Whether a table lists the classes, each once, as `labels.txt` with `0 cat` and `1 dog`. */
function isOfClasses({ columns, rows }: Table, classNames: string[]): boolean {
  const all = columns === null ? rows : [columns, ...rows];
  return columnsIn({ columns: null, rows: all }).some((column) => {
    const values = valuesIn({ rows: all }, column);
    const counts = tally(values.flatMap((value) => [...new Set([value, value.split(" ", 1)[0]])]));
    return classNames.length > 0 && classNames.every((name) => counts.get(name) === 1);
  });
}

/** Returns why a file that is no table is none, and what to do; null if it is ordinary text. */
export function whyNoTable(dir: string, file: string): Reason | null {
  if (isUnreadTable(file))
    return {
      reason: `${path.extname(file).toLowerCase()} files are not read${/\.parquet$/i.test(file) ? " beside images" : ""}`,
      fix: "Save it as CSV.",
    };
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

/** Returns why a table that names no image may have been meant to: `a.csv, whose column id names none of them: 1, …`. */
function explainUnmatched(table: Table, index: ImageIndex): string | null {
  const { file, columns } = table;
  const [header, ...below] = columns === null ? table.rows : [columns, ...table.rows];
  const isProse = /\.txt$/i.test(file) && table.rows.some(({ length }) => length !== header.length);
  const ranks = header.map((name) => pathRank(name.trim()));
  const column = ranks.indexOf(Math.max(...ranks));
  const [value] = filledIn({ rows: below }, column);
  if (isProse || value === undefined || index.files.length === 0) return null;
  const plain = (name: string) => path.posix.basename(name).replace(/^0+(?=\d)|\.[^.]*$/g, "");
  const like = index.files.find((one) => plain(one) === plain(value)) ?? index.files[0];
  const isRepeated = below.some((row) => row[column] === header[column]);
  const isNamed = columns !== null || (ranks[column] > 1 && !isRepeated);
  const names = isNamed ? `column ${columnName(header, column)} names` : "rows name";
  const find = index.finder(path.posix.dirname(file));
  const numFound = valuesIn({ rows: below }, column).filter((one) => find(one) !== null).length;
  if (numFound > 0) return `${file}, whose ${names} images in ${numFound} of ${below.length} rows`;
  return `${file}, whose ${names} none of them: ${value}, beside images such as ${like}`;
}
