import { randomBytes } from "node:crypto";
import Module, { createRequire } from "node:module";
import path from "node:path";
import { inspect } from "node:util";
import type { DataFrame } from "danfojs-node";
import type { MimeBundle } from "../charts/format.js";
import { sampleGridCharts } from "../charts/image-grid.js";
import { chartBundle } from "../charts/render.js";
import { type TableRow, tableBundle } from "../charts/tables.js";
import type { ChartSpec } from "../charts/theme.js";
import type { PackedImages } from "../data/dataset.js";
import type { DecodedImage } from "../data/pixels/decode.js";
import { type Tensor, tf } from "../engine/tf.js";
import { checkList, InputError } from "../errors.js";
import type { ImagePrediction } from "../inference/classifier.js";
import { arrayText } from "../printed.js";
import { formatCount } from "../text.js";
import { pictureOf, pngDataUrl } from "./data-url.js";
import { kernelHooks } from "./kernel.js";
import { predictionsChart } from "./pictures.js";

/** Pages of a chart that are shown; more would make a notebook slow. */
const MAX_PAGES = 10;
/** Images of a data set that are shown. */
const MAX_IMAGES = 32;
/** What is said of a generator, such as that of `train`. */
const GENERATOR =
  "An async generator: its work runs while its values are read, as in `for await (const event of events)`.";
/** The form of a single row that programs read: its numbers are the metrics of a cell tagged `metrics` (docs/ci.md). */
const ROW_TYPE = "application/vnd.ferkit.row+json";

/**
 * Shows a value below the running cell: a chart, a table (rows, a row or a data frame), images (of a data set, or classified), a
 * tensor, an output in several forms, or the promise of one of these. Outside a notebook it does nothing.
 *
 * @throws InputError for any other value.
 * @example
 * ```ts
 * import { classBalanceChart, loadDataset, show } from "ferkit";
 *
 * const { report, train } = await loadDataset({ data: "data/pets", imageSize: 48 });
 * await show(classBalanceChart(report.classCounts));
 * await show(train); // the first images
 * ```
 */
export async function show(value: unknown): Promise<void> {
  const shown = await pagesOf(await value);
  for (const page of shown.slice(0, MAX_PAGES)) await showOne(page);
  if (shown.length > MAX_PAGES)
    await showOne({
      "text/plain": `${MAX_PAGES} of ${shown.length} pages; saveChart writes all of them to files`,
    });
}

async function showOne(value: unknown): Promise<void> {
  const { display } = kernelHooks();
  const bundle = await toBundle(value);
  if (!bundle)
    throw new InputError({
      expected: "a chart, a table, images, a tensor or a MIME bundle to show",
      found: describe(value),
      fix: "Choose one of these.",
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

/**
 * Renders a value in the forms that a notebook shows, the first page if it has several.
 *
 * @param value - As for `show`.
 * @returns The value by media type, such as `text/html`; undefined for a value that has no better form than its text.
 * @example
 * ```ts
 * import { toBundle } from "ferkit";
 *
 * const bundle = await toBundle([{ class: "cat", images: 10 }]);
 * console.log(bundle?.["text/html"]);
 * ```
 */
export async function toBundle(value: unknown): Promise<MimeBundle | undefined> {
  if (value instanceof Promise) {
    const result = await value;
    return (
      (await toBundle(result)) ?? { "text/plain": typeof result === "string" ? result : inspect(result) }
    );
  }
  if (typeof value !== "object" || value === null) return undefined;
  const [first] = await pagesOf(value);
  if (isChart(first)) return chartBundle(first);
  if (isTensor(value)) return { "text/plain": inspect(value) };
  if (isGenerator(value)) return { "text/plain": GENERATOR };
  if (ArrayBuffer.isView(value)) return { "text/plain": arrayText(value) };
  if (isDataFrame(value)) return withRow(value, rowsOf(value));
  const rows = Array.isArray(value) ? value : [value];
  const isTable = rows.length > 0 && rows.every(isRow);
  return (rows === value ? undefined : mediaBundle(value)) ?? (isTable ? withRow(rows, rows) : undefined);
}

const MEDIA_TYPE = /^(application|audio|font|image|model|text|video)\/[\w.+-]+$/;

/** Returns an object of outputs by media type, with bytes as base64; undefined for an object of something else, as `{ "train/loss": 0.5 }`. */
function mediaBundle(value: object): MimeBundle | undefined {
  const forms = plainEntries(value)?.map(([type, form]) => {
    if (!MEDIA_TYPE.test(type)) return undefined;
    if (/\bjson$/.test(type) || typeof form === "string") return [type, form];
    return form instanceof Uint8Array ? [type, Buffer.from(form).toString("base64")] : undefined;
  });
  const isBundle = forms && forms.length > 0 && forms.every((form) => form !== undefined);
  return isBundle ? Object.fromEntries(forms) : undefined;
}

/** Returns the entries of a plain object, or undefined for one with getters, which are not run, and for objects of a class. */
function plainEntries(value: object): [string, unknown][] | undefined {
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return undefined; // an error, a typed array, an object of a class
  const properties = Object.entries(Object.getOwnPropertyDescriptors(value));
  if (properties.some(([, { get, set }]) => get || set)) return undefined;
  return properties
    .filter(([, { enumerable }]) => enumerable)
    .map(([name, property]) => [name, property.value]);
}

/** Renders a table; one of a single row also as that row. */
function withRow(table: TableRow[] | DataFrame, rows: TableRow[]): MimeBundle {
  return { ...tableBundle(table), ...(rows.length === 1 && { [ROW_TYPE]: rows[0] }) };
}

function rowsOf({ columns, values }: DataFrame): TableRow[] {
  const cells = values as TableRow[string][][];
  return cells.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])));
}

