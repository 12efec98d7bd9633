import { checkNumber } from "../errors.js";
import { percent } from "./percent.js";
import { imageLayer, type PlacedMark, pixelLayer, textLayer } from "./pixel-layout.js";
import { fitText, textWidth } from "./text-width.js";
import { buildChart, type ChartSpec, COLORS, emptyChart, FONT_SIZE } from "./theme.js";

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
}

export interface PredictionChartOptions {
  title?: string;
  subtitle?: string;
  /** Classes shown for each image, the most probable first; the true class is always shown. Default 7. */
  numShown?: number;
  /** Default 2. */
  numColumns?: number;
}

const ROW_HEIGHT = 22;
const BAR_HEIGHT = 14;
const HEADER_HEIGHT = 26;
const PERCENT_WIDTH = 54;
const MAX_NAME_WIDTH = 150;
const GAP = 14;

/** The picture, and beside it a bar for each class's probability, ranked; the first one stands out. */
export function predictionBarsChart(
  image: string,
  predictions: ClassProb[],
  options: PredictionChartOptions & Pick<PredictedImage, "name" | "trueClassName"> = {},
): ChartSpec {
  const { name, trueClassName, ...rest } = options;
  const item = { image, predictions, trueClassName };
  const [first] = rank(item);
  const title = first ? `Predicted: ${first.className}, ${percent(first.prob)}` : "Prediction";
  return predictionGridChart([item], { title, subtitle: name, ...rest, numColumns: 1 });
}

/** Images in a grid, each with the bars of its classes' probabilities. */
export function predictionGridChart(
  items: PredictedImage[],
  options: PredictionChartOptions = {},
): ChartSpec {
  const { title = "Predictions", numShown = 7, numColumns = 2 } = options;
  checkNumber("numShown", numShown, { min: 1, integer: true });
  checkNumber("numColumns", numColumns, { min: 1, integer: true });
  if (!items.length || items.some(({ predictions }) => !predictions.length))
    return emptyChart(title, "no data: nothing has been predicted");
  const tiles = items.map((item) => shown(item, numShown));
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
  const hint = items.some(({ trueClassName }) => trueClassName !== undefined)
    ? "✓ marks the true class; a wrong first choice is orange"
    : undefined;
  return buildChart(
    {
      title,
      subtitle: [options.subtitle, hint].filter((line) => line !== undefined).join(" · ") || undefined,
      description: items.map((item, i) => describe(item, tiles[i])).join("\n"),
    },
    {
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
    },
  );
}

type Row = ClassProb & { isFirst: boolean; isTrue: boolean };

function rank({ predictions }: PredictedImage): ClassProb[] {
  for (const { className, prob } of predictions)
    checkNumber(`the probability of ${className}`, prob, { min: 0, max: 1.0001 });
  return [...predictions].sort((a, b) => b.prob - a.prob);
}

function shown(item: PredictedImage, numShown: number): Row[] {
  return rank(item)
    .map((one, i) => ({ ...one, isFirst: i === 0, isTrue: one.className === item.trueClassName }))
    .filter(({ isTrue }, i) => i < numShown || isTrue);
}

function tileSize(items: PredictedImage[], tiles: Row[][]) {
  const bars = Math.max(...tiles.map((rows) => rows.length)) * ROW_HEIGHT;
  const isAlone = items.length === 1;
  const side = Math.min(isAlone ? 180 : 132, Math.max(96, bars));
  const widest = Math.max(...tiles.flat().map((row) => textWidth(className(row), FONT_SIZE.label)));
  const nameWidth = Math.min(MAX_NAME_WIDTH, Math.ceil(widest));
  const barX = side + GAP + nameWidth + 8;
  const barWidth = isAlone ? 260 : 100;
  const header = items.some(({ name }) => name !== undefined) ? HEADER_HEIGHT : 0;
  const height = header + Math.max(side, bars);
  const width = barX + barWidth + PERCENT_WIDTH;
  return { side, nameWidth, barX, barWidth, header, width, pitch: height + 2 * GAP };
}

interface Tile {
  pictures: PlacedMark[];
  bars: PlacedMark[];
  classes: PlacedMark[];
  percents: PlacedMark[];
  headers: PlacedMark[];
}

function drawTile(
  { image, name }: PredictedImage,
  rows: Row[],
  { nameWidth, barX, barWidth, header, width }: ReturnType<typeof tileSize>,
  x: number,
  y: number,
): Tile {
  const center = (i: number) => y + header + (i + 0.5) * ROW_HEIGHT;
  return {
    pictures: [{ image, x, y: y + header, tooltip: name ?? rows[0].className }],
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
    headers:
      name === undefined
        ? []
        : [{ x, y: y + 8, text: fitText(name, width, FONT_SIZE.small), color: COLORS.mutedText }],
  };
}

function barColor({ isFirst, isTrue }: Row, rows: Row[]): string {
  if (!isFirst) return COLORS.quiet;
  return isTrue || !rows.some((row) => row.isTrue) ? COLORS.blue : COLORS.orange;
}

function className({ className, isTrue }: Row): string {
  return isTrue ? `✓ ${className}` : className;
}

function describe({ name, trueClassName }: PredictedImage, rows: Row[]): string {
  const ranked = rows.map(({ className, prob }) => `${className} ${percent(prob)}`).join(", ");
  const truth = trueClassName === undefined ? "" : ` (true class: ${trueClassName})`;
  return `${name === undefined ? "" : `${name}: `}${ranked}${truth}`;
}
