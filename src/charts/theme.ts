// The look of every chart.
import type { TopLevelSpec } from "vega-lite";

/** A chart as data: a vega-lite 5 specification. */
export type ChartSpec = TopLevelSpec;

/**
 * Colours that people with the common kinds of colour blindness can tell apart. Text colours have a contrast ≥ 4.5:1 on
 * `background`.
 *
 * @see Okabe & Ito, https://jfly.uni-koeln.de/color/
 */
export const COLORS = {
  background: "#ffffff",
  text: "#1f2933",
  mutedText: "#5b6672",
  grid: "#e6e9ed",
  axis: "#aab3bd",
  /** Train, in comparisons of train and validation; the chosen value elsewhere. */
  blue: "#0072b2",
  /** Validation, in comparisons of train and validation. */
  orange: "#d55e00",
  green: "#007a5a",
  /** Values shown for comparison only. */
  quiet: "#b9c6d3",
} as const;

/**
 * Colours of lines of equal rank, in this order. Neighbours differ in hue and lightness; the contrast on `background` is ≥ 3:1.
 */
export const SERIES_COLORS = [
  COLORS.blue,
  COLORS.orange,
  COLORS.green,
  "#c0609b",
  "#2f97cf",
  "#c68200",
  "#5e4a9c",
  "#7a4f2b",
  "#7f8f1f",
  "#3b4754",
] as const;

/**
 * Colours of shares from 0 to 1. The step at one half keeps text readable: dark text up to there and white text above have
 * a contrast ≥ 4.5:1.
 */
export const SHARE_COLORS = {
  domain: [0, 0.5, 0.501, 1],
  range: ["#f4f8fb", "#64a5d2", "#2f7bb2", "#083d6b"],
  darkAbove: 0.5,
  textOnLight: "#10161c",
  textOnDark: "#ffffff",
} as const;

/** Font family that the package ships; browsers without it use their own sans-serif. */
export const FONT = "Inter, system-ui, sans-serif";

export const FONT_SIZE = { title: 16, subtitle: 12, label: 12, small: 11 } as const;

const AXIS = {
  labelColor: COLORS.mutedText,
  labelFontSize: FONT_SIZE.label,
  labelLimit: 220,
  labelPadding: 6,
  labelFlush: false,
  titleColor: COLORS.mutedText,
  titleFontSize: FONT_SIZE.label,
  titleFontWeight: 400,
  titlePadding: 10,
  domainColor: COLORS.axis,
  tickColor: COLORS.axis,
  gridColor: COLORS.grid,
} as const;

/**
 * Axis text and marks cannot reach a contrast of 4.5:1 on both white and near-black. So every chart has its own light card,
 * which looks the same in a light and a dark JupyterLab, on GitHub and in a report.
 */
const CONFIG = {
  background: COLORS.background,
  padding: 18,
  font: FONT,
  title: {
    anchor: "start",
    frame: "bounds",
    color: COLORS.text,
    fontSize: FONT_SIZE.title,
    fontWeight: 600,
    subtitleColor: COLORS.mutedText,
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
  /** A line under the title. */
  subtitle?: string;
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
      mark: { type: "text", color: COLORS.mutedText, fontSize: FONT_SIZE.label, align: "left", x: 0, y: 20 },
      encoding: { text: { field: "reason", type: "nominal" } },
    },
  );
}
