import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { hintFor } from "../../jupyter/kernels/tslab/hints.cjs";
import { projectDir } from "../../scripts/jupyter.js";
import { workspace } from "../workspace.js";

/** Cells, with what the compiler finds and what the hint must say. */
const CELLS: [code: string, diagnostics: string, hint: RegExp][] = [
  ["# comment\nlet a = 1;", "", /^A comment begins with \/\/ in TypeScript\.$/],
  ["?rate", "", /press Shift-Tab\.$/],
  ...["import numpy", "import os, sys", "import os.path as p", 'from "os" import x', "from . import x"].map(
    (code): [string, string, RegExp] => [
      code,
      "",
      /^This looks like Python; cells are TypeScript\. To import: import { readFileSync } from "node:fs";$/,
    ],
  ),
  ["len(list)", "1:1 - Cannot find name 'len'.", /^This looks like Python; cells are TypeScript\.$/],
  [
    "x = 1 if len(a) else None",
    "1:18 - Cannot find name 'None'.",
    /True, False and None are true, false and null\.$/,
  ],
  ["a = not b", "1:1 - Cannot find name 'a'.\n1:5 - Cannot find name 'not'.", / are &&, \|\|, ! and ===\.$/],
  ["try:\n  f()\nexcept E as e:\n  pass", "", /^This looks like Python; cells are TypeScript\.$/],
  ["assert a == b", "", /^This looks like Python; cells are TypeScript\.$/],
  ["lambda x: x", "1:1 - Cannot find name 'lambda'.", / A function: \(x: number\) => 2 \* x$/],
  [
    'raise E("x")',
    "1:1 - Cannot find name 'raise'.",
    / To throw an error: throw new Error\("what is wrong"\);$/,
  ],
  ["const a = [x for x in b]", "", / To make a list of another: list\.map\(\(x\) => 2 \* x\)$/],
  ["a[1:2]", "", / To take a part of a list: list\.slice\(1, 3\)$/],
  ["const a = '''b'''", "", / Text over several lines is in backticks: `…`$/],
  ["for x in range(3): f(x)", "", / To loop: for \(const x of list\)/],
  ["print(1)", "", /cells are TypeScript\. To print a value: console\.log\(x\)$/],
  ["help(rate)", "", /cells are TypeScript\. .* press Shift-Tab\.$/],
  ["for x in [1, 2]:\n  x", "", /cells are TypeScript\. To loop: for \(const x of list\)/],
  ["npm install x", "", /npm install NAME$/],
  ["pip install x", "", /npm install NAME$/],
  ["%pip install x", "", /npm install NAME$/],
  ["!pip install x", "", /npm install NAME$/],
  ["conda install -y x", "", /npm install NAME$/],
  ["!ls", "", /execSync/],
  ["files = !ls", "", /execSync/],
  ["%%bash\nls", "", /execSync/],
  ["const x = 1;\n!ls -l", "", /execSync/],
  ["cd ..", "", /execSync/],
  ["ls -l data", "", /execSync/],
  ["%%html\n<b>x</b>", "", /^To show HTML: /],
  ["%env A=1", "", /^To set a variable of the environment: process\.env\.NAME/],
  ["await sleep(1)", "1:7 - Cannot find name 'sleep'.", /^To wait a second: /],
  ["_", "1:1 - Cannot find name '_'.", /^Results have no names of their own\. /],
  ["Out[1]", "1:1 - Cannot find name 'Out'.", /^Results have no names of their own\. /],
  ["exit", "1:1 - Cannot find name 'exit'.", /^To end the kernel, /],
  ["quit()", "1:1 - Cannot find name 'quit'.", /^To end the kernel, /],
  [
    'mode = "slow";',
    "1:1 - Cannot assign to 'mode' because it is a constant.",
    /^To assign it, declare it with let in its cell: let mode = …;$/,
  ],
  [
    "using file = open();",
    "1:1 - Cannot find name 'using'.",
    /^Cells have TypeScript 5\.0\.4, without using\. To /,
  ],
  ["{ using file = open(); }", "1:3 - Cannot find name 'using'.", /, without using\. To /],
  ["for (using x of list) {}", "1:6 - Cannot find name 'using'.", /, without using\. To /],
  [
    "class A { @logged m() {} }",
    "1:11 - Unable to resolve signature of method decorator when called as an expression.",
    /^Cells have TypeScript's experimental decorators, not the standard ones\. A method's decorator: /,
  ],
  ["await using file = open();", "1:7 - Cannot find name 'using'.", /, without using\. To /],
  ['import a from "./a.json" with { type: "json" };', "", /^Cells have .* Leave out: with \{ type: … \}$/],
  [
    "[1].toSorted();",
    "1:5 - Property 'toSorted' does not exist on type 'number[]'.",
    /^Copy the array: \[\.\.\.list\]\.sort\(…\)$/,
  ],
  ["input('name')", "1:1 - Cannot find name 'input'.", /^A cell cannot ask for input\. /],
  [
    "document.title",
    "1:1 - Cannot find name 'document'. Do you need …",
    /^Cells run in Node\.js, not in the page\. /,
  ],
  ["rate = 5\nrate", "1:1 - Cannot find name 'rate'.", /^Declare it first: let rate = …;$/],
  // Mistakes without a habit.
  ["rate == 5;", "1:1 - Cannot find name 'rate'.", /^$/],
  ["class A { #count: number = 'x'; }", "1:11 - Type 'string' is not assignable to type 'number'.", /^$/],
  ["const sleep = 1; sleep();", "1:18 - This expression is not callable.", /^$/],
  ["rate;", "1:1 - Cannot find name 'rate'.", /^$/],
  ["str;", "1:1 - Cannot find name 'str'.", /^$/],
  ["const list = range(3); list.n;", "1:29 - Property 'n' does not exist on type 'number[]'.", /^$/],
];

describe("the hint for a cell that does not compile", () => {
  const folder = workspace();
  for (const [code, diagnostics, hint] of CELLS)
    it(`is right for ${code.replaceAll("\n", " ")}`, () =>
      assert.match(hintFor(code, diagnostics, process.cwd()), hint));

  it("names the path of a file that was counted from the notebook's folder", () => {
    const notebooks = path.join(projectDir, "notebooks");
    const found = (file: string) =>
      `1:22 - Cannot find module '${file}' or its corresponding type declarations.`;
    const before = process.cwd();
    process.chdir(projectDir); // as the kernel does
    try {
      const base = `Imports of cells count from the project's folder, ${projectDir}`;
      assert.equal(hintFor("", found("../src/index"), notebooks), `${base}. Write: "./src/index"`);
      assert.equal(hintFor("", found("./gone"), notebooks), `${base}, not from the notebook's.`);
      assert.equal(hintFor("", found("./gone"), projectDir), "");
      mkdirSync(folder.file("nb"));
      writeFileSync(folder.file("nb/half.ts"), "");
      const outside = path.relative(projectDir, folder.file("nb/half"));
      assert.equal(hintFor("", found("./half.js"), folder.file("nb")), `${base}. Write: "${outside}.js"`);
    } finally {
      process.chdir(before);
    }
  });
});
