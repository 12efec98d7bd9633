// Which columns of a table hold the labels.
import { InputError } from "../../../errors.js";
import { areOneToOne, inShort } from "../../../names.js";
import type { AnyText } from "../../../text.js";
import {
  flagPart,
  isFolderName,
  isGroupName,
  isIndexName,
  isLabelName,
  isLabelNumberName,
  isSplitName,
  isVagueLabelName,
  mayBeSplitName,
  pathRank,
} from "./column-names.js";
import type { SplitColumns } from "./split-columns.js";
import {
  columnAt,
  columnName,
  columnsAt,
  columnsIn,
  filledIn,
  flagOf,
  isFilled,
  type NamedTable,
  type Table,
  valuesIn,
} from "./table.js";

/** Which columns of a table to read. */
export interface LabelChoice {
  /** Name of the column of labels, or names with commas between them for columns of 0 and 1; required if several may be meant. */
  labelColumn?: string;
  /** Name of the column that names the images; required if several may be meant. */
  pathColumn?: string;
  /**
   * Name of the column with the part of the split, or names with commas between them for columns of 0 and 1; `none` reads no column as
   * the split. Default: what the columns' names and values show.
   */
  splitColumn?: "none" | AnyText;
  /**
   * What tells which images are held out together: a column of the table, such as `patient_id`, or a regular expression for an image's
   * path, whose group captures the same text for them. Near-duplicates are held out together in any case.
   */
  group?: string;
}

/** Tables of this name, which Roboflow writes, have one column of 0 and 1 for each class. */
const CLASS_TABLE = /(^|\/)_classes\.csv$/i;

/** Columns of the labels: one column with names, or one for each class with 0 and 1. */
export interface LabelColumns {
  columns: number[];
  isOneHot: boolean;
}

/**
 * Blanks the names of columns that repeat the name and the values of another one, so that only the first is read.
 *
 * @param names - Names of columns to read. Others may be of several columns with different values.
 * @throws InputError if several columns of one of these names have different values.
 */
export function withoutRepeats<Named extends NamedTable>(table: Named, names: string[]): Named {
  const { columns, rows, where, pathColumn } = table;
  if (columns === null) return table;
  const firstOf = (column: number) => columns.indexOf(columns[column]);
  const header = columns.map((name, column) => {
    const first = firstOf(column);
    if (first === column || name === "") return name;
    const differing = rows.find((row) => (row[first] ?? "") !== (row[column] ?? ""));
    if (differing === undefined) return "";
    if (!names.includes(name) && !isLabelName(name) && !isSplitName(name)) return name;
    throw new InputError({
      expected: `one column ${name}`,
      where,
      found: `columns ${first + 1} and ${column + 1} of that name, with ${differing[first] || "nothing"} and ${differing[column] || "nothing"} for ${differing[pathColumn]}`,
      fix: "Rename or remove one of them.",
    });
  });
  return { ...table, columns: header };
}

/** Returns the columns with values that are neither the images' nor the rows' numbers. */
export function columnsBeside(table: NamedTable): number[] {
  const isIndex = (column: number) => table.columns !== null && isIndexName(table.columns[column] ?? "");
  return columnsIn(table).filter(
    (column) => column !== table.pathColumn && isFilled(table, column) && !isIndex(column),
  );
}

function isBinary(table: Table, column: number): boolean {
  return table.rows.every((row) => flagOf(row[column] ?? "") !== undefined);
}

/** Returns which of some columns of 0 and 1 have a 1 in a row. */
function setColumns(row: string[], columns: number[]): number[] {
  return columns.filter((column) => flagOf(row[column] ?? ""));
}

/** If this share of the rows has a single 1, but not all have, it is not clear whether columns of 0 and 1 are classes. */
const MOSTLY = 0.8;

/**
 * Returns the columns of a one-hot table: one for each class, of 0 and 1, with a single 1 in each row. A class may have the usual
 * name of a column of labels or of the split: `y` beside `w`, `x` and `z`.
 *
 * @returns Null if the table has no such columns.
 * @throws InputError if they may as well be a column of labels and others.
 */
