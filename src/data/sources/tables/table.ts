// A table of text: its columns, by name or number, and its values.
import type { InputError } from "../../../errors.js";
import { nameOf } from "../../../names.js";

export interface Table {
  /** Relative to the data set's folder; names the table in notes. */
  file: string;
  /** Path on disk; names the table in errors. */
  where: string;
  /** Null if the table has no header. */
  columns: string[] | null;
  rows: string[][];
  /** Set if bytes of the file are not text. Then its cells only tell whether it names images. */
  damage?: InputError;
}

/** A table with a column that names its rows, which is their image in most. */
export interface NamedTable extends Table {
  pathColumn: number;
}

export function columnsIn({ columns, rows }: Pick<Table, "columns" | "rows">): number[] {
  const width = columns?.length ?? rows.reduce((most, row) => Math.max(most, row.length), 0);
  return Array.from({ length: width }, (_, column) => column);
}

/** Returns the value of a column in each row; empty if a row is too short. */
export function valuesIn({ rows }: Pick<Table, "rows">, column: number): string[] {
  return rows.map((row) => row[column] ?? "");
}

/** Returns the values of a column that are not empty. */
export function filledIn({ rows }: Pick<Table, "rows">, column: number): string[] {
  return rows.flatMap((row) => row[column] || []);
}

export function isFilled({ rows }: Pick<Table, "rows">, column: number): boolean {
  return rows.some((row) => row[column]);
}

/** Returns the index of the column of a name, or of a number from 1 in a table without a header. */
export function columnAt(header: string[] | null, name: string): number | undefined {
  const index = header ? header.findIndex((one) => nameOf(one.trim()) === nameOf(name)) : Number(name) - 1;
  return Number.isInteger(index) && index >= 0 ? index : undefined;
}

/** Returns the indices of columns by their names with commas between them; null if a name is unknown. */
export function columnsAt(header: string[] | null, names: string): number[] | null {
  const whole = columnAt(header, names);
  if (whole !== undefined) return [whole];
  const columns = names.split(",").flatMap((name) => columnAt(header, name.trim()) ?? []);
  return columns.length === names.split(",").length ? columns : null;
}

/** Returns how messages name a column: "split", "column 2". */
export function columnName(header: string[] | null, column: number): string {
  return header?.[column]?.trim() || `column ${column + 1}`;
}

/** Names a column inside a sentence: "the column split", "column 2". */
export function columnInWords(header: string[] | null, column: number): string {
  return `${header?.[column]?.trim() ? "the column " : ""}${columnName(header, column)}`;
}

/** Returns what a value of 0 or 1, or of true or false, says; undefined if it is another value. */
export function flagOf(value: string): boolean | undefined {
  if (/^(true|1(\.0+)?)$/i.test(value)) return true;
  return /^(false|0(\.0+)?)$/i.test(value) ? false : undefined;
}
