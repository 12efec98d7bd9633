// Charts as drawings, pictures and files.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import { InputError } from "../errors.js";
import { cacheDir, writeFileAtomically } from "../files.js";
import { escapeHtml, type MimeBundle } from "./format.js";
import { textWidth } from "./layout.js";
import type { ChartSpec } from "./theme.js";

/** Pixels of the PNG for each pixel of the chart, so that it is sharp on high-density screens. */
const PIXEL_RATIO = 2;

/** Renders a chart as a PNG at twice the chart's size. */
export async function renderPng(spec: ChartSpec): Promise<Buffer> {
  return rasterize(await renderSvg(spec));
}

/** Renders a chart in every form that a notebook front end may ask for: interactive, drawn, and in words. */
export async function chartBundle(spec: ChartSpec): Promise<MimeBundle> {
  const svg = await renderSvg(spec);
  return {
    "application/vnd.vegalite.v5+json": spec,
    "image/svg+xml": svg,
    "image/png": (await rasterize(svg)).toString("base64"),
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

async function rasterize(svg: string): Promise<Buffer> {
  await installFonts();
  const { default: sharp } = await import("sharp");
  // `unlimited`: embedded pictures make one text longer than the default limit.
  return sharp(Buffer.from(svg), { density: 72 * PIXEL_RATIO, unlimited: true })
    .png({ palette: true, effort: 7 }) // a quarter of the bytes; less effort tints white areas
    .toBuffer();
}

const FONT_PACKAGE = "@expo-google-fonts/inter";
/** The weights that the theme uses. */
const FONT_FOLDERS = ["400Regular", "600SemiBold"];
const SYSTEM_CONFIG = "/etc/fonts/fonts.conf";

let installing: Promise<string> | undefined;

/**
 * Adds the package's font to those of the system, since many servers and containers have none.
 *
 * The drawing library reads its configuration when it first draws text, so this must be awaited before.
 *
 * @returns The fontconfig file in use.
 * @throws InputError when the user's cache cannot be written.
 */
export function installFonts(): Promise<string> {
  installing ??= writeFontConfig().catch((error) => {
    installing = undefined;
    throw error;
  });
  return installing;
}

async function writeFontConfig(): Promise<string> {
  const root = path.dirname(require.resolve(`${FONT_PACKAGE}/package.json`));
  const folder = path.join(cacheDir(), "fonts");
  const config = [
    '<?xml version="1.0"?>',
    '<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">',
    "<fontconfig>",
    ...FONT_FOLDERS.map((name) => `  <dir>${escapeHtml(path.join(root, name))}</dir>`),
    `  <include ignore_missing="yes">${escapeHtml(process.env.FONTCONFIG_FILE ?? SYSTEM_CONFIG)}</include>`,
    `  <cachedir>${escapeHtml(path.join(folder, "cache"))}</cachedir>`,
    "</fontconfig>",
    "",
  ].join("\n");
  // The name depends on the content, so that two checkouts do not overwrite each other's file.
  const file = path.join(folder, `${createHash("sha256").update(config).digest("hex").slice(0, 12)}.conf`);
  if (!existsSync(file)) await writeFileAtomically(file, config);
  process.env.FONTCONFIG_FILE = file;
  return file;
}
