// Pictures with the probabilities of their classes as bars.
import { checkNumber } from "../errors.js";
import type { Prediction } from "../inference/classifier.js";
import { percent } from "../text.js";
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
import { textWidth } from "./render.js";
import { buildChart, type ChartSpec, COLORS, emptyChart, FONT_SIZE } from "./theme.js";

/** A picture with the predictions for it. */
export interface PredictedImage {
  /** PNG data URL, square. */
  image: string;
  /** Every class, in any order. */
  predictions: Prediction[];
  /** Usually the file. */
  name?: string;
  trueClassName?: string;
  /** Drawn between the picture and the bars. */
  saliencyMaps?: SaliencyMap[];
}

/** A saliency map over an image. */
export interface SaliencyMap {
  /** PNG data URL, square. */
  image: string;
  /** The method and the class. */
  caption: string;
}

const ROW_HEIGHT = 22;
const BAR_HEIGHT = 14;
const HEADER_HEIGHT = 26;
const PERCENT_WIDTH = 54;
const MAX_NAME_WIDTH = 150;
/** Wide enough for a caption such as "Grad-CAM: surprise". */
const SALIENCY_SIDE = 132;
const GAP = 14;
/** Explains saliency maps under a title. */
export const SALIENCY_HINT = "bright: important for the class";

/** Titles and size of a chart of predictions. */
export interface PredictionChartOptions {
  title?: string;
  subtitle?: string;
  /** Classes to show for each image, most probable first; the true class is always shown. Default 7. */
  numShown?: number;
  /** Default 2, or 1 with saliency maps. */
  numColumns?: number;
}

/**
 * Draws images in a grid, each with its saliency maps, if any, and bars for the probabilities of its classes.
 *
 * @returns A chart per page.
 */
export function predictionCharts(items: PredictedImage[], options: PredictionChartOptions = {}): ChartSpec[] {
  const hasSaliencyMaps = items.some(({ saliencyMaps }) => saliencyMaps?.length);
  const { title = "Predictions", numShown = 7, numColumns = hasSaliencyMaps ? 1 : 2 } = options;
  checkNumber("numShown", numShown, { min: 1, integer: true });
  checkNumber("numColumns", numColumns, { min: 1, integer: true });
  if (!items.length || items.some(({ predictions }) => !predictions.length))
    return [emptyChart(title, "no data: nothing has been predicted")];
  const hints = [
    options.subtitle,
    items.some(({ trueClassName }) => trueClassName !== undefined) &&
      "✓ marks the true class; a wrong first choice is orange",
    hasSaliencyMaps && SALIENCY_HINT,
  ];
  const subtitle = hints.filter(Boolean).join(" · ") || undefined;
  const { pitch } = tileSize(
    items,
    items.map((item) => shown(item, numShown)),
  );
  const pages = pagesOf(items, numColumns, pitch);
  return pages.map((page, i) => {
    const tiles = page.map((item) => shown(item, numShown));
    const description = page.map((item, k) => describe(item, tiles[k])).join("\n");
    const words = { title: pageTitle(title, i, pages.length), subtitle, description };
    return buildChart(words, predictionGrid(page, tiles, numColumns));
  });
}

/**
 * Builds the grid as a view, for a chart of its own or as a part of one.
 *
 * @param tiles - Rows of each item, as `shown` returns them.
 */
export function predictionGrid(items: PredictedImage[], tiles: Row[][], numColumns: number) {
  const tile = tileSize(items, tiles);
  const columns = Math.min(numColumns, items.length);
  const placed = items.map((item, i) =>
    drawTile(
      item,
      tiles[i],
      tile,
      (i % columns) * (tile.width + 3 * GAP),
      Math.floor(i / columns) * tile.pitch,
    ),
  );
  const marks = <K extends keyof Tile>(key: K) => placed.flatMap((one) => one[key]);
  return {
    width: columns * (tile.width + 3 * GAP) - 3 * GAP,
    height: Math.ceil(items.length / columns) * tile.pitch - 2 * GAP,
    layer: [
      imageLayer(marks("pictures"), tile.side),
      pixelLayer({ type: "rect", cornerRadius: 2 }, marks("bars"), {
        color: { field: "color", type: "nominal", scale: null },
        tooltip: { field: "tooltip", type: "nominal" },
      }),
      textLayer({ align: "right" }, marks("classes")),
      textLayer({ align: "left" }, marks("percents")),
      ...(marks("headers").length
        ? [textLayer({ align: "left", fontSize: FONT_SIZE.small }, marks("headers"))]
        : []),
    ],
  };
}

/** A class of an image, as a bar. */
export type Row = Prediction & { isFirst: boolean; isTrue: boolean };

