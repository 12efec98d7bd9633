// SVG drawings as pixels, and the widths of characters, with the font that the package ships.
import path from "node:path";

/** The part of @resvg/resvg-js that is used here. */
interface Resvg {
  Resvg: new (svg: string, options: object) => { getBBox(): { width: number } | undefined };
  renderAsync(svg: string, options: object): Promise<{ asPng(): Buffer }>;
}

const FONT_PACKAGE = "@expo-google-fonts/inter";
/** The weights that the theme uses. */
const FONT_FILES = ["400Regular/Inter_400Regular.ttf", "600SemiBold/Inter_600SemiBold.ttf"];
/** Scripts that Inter covers: Latin, Greek, Cyrillic, and symbols. */
const COVERED = /^[\t\n\r\u0020-\u052f\u1e00-\u1eff\u2000-\u22ff]*$/;

/** Renders a drawing as a PNG, enlarged by `zoom`. */
export async function rasterize(svg: string, zoom: number): Promise<Buffer> {
  const image = await load().renderAsync(svg, { fitTo: { mode: "zoom", value: zoom }, font: fontFor(svg) });
  const { default: sharp } = await import("sharp");
  return sharp(image.asPng())
    .png({ palette: true, effort: 7 }) // a quarter of the bytes; less effort tints white areas
    .toBuffer();
}

const widths = new Map<string, number>();

/** Measures the width of a line of semi-bold text in pixels; regular text is a little narrower. */
export function textWidth(text: string, fontSize: number): number {
  let width = 0;
  for (const character of text) {
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
