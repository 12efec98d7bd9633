import type { DataFrame } from "danfojs-node";
import { escapeHtml } from "./html.js";
import type { MimeBundle } from "./mime.js";
import { toText } from "./text-table.js";

/** What stands in a table. */
export type Cell = string | number | boolean | null;

/** A table for a notebook: HTML in the front end's own style, and aligned text. */
export function tableBundle(table: DataFrame): MimeBundle {
  const { columns } = table;
  const rows = table.shape[0] ? (table.values as Cell[][]) : [];
  const isNumeric = columns.map(
    (_, c) =>
      rows.some((row) => typeof row[c] === "number") && rows.every((row) => typeof row[c] !== "string"),
  );
  const texts = rows.map((row) => row.map(formatCell));
  return {
    "text/html": html(columns, texts, isNumeric),
    "text/plain": toText({ heading: columns, rows: texts, isNumeric }),
  };
}

/** Whole numbers as they are, others with four significant digits. */
function formatCell(cell: Cell): string {
  if (typeof cell !== "number") return cell === null ? "–" : String(cell);
  if (Number.isInteger(cell)) return cell.toLocaleString("en-US");
  if (Math.abs(cell) >= 1000) return Math.round(cell).toLocaleString("en-US");
  return Math.abs(cell) < 1e-4 ? cell.toExponential(2) : cell.toPrecision(4);
}

function html(columns: string[], rows: string[][], isNumeric: boolean[]): string {
  const cell = (tag: string, text: string, c: number) =>
    `<${tag} style="text-align: ${isNumeric[c] ? "right" : "left"}">${escapeHtml(text)}</${tag}>`;
  const line = (tag: string, texts: string[]) =>
    `<tr>${texts.map((text, c) => cell(tag, text, c)).join("")}</tr>`;
  return [
    '<table class="dataframe">',
    `<thead>${line("th", columns)}</thead>`,
    `<tbody>${rows.map((row) => line("td", row)).join("\n")}</tbody>`,
    "</table>",
  ].join("\n");
}