export function oneHotColumns(table: NamedTable, { labelColumn }: LabelChoice): number[] | null {
  const { columns: header, rows, file, where } = table;
  const others = columnsBeside(table);
  if (labelColumn !== undefined) {
    const chosen = columnsAt(header, labelColumn);
    return chosen !== null && chosen.length > 1 ? chosen : null;
  }
  const binary = others.filter((column) => isBinary(table, column));
  if (CLASS_TABLE.test(file)) return binary.length === others.length && binary.length > 0 ? binary : null;
  const nameOf = (column: number) => header?.[column] ?? "";
  const isNamed = (column: number) => isLabelName(nameOf(column));
  const isPart = (column: number) => isSplitName(nameOf(column));
  const special = binary.filter((column) => isNamed(column) || isPart(column));
  if (special.length === 0) return null; // `labelColumns` decides
  const rest = others.filter((column) => !binary.includes(column) && !isPart(column));
  if (rest.some(isNamed)) return null;
  const share = (columns: number[]) =>
    rows.filter((row) => setColumns(row, columns).length === 1).length / rows.length;
  const choices = [binary, binary.filter((column) => flagPart(nameOf(column)) === null)];
  const fits = choices.find((columns) => columns.length > 1 && share(columns) === 1);
  const mayFit = choices.find((columns) => columns.length > 2 && share(columns) >= MOSTLY);
  const isClear = fits !== undefined && rest.length === 0 && !(fits.length === 2 && fits.some(isPart));
  if (isClear) return fits;
  const unclear = fits ?? mayFit;
  if (!unclear?.some((column) => special.includes(column))) return null;
  const names = unclear.map((column) => columnName(header, column));
  throw new InputError({
    expected: "one meaning of the columns of 0 and 1",
    where,
    found: `${names.join(", ")}, with a single 1 in ${fits ? "each row" : "most rows"}, of which ${columnName(header, special[0])} is also the usual name of another column`,
    fix: `Choose --label-column ${names.join(",")} if each is a class, or --label-column NAME for one column of labels.`,
  });
}

/**
 * Returns the columns of the labels.
 *
 * @param notes - Gets a sentence if others may have been meant.
 * @returns Null if the table has no labels.
 * @throws InputError if several columns may be meant.
 */
export function labelColumns(
  table: NamedTable,
  split: SplitColumns | null,
  { labelColumn, group }: LabelChoice,
  notes: string[],
): LabelColumns | null {
  const { columns: header, where } = table;
  const groupColumn = header && group !== undefined ? columnAt(header, group) : undefined;
  const others = columnsBeside(table).filter(
    (column) => column !== groupColumn && !split?.columns.includes(column) && !split?.alike.includes(column),
  );
  if (labelColumn === undefined) {
    if (others.length === 0) return null;
    const likely = likelyColumns(table, others, notes);
    if (likely) return likely;
  } else {
    const wanted = columnAt(header, labelColumn);
    if (wanted !== undefined && others.includes(wanted)) return { columns: [wanted], isOneHot: false };
  }
  throw new InputError({
    expected: labelColumn === undefined ? "one column of labels" : `the column ${labelColumn}`,
    where,
    found: others.map((column) => columnName(header, column)).join(", "),
    fix: "Choose one with --label-column NAME.",
  });
}

/** Returns the one column with a usual name of labels, columns of 0 and 1 for the classes, or the only column; null if it is not clear. */
function likelyColumns(table: Table, others: number[], notes: string[]): LabelColumns | null {
  const { columns: header, rows, where } = table;
  const named = (isName: (name: string) => boolean) =>
    others.filter((column) => header && isName(header[column]));
  const labels = named(isLabelName);
  const [column, ...rivals] = withoutCodes(table, labels.length > 0 ? labels : named(isLabelNumberName));
  if (column !== undefined && rivals.length === 0 && !isDoubtful(table, column, others)) {
    notes.push(...labelColumnNote(table, column, columnName(header, column), others));
    return { columns: [column], isOneHot: false };
  }
  const [only] = others;
  if (others.length > 1) {
    if (!others.every((one) => isBinary(table, one))) return null;
    refuseAttributes(table, others);
    return { columns: others, isOneHot: true };
  }
  if (isNumbering(valuesIn(table, only)))
    throw new InputError({
      expected: "a label for each image",
      where,
      found: `only a number for each, ${rows[0][only]} to ${rows.at(-1)?.[only]}`,
      fix: "Write a table with the name and the label of each image: another file may have the labels by these numbers.",
    });
  return { columns: [only], isOneHot: false };
}