/** Sorts the predictions for an image, most probable first. */
export function rank({ predictions }: PredictedImage): Prediction[] {
  for (const { className, prob } of predictions)
    checkNumber(`the probability of ${className}`, prob, { min: 0, max: 1.0001 });
  return [...predictions].sort((a, b) => b.prob - a.prob);
}

/** Returns the classes to show: the first `numShown`, and the true one. */
export function shown(item: PredictedImage, numShown: number): Row[] {
  return rank(item)
    .map((one, i) => ({ ...one, isFirst: i === 0, isTrue: one.className === item.trueClassName }))
    .filter(({ isTrue }, i) => i < numShown || isTrue);
}

/** Computes the sizes that the tiles of all images share. */
function tileSize(items: PredictedImage[], tiles: Row[][]) {
  const bars = Math.max(...tiles.map((rows) => rows.length)) * ROW_HEIGHT;
  const numPictures = 1 + Math.max(...items.map(({ saliencyMaps = [] }) => saliencyMaps.length));
  const isLarge = items.length === 1 && numPictures <= 2; // more would be wider than a notebook, which then makes all smaller
  const minSide = numPictures > 1 ? SALIENCY_SIDE : 96;
  const side = Math.min(isLarge ? 180 : 132, Math.max(minSide, bars));
  const widest = Math.max(...tiles.flat().map((row) => textWidth(className(row), FONT_SIZE.label)));
  const nameWidth = Math.min(MAX_NAME_WIDTH, Math.ceil(widest));
  const barX = numPictures * (side + GAP) + nameWidth + 8;
  const barWidth = isLarge ? 260 : 100;
  const hasHeader = numPictures > 1 || items.some(({ name }) => name !== undefined);
  const header = hasHeader ? HEADER_HEIGHT : 0;
  const height = header + Math.max(side, bars);
  const width = barX + barWidth + PERCENT_WIDTH;
  return { side, nameWidth, barX, barWidth, header, width, pitch: height + 2 * GAP };
}

/** Marks of one image. */
interface Tile {
  pictures: PlacedMark[];
  bars: PlacedMark[];
  classes: PlacedMark[];
  percents: PlacedMark[];
  headers: PlacedMark[];
}

/** Places an image, its saliency maps and its bars with the top left at `x`, `y`. */
function drawTile(
  { image, name, saliencyMaps = [] }: PredictedImage,
  rows: Row[],
  { side, nameWidth, barX, barWidth, header, width }: ReturnType<typeof tileSize>,
  x: number,
  y: number,
): Tile {
  const center = (i: number) => y + header + (i + 0.5) * ROW_HEIGHT;
  const head = (text: string, i: number, space: number): PlacedMark => ({
    x: x + i * (side + GAP),
    y: y + 8,
    text: fitText(text, space, FONT_SIZE.small),
    ...MUTED,
  });
  return {
    pictures: [
      { image, x, y: y + header, tooltip: name ?? rows[0].className },
      ...saliencyMaps.map(({ image, caption }, i) => ({
        image,
        x: x + (i + 1) * (side + GAP),
        y: y + header,
        tooltip: caption,
      })),
    ],
    bars: rows.map((row, i) => ({
      x: x + barX,
      x2: x + barX + Math.max(1, row.prob * barWidth),
      y: center(i) - BAR_HEIGHT / 2,
      y2: center(i) + BAR_HEIGHT / 2,
      color: barColor(row, rows),
      tooltip: `${row.className}: ${percent(row.prob, 2)}`,
    })),
    classes: rows.map((row, i) => ({
      x: x + barX - 8,
      y: center(i),
      text: fitText(className(row), nameWidth, FONT_SIZE.label),
      ...TEXT,
    })),
    percents: rows.map((row, i) => ({
      x: x + barX + Math.max(1, row.prob * barWidth) + 6,
      y: center(i),
      text: percent(row.prob),
      ...(row.isFirst ? TEXT : MUTED),
    })),
    headers: [
      ...(name === undefined ? [] : [head(name, 0, saliencyMaps.length ? side : width)]),
      ...saliencyMaps.map(({ caption }, i) => head(caption, i + 1, side)),
    ],
  };
}

function barColor({ isFirst, isTrue }: Row, rows: Row[]): string {
  if (!isFirst) return COLORS.quiet;
  return isTrue || !rows.some((row) => row.isTrue) ? COLORS.blue : COLORS.orange;
}

function className({ className, isTrue }: Row): string {
  return isTrue ? `✓ ${className}` : className;
}

/** Writes the predictions for an image in words. */
export function describe({ name, trueClassName }: PredictedImage, rows: Row[]): string {
  const ranked = rows.map(({ className, prob }) => `${className} ${percent(prob)}`).join(", ");
  const truth = trueClassName === undefined ? "" : ` (true class: ${trueClassName})`;
  return `${name === undefined ? "" : `${name}: `}${ranked}${truth}`;
}
