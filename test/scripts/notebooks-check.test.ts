import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { launcher, projectDir, runProgram, workspace } from "../workspace.js";

/** A code cell, as text, and its tags. */
type Cell = [source: string, ...tags: string[]];

function writeNotebook(file: string, cells: Cell[]): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const notebook = {
    cells: cells.map(([source, ...tags], i) => ({
      cell_type: "code",
      id: `cell-${i}`,
      metadata: { tags },
      source,
      execution_count: null,
      outputs: [],
    })),
    metadata: {
      kernelspec: { display_name: "TypeScript (tslab)", language: "typescript", name: "tslab" },
      language_info: { name: "typescript" },
    },
    nbformat: 4,
    nbformat_minor: 5,
  };
  writeFileSync(file, JSON.stringify(notebook));
}

const read = (file: string): string => readFileSync(file, "utf8");
const ferkit = (dir: string, ...args: string[]) =>
  runProgram(process.execPath, [launcher, "notebooks", ...args], dir);

describe("ferkit notebooks in a project of one's own", function () {
  this.timeout(600_000);
  const folder = workspace("suite");

  before(
    "makes a project with packages, one of them a link to ferkit, a module, a file and a notebook",
    () => {
      const files: Record<string, string> = {
        "package.json": "{}",
        "node_modules/triple/package.json": '{ "main": "main.js" }',
        "node_modules/triple/main.js": "exports.triple = (value) => 3 * value;",
        "node_modules/triple/main.d.ts": "export function triple(value: number): number;",
        "own.ts":
          'import { tf } from "ferkit";\nexport const half = (value: number) => tf.scalar(value).div(2).dataSync()[0];',
        "value.txt": "8",
      };
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(path.dirname(folder.file(name)), { recursive: true });
        writeFileSync(folder.file(name), text);
      }
      symlinkSync(projectDir, folder.file("node_modules/ferkit"));
      writeNotebook(folder.file("notebooks/01-own.ipynb"), [
        [
          'import { readFileSync } from "node:fs";\nimport * as ferkit from "ferkit";\nimport { triple } from "triple";\nimport { half } from "./own";',
        ],
        ['const value = Number(readFileSync("value.txt", "utf8"));\nvalue;'],
        [
          "await ferkit.show({ tripled: triple(value), half: half(value), of: ferkit.EXPRESSIONS.length });",
          "metrics",
        ],
        ["[{ third: value / 3, name: 'x' }];", "metrics"],
      ]);
    },
  );

  it("uses its packages, modules and files, and writes to its folder", () => {
    const { status, stdout, stderr } = ferkit(folder.path, "--update-expected");
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^01-own {2}→ out\/01-own\.\{ipynb,html\}$/m);
    assert.ok(existsSync(folder.file("out/index.html")));
    assert.deepEqual(JSON.parse(read(folder.file("notebooks/expected.json"))), {
      "01-own": {
        tripled: { expected: 24, tolerance: 0 },
        half: { expected: 4, tolerance: 0 },
        of: { expected: 7, tolerance: 0 },
        third: { expected: 2.667, tolerance: 0.05 }, // 2%, one digit
      },
    });
  });

  it("passes the check on what it has just written, from another folder too", () => {
    mkdirSync(folder.file("elsewhere"));
    const { status, stdout, stderr } = ferkit(
      folder.file("elsewhere"),
      "--folder",
      "../notebooks",
      "--check",
    );
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^notebook +metric +expected +found$/m);
    assert.match(stdout, /^01-own +third +2\.667 ± 0\.05 +2\.667 +as expected$/m);
  });

  it("fails for a metric that is off or missing, and says which in each report", () => {
    const file = folder.file("notebooks/expected.json");
    const before = read(file);
    const expected = JSON.parse(before);
    expected["01-own"] = {
      tripled: { expected: 25, tolerance: 0.5 },
      gone: { expected: 1, tolerance: 0 },
      third: { expected: 2.6, tolerance: 0.1 },
    };
    writeFileSync(file, JSON.stringify(expected, null, 2));
    const saved = process.env.GITHUB_ACTIONS;
    process.env.GITHUB_ACTIONS = "true";
    const { status, stdout, stderr } = ferkit(folder.path, "--check", "--junit", "out/report.xml");
    if (saved === undefined) delete process.env.GITHUB_ACTIONS;
    else process.env.GITHUB_ACTIONS = saved;
    writeFileSync(file, before);
    assert.equal(status, 1);
    assert.match(stdout, /^01-own +tripled +25 ± 0\.5 +24 +off by -1$/m);
    assert.match(stdout, /^01-own +gone +1 ± 0 +nothing +not found$/m);
    assert.match(stdout, /^01-own +third +2\.6 ± 0\.1 +2\.667 +as expected$/m);
    assert.match(stdout, /^01-own +half +nothing +4 +not checked$/m);
    assert.match(stderr, /^check failed: 2 of 5 metrics are not as expected$/m);
    const mark =
      "::error file=notebooks/expected.json,line=3,title=01-own::01-own, tripled: expected 25 ± 0.5, found 24";
    assert.ok(stdout.includes(mark), stdout);
    const report = read(folder.file("out/report.xml"));
    assert.match(report, /<testsuite name="metrics" tests="5" failures="2"/);
    assert.match(read(folder.file("out/index.html")), /Notebooks: failed/);
  });

  it("passes the check on what it has written with a finer tolerance, and at zero", () => {
    writeNotebook(folder.file("fine/one.ipynb"), [
      ["({ steps: 123.456, rest: 1 / 3, none: 0 });", "metrics"],
    ]);
    const expected = {
      one: { steps: { expected: 120, tolerance: 0.01 }, rest: { expected: 0.3, tolerance: 0 } },
    };
    writeFileSync(folder.file("fine/expected.json"), JSON.stringify(expected));
    const args = ["--folder", "fine", "--out", "shown"];
    const update = ferkit(folder.path, ...args, "--update-expected");
    assert.equal(update.status, 0, update.stderr);
    assert.deepEqual(JSON.parse(read(folder.file("fine/expected.json"))).one, {
      steps: { expected: 123.456, tolerance: 0.01 },
      rest: { expected: 1 / 3, tolerance: 0 },
      none: { expected: 0, tolerance: 0.001 },
    });
    const { status, stdout } = ferkit(folder.path, ...args, "--check");
    assert.match(stdout, /^one +steps +123\.456 ± 0\.01 +123\.456 +as expected$/m);
    assert.match(stdout, /^one +rest +0\.3333333333333333 ± 0 +0\.3333333333333333 +as expected$/m);
    assert.equal(status, 0);
  });

  it("refuses a metric that is not finite, and keeps its expectation", () => {
    writeNotebook(folder.file("infinite/one.ipynb"), [["({ accuracy: 1, loss: NaN });", "metrics"]]);
    const expected = '{ "one": { "loss": { "expected": 1, "tolerance": 0 } } }';
    writeFileSync(folder.file("infinite/expected.json"), expected);
    for (const option of ["--update-expected", "--check"]) {
      const { status, stderr } = ferkit(folder.path, "--folder", "infinite", "--out", "shown", option);
      assert.equal(status, 1);
      assert.match(
        stderr,
        /^ferkit: Expected a finite number for metric loss at one\.ipynb, cell 1 but found NaN, Infinity or null\. Fix the cell, or remove loss from its row\.$/m,
      );
    }
    assert.equal(read(folder.file("infinite/expected.json")), expected);
  });

  it("finds the metrics of a notebook that does not import ferkit", () => {
    writeNotebook(folder.file("bare/one.ipynb"), [["({ accuracy: 0.5, name: 'x' });", "metrics"]]);
    const { status, stderr } = ferkit(folder.path, "--folder", "bare", "--out", "shown", "--update-expected");
    assert.equal(status, 0, stderr);
    const expected = { one: { accuracy: { expected: 0.5, tolerance: 0.01 } } };
    assert.deepEqual(JSON.parse(read(folder.file("bare/expected.json"))), expected);
  });

  for (const source of ["const accuracy = 0.5;\naccuracy;", "[{ accuracy: 0.5 }, { accuracy: 0.6 }];"])
    it(`refuses a cell tagged metrics that shows no row of numbers: ${source.split("\n").at(-1)}`, () => {
      writeNotebook(folder.file("silent/one.ipynb"), [["1;"], [""], [source, "metrics"]]); // empty cells do not count
      const { status, stderr } = ferkit(folder.path, "--folder", "silent", "--update-expected");
      assert.equal(status, 1);
      assert.match(
        stderr,
        /^ferkit: Expected one row of numbers from a cell tagged `metrics` at one\.ipynb, cell 2 but found none\. Add a last line such as \(\{ accuracy \}\);, or remove the tag `metrics`\.$/m,
      );
    });

  it("has in its JUnit report what stopped a run before its cells", () => {
    writeNotebook(folder.file("unchecked/one.ipynb"), [["1;"]]);
    const args = ["--folder", "unchecked", "--out", "shown", "--check", "--junit", "reports/a.xml"];
    const { status, stdout, stderr } = ferkit(folder.path, ...args);
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(
      stderr,
      /^ferkit: Expected a file of metrics to compare with at \S+ but found no such file/m,
    );
    const report = read(folder.file("reports/a.xml"));
    assert.match(report, /<testsuite name="run" tests="1" failures="0" errors="1"/);
    assert.match(
      report,
      /<error message="Expected a file of metrics to compare with at \S+ but found no such file\. /,
    );
  });

  const refused: [string, string, RegExp][] = [
    [
      "is no JSON",
      "{",
      /^ferkit: Expected a file of metrics to compare with at \S+ but found Expecting property name/m,
    ],
    [
      "names no notebook of the folder",
      '{ "07": {} }',
      /^ferkit: Expected metrics by the name of a notebook at \S+ but found 07\. Fix the file\.$/m,
    ],
    [
      "has an entry without a tolerance",
      '{ "01-own": { "half": 4 } }',
      /^ferkit: Expected \{"expected": number, "tolerance": number ≥ 0\} for half of 01-own at \S+ but found 4\. Fix the file\.$/m,
    ],
  ];
  for (const [what, text, message] of refused)
    it(`refuses before the run a file of expectations that ${what}`, () => {
      const file = folder.file("notebooks/expected.json");
      writeFileSync(file, text);
      const { status, stdout, stderr } = ferkit(folder.path, "--check");
      assert.deepEqual([status, stdout], [1, ""]);
      assert.match(stderr, message);
    });

  it("says how to begin, and what a metric is", () => {
    writeNotebook(folder.file("plain/a.ipynb"), [["1 + 1;"]]);
    const check = ferkit(folder.path, "--folder", "plain", "--check");
    assert.match(
      check.stderr,
      /^ferkit: Expected a file of metrics to compare with at \S+ but found no such file\. Run with --update-expected to write it\.$/m,
    );
    const update = ferkit(folder.path, "--folder", "plain", "--update-expected");
    assert.match(
      update.stderr,
      /^ferkit: Expected metrics to check at \S+ but found none\. Add the tag `metrics` to a cell whose last value is a row of numbers\.$/m,
    );
    assert.equal(update.stdout, ""); // before the first cell
    assert.ok(!existsSync(folder.file("plain/expected.json")));
  });

  it("refuses before the run a tag on a cell that shows nothing", () => {
    writeNotebook(folder.file("untold/one.ipynb"), [["1;"], ["", "metrics"]]);
    const { status, stdout, stderr } = ferkit(folder.path, "--folder", "untold", "--update-expected");
    assert.deepEqual([status, stdout], [1, ""]);
    assert.equal(
      stderr,
      "ferkit: Expected the tag `metrics` on a cell that shows a row of numbers at one.ipynb but found an empty cell. Remove the tag `metrics` of this cell, or add it to the cell whose last value is a row of numbers.\n",
    );
  });
});
