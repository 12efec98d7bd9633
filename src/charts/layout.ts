// Marks placed by pixel, for charts that are laid out rather than plotted.
import { InputError } from "../errors.js";
import { textWidth } from "./render.js";
import { COLORS, OPACITY } from "./theme.js";

/** A value of one mark: its position in pixels from the top left, and what it shows. */
export type PlacedMark = Record<string, string | number>;

/**
 * Builds a layer of marks of one kind.
 *
 * @param values - Positions are in the fields `x` and `y`, and `x2` and `y2` if the mark has a size.
 * @param channels - Further encodings, by name.
 */
export function pixelLayer(
  mark: object,
  values: PlacedMark[],
  channels: Record<string, object> = {},
): object {
  const placed = ["x", "x2", "y", "y2"].filter((channel) => values.length && channel in values[0]);
  return {
    data: { values },
    mark,
    encoding: {
      ...Object.fromEntries(placed.map((channel) => [channel, pixel(channel)])),
      ...channels,
    },
  };
}

/** Looks of text: in the colour of the page's text, and quieter. */
export const TEXT = { color: COLORS.text, opacity: 1 };
export const MUTED = { color: COLORS.text, opacity: OPACITY.muted };

/** Builds a layer of texts, each with its own colour and opacity, such as those of `TEXT`. */
export function textLayer(mark: object, values: PlacedMark[]): object {
  return pixelLayer({ type: "text", baseline: "middle", ...mark }, values, {
    text: { field: "text", type: "nominal" },
    color: { field: "color", type: "nominal", scale: null },
    opacity: { field: "opacity", type: "quantitative", scale: null },
  });
}

/** Largest height of a chart in pixels; a longer list of pictures is split into pages. */
export const MAX_HEIGHT = 4000;

/** Splits a list into pages that fill at most `MAX_HEIGHT`. */
export function pagesOf<T>(items: T[], numColumns: number, rowHeight: number): T[][] {
  const perPage = numColumns * Math.max(1, Math.floor(MAX_HEIGHT / rowHeight));
  const numPages = Math.max(1, Math.ceil(items.length / perPage));
  return Array.from({ length: numPages }, (_, page) => items.slice(page * perPage, (page + 1) * perPage));
}

/** Adds the page to a title, if there are several. */
export function pageTitle(title: string, page: number, numPages: number): string {
  return numPages > 1 ? `${title} · page ${page + 1} of ${numPages}` : title;
}

/** Builds a layer of pictures from data URLs in the field `image`; the field `tooltip` describes them. */
export function imageLayer(values: PlacedMark[], width: number, height = width): object {
  for (const { image } of values) checkImage(String(image));
  return pixelLayer({ type: "image", width, height, align: "left", baseline: "top" }, values, {
    url: { field: "image", type: "nominal" },
    tooltip: { field: "tooltip", type: "nominal" },
    // Without a description, screen readers read out the data URL, and the drawing holds it twice.
    description: { field: "tooltip", type: "nominal" },
  });
}

function checkImage(image: string): void {
  if (image.startsWith("data:image/")) return;
  throw new InputError({
    expected: "each image of a chart as a data:image/ URL",
    found: JSON.stringify(image.slice(0, 40)),
    fix: "Make one with pngDataUrl.",
  });
}

// x2 and y2 take their scale from x and y.
function pixel(channel: string): object {
  return channel.endsWith("2")
    ? { field: channel }
    : { field: channel, type: "quantitative", scale: null, axis: null };
}

/** Cuts a text that is wider than `width` pixels in its middle, since names often differ at their ends: "the firs…age.png". */
export function fitText(text: string, width: number, fontSize: number): string {
  if (textWidth(text, fontSize) <= width) return text;
  const characters = [...text];
  const cut = (numKept: number) => {
    const start = characters
      .slice(0, Math.ceil(numKept / 2))
      .join("")
      .trimEnd();
    const end = characters
      .slice(characters.length - Math.floor(numKept / 2))
      .join("")
      .trimStart();
    return `${start}…${end}`;
  };
  let numKept = characters.length - 1;
  while (numKept > 1 && textWidth(cut(numKept), fontSize) > width) numKept--;
  return cut(numKept);
}
