// Tables as rows of named cells, as HTML and as text.
import type { DataFrame } from "danfojs-node";
import type { DataReport } from "../data/audit/report.js";
import { checkKind, checkList, visible } from "../errors.js";
import type { Network } from "../model/network.js";
import { blockOf, summary } from "../model/parameters.js";
import { counted, formatCount } from "../text.js";
import { EPOCHS, type EpochEvent } from "../training/events.js";
import type { ClassCount } from "./class-balance.js";
import { escapeHtml, type MimeBundle } from "./format.js";

/** What a table has in a row and a column. */
export type Cell = string | number | boolean | null;

/** A row of a table: column name → cell. A cell that is missing is empty. */
export type TableRow = Record<string, Cell | undefined>;

/**
 * Lists what can be wrong with a data set: how often it was found, of how many images or groups of duplicates, and an example.
 *
 * @param report - From `loadDataset`.
 * @example
 * ```ts
 * import { auditTable, loadDataset } from "ferkit";
 *
 * const { report } = await loadDataset({ data: "data/pets", imageSize: 48 });
 * console.table(auditTable(report));
 * ```
 */
export function auditTable(report: DataReport): TableRow[] {
  checkKind("report", "what was found in a data set, dataset.report", report, [
    "numImages",
    "examples",
    "dropped",
  ]);
  const { numImages, unreadable, examples, dropped } = report;
  const all = numImages.train + numImages.validation + dropped.duplicates + dropped.leaked;
  const ofAll = counted(all, "image");
  const ofFiles = counted(all + unreadable.length, "image");
  const ofValidation = counted(numImages.validation + dropped.leaked, "validation image");
  const ofGroups = counted(report.duplicateGroups, "group");
  type Row = [check: string, found: number, of: string, leftOut: number, example: string[] | undefined];
  const rows: Row[] = [
    [
      "unreadable files",
      unreadable.length,
      ofFiles,
      unreadable.length,
      unreadable.map(({ path }) => path).slice(0, 1),
    ],
    ["images twice in a split", report.duplicateImages, ofAll, dropped.duplicates, examples.duplicates[0]],
    [
      "validation images also in train",
      report.leakedImages,
      ofValidation,
      dropped.leaked,
      examples.leaked[0],
    ],
    [
      "groups of duplicates with different classes",
      report.labelConflicts,
      ofGroups,
      0,
      examples.conflicts[0],
    ],
  ];
  return rows.map(([check, found, of, leftOut, example]) => ({
    check,
    found,
    of,
    "left out": leftOut,
    example: example?.join(", ") ?? "",
  }));
}

/**
 * Lists the blocks of a network: the shape of each output, `height × width × channels`, and the number of parameters.
 *
 * @param network - From `createNetwork` or `loadModel`.
 * @example
 * ```ts
 * import { blockTable, loadModel } from "ferkit";
 *
 * const network = await loadModel("runs/pets/best");
 * console.table(blockTable(network));
 * network.dispose();
 * ```
 */
export function blockTable({ architecture, config }: Pick<Network, "architecture" | "config">): TableRow[] {
  const layers = summary(architecture, config.imageSize);
  const blocks = [...new Set(layers.map(({ layer }) => blockOf(layer)))];
  return blocks.map((block) => {
    const own = layers.filter(({ layer }) => blockOf(layer) === block);
    return {
      block,
      output: own[own.length - 1].outputShape.join(" × "),
      parameters: own.reduce((total, { numParameters }) => total + numParameters, 0),
    };
  });
}

/**
 * Lists the epochs of a run: losses in nats, scores in [0, 1].
 *
 * @param events - The epochs of one run, in order.
 * @example
 * ```ts
 * import { epochTable, loadMetrics, ofType } from "ferkit";
 *
 * console.table(epochTable(ofType(await loadMetrics("runs/pets"), "epoch")));
 * ```
 */