/** Returns the pages of a chart, or of the chart that shows images; otherwise the value itself. */
async function pagesOf(value: unknown): Promise<unknown[]> {
  if (isPages(value)) return value;
  if (isPrediction(value)) return predictionsChart([value]);
  if (Array.isArray(value) && value.length > 0 && value.every(isPrediction)) return predictionsChart(value);
  if (isPacked(value)) return packedChart(value);
  if (isDecoded(value)) return decodedChart(value);
  return [value];
}

/** Draws the first images of a split. */
async function packedChart(images: PackedImages): Promise<ChartSpec[]> {
  const shown = Math.min(MAX_IMAGES, images.numImages);
  const { classNames, labels, paths } = images;
  const pictures = Array.from({ length: shown }, async (_, i) => ({
    image: await pictureOf(images, i),
    caption: classNames?.[labels[i]] ?? path.basename(path.dirname(paths[i])),
  }));
  return sampleGridCharts(await Promise.all(pictures), {
    title: `${shown} of ${formatCount(images.numImages)} images`,
  });
}

/** Draws a decoded image. */
async function decodedChart({ pixels, width, height }: DecodedImage): Promise<ChartSpec[]> {
  const side = Math.sqrt(pixels.length / 3);
  const caption = `${width} × ${height} in the file`;
  const image = await pngDataUrl(pixels, side, side, 3);
  return sampleGridCharts([{ image, caption }], { title: `An image of ${side} × ${side} pixels` });
}

function isDecoded(value: unknown): value is DecodedImage {
  if (typeof value !== "object" || value === null || !("isGrey" in value)) return false;
  return "pixels" in value && value.pixels instanceof Uint8Array && "width" in value && "height" in value;
}

function isTensor(value: object): value is Tensor {
  return "dataSync" in value && "dtype" in value && "shape" in value;
}

function isGenerator(value: object): boolean {
  return Object.prototype.toString.call(value) === "[object AsyncGenerator]";
}

function isPrediction(value: unknown): value is ImagePrediction {
  if (typeof value !== "object" || value === null) return false;
  return "predictions" in value && Array.isArray(value.predictions) && "pixels" in value;
}

function isPacked(value: unknown): value is PackedImages {
  if (typeof value !== "object" || value === null) return false;
  return ["pixels", "labels", "numImages", "paths"].every((key) => key in value);
}

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
  if (typeof value !== "object" || value === null) return false;
  const cells = plainEntries(value)?.map(([, cell]) => cell) ?? [];
  const isCell = (cell: unknown) => cell == null || ["string", "number", "boolean"].includes(typeof cell);
  return cells.length > 0 && cells.every(isCell);
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return value.length ? "a list of other values" : "an empty list";
  return value === null ? "null" : typeof value === "object" ? "another object" : `a ${typeof value}`;
}

/**
 * Builds a danfo.js data frame, to group, describe and sort. Its columns are those of the first row. To change a frame and keep the
 * one before, build it twice: danfo.js's `copy` shares its rows.
 *
 * @param rows - From `epochTable` and other tables, or your own.
 * @see https://danfo.jsdata.org
 * @example
 * ```ts
 * import { dataFrame, epochTable, loadMetrics, ofType } from "ferkit";
 *
 * const frame = await dataFrame(epochTable(ofType(await loadMetrics("runs/pets"), "epoch")));
 * frame.sortValues("validation loss").head(3).print();
 * ```
 */
export async function dataFrame(rows: TableRow[]): Promise<DataFrame> {
  checkList("rows", "a list of rows, each an object of cells", rows);
  const { DataFrame } = loadDanfo();
  const columns = Object.keys(rows[0] ?? {});
  return new DataFrame(
    rows.map((row) => columns.map((name) => row[name] ?? null)),
    { columns },
  );
}

/**
 * Loads danfo.js, but mathjs only once it is called, for medians, modes and deviations: it takes four times as long to load as all
 * else that danfo.js needs.
 */
function loadDanfo(): typeof import("danfojs-node") {
  void tf.version; // danfo.js loads the engine itself, without the care that this takes
  const file = createRequire(require.resolve("danfojs-node")).resolve("mathjs");
  const { cache } = require;
  if (cache[file]) return require("danfojs-node");
  const exports = new Proxy({}, { get: (_, name) => require(file)[name] });
  cache[file] = Object.assign(new Module(file), { loaded: true, exports });
  try {
    return require("danfojs-node");
  } finally {
    delete cache[file];
  }
}
