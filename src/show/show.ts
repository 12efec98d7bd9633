import { randomBytes } from "node:crypto";
import type { DataFrame } from "danfojs-node";
import type { MimeBundle } from "../charts/format.js";
import { chartBundle } from "../charts/render.js";
import { type TableRow, tableBundle } from "../charts/tables.js";
import type { ChartSpec } from "../charts/theme.js";
import { tf } from "../engine/tf.js";
import { InputError } from "../errors.js";
import { kernelHooks } from "./kernel.js";

/** What a notebook can show: a chart or its pages, a table, images, an output in several forms. */
export type Showable = ChartSpec | ChartSpec[] | DataFrame | TableRow[] | TableRow | MimeBundle;

/** Pages of a chart that are shown; more would make a notebook slow. */
const MAX_PAGES = 10;

/**
 * Shows a chart or a table below the running cell. Outside a notebook it does nothing.
 *
 * @throws InputError for a value that is neither.
 */
export async function show(value: Showable | Promise<Showable>): Promise<void> {
  const shown = await value;
  if (!isPages(shown)) return showOne(shown);
  for (const page of shown.slice(0, MAX_PAGES)) await showOne(page);
  if (shown.length > MAX_PAGES)
    await showOne({
      "text/plain": `${MAX_PAGES} of ${shown.length} pages; saveChart writes all of them to files`,
    });
}

async function showOne(value: Showable): Promise<void> {
  const { display } = kernelHooks();
  const bundle = await toBundle(value);
  if (!bundle)
    throw new InputError({
      expected: "a chart, rows of a table, a data frame or a MIME bundle to show",
      found: describe(value),
    });
  display?.(bundle, randomBytes(8).toString("hex"), false);
}

/** Shows an output, and returns a function that puts another one in its place. */
export function showLive(bundle: MimeBundle): (next: MimeBundle) => void {
  const displayId = randomBytes(8).toString("hex");
  const { display } = kernelHooks();
  display?.(bundle, displayId, false);
  return (next) => display?.(next, displayId, true);
}

/** Renders a value in the forms that a notebook shows; undefined for a value that is not a chart or a table. */
export async function toBundle(value: unknown): Promise<MimeBundle | undefined> {
  if (typeof value !== "object" || value === null) return undefined;
  if (isDataFrame(value)) return tableBundle(value);
  if (isPages(value)) return value.length === 1 ? chartBundle(value[0]) : undefined;
  if (Array.isArray(value)) return value.length && value.every(isRow) ? tableBundle(value) : undefined;
  if (isChart(value)) return chartBundle(value);
  if (Object.keys(value).some((key) => /^\w+\/[\w.+-]+$/.test(key))) return value as MimeBundle;
  return isRow(value) ? tableBundle([value]) : undefined;
}

// The kernel shows the last expression of a cell in the same forms.
const hooks = kernelHooks();
hooks.toBundle = toBundle;

function isChart(value: unknown): value is ChartSpec {
  if (typeof value !== "object" || value === null || !("$schema" in value)) return false;
  return /vega-lite/.test(String(value.$schema));
}

function isPages(value: unknown): value is ChartSpec[] {
  return Array.isArray(value) && value.length > 0 && value.every(isChart);
}

function isDataFrame(value: object): value is DataFrame {
  return "columns" in value && "shape" in value && "values" in value && "dtypes" in value;
}

function isRow(value: unknown): value is TableRow {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const cells = Object.values(value);
  const isCell = (cell: unknown) => cell == null || ["string", "number", "boolean"].includes(typeof cell);
  return cells.length > 0 && cells.every(isCell);
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return value.length ? "a list of other values" : "an empty list";
  return value === null ? "null" : typeof value === "object" ? "another object" : `a ${typeof value}`;
}

/** Builds a danfo.js data frame, to group, describe and sort. Its columns are those of the first row. */
export async function dataFrame(rows: TableRow[]): Promise<DataFrame> {
  void tf.version; // danfo.js loads the engine itself, without the care that this takes
  const { DataFrame } = await import("danfojs-node");
  const columns = Object.keys(rows[0] ?? {});
  return new DataFrame(
    rows.map((row) => columns.map((name) => row[name] ?? null)),
    { columns },
  );
}