export function epochTable(events: EpochEvent[]): TableRow[] {
  checkList("events", EPOCHS, events, ["epoch", "validation"]);
  const targets = events[0]?.trainTargets;
  const trainLoss = targets ? `train loss (against ${targets})` : "train loss";
  return events.map(({ epoch, train, validation, learningRate, imagesPerSecond, durationMs, isBest }) => ({
    epoch,
    [trainLoss]: train.loss,
    "train accuracy": train.accuracy,
    "validation loss": validation.loss,
    "validation accuracy": validation.accuracy,
    "macro-F1": validation.macroF1,
    "learning rate": learningRate,
    "images/s": imagesPerSecond,
    seconds: durationMs / 1000,
    "best so far": isBest ? "✓" : "",
  }));
}

/**
 * Lists the classes: the number of images in each split, and the share of the first split, [0, 1].
 *
 * @param report - From `loadDataset`.
 * @example
 * ```ts
 * import { classTable, loadDataset } from "ferkit";
 *
 * const { report } = await loadDataset({ data: "data/pets", imageSize: 48 });
 * console.table(classTable(report));
 * ```
 */
export function classTable(report: { classCounts: ClassCount[] }): TableRow[] {
  checkKind("report", "what was found in a data set, dataset.report", report, ["classCounts"]);
  const { classCounts } = report;
  const splits = [...new Set(classCounts.map(({ split }) => split))];
  const classNames = [...new Set(classCounts.map(({ className }) => className))];
  const countOf = (className: string, split: string) =>
    classCounts.find((one) => one.className === className && one.split === split)?.count ?? 0;
  const first = splits[0] ?? "train";
  const total = classNames.reduce((sum, className) => sum + countOf(className, first), 0);
  return classNames.map((className) => ({
    class: className,
    ...Object.fromEntries(splits.map((split) => [split, countOf(className, split)])),
    [`share of ${first}`]: total ? countOf(className, first) / total : 0,
  }));
}

/** Renders rows or a data frame for a notebook: HTML in the front end's style, and aligned text. */
export function tableBundle(table: TableRow[] | DataFrame): MimeBundle {
  const { columns, rows } = cellsOf(table);
  const isNumeric = columns.map(
    (_, c) =>
      rows.some((row) => typeof row[c] === "number") && rows.every((row) => typeof row[c] !== "string"),
  );
  const texts = rows.map((row) => row.map(formatCell));
  return {
    "text/html": tableHtml(columns, texts, isNumeric),
    "text/plain": textTable({ heading: columns, rows: texts, isNumeric }),
  };
}

function cellsOf(table: TableRow[] | DataFrame): { columns: string[]; rows: Cell[][] } {
  if (!Array.isArray(table)) {
    const rows = table.shape[0] ? (table.values as Cell[][]) : [];
    if (!table.index.some((name) => typeof name === "string")) return { columns: table.columns, rows };
    return { columns: ["", ...table.columns], rows: rows.map((row, i) => [table.index[i], ...row]) };
  }
  const columns = [...new Set(table.flatMap((row) => Object.keys(row)))];
  return { columns, rows: table.map((row) => columns.map((name) => row[name] ?? null)) };
}

/** Writes whole numbers in full, others with four significant digits. */
function formatCell(cell: Cell): string {
  if (typeof cell !== "number") return cell === null ? "–" : String(cell);
  if (Number.isInteger(cell)) return formatCount(cell);
  if (Math.abs(cell) >= 1000) return formatCount(Math.round(cell));
  return Math.abs(cell) < 1e-4 ? cell.toExponential(2) : cell.toPrecision(4);
}

function tableHtml(columns: string[], rows: string[][], isNumeric: boolean[]): string {
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

/** A heading and rows with a cell per column. */
export interface TextTable {
  heading: string[];
  rows: string[][];
  /** Columns to align on the right. Default: none. */
  isNumeric?: boolean[];
}

/** Writes columns side by side, two spaces apart. */
export function textTable({ heading, rows, isNumeric = [] }: TextTable): string {
  const all = [heading, ...rows].map((row) => row.map((cell) => visible(cell)));
  const widths = heading.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const align = (cell: string, column: number) =>
    isNumeric[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column]);
  return all.map((row) => row.map(align).join("  ").trimEnd()).join("\n");
}
