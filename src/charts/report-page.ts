// HTML pages that contain their style, charts and tables, and fetch nothing.
import { escapeHtml } from "./format.js";
import { chartText, renderSvg } from "./render.js";
import { type ChartSpec, FONT } from "./theme.js";

/** A table of names and values. */
export interface Facts {
  caption: string;
  rows: [name: string, value: string][];
}

/** A number at the top of the page. */
export interface Headline {
  label: string;
  value: string;
  /** A line under the number. */
  note: string;
}

export interface ReportPage {
  title: string;
  subtitle: string;
  headlines: Headline[];
  /** The content is HTML and is not escaped. */
  sections: { heading: string; content: string }[];
}

// Text has a contrast ≥ 4.5:1 on the light and on the dark page. Charts take its colour.
const STYLE = `
:root { color-scheme: light dark; --page: #f5f7f9; --card: #ffffff; --text: #1f2933; --muted: #5b6672; --line: #dfe4e9; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14181d; --card: #1d232a; --text: #e6eaee; --muted: #9aa7b4; --line: #333c46; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 ${FONT}; }
main { max-width: 1008px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { margin: 0; font-size: 30px; line-height: 1.2; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { margin: 44px 0 14px; font-size: 19px; }
.subtitle { margin: 6px 0 0; color: var(--muted); overflow-wrap: anywhere; }
.headlines { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 14px; margin: 28px 0 0; }
.headlines div, figure, .facts table, .scroll { border: 1px solid var(--line); border-radius: 10px; background: var(--card); }
.headlines div { display: flex; flex-direction: column; padding: 14px 18px; }
.headlines dt, .headlines .note { color: var(--muted); font-size: 13px; }
.headlines dd { margin: 0; }
.headlines .value { font-size: 27px; line-height: 1.3; font-weight: 600; font-variant-numeric: tabular-nums; }
figure { margin: 0 0 14px; padding: 4px; overflow-x: auto; }
figure svg { display: block; }
ul { margin: 0; padding-left: 20px; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; padding: 6px 4px; }
table { border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; }
.scroll table { width: 100%; }
th, td { padding: 6px 11px; vertical-align: top; }
th { color: var(--muted); font-weight: 500; }
.scroll th { vertical-align: bottom; line-height: 1.3; }
tbody tr { border-top: 1px solid var(--line); }
.facts { columns: 2 380px; column-gap: 14px; }
.facts table { border-collapse: separate; border-spacing: 0; width: 100%; margin-bottom: 14px; padding: 4px 4px 6px; break-inside: avoid; }
.facts caption { padding: 0 4px 6px; text-align: left; font-weight: 600; }
.facts th { width: 45%; text-align: left; }
.facts td { overflow-wrap: anywhere; }
.facts tr + tr > * { border-top: 1px solid var(--line); }
@media (max-width: 620px) { main { padding: 24px 14px 40px; } }
`;

/** Part of every page, of all versions, and of no page of another program. */
const HEADLINES = '<dl class="headlines">';

/** Tells whether a page is one of `reportPage`. */
export function isReportPage(text: string): boolean {
  return text.includes(HEADLINES);
}

/** Writes a page as HTML; names and values are escaped. */
export function reportPage({ title, subtitle, headlines, sections }: ReportPage): string {
  return [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">`,
    `<title>${escapeHtml(title)}</title>`,
    `<style>${STYLE}</style>`,
    "</head>",
    "<body>",
    "<main>",
    `<h1>${escapeHtml(title)}</h1>`,
    `<p class="subtitle">${escapeHtml(subtitle)}</p>`,
    `${HEADLINES}${headlines.map(headlineHtml).join("")}</dl>`,
    ...sections.flatMap(({ heading, content }) => [`<h2>${escapeHtml(heading)}</h2>`, content]),
    "</main>",
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

/** Draws charts inside a page, each with its text for screen readers. */
export async function figures(charts: ChartSpec[], prefix: string): Promise<string> {
  const drawn = await Promise.all(charts.map(renderSvg));
  return drawn
    .map((svg, i) => {
      const words = escapeHtml(chartText(charts[i]));
      return `<figure role="img" aria-label="${words}">${embedded(svg, `${prefix}${i}`)}</figure>`;
    })
    .join("\n");
}

/** Writes tables of names and values, side by side if there is room. */
export function factTables(tables: Facts[]): string {
  return `<div class="facts">${tables.map(factTable).join("\n")}</div>`;
}

/** Writes sentences, one below the other. */
export function sentenceList(sentences: string[]): string {
  return `<ul>${sentences.map((one) => `<li>${escapeHtml(one)}</li>`).join("\n")}</ul>`;
}

function headlineHtml({ label, value, note }: Headline): string {
  return (
    `<div><dt>${escapeHtml(label)}</dt><dd class="value">${escapeHtml(value)}</dd>` +
    `<dd class="note">${escapeHtml(note)}</dd></div>`
  );
}

function factTable({ caption, rows }: Facts): string {
  const lines = rows.map(
    ([name, value]) => `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`,
  );
  return `<table><caption>${escapeHtml(caption)}</caption><tbody>${lines.join("\n")}</tbody></table>`;
}

/** Removes namespaces, which HTML does not need, and makes the ids of clip paths unique in the page. */
function embedded(svg: string, prefix: string): string {
  return svg
    .replace(/ xmlns(:xlink)?="[^"]*"/g, "")
    .replace(/ id="(clip\d+)"/g, ` id="${prefix}-$1"`)
    .replace(/"url\(#(clip\d+)\)"/g, `"url(#${prefix}-$1)"`);
}
