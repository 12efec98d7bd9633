import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { launcher, projectDir, runProgram, workspace } from "../workspace.js";

interface Cell {
  cell_type: string;
  metadata: { tags?: string[] };
  source: string | string[];
  outputs?: { output_type: string; ename?: string; text?: string | string[] }[];
}
interface Notebook {
  cells: Cell[];
  metadata: object;
}

const PARAMETERS =
  'let count = 1;\nlet word: string = "none";\nconst fixed = 0;\nlet limits: object | null = null;\nlet list: number[] = [];';
const text = (value: string | string[] | undefined) => [value ?? ""].flat().join("");

describe("ferkit notebooks", function () {
  this.timeout(120_000);
  const folder = workspace();
  const inCi = process.env.GITHUB_ACTIONS;
  afterEach("leaves CI", () => {
    if (inCi === undefined) delete process.env.GITHUB_ACTIONS;
    else process.env.GITHUB_ACTIONS = inCi;
  });

  /** Writes a notebook of the project's kernel: a cell of parameters, then the given ones. */
  function writeNotebook(name: string, ...sources: string[]): string {
    const { metadata } = readNotebook(path.join(projectDir, "notebooks/01-setup.ipynb"));
    const cells = [PARAMETERS, ...sources].map((source, i) => ({
      cell_type: "code",
      id: `cell-${i}`,
      metadata: i === 0 ? { tags: ["parameters"] } : {},
      source,
      execution_count: null,
      outputs: [],
    }));
    const file = folder.file("in", `${name}.ipynb`);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }));
    return file;
  }

  function readNotebook(file: string): Notebook {
    return JSON.parse(readFileSync(file, "utf8"));
  }

  const run = (...args: string[]) =>
    runProgram(
      process.execPath,
      [launcher, "notebooks", "--folder", "in", "--out", "out", ...args],
      folder.path,
    );
  const out = (name: string) => folder.file("out", name);
  const printed = (name: string) =>
    readNotebook(out(`${name}.ipynb`)).cells.map(({ outputs }) =>
      outputs?.map((output) => text(output.text)).join(""),
    );

  it("leaves an executed copy and a page of each notebook, and the notebooks as they were", () => {
    const file = writeNotebook("01-good", 'console.log("count is", count, word);');
    const source = readFileSync(file, "utf8");
    const { status, stdout, stderr } = run("--set", "count=5", "--set", "word=two words");
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^01-good {2}→ \S+01-good\.\{ipynb,html\}$/m);
    assert.match(stdout, /^1 notebook in \d+ s, no failure: \S+\/out\/index\.html$/m);
    assert.match(stdout, /^count = 5 in 01-good\nword = "two words" in 01-good\n/);
    assert.deepEqual(readdirSync(folder.file("out")).sort(), ["01-good.html", "01-good.ipynb", "index.html"]);
    assert.match(
      readFileSync(out("index.html"), "utf8"),
      /<a href="01-good\.html">01-good<\/a>.*passed.*3 of 3/,
    );
    assert.equal(readFileSync(file, "utf8"), source);
    const { cells } = readNotebook(out("01-good.ipynb"));
    assert.deepEqual(cells[1].metadata.tags, ["injected-parameters"]);
    assert.equal(
      text(cells[1].source),
      '// Parameters of this run\ncount = 5;\nword = "two words";\nvoid 0;',
    );
    assert.deepEqual(printed("01-good"), ["", "", "count is 5 two words\n"]);
    assert.match(readFileSync(out("01-good.html"), "utf8"), /count is 5 two words/);
  });

  it("keeps late output with its cell, and says what is still to come at the end", () => {
    writeNotebook(
      "02-late",
      'setTimeout(() => console.log("late"), 100);',
      "await new Promise((resolve) => setTimeout(resolve, 300)); console.log('second');",
      "setTimeout(() => console.log('lost'), 60_000); void 0;",
    );
    const { status, stdout, stderr } = run("--notebooks", "02");
    assert.equal(status, 0, stderr);
    assert.match(printed("02-late")[1] ?? "", /late\n/);
    assert.equal(printed("02-late")[2], "second\n");
    assert.match(
      stdout + stderr,
      /02-late: a timer was still to fire when the notebook ended; what would be printed is lost\. Await it in its cell\./,
    );
  });

  it("runs only the notebooks that are asked for, each with those parameters that it declares", () => {
    writeNotebook("01-a", "console.log(count);");
    writeNotebook("02-b", "let other = 1;", "console.log(count, other);");
    const { status, stderr } = run("--notebooks", "02", "--set", "count=7");
    assert.equal(status, 0, stderr);
    assert.deepEqual(readdirSync(folder.file("out")).sort(), ["02-b.html", "02-b.ipynb", "index.html"]);
    assert.deepEqual(printed("02-b"), ["", "", "", "7 1\n"]);
  });

  const failures: [string, string, RegExp, string][] = [
    ["throws", 'throw new Error("planted");', /^Error: planted$/m, "Error"],
    [
      "does not type-check",
      'const x: number = "a";',
      /Type 'string' is not assignable to type 'number'/,
      "TypeScriptError",
    ],
    ["leaves a promise rejected", 'Promise.reject(new Error("stray"));', /^Error: stray$/m, "Error"],
    [
      "awaits a promise that is rejected",
      'await Promise.reject(new Error("late"));',
      /^Error: late$/m,
      "Error",
    ],
  ];
  for (const [what, source, message, ename] of failures)
    it(`stops at a cell that ${what}, and names the notebook, the cell, its line and the error`, () => {
      writeNotebook("01-bad", 'console.log("before");', `// on line 2\n${source}`, 'console.log("after");');
      writeNotebook("02-next", 'console.log("next");');
      mkdirSync(folder.file("out"));
      writeFileSync(out("02-next.html"), "of an earlier run");
      process.env.GITHUB_ACTIONS = "true";
      const { status, stdout, stderr } = run("--junit", "reports/junit.xml");
      assert.equal(status, 1);
      assert.match(stderr, /^\s*01-bad\.ipynb failed at cell 3 \(on line 2\), line 2:\n/);
      assert.ok(stderr.includes(`\n  2 | ${source}\n`), stderr);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /node_modules|Traceback/);
      const error = stderr.trimEnd().split("\n").at(-1) ?? "";
      assert.match(error, message); // the last line says what happened
      const line =
        readFileSync(folder.file("in/01-bad.ipynb"), "utf8")
          .split("\n")
          .findIndex((one) => one.includes("on line 2")) + 1;
      const place = `file=in/01-bad.ipynb,line=${line},title=01-bad%2C cell 3`;
      assert.ok(stdout.split("\n").includes(`::error ${place}::${error}`), stdout);
      const xml = readFileSync(folder.file("reports/junit.xml"), "utf8");
      assert.match(xml, /<testsuite name="01-bad" tests="4" failures="1" errors="0" skipped="1" /);
      assert.match(xml, /<testsuite name="02-next" tests="2" failures="0" errors="0" skipped="2" /);
      assert.match(xml, /name="cell 3: on line 2".*>\s*<failure message="/);
      assert.match(
        readFileSync(out("index.html"), "utf8"),
        /failed.*3 of 4[\s\S]*not run.*0 of 2[\s\S]*<pre>01-bad\.ipynb failed/,
      );
      // What was run stays to be looked at; what was not leaves nothing that could pass for it.
      assert.deepEqual(readdirSync(folder.file("out")).sort(), ["01-bad.html", "01-bad.ipynb", "index.html"]);
      const { cells } = readNotebook(out("01-bad.ipynb"));
      assert.equal(text(cells[1].outputs?.[0].text), "before\n");
      assert.equal(cells[2].outputs?.find(({ output_type }) => output_type === "error")?.ename, ename);
      assert.deepEqual(cells[3].outputs, []);
    });

  it("gives each notebook the values that it declares, however they are declared", () => {
    const forms = [
      "let count = 1, word = 'none';",
      "let count: number | null = null; const word: string = 'none';",
      "let\n  limits: Record<string, number> = {\n    low: 1,\n    high: 2,\n  },\n  count = [\n    0,\n  ][0];\nconst word = 'none'",
      "let other = 1;",
    ];
    const [print] = ["console.log(count, word);"];
    forms.forEach((parameters, i) => {
      const file = writeNotebook(`0${i}-form`, i === 3 ? "console.log(other);" : print);
      const notebook = readNotebook(file);
      notebook.cells[0].source = parameters;
      writeFileSync(file, JSON.stringify(notebook));
    });
    const { status, stdout, stderr } = run("--set", "count=7", "--set", "word=some");
    assert.equal(status, 0, stderr);
    assert.deepEqual(stdout.split("\n").slice(0, 2), [
      "count = 7 in 00-form, 01-form, 02-form; not declared in 03-form",
      'word = "some" in 00-form, 01-form, 02-form; not declared in 03-form',
    ]);
    for (const name of ["00-form", "01-form", "02-form"]) assert.equal(printed(name)[2], "7 some\n", name);
    assert.deepEqual(printed("03-form"), ["", "1\n"]);
  });

  it("stops at a parameter of another type than the notebook declares", () => {
    writeNotebook("01-typed", "console.log(count);");
    const { status, stderr } = run("--set", 'list=["many"]');
    assert.equal(status, 1);
    assert.match(stderr, /^\s*01-typed\.ipynb failed at cell 2 \(Parameters of this run\), line 2:\n/);
    assert.match(stderr, /Type 'string' is not assignable to type 'number'/);
  });

  it("stops at a cell that takes longer than it may", () => {
    writeNotebook("01-slow", "await new Promise((resolve) => setTimeout(resolve, 600_000));");
    const { status, stderr } = run("--timeout", "1");
    assert.equal(status, 1);
    assert.match(
      stderr,
      /01-slow\.ipynb failed at cell 2 .*\n.*\nTimeout: .* more than 1 s \(--timeout\)\n$/,
    );
  });

  const refused: [string, string[], RegExp][] = [
    [
      "a parameter that no notebook declares",
      ["--set", "counts=2"],
      /^Did you mean count\? Expected one of count, fixed, limits, list, word for --set but found counts\. The cells tagged `parameters` of 01-good declare these\.$/m,
    ],
    [
      "a parameter of another type than is declared",
      ["--set", "count=2", "--set", "limits=low=1"],
      /^an object or null for --set limits, as 01-good declares but found "low=1"\. Write it as JSON, such as --set 'limits=\{"name": 1\}'\.$/m,
    ],
    [
      "options that no notebook takes, by their names",
      ["--data", "synthetic", "--validation-share", "0.3", "--drop-leaked"],
      /^a notebook that takes --data, --validation-share, --drop-leaked but found 01-good\. Choose others with --notebooks, or remove what they do not take\.$/m,
    ],
    [
      "the notebooks' own folder for the results",
      ["--out", "in"],
      /^another folder .* for --out but found \S+\/in\. /,
    ],
    [
      "a file for the results",
      ["--out", "in/01-good.ipynb"],
      /^a folder that can be written at \S+ but found File exists\. /,
    ],
    ["a notebook that is none", ["--notebooks", "bad"], /^a notebook at \S+bad\.ipynb but found /],
  ];
  for (const [what, args, message] of refused)
    it(`refuses ${what} before it runs anything`, () => {
      writeNotebook("01-good", "console.log(count);");
      if (what.includes("none")) writeFileSync(folder.file("in/bad.ipynb"), "no JSON");
      const { status, stdout, stderr } = run("--notebooks", "01", ...args);
      assert.deepEqual([status, stdout], [1, ""]);
      assert.match(stderr, /^ferkit: (Did you mean \w+\? )?Expected [^\n]+\n$/);
      assert.match(stderr.replace(/^ferkit: (Expected )?/, ""), message);
      assert.ok(existsSync(folder.file("in/01-good.ipynb")));
      assert.equal(existsSync(folder.file("out")), false);
    });
});
