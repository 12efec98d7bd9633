// An image with the probabilities of its classes, as a part of a chart.
import { checkNumber } from "../errors.js";
import { percent } from "./percent.js";
import type { PlacedMark } from "./pixel-layout.js";
import { fitText, textWidth } from "./text-width.js";
import { COLORS, FONT_SIZE } from "./theme.js";

/** A class and its probability, [0, 1]. */
export interface ClassProb {
  className: string;
  prob: number;
}

/** An image, and what a model says of it. */
export interface PredictedImage {
  /** PNG data URL, square. */
  image: string;
  /** Every class, in any order. */
  predictions: ClassProb[];
  /** The file, as a rule. */
  name?: string;
  trueClassName?: string;
  /** Shown between the image and the bars. */
  heatMaps?: HeatMap[];
}

/** Where in an image something speaks for a class. */
export interface HeatMap {
  /** PNG data URL, square. */
  image: string;
  /** The class, as a rule. */
  caption: string;
}

const ROW_HEIGHT = 22;
const BAR_HEIGHT = 14;
const HEADER_HEIGHT = 26;
const PERCENT_WIDTH = 54;
const MAX_NAME_WIDTH = 150;
/** Room for a caption such as "Grad-CAM: surprise". */
const HEAT_MAP_SIDE = 132;
export const GAP = 14;
export const HEAT_MAP_HINT = "bright is what speaks for a class";

export type Row = ClassProb & { isFirst: boolean; isTrue: boolean };

export function rank({ predictions }: PredictedImage): ClassProb[] {
  for (const { className, prob } of predictions)
    checkNumber(`the probability of ${className}`, prob, { min: 0, max: 1.0001 });
  return [...predictions].sort((a, b) => b.prob - a.prob);
}

export function shown(item: PredictedImage, numShown: number): Row[] {
  return rank(item)
    .map((one, i) => ({ ...one, isFirst: i === 0, isTrue: one.className === item.trueClassName }))
    .filter(({ isTrue }, i) => i < numShown || isTrue);
}

export function tileSize(items: PredictedImage[], tiles: Row[][]) {
  const bars = Math.max(...tiles.map((rows) => rows.length)) * ROW_HEIGHT;
  const isAlone = items.length === 1;
  const numPictures = 1 + Math.max(...items.map(({ heatMaps = [] }) => heatMaps.length));
  const least = numPictures > 1 ? HEAT_MAP_SIDE : 96;
  const side = Math.min(isAlone ? 180 : 132, Math.max(least, bars));
  const widest = Math.max(...tiles.flat().map((row) => textWidth(className(row), FONT_SIZE.label)));
  const nameWidth = Math.min(MAX_NAME_WIDTH, Math.ceil(widest));
  const barX = numPictures * (side + GAP) + nameWidth + 8;
  const barWidth = isAlone ? 260 : 100;
  const hasHeader = numPictures > 1 || items.some(({ name }) => name !== undefined);
  const header = hasHeader ? HEADER_HEIGHT : 0;
  const height = header + Math.max(side, bars);
  const width = barX + barWidth + PERCENT_WIDTH;
  return { side, nameWidth, barX, barWidth, header, width, pitch: height + 2 * GAP };
}

export interface Tile {
  pictures: PlacedMark[];
  bars: PlacedMark[];
  classes: PlacedMark[];
  percents: PlacedMark[];
  headers: PlacedMark[];
}

export function drawTile(
  { image, name, heatMaps = [] }: PredictedImage,
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
    color: COLORS.mutedText,
  });
  return {
    pictures: [
      { image, x, y: y + header, tooltip: name ?? rows[0].className },
      ...heatMaps.map(({ image, caption }, i) => ({
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
      color: row.isTrue ? COLORS.green : COLORS.text,
    })),
    percents: rows.map((row, i) => ({
      x: x + barX + Math.max(1, row.prob * barWidth) + 6,
      y: center(i),
      text: percent(row.prob),
      color: row.isFirst ? COLORS.text : COLORS.mutedText,
    })),
    headers: [
      ...(name === undefined ? [] : [head(name, 0, heatMaps.length ? side : width)]),
      ...heatMaps.map(({ caption }, i) => head(caption, i + 1, side)),
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

export function describe({ name, trueClassName }: PredictedImage, rows: Row[]): string {
  const ranked = rows.map(({ className, prob }) => `${className} ${percent(prob)}`).join(", ");
  const truth = trueClassName === undefined ? "" : ` (true class: ${trueClassName})`;
  return `${name === undefined ? "" : `${name}: `}${ranked}${truth}`;
}
