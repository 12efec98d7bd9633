// The look of every chart.
import type { TopLevelSpec } from "vega-lite";

/**
 * A chart as data: a vega-lite 5 specification. `show` shows it in a notebook, `saveChart` writes it to a file.
 *
 * @example
 * ```ts
 * import { type ChartSpec, classBalanceChart, loadDataset, saveChart } from "ferkit";
 *
 * const { report } = await loadDataset({ data: "data/pets", imageSize: 48 });
 * const chart: ChartSpec = classBalanceChart(report.classCounts);
 * await saveChart({ ...chart, background: "white" }, "classes.svg");
 * ```
 */
export type ChartSpec = TopLevelSpec;

/**
 * Colours that people with the common kinds of colour blindness can tell apart, and that are visible on white and on near-black:
 * their contrast is at least 3:1 on both, and 4:1 for text.
 *
 * @see Okabe & Ito, https://jfly.uni-koeln.de/color/
 */
export const COLORS = {
  /** The colour of the text around the chart, so that a chart follows the theme of its page. */
  text: "currentColor",
  axis: "#8b96a1",
  /** Train, in comparisons of train and validation; the chosen value elsewhere. */
  blue: "#1a7bbf",
  /** Validation, in comparisons of train and validation. */
  orange: "#d55e00",
  green: "#00875f",
  /** Values shown for comparison only. */
  quiet: "#98a4b0",
  /** Texts and outlines on blue, and on photographs. */
  onColor: "#ffffff",
} as const;

/** Opacity of secondary text, and of the grid. */
export const OPACITY = { muted: 0.72, grid: 0.3 } as const;

/** Colours of lines of equal rank, in this order. Neighbours differ in hue and lightness; the last one is near the first. */
export const SERIES_COLORS = [
  COLORS.blue,
  COLORS.orange,
  COLORS.green,
  "#c0609b",
  "#c68200",
  "#7a68c4",
  "#95693f",
  "#7f8f1f",
  "#6b7b88",
  "#2f97cf",
] as const;

/**
 * Shares from 0 to 1, as the opacity of one colour. The step at one half keeps text readable on white and near-black: up to there
 * in the text colour of the page, above in white, the contrast is at least 4.5:1.
 */
export const SHARES = {
  color: "#1a66a8",
  domain: [0, 0.5, 0.501, 1],
  opacity: [0.05, 0.5, 0.85, 1],
  /** The same for small cells without text. */
  strongOpacity: [0.3, 0.6, 0.85, 1],
  whiteTextAbove: 0.5,
} as const;

/** Font family that the package ships; browsers without it use their own sans-serif. */
export const FONT = "Inter, system-ui, sans-serif";

export const FONT_SIZE = { title: 16, subtitle: 12, label: 12, small: 11, tiny: 9 } as const;

/** An axis with a line and ticks in place of the grid. */
export const LINE_AXIS = { domain: true, ticks: true, grid: false } as const;

const AXIS = {
  domain: false,
  ticks: false,
  labelColor: COLORS.text,
  labelOpacity: OPACITY.muted,
  labelFontSize: FONT_SIZE.label,
  labelLimit: 220,
  labelPadding: 6,
  labelFlush: false,
  titleColor: COLORS.text,
  titleOpacity: OPACITY.muted,
  titleFontSize: FONT_SIZE.label,
  titleFontWeight: 400,
  titlePadding: 10,
  domainColor: COLORS.axis,
  tickColor: COLORS.axis,
  gridColor: COLORS.axis,
  gridOpacity: OPACITY.grid,
} as const;

const CONFIG = {
  background: "transparent",
  padding: 18,
  font: FONT,
  title: {
    anchor: "start",
    frame: "bounds",
    color: COLORS.text,
    fontSize: FONT_SIZE.title,
    fontWeight: 600,
    subtitleColor: COLORS.text,
    subtitleFontSize: FONT_SIZE.subtitle,
    subtitlePadding: 6,
    offset: 18,
  },
  axis: AXIS,
  legend: {
    title: null,
    orient: "top",
    direction: "horizontal",
    labelColor: COLORS.text,
    labelFontSize: FONT_SIZE.label,
    labelLimit: 220,
    offset: 6,
  },
  view: { stroke: null },
  text: { color: COLORS.text, fontSize: FONT_SIZE.label },
} as const;

/** The texts of a chart. */
export interface ChartWords {
  title: string;
  /** Lines under the title. */
  subtitle?: string | string[];
  /** The main numbers as plain text, for screen readers and terminals. */
  description: string;
}

/** Adds the schema, the texts and the theme to a chart's body. */
export function buildChart({ title, subtitle, description }: ChartWords, body: object): ChartSpec {
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v5.json",
    title: { text: title, ...(subtitle ? { subtitle } : {}) },
    description,
    config: CONFIG,
    // In a canvas, the text colour of the page would be the one when the chart was drawn.
    usermeta: { embedOptions: { renderer: "svg" } },
    ...body,
  } as unknown as ChartSpec;
}

/** Builds a chart without data: its title, and the reason. */
export function emptyChart(title: string, reason: string): ChartSpec {
  return buildChart(
    { title, description: reason },
    {
      width: 360,
      height: 60,
      data: { values: [{ reason }] },
      mark: { type: "text", opacity: OPACITY.muted, fontSize: FONT_SIZE.label, align: "left", x: 0, y: 20 },
      encoding: { text: { field: "reason", type: "nominal" } },
    },
  );
}
