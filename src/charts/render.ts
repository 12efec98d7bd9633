// Charts as drawings, pictures and files, and the widths of their texts.
import path from "node:path";
import { checkPath, InputError, visible } from "../errors.js";
import { writeFileAtomically } from "../files.js";
import { isPlainObject, prettyJson } from "../json.js";
import type { MimeBundle } from "./format.js";
import type { ChartSpec } from "./theme.js";

/** Pixels of the PNG for each pixel of the chart, so that it is sharp on high-density screens. */
const PIXEL_RATIO = 2;
/** Largest side of a PNG in pixels, which every viewer can open. */
const MAX_PICTURE_SIDE = 16_000;

/** Text and ground of a picture, which unlike a drawing has one theme. */
const GROUNDS = {
  light: { text: "#1f2933", ground: "#ffffff" },
  dark: { text: "#e3e7eb", ground: "#111111" },
} as const;

/** Renders a chart as a PNG on a ground, at twice the chart's size if that is not too large. */
export async function renderPng(spec: ChartSpec, theme: keyof typeof GROUNDS = "light"): Promise<Buffer> {
  return drawingToPng(await renderSvg(spec), theme);
}

async function drawingToPng(
  svg: string,
  theme: keyof typeof GROUNDS = "light",
  pixelRatio = PIXEL_RATIO,
): Promise<Buffer> {
  const { text, ground } = GROUNDS[theme];
  const [width, height] = sizeOf(svg);
  const zoom = Math.min(pixelRatio, MAX_PICTURE_SIDE / Math.max(width, height));
  const grounded = svg.replace(
    /<svg[^>]*>/,
    (open) =>
      `${open.slice(0, -1)} color="${text}"><rect width="${width}" height="${height}" fill="${ground}"/>`,
  );
  return rasterize(grounded, zoom);
}

function sizeOf(svg: string): [width: number, height: number] {
  const [, width, height] = /<svg[^>]* width="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? [];
  return [Number(width), Number(height)];
}

/**
 * Makes a drawing that is an image or a file of its own follow the reader's theme. Inside HTML, where `svg:root` matches nothing,
 * a drawing has the ground and the text colour of its surroundings.
 */
function withThemes(svg: string): string {
  const style = ({ text, ground }: (typeof GROUNDS)[keyof typeof GROUNDS]) =>
    `svg:root{color:${text};background:${ground}}`;
  const { light, dark } = GROUNDS;
  return svg.replace(
    /<svg[^>]*>/,
    (open) => `${open}<style>${style(light)}@media(prefers-color-scheme:dark){${style(dark)}}</style>`,
  );
}

/** Renders a chart in every form that a notebook front end may ask for: interactive, drawn, and in words. */
export async function chartBundle(spec: ChartSpec): Promise<MimeBundle> {
  const shown = shownSpec(spec);
  const svg = await renderSvg(shown);
  // Photographs have no more detail, and take most of the time.
  const pixelRatio = svg.includes("<image") ? 1 : PIXEL_RATIO;
  return {
    "application/vnd.vegalite.v5+json": shown,
    "image/svg+xml": withThemes(svg),
    "image/png": (await drawingToPng(svg, "light", pixelRatio)).toString("base64"),
    "text/plain": chartText(shown),
  };
}

/** Returns the title and the main numbers of a chart. */
export function chartText({ title, description }: ChartSpec): string {
  const heading = typeof title === "object" && title !== null && "text" in title ? title.text : title;
  return shownText([heading, description].filter((part) => part).join("\n"));
}

/**
 * Writes a chart to a file, or the pages of one to files such as `chart-1.png`.
 *
 * @param file - Ends in `.svg`, `.png` or `.json` (the vega-lite specification).
 * @returns The files that were written.
 * @throws InputError for another ending, or if a file cannot be written.
 * @example
 * ```ts
 * import { epochMetricsChart, loadMetrics, ofType, saveChart } from "ferkit";
 *
 * const chart = epochMetricsChart(ofType(await loadMetrics("runs/pets"), "epoch"));
 * for (const ending of ["svg", "png", "json"]) await saveChart(chart, `epochs.${ending}`);
 * ```
 */
export async function saveChart(chart: ChartSpec | ChartSpec[], file: string): Promise<string[]> {
  const ending = checkChartFile(file);
  const encode = ENCODERS[ending];
  const pages = [chart].flat();
  const stem = file.slice(0, file.length - ending.length);
  const files = pages.length === 1 ? [file] : pages.map((_, i) => `${stem}-${i + 1}${ending}`);
  for (const [i, page] of pages.entries()) await writeFileAtomically(files[i], await encode(page));
  return files;
}

/**
 * Checks the name of a chart's file, which can be done before the work that the chart shows.
 *
 * @returns Its ending, in lower case.
 * @throws InputError for another ending than those of charts.
 */
export function checkChartFile(file: string): string {
  const ending = path.extname(checkPath("file", file)).toLowerCase();
  if (Object.hasOwn(ENCODERS, ending)) return ending;
  throw new InputError({
    expected: "a chart's file to end in .svg, .png or .json",
    where: file,
    found: ending ? `the ending ${ending}` : "no ending",
    fix: "Rename it.",
  });
}

const ENCODERS: Record<string, (spec: ChartSpec) => Promise<string | Buffer>> = {
  ".json": async (spec) => prettyJson(spec),
  ".svg": async (spec) => withThemes(await renderSvg(spec)),
  ".png": async (spec) => renderPng(spec),
};

