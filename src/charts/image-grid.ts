import { imageLayer, type PlacedMark, pixelLayer, textLayer } from "./pixel-layout.js";
import { fitText } from "./text-width.js";
import { buildChart, type ChartSpec, COLORS, emptyChart, FONT_SIZE } from "./theme.js";

/** A picture with what stands under it. */
export interface GridImage {
  /** PNG data URL, square. */
  image: string;
  /** The class, as a rule. */
  caption: string;
  /** A second, quieter line. */
  detail?: string;
}

export interface SampleGridOptions {
  title?: string;
  subtitle?: string;
  /** Default 8, or fewer where there are fewer images. */
  numColumns?: number;
  /** Side of a picture on the chart, in pixels; default 96. */
  side?: number;
}

const GAP = 14;
const CAPTION_HEIGHT = 20;
const DETAIL_HEIGHT = 15;

/** Pictures in rows, each with its class under it: samples of a data set, or what a model mistook. */
export function sampleGridChart(images: GridImage[], options: SampleGridOptions = {}): ChartSpec {
  const { title = "Samples", subtitle, side = 96 } = options;
  if (!images.length) return emptyChart(title, "no data: there is no image to show");
  const numColumns = Math.min(options.numColumns ?? 8, images.length);
  const numRows = Math.ceil(images.length / numColumns);
  const captionHeight = CAPTION_HEIGHT + (images.some(({ detail }) => detail) ? DETAIL_HEIGHT : 0);
  const rowHeight = side + captionHeight + GAP;
  const cells = images.map((one, i) => ({
    ...one,
    x: (i % numColumns) * (side + GAP),
    y: Math.floor(i / numColumns) * rowHeight,
  }));
  const pictures = cells.map(({ image, x, y, caption, detail }) => ({
    image,
    x,
    y,
    tooltip: detail ? `${caption}, ${detail}` : caption,
  }));
  const captions = cells.flatMap((cell) => captionLines(cell, side));
  return buildChart(
    { title, subtitle, description: images.map(describe).join("\n") },
    {
      width: numColumns * (side + GAP) - GAP,
      height: numRows * rowHeight - GAP,
      layer: [
        imageLayer(pictures, side),
        textLayer({ align: "center", fontSize: FONT_SIZE.small }, captions),
      ],
    },
  );
}

/** An image beside versions of it that training may see. */
export interface AugmentedRow {
  /** PNG data URL, square, like the others. */
  original: string;
  augmented: string[];
  caption: string;
}

/** A row for each image: as it is on the left, and augmented. */
export function augmentedGridChart(rows: AugmentedRow[], options: SampleGridOptions = {}): ChartSpec {
  const { title = "Augmented images", subtitle, side = 96 } = options;
  if (!rows.length) return emptyChart(title, "no data: there is no image to show");
  const numVersions = Math.max(...rows.map(({ augmented }) => augmented.length));
  const firstX = side + 3 * GAP;
  const headerHeight = 24;
  const rowHeight = side + CAPTION_HEIGHT + GAP;
  const height = headerHeight + rows.length * rowHeight - GAP;
  const pictures: PlacedMark[] = rows.flatMap(({ original, augmented, caption }, row) => {
    const y = headerHeight + row * rowHeight;
    return [
      { image: original, x: 0, y, tooltip: `${caption}, as it is` },
      ...augmented.map((image, i) => ({
        image,
        x: firstX + i * (side + GAP),
        y,
        tooltip: `${caption}, version ${i + 1}`,
      })),
    ];
  });
  const captions = rows.flatMap(({ caption }, row) =>
    captionLines({ caption, x: 0, y: headerHeight + row * rowHeight }, side),
  );
  const heads = [
    { text: "as it is", x: side / 2, y: 6, color: COLORS.mutedText },
    { text: "augmented", x: firstX + side / 2, y: 6, color: COLORS.mutedText },
  ];
  const rule: PlacedMark = { x: side + 1.5 * GAP, y: 0, y2: height };
  return buildChart(
    {
      title,
      subtitle,
      description: rows
        .map(({ caption, augmented }) => `${caption}: ${augmented.length} versions`)
        .join("\n"),
    },
    {
      width: firstX + Math.max(1, numVersions) * (side + GAP) - GAP,
      height,
      layer: [
        imageLayer(pictures, side),
        pixelLayer({ type: "rule", color: COLORS.grid }, [rule]),
        textLayer({ align: "center", fontSize: FONT_SIZE.small }, numVersions ? heads : heads.slice(0, 1)),
        textLayer({ align: "center", fontSize: FONT_SIZE.small }, captions),
      ],
    },
  );
}

function captionLines(
  { caption, detail, x, y }: { caption: string; detail?: string; x: number; y: number },
  side: number,
): PlacedMark[] {
  const line = (text: string, dy: number, color: string) => ({
    text: fitText(text, side + GAP - 4, FONT_SIZE.small),
    x: x + side / 2,
    y: y + side + dy,
    color,
  });
  return [
    line(caption, 12, COLORS.text),
    ...(detail ? [line(detail, 12 + DETAIL_HEIGHT, COLORS.mutedText)] : []),
  ];
}

function describe({ caption, detail }: GridImage): string {
  return detail ? `${caption} (${detail})` : caption;
}
