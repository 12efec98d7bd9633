import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { findVenvPython } from "../../scripts/jupyter.js";
import { projectDir } from "../workspace.js";

const PROGRAM = `
import sys
sys.path.insert(0, sys.argv[1])
import nbformat
from headless.page import render_page
from headless.results import Cell, NotebookResult, index_page

v4 = nbformat.v4
hostile = sys.argv[2]
html = v4.new_output("display_data", {"text/html": hostile, "text/plain": hostile})
markdown = v4.new_output("display_data", {"text/markdown": hostile})
stream = v4.new_output("stream", text=hostile)
cells = [v4.new_markdown_cell("# Title\\n\\n" + hostile), v4.new_code_cell("1", outputs=[html, markdown, stream])]
sys.stdout.write(render_page(v4.new_notebook(cells=cells), hostile.replace("/", ""), "."))
print("====")
sys.stdout.write(index_page([NotebookResult("javascript:alert(1)", hostile, "a.ipynb", [Cell(1, hostile, outcome="passed")])], [hostile], []))
`;
const HOSTILE =
  '<script>alert(1)</script><img src="https://example.org/x.png" onerror="alert(2)"><a href="javascript:alert(3)">x</a>' +
  '<meta http-equiv="refresh" content="0;url=https://example.org/"><iframe src="https://example.org/"></iframe>';

const COLORS = `
import json, sys
sys.path.append(sys.argv[1])
from headless import page
texts = json.load(sys.stdin)
lengths = []
convert = page.ansi2html
page.ansi2html = lambda text: lengths.append(len(text)) or convert(text)
pages = []
for page.BLOCK in (1, 10_000):
    pages.append([page.colored(text) for text in texts])
print(json.dumps([pages, max(lengths)]))
`;
const ESC = "\u001b[";
/** What a cell printed, and how a page shows it. */
const COLORED: [string, string][] = [
  [`${ESC}31mred${ESC}0m plain`, '<span class="ansi-red-fg">red</span> plain'],
  [
    `${ESC}1;31ma${ESC}4mb`,
    '<span class="ansi-red-intense-fg ansi-bold">a</span><span class="ansi-red-intense-fg ansi-bold ansi-underline">b</span>',
  ],
  [
    `${ESC}38;5;38ma${ESC}2Kb${ESC}39mc`,
    '<span style="color: rgb(0,175,215)">a</span><span style="color: rgb(0,175,215)">b</span>c',
  ],
  [`${ESC}48;2;1;2;3ma${ESC}mb`, '<span style="background-color: rgb(1,2,3)">a</span>b'],
  [`${ESC}38ma${ESC}1;48mb`, 'a<span class="ansi-bold">b</span>'],
  ["a < b", "a &lt; b"],
  [`${ESC}31mx${ESC}0m `.repeat(20_000), '<span class="ansi-red-fg">x</span> '.repeat(20_000)],
];

describe("pages of executed notebooks", function () {
  this.timeout(600_000);
  let [page, index] = ["", ""];
  before("renders hostile prose, outputs and names", () => {
    const args = ["-c", PROGRAM, path.join(projectDir, "scripts"), HOSTILE];
    [page, index] = execFileSync(findVenvPython(), args, { encoding: "utf8" }).split("====\n");
  });
  /** Elements that come before the policy are not under it. */
  const beforePolicy = (html: string) => html.slice(0, html.indexOf("Content-Security-Policy"));

  it("have a policy that runs no script and loads nothing, before anything that it is to hold for", () => {
    for (const html of [page, index]) {
      const policies = html.match(/<meta [^>]*Content-Security-Policy[^>]*>/g);
      assert.equal(policies?.length, 1);
      assert.deepEqual(policies?.[0].match(/default-src 'none';|script-src/g), ["default-src 'none';"]);
      assert.equal(beforePolicy(html).match(/<(script|style|link|base|img)\b/i), null);
    }
  });

  it("lead to no other page by themselves", () => {
    assert.equal(page.match(/<meta[^>]*refresh/gi), null);
    assert.equal(index.match(/<meta[^>]*refresh/gi), null);
  });

  it("show the prose", () => {
    assert.ok(page.includes("alert(1)"));
    assert.ok(index.includes("&lt;script&gt;alert(1)"));
  });

  it("link to notebooks as files, whatever their names", () => {
    assert.ok(index.includes('href="javascript%3Aalert%281%29.html"'), index);
  });

  it("show the colours of printed text, which is converted in short blocks", () => {
    const input = JSON.stringify(COLORED.map(([text]) => text));
    const args = ["-c", COLORS, path.join(projectDir, "scripts")];
    const [pages, longest] = JSON.parse(
      execFileSync(findVenvPython(), args, { input, encoding: "utf8", maxBuffer: 1 << 26 }),
    );
    // The time of a block grows with the square of its length.
    assert.ok(longest < 10_100, `a block of ${longest} characters`);
    for (const shown of pages)
      assert.deepEqual(
        shown,
        COLORED.map(([, html]) => html),
      );
  });
});