/** Whether values count the rows, as in CUB-200's list of images: `1 001.Albatross/1.jpg`. */
function isNumbering(values: string[]): boolean {
  return values.length > 2 && values.every((value, i) => value === String(Number(values[0]) + i));
}

/** Refuses columns of 0 and 1 with several 1s in many rows, which say several things about an image. */
function refuseAttributes({ columns: header, rows, where }: Table, columns: number[]): void {
  const counts = rows.map((row) => setColumns(row, columns).length);
  const [numLabelled, numSeveral] = [1, 2].map((min) => counts.filter((count) => count >= min).length);
  if (numLabelled - numSeveral >= MOSTLY * numLabelled) return;
  const names = columns.map((column) => columnName(header, column));
  throw new InputError({
    expected: "one label for each image",
    where,
    found: `several 1s in ${numSeveral} of ${rows.length} rows, in the columns ${inShort(names)}`,
    fix: `Choose one of them with --label-column NAME, for classes 0 and 1, or all with --label-column ${names.join(",")} to leave these rows out.`,
  });
}

/** Whether a column with a vague name of labels is beside another one with words for classes. */
function isDoubtful(table: Table, label: number, others: number[]): boolean {
  if (!isVagueLabelName(table.columns?.[label] ?? "")) return false;
  const hasWords = (column: number) => filledIn(table, column).some((value) => !/^[\d.+-]*$/.test(value));
  return others.some((column) => mayBeLabels(table, column, label) && hasWords(column));
}

/** Returns a column of words alone if the others only number its values, as `label` does beside `class_name`. */
function withoutCodes(table: Table, columns: number[]): number[] {
  const isCode = (column: number) => filledIn(table, column).every((value) => /^[\d.-]*$/.test(value));
  const [words, ...others] = columns.filter((column) => !isCode(column));
  const isAlone = words !== undefined && others.length === 0;
  return isAlone && columns.every((column) => column === words || areRenamed(table, column, words))
    ? [words]
    : columns;
}

/** Whether two columns have one value for each value of the other. */
function areRenamed({ rows }: Table, a: number, b: number): boolean {
  return areOneToOne(rows.flatMap((row) => (row[a] ? [[row[a], row[b] ?? ""] as const] : [])));
}

/** Whether a column may hold labels that are not those of another one: few values, in many rows each. */
function mayBeLabels(table: Table, column: number, label: number): boolean {
  const name = table.columns?.[column]?.trim() ?? "";
  const isOther = isFolderName(name) || isGroupName(name) || isSplitName(name) || mayBeSplitName(name);
  if (column === label || isOther || (!isLabelName(name) && pathRank(name) !== 1)) return false;
  const filled = filledIn(table, column);
  const numValues = new Set(filled).size;
  if (numValues < 2 || numValues * 2 > filled.length || filled.length * 2 < table.rows.length) return false;
  return !areRenamed(table, column, label); // other names of the labels
}

/**
 * Says which column has the labels, if others may have them too.
 *
 * @param label - The column, and its name.
 * @param others - Columns that are neither the images' nor the split's.
 */
export function labelColumnNote(table: Table, label: number, name: string, others: number[]): string[] {
  const rivals = others.filter((column) => mayBeLabels(table, column, label));
  if (table.columns === null || rivals.length === 0) return [];
  const names = rivals.map((column) => columnName(table.columns, column));
  return [
    `The labels of ${table.file} are those of the column ${name}, not of ${inShort(names)} (--label-column NAME takes another).`,
  ];
}

/** Returns the label of a row: null if there is none, undefined if there are several. */
export function labelIn(
  row: string[],
  { labels: { columns, isOneHot }, columns: header }: { labels: LabelColumns; columns: string[] | null },
): string | null | undefined {
  if (!isOneHot) return row[columns[0]] || null;
  const set = setColumns(row, columns);
  return set.length > 1 ? undefined : set.length === 0 ? null : (header?.[set[0]] ?? String(set[0]));
}
