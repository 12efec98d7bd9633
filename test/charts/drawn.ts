// What a chart draws, as the compiler and the renderer see it.
import assert from "node:assert/strict";
import type { Scene } from "vega";
import { renderSvg } from "../../src/charts/render.js";
import type { ChartSpec } from "../../src/charts/theme.js";

/** A mark on the chart, with its place in pixels from the top left of the first plot. */
export interface DrawnMark {
  /** `rect`, `text`, `image`, `line`, `rule` or `symbol`. */
  kind: string;
  /** `mark` for the data's own, otherwise the part: `axis-label`, `axis-title`, `legend-label`, `title-text`, … */
  role: string;
  x: number;
  y: number;
  width: number;
  height: number;
  text: string;
  url: string;
  fill: string;
  stroke: string;
  opacity: number;
}

/** Returns the only page of a chart. */
function onePage(chart: ChartSpec | ChartSpec[]): ChartSpec {
  const [page, ...others] = [chart].flat();
  assert.equal(others.length, 0, "more than one page");
  return page;
}

/** Returns every mark that a chart draws, in order. */
export async function drawnMarks(chart: ChartSpec | ChartSpec[]): Promise<DrawnMark[]> {
  const spec = onePage(chart);
  const [vega, vegaLite] = await Promise.all([import("vega"), import("vega-lite")]);
  const view = new vega.View(vega.parse(vegaLite.compile(structuredClone(spec)).spec), { renderer: "none" });
  await view.runAsync();
  const marks: DrawnMark[] = [];
  // The typings know the root as a wrapper of groups; it is a scene like the ones inside.
  visit((view.scenegraph() as unknown as { root: Scene }).root, 0, 0, marks);
  view.finalize();
  return marks;
}

/** Returns the texts of a drawing, as a browser would read them. */
export async function svgTexts(chart: ChartSpec | ChartSpec[]): Promise<string[]> {
  const svg = await renderSvg(onePage(chart));
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) =>
    text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&"),
  );
}

/** Returns the data's own marks of one kind. */
export function dataMarks(marks: DrawnMark[], kind: string): DrawnMark[] {
  return marks.filter((mark) => mark.kind === kind && mark.role === "mark");
}

/** Returns the texts of one role. */
export function textsOf(marks: DrawnMark[], role: string): string[] {
  return marks.filter((mark) => mark.kind === "text" && mark.role === role).map(({ text }) => text);
}

type Item = Record<string, unknown> & { items?: Scene[] };

function visit(scene: Scene, x: number, y: number, marks: DrawnMark[]): void {
  for (const item of scene.items as unknown as Item[]) {
    const [itemX, itemY] = [x + Number(item.x ?? 0), y + Number(item.y ?? 0)];
    if (scene.marktype === "group") {
      for (const inner of item.items ?? []) visit(inner, itemX, itemY, marks);
      continue;
    }
    marks.push({
      kind: scene.marktype,
      role: scene.role ?? "mark",
      x: itemX,
      y: itemY,
      width: Number(item.width ?? 0),
      height: Number(item.height ?? 0),
      text: String(item.text ?? ""),
      url: String(item.url ?? ""),
      fill: String(item.fill ?? ""),
      stroke: String(item.stroke ?? ""),
      opacity: Number(item.fillOpacity ?? item.opacity ?? 1),
    });
  }
}
