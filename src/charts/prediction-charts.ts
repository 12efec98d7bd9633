import { checkNumber } from "../errors.js";
import { percent } from "./percent.js";
import { imageLayer, pixelLayer, textLayer } from "./pixel-layout.js";
import {
  type ClassProb,
  describe,
  drawTile,
  GAP,
  HEAT_MAP_HINT,
  type PredictedImage,
  type Row,
  rank,
  shown,
  type Tile,
  tileSize,
} from "./prediction-tile.js";
import { buildChart, type ChartSpec, emptyChart, FONT_SIZE } from "./theme.js";

export type { ClassProb, HeatMap, PredictedImage } from "./prediction-tile.js";

export interface PredictionChartOptions {
  title?: string;
  subtitle?: string;
  /** Classes shown for each image, the most probable first; the true class is always shown. Default 7. */
  numShown?: number;
  /** Default 2, or 1 where there are heat maps. */
  numColumns?: number;
}

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

/** Images in a grid, each with its heat maps, where it has any, and the bars of its classes' probabilities. */
export function predictionGridChart(
  items: PredictedImage[],
  options: PredictionChartOptions = {},
): ChartSpec {
  const hasHeatMaps = items.some(({ heatMaps }) => heatMaps?.length);
  const { title = "Predictions", numShown = 7, numColumns = hasHeatMaps ? 1 : 2 } = options;
  checkNumber("numShown", numShown, { min: 1, integer: true });
  checkNumber("numColumns", numColumns, { min: 1, integer: true });
  if (!items.length || items.some(({ predictions }) => !predictions.length))
    return emptyChart(title, "no data: nothing has been predicted");
  const tiles = items.map((item) => shown(item, numShown));
  const hints = [
    options.subtitle,
    items.some(({ trueClassName }) => trueClassName !== undefined) &&
      "✓ marks the true class; a wrong first choice is orange",
    hasHeatMaps && HEAT_MAP_HINT,
  ];
  return buildChart(
    {
      title,
      subtitle: hints.filter(Boolean).join(" · ") || undefined,
      description: items.map((item, i) => describe(item, tiles[i])).join("\n"),
    },
    predictionGrid(items, tiles, numColumns),
  );
}

/** The grid as a view, for a chart of its own or as a part of one; `tiles` has the rows of each item, as `shown` gives them. */
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
