// Charts as drawings, pictures and files.
import path from "node:path";
import { InputError } from "../errors.js";
import { writeFileAtomically } from "../files.js";
import type { MimeBundle } from "./format.js";
import { rasterize, textWidth } from "./raster.js";
import type { ChartSpec } from "./theme.js";

/** Pixels of the PNG for each pixel of the chart, so that it is sharp on high-density screens. */
const PIXEL_RATIO = 2;

/** Renders a chart as a PNG at twice the chart's size. */
export async function renderPng(spec: ChartSpec): Promise<Buffer> {
  return rasterize(await renderSvg(spec), PIXEL_RATIO);
}

/** Renders a chart in every form that a notebook front end may ask for: interactive, drawn, and in words. */
export async function chartBundle(spec: ChartSpec): Promise<MimeBundle> {
  const svg = await renderSvg(spec);
  return {
    "application/vnd.vegalite.v5+json": spec,
    "image/svg+xml": svg,
    "image/png": (await rasterize(svg, PIXEL_RATIO)).toString("base64"),
    "text/plain": chartText(spec),
  };
}

/** Returns the title and the main numbers of a chart. */
export function chartText({ title, description }: ChartSpec): string {
  const heading = typeof title === "object" && title !== null && "text" in title ? title.text : title;
  return [heading, description].filter((part) => part).join("\n");
}

/**
 * Writes a chart to a file.
 *
 * @param file - Ends in `.svg`, `.png` or `.json` (the vega-lite specification).
 * @throws InputError for another ending, or if the file cannot be written.
 */
export async function saveChart(spec: ChartSpec, file: string): Promise<void> {
  const ending = path.extname(file).toLowerCase();
  if (ending === ".json") return writeFileAtomically(file, `${JSON.stringify(spec, null, 2)}\n`);
  if (ending === ".svg") return writeFileAtomically(file, await renderSvg(spec));
  if (ending === ".png") return writeFileAtomically(file, await renderPng(spec));
  throw new InputError({
    expected: "a chart's file to end in .svg, .png or .json",
    where: file,
    found: ending ? `the ending ${ending}` : "no ending",
  });
}

/** Renders a chart as an SVG drawing. */
export async function renderSvg(spec: ChartSpec): Promise<string> {
  const [vega, vegaLite] = await Promise.all([import("vega"), import("vega-lite")]);
  const { textMetrics } = vega as unknown as { textMetrics: TextMetrics };
  textMetrics.width = measure;
  const refused: string[] = [];
  // Vega changes the values, so it gets a copy.
  const view = new vega.View(vega.parse(vegaLite.compile(structuredClone(spec)).spec), {
    renderer: "none",
    logLevel: vega.Error,
    loader: embeddedOnly(refused),
  });
  try {
    const svg = await view.toSVG();
    if (refused.length)
      throw new InputError({
        expected: "a chart that carries its own data and pictures",
        found: `the address ${refused[0].slice(0, 200)}`,
        fix: "Put the values or a data: URL in its place.",
      });
    return svg;
  } finally {
    view.finalize();
  }
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