/**
 * Renders a chart as an SVG drawing without a ground, its texts in `currentColor`.
 *
 * @throws InputError for a specification that cannot be drawn as it is, also where Vega would leave a part out and only log it.
 */
export async function renderSvg(spec: ChartSpec): Promise<string> {
  const [vega, vegaLite] = await Promise.all([import("vega"), import("vega-lite")]);
  const { textMetrics } = vega as unknown as { textMetrics: TextMetrics };
  textMetrics.width = measure;
  const refused: string[] = [];
  const logged: unknown[] = [];
  const logger = vega.logger(vega.Error, undefined, (_method, _level, [error]) => logged.push(error));
  try {
    const runtime = vega.parse(vegaLite.compile(shownSpec(spec)).spec);
    const view = new vega.View(runtime, { renderer: "none", logger, loader: embeddedOnly(refused) });
    const svg = await view.toSVG().finally(() => view.finalize());
    if (refused.length === 0 && logged.length === 0) return svg;
  } catch (error) {
    logged.push(error);
  }
  if (refused.length)
    throw new InputError({
      expected: "a chart that carries its own data and pictures",
      found: `the address ${refused[0].slice(0, 200)}`,
      fix: "Put the values or a data: URL in its place.",
    });
  const [error] = logged;
  throw new InputError({
    expected: "a chart that vega-lite can draw",
    found: `the error "${error instanceof Error ? error.message : error}"`,
    fix: "Fix its specification.",
  });
}

/** Copies a chart, whose values Vega would change, with visible stand-ins for characters that no drawing can hold. */
function shownSpec<T>(value: T): T;
function shownSpec(value: unknown): unknown {
  if (typeof value === "string") return shownText(value);
  if (Array.isArray(value)) return value.map(shownSpec);
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, shownSpec(part)]));
}

/** Shows what SVG cannot hold or readers cannot see: `a\u001b`. Class names and file names may hold any character. */
function shownText(text: string): string {
  return visible(text, "\t\n\r");
}

/** Vega's own measure of text, which it allows to be replaced. */
interface TextMetrics {
  width(item: { fontSize?: number }, text: unknown): number;
}

function measure(item: { fontSize?: number }, text: unknown): number {
  return textWidth(String(text ?? ""), item.fontSize ?? 11);
}

/** Reads neither files nor the network. Records what it refuses, since Vega would draw the chart without it. */
function embeddedOnly(refused: string[]): import("vega").Loader {
  const refuse = async (uri: string): Promise<never> => {
    refused.push(uri);
    throw new Error(`refused ${uri}`);
  };
  return {
    load: refuse,
    sanitize: async (uri) => (uri.startsWith("data:image/") ? { href: uri } : refuse(uri)),
    http: refuse,
    file: refuse,
  };
}

/** The part of @resvg/resvg-js that is used here. */
interface Resvg {
  Resvg: new (svg: string, options: object) => { getBBox(): { width: number } | undefined };
  renderAsync(svg: string, options: object): Promise<{ pixels: Buffer; width: number; height: number }>;
}

const FONT_PACKAGE = "@expo-google-fonts/inter";
/** The weights that the theme uses. */
const FONT_FILES = ["400Regular/Inter_400Regular.ttf", "600SemiBold/Inter_600SemiBold.ttf"];
/** Scripts that Inter covers: Latin, Greek, Cyrillic, and symbols. */
const COVERED = /^[\t\n\r\u0020-\u052f\u1e00-\u1eff\u2000-\u22ff]*$/;

/** Renders a drawing as a PNG, enlarged by `zoom`, with the font that the package ships. */
export async function rasterize(svg: string, zoom: number): Promise<Buffer> {
  const font = fontFor(svg);
  const { pixels, width, height } = await load().renderAsync(svg, {
    fitTo: { mode: "zoom", value: zoom },
    font,
  });
  const { default: sharp } = await import("sharp");
  return sharp(pixels, { raw: { width, height, channels: 4 } })
    .png({ palette: true, effort: 7 }) // a quarter of the bytes; less effort tints white areas
    .toBuffer();
}

const widths = new Map<string, number>();

/** Measures the width of a line of semi-bold text in pixels; regular text is a little narrower. */
export function textWidth(text: string, fontSize: number): number {
  let width = 0;
  for (const character of shownText(text)) {
    const known = widths.get(character) ?? drawnWidth(`|${character}|`) - drawnWidth("||");
    widths.set(character, known);
    width += known;
  }
  return width * fontSize;
}

/** Returns the width of a drawn text in em. */
function drawnWidth(text: string): number {
  const size = 100;
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const svg = `<svg xmlns="http://www.w3.org/2000/svg"><text xml:space="preserve" font-family="Inter" font-weight="600" font-size="${size}">${escaped}</text></svg>`;
  return (new (load().Resvg)(svg, { font: fontFor(text) }).getBBox()?.width ?? 0) / size;
}

/** System fonts are slow to load, so they are used only for characters that Inter lacks. */
function fontFor(text: string): object {
  const root = path.dirname(require.resolve(`${FONT_PACKAGE}/package.json`));
  return {
    fontFiles: FONT_FILES.map((file) => path.join(root, file)),
    loadSystemFonts: !COVERED.test(text),
    defaultFontFamily: "Inter",
  };
}

/** Loads the library when it is first used. */
function load(): Resvg {
  return require("@resvg/resvg-js") as Resvg;
}
