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
});
