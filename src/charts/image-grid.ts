// Charts of pictures in a grid: samples, augmented versions, pairs.
import {
  fitText,
  imageLayer,
  MUTED,
  type PlacedMark,
  pagesOf,
  pageTitle,
  pixelLayer,
  TEXT,
  textLayer,
} from "./layout.js";
import { buildChart, type ChartSpec, COLORS, emptyChart, FONT_SIZE, OPACITY } from "./theme.js";

/** A picture with the texts under it. */
export interface GridImage {
  /** PNG data URL, square. */
  image: string;
  /** Usually the class. */
  caption: string;
  /** A second, quieter line. */
  detail?: string;
}

/** Titles and size of a grid of pictures. */
export interface SampleGridOptions {
  title?: string;
  subtitle?: string;
  /** Default 8, or the number of images if that is smaller. */
  numColumns?: number;
  /** Side of a picture on the chart, in pixels; default 96. */
  side?: number;
}

const GAP = 14;
const CAPTION_HEIGHT = 20;
const DETAIL_HEIGHT = 15;

/**
 * Draws pictures in rows, each with its class under it: samples of a data set, or mistakes of a model.
 *
 * @returns A chart per page.
 */
export function sampleGridCharts(images: GridImage[], options: SampleGridOptions = {}): ChartSpec[] {
  const { title = "Samples", subtitle, side = 96 } = options;
  if (!images.length) return [emptyChart(title, "no data: there is no image to show")];
  const numColumns = Math.min(options.numColumns ?? 8, images.length);
  const captionHeight = CAPTION_HEIGHT + (images.some(({ detail }) => detail) ? DETAIL_HEIGHT : 0);
  const rowHeight = side + captionHeight + GAP;
  const pages = pagesOf(images, numColumns, rowHeight);
  return pages.map((page, p) => {
    const cells = page.map((one, i) => ({
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
    const description = page
      .map(({ caption, detail }) => (detail ? `${caption} (${detail})` : caption))
      .join("\n");
    return buildChart(
      { title: pageTitle(title, p, pages.length), subtitle, description },
      {
        width: numColumns * (side + GAP) - GAP,
        height: Math.ceil(page.length / numColumns) * rowHeight - GAP,
        layer: [
          imageLayer(pictures, side),
          textLayer({ align: "center", fontSize: FONT_SIZE.small }, captions),
        ],
      },
    );
  });
}

/** An image beside augmented versions of it. */
export interface AugmentedRow {
  /** PNG data URL, square; so are the augmented ones. */
  original: string;
  augmented: string[];
  caption: string;
}

/** Draws a row for each image: the original on the left, then augmented versions. */
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
    { text: "as it is", x: side / 2, y: 6, ...MUTED },
    { text: "augmented", x: firstX + side / 2, y: 6, ...MUTED },
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
        pixelLayer({ type: "rule", color: COLORS.axis, opacity: OPACITY.grid }, [rule]),
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
  const line = (text: string, dy: number, look: typeof TEXT) => ({
    text: fitText(text, side + GAP - 4, FONT_SIZE.small),
    x: x + side / 2,
    y: y + side + dy,
    ...look,
  });
  return [line(caption, 12, TEXT), ...(detail ? [line(detail, 12 + DETAIL_HEIGHT, MUTED)] : [])];
}

/** Two pictures side by side, each with its class. */
export interface PicturePair {
  /** PNG data URLs, square. */
  images: [string, string];
  captions: [string, string];
  /** A line under both. */
  detail: string;
}

/** Pairs under a common heading. */
export interface PairGroup {
  heading: string;
  pairs: PicturePair[];
}

/** Sizes of a pair, in pixels. */
const PAIR = { side: 76, innerGap: 3, gap: 26, heading: 30, caption: 18, detail: 14 };
const PAIRS_PER_ROW = 4;
const PITCH = {
  x: 2 * PAIR.side + PAIR.innerGap + PAIR.gap,
  y: PAIR.side + PAIR.caption + PAIR.detail + 14,
};

/** Draws pairs of pictures to compare by eye, group by group. Groups without pairs are left out. */
export function pairsChart(groups: PairGroup[], title = "Pairs", subtitle?: string): ChartSpec {
  const shown = groups.filter(({ pairs }) => pairs.length > 0);
  if (!shown.length) return emptyChart(title, "no pair was found");
  const [pictures, texts, headings]: PlacedMark[][] = [[], [], []];
  let y = 0;
  for (const { heading, pairs } of shown) {
    headings.push({ x: 0, y: y + 8, text: heading, ...MUTED });
    y += PAIR.heading;
    pairs.forEach((pair, i) => {
      const [left, top] = [(i % PAIRS_PER_ROW) * PITCH.x, y + Math.floor(i / PAIRS_PER_ROW) * PITCH.y];
      pair.images.forEach((image, side) => {
        const x = left + side * (PAIR.side + PAIR.innerGap);
        const caption = pair.captions[side];
        pictures.push({ image, x, y: top, tooltip: `${caption}, ${pair.detail}` });
        const text = fitText(caption, PAIR.side, FONT_SIZE.small);
        texts.push({ x: x + PAIR.side / 2, y: top + PAIR.side + 12, text, ...TEXT });
      });
      texts.push({
        x: left + PAIR.side + PAIR.innerGap / 2,
        y: top + PAIR.side + PAIR.caption + 9,
        text: fitText(pair.detail, 2 * PAIR.side + PAIR.gap - 6, FONT_SIZE.small),
        ...MUTED,
      });
    });
    y += Math.ceil(pairs.length / PAIRS_PER_ROW) * PITCH.y + 6;
  }
  return buildChart(
    {
      title,
      subtitle,
      description: shown
        .flatMap(({ heading, pairs }) => [
          heading,
          ...pairs.map(({ captions, detail }) => `${captions.join(" and ")}: ${detail}`),
        ])
        .join("\n"),
    },
    {
      width: PAIRS_PER_ROW * PITCH.x - PAIR.gap,
      height: y - 20,
      layer: [
        imageLayer(pictures, PAIR.side),
        textLayer({ align: "left", fontSize: FONT_SIZE.label }, headings),
        textLayer({ align: "center", fontSize: FONT_SIZE.small }, texts),
      ],
    },
  );
}
