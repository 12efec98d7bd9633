/** A heading and rows of as many cells. */
export interface TextTable {
  heading: string[];
  rows: string[][];
  /** Columns whose cells stand to the right; all stand to the left unless told. */
  isNumeric?: boolean[];
}

/** Columns side by side, two spaces apart. */
export function toText({ heading, rows, isNumeric = [] }: TextTable): string {
  const all = [heading, ...rows];
  const widths = heading.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const align = (cell: string, column: number) =>
    isNumeric[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column]);
  return all.map((row) => row.map(align).join("  ").trimEnd()).join("\n");
}
