// Marks placed by pixel, where a picture is laid out rather than plotted.
import { InputError } from "../errors.js";

/** A value of one mark: its place in pixels from the top left, and what it shows. */
export type PlacedMark = Record<string, string | number>;

/** A layer of marks of one kind; `channels` are encodings by field name, `x` and `y` (and `x2`, `y2` where given) are pixels. */
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

/** Text marks with their own colour and weight. */
export function textLayer(mark: object, values: PlacedMark[]): object {
  return pixelLayer({ type: "text", baseline: "middle", ...mark }, values, {
    text: { field: "text", type: "nominal" },
    color: { field: "color", type: "nominal", scale: null },
  });
}

/** Square pictures of `side` pixels, from data URLs in the field `image`; `tooltip` says what they show. */
export function imageLayer(values: PlacedMark[], side: number): object {
  for (const { image } of values) checkImage(String(image));
  return pixelLayer({ type: "image", width: side, height: side, align: "left", baseline: "top" }, values, {
    url: { field: "image", type: "nominal" },
    tooltip: { field: "tooltip", type: "nominal" },
    // Else the whole data URL is read out to those who cannot see the picture, and stands in the drawing twice.
    description: { field: "tooltip", type: "nominal" },
  });
}

function checkImage(image: string): void {
  if (image.startsWith("data:image/")) return;
  throw new InputError({
    expected: "each image of a chart as a data:image/ URL",
    found: JSON.stringify(image.slice(0, 40)),
    fix: "Make one with toPngDataUrl.",
  });
}

// x2 and y2 take their scale from x and y.
function pixel(channel: string): object {
  return channel.endsWith("2")
    ? { field: channel }
    : { field: channel, type: "quantitative", scale: null, axis: null };
}
