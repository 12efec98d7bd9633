import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { launcher, projectDir, type Result, runProgram, workspace } from "../workspace.js";

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

/** Notebooks in a folder, the command that runs them, and what it leaves. Call it inside `describe`. */
function notebooks(scope: "test" | "suite") {
  const folder = workspace(scope);
  const out = (name: string) => folder.file("out", name);
  return {
    folder,
    out,
    /** Writes a notebook of the project's kernel, whose first cell has the parameters. */
    writeNotebook(name: string, sources: string[]): string {
      const { metadata } = readNotebook(path.join(projectDir, "notebooks/01-setup.ipynb"));
      const cells = sources.map((source, i) => ({
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
    },
    run: (...args: string[]) =>
      runProgram(
        process.execPath,
        [launcher, "notebooks", "--folder", "in", "--out", "out", ...args],
        folder.path,
      ),
    /** Returns what each code cell printed. */
    printed: (name: string) =>
      readNotebook(out(`${name}.ipynb`)).cells.map(({ outputs }) =>
        outputs?.map((output) => text(output.text)).join(""),
      ),
  };
}

function readNotebook(file: string): Notebook {
  return JSON.parse(readFileSync(file, "utf8"));
}

describe("ferkit notebooks without a failure", function () {
  this.timeout(600_000);
  const { folder, writeNotebook, run, out, printed } = notebooks("suite");
  const forms: Record<string, string> = {
    "01-form": "let count = 1, word = 'none';",
    "02-form": "let count: number | null = null; const word: string = 'none';",
    "03-form":
      "let\n  limits: Record<string, number> = {\n    low: 1,\n    high: 2,\n  },\n  count = [\n    0,\n  ][0];\nconst word = 'none'",
    "04-other": "let other = 1, ratio = 0.1;",
  };
  const last = "05-good";
  const sources: Record<string, string> = {};
  let result: Result;

  before("runs all but the first", () => {
    writeNotebook("00-left-out", [PARAMETERS]);
    for (const [name, parameters] of Object.entries(forms)) {
      const print = `console.log(${name === "04-other" ? "other, ratio" : "count, word"});`;
      writeNotebook(name, [parameters, print]);
    }
    const file = writeNotebook(last, [
      PARAMETERS,
      'setTimeout(() => console.log("late"), 100);\nconsole.log("count is", count, word);',
      "await new Promise((resolve) => setTimeout(resolve, 300)); console.log('second');",
      "setTimeout(() => console.log('lost'), 60_000); void 0;",
      'process.stdout.write("x".repeat(3e6)); process.stdout.write("\\b\\b\\b");',
      "for (const x of [1, 2]) process.stdout.write('\\r' + x + ' of 2'); await new Promise((done) => setTimeout(done, 200));",
    ]);
    sources[last] = readFileSync(file, "utf8");
    const names = [...Object.keys(forms), last];
    result = run(
      "--notebooks",
      names.join(","),
      "--set",
      "count=5",
      "--set",
      "word=two words",
      "--set",
      "ratio=.5",
      "--timeout",
      "12", // and half of it for what is still to come
    );
    assert.equal(result.status, 0, result.stderr);
  });

  it("leaves an executed copy and a page of each notebook that is asked for, and the notebooks as they were", () => {
    const { stdout } = result;
    assert.match(stdout, /^05-good {3}→ \S+05-good\.\{ipynb,html\}$/m);
    assert.match(stdout, /^5 notebooks in \d+ s, no failure: \S+\/out\/index\.html$/m);
    const results = [...Object.keys(forms), last].flatMap((name) => [`${name}.html`, `${name}.ipynb`]);
    assert.deepEqual(readdirSync(folder.file("out")).sort(), [...results, "index.html"]);
    assert.match(
      readFileSync(out("index.html"), "utf8"),
      /<a href="05-good\.html">05-good<\/a>.*passed.*7 of 7/,
    );
    assert.equal(readFileSync(folder.file("in/05-good.ipynb"), "utf8"), sources[last]);
    const { cells } = readNotebook(out("05-good.ipynb"));
    assert.deepEqual(cells[1].metadata.tags, ["injected-parameters"]);
    assert.equal(
      text(cells[1].source),
      '// Parameters of this run\ncount = 5;\nword = "two words";\nvoid 0;',
    );
    assert.match(readFileSync(out("05-good.html"), "utf8"), /count is 5 two words/);
  });

  it("keeps late output with its cell, and says what is still to come at the end", () => {
    assert.deepEqual(printed(last).slice(0, 5), ["", "", "count is 5 two words\nlate\n", "second\n", ""]);
    assert.match(
      result.stdout + result.stderr,
      /05-good: a timer was still to fire when the notebook ended; what would be printed is lost\. Await it in its cell\./,
    );
  });

  it("keeps a line of millions of characters, and the last version of a line that is printed again", () => {
    const [long, progress] = printed(last).slice(5);
    assert.ok(long === "x".repeat(3e6 - 3));
    assert.equal(progress, "2 of 2");
  });

  it("gives each notebook the values that it declares, however they are declared", () => {
    assert.deepEqual(result.stdout.split("\n").slice(0, 3), [
      "count = 5 in 01-form, 02-form, 03-form, 05-good; not declared in 04-other",
      'word = "two words" in 01-form, 02-form, 03-form, 05-good; not declared in 04-other',
      "ratio = 0.5 in 04-other; not declared in 01-form, 02-form, 03-form, 05-good",
    ]);
    for (const name of ["01-form", "02-form", "03-form"])
      assert.equal(printed(name)[2], "5 two words\n", name);
    assert.deepEqual(printed("04-other"), ["", "", "1 0.5\n"]);
  });
});

describe("ferkit notebooks", function () {
  this.timeout(600_000);
  const { folder, writeNotebook, run, out } = notebooks("test");
  const inCi = process.env.GITHUB_ACTIONS;
  afterEach("leaves CI", () => {
    if (inCi === undefined) delete process.env.GITHUB_ACTIONS;
    else process.env.GITHUB_ACTIONS = inCi;
  });

  const failures: [string, string, RegExp, string][] = [
    ["throws in a function of an earlier cell", "fails();", /^Error: planted$/m, "Error"],
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
      const before = 'function fails() { throw new Error("planted"); } console.log("before");';
      const sources = [before, `// on line 2\n${source}`, 'console.log("after");'];
      writeNotebook("01-bad", [PARAMETERS, ...sources]);
      const hasNext = what.startsWith("throws"); // a kernel starts for it
      mkdirSync(folder.file("out"));
      if (hasNext) {
        writeNotebook("02-next", [PARAMETERS, 'console.log("next");']);
        writeFileSync(out("02-next.html"), "of an earlier run");
      }
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
      assert.match(xml, /name="cell 3: on line 2".*>\s*<failure message="/);
      const index = readFileSync(out("index.html"), "utf8");
      assert.match(index, /failed.*3 of 4[\s\S]*<pre>01-bad\.ipynb failed/);
      if (hasNext) {
        assert.match(xml, /<testsuite name="02-next" tests="2" failures="0" errors="0" skipped="2" /);
        assert.match(index, /failed.*3 of 4[\s\S]*not run.*0 of 2[\s\S]*<pre>01-bad\.ipynb failed/);
      }
      // What was run stays to be looked at; what was not leaves nothing that could pass for it.
      assert.deepEqual(readdirSync(folder.file("out")).sort(), ["01-bad.html", "01-bad.ipynb", "index.html"]);
      const { cells } = readNotebook(out("01-bad.ipynb"));
      assert.equal(text(cells[1].outputs?.[0].text), "before\n");
      assert.equal(cells[2].outputs?.find(({ output_type }) => output_type === "error")?.ename, ename);
      assert.deepEqual(cells[3].outputs, []);
    });

  it("names no line if the error names none", () => {
    writeNotebook("01-text", [PARAMETERS, '// on line 2\nconst planted = "planted";\nthrow planted;']);
    const { status, stderr } = run();
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^\s*01-text\.ipynb failed at cell 2 \(on line 2\); it starts:\n {2}2 \| const planted = /,
    );
  });

  it("stops when an earlier cell fails late, and names that cell", () => {
    const [late, waits] = [
      'setTimeout(() => {\n  throw new Error("planted late");\n}, 200);\nvoid 0;',
      "await new Promise((resolve) => setTimeout(resolve, 700)); console.log('unharmed');",
    ];
    writeNotebook("01-late", [PARAMETERS, late, waits, "console.log('after');"]);
    process.env.GITHUB_ACTIONS = "true";
    const { status, stdout, stderr } = run("--junit", "reports/junit.xml");
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^\s*01-late\.ipynb failed at cell 2 \(setTimeout[^\n]*\), line 2, after the cell had ended:\n {2}2 \| {3}throw new Error/,
    );
    assert.equal(stderr.trimEnd().split("\n").at(-1), "Error: planted late");
    assert.match(
      stdout,
      /^::error file=in\/01-late\.ipynb,line=\d+,title=01-late%2C cell 2::Error: planted late$/m,
    );
    const xml = readFileSync(folder.file("reports/junit.xml"), "utf8");
    assert.match(xml, /<testsuite name="01-late" tests="4" failures="1" errors="0" skipped="1" /);
    assert.match(xml, /name="cell 2: [^>]*>\s*<failure message="Error: planted late" type="Error">/);
    const { cells } = readNotebook(out("01-late.ipynb"));
    assert.deepEqual(
      cells.map(({ outputs }) => outputs?.map(({ ename, text: printed }) => ename ?? text(printed))),
      [[], ["Error"], ["unharmed\n", "LateError"], []],
    );
  });

  const afterTheEnd: [string, string[], number, number][] = [
    [
      "a timer of an earlier cell",
      ['setTimeout(() => {\n  throw new Error("planted late");\n}, 900);\nvoid 0;', "console.log('last');"],
      2,
      2,
    ],
    [
      "a promise of the last cell that nobody awaits",
      [
        'import { readFile } from "node:fs/promises";\nconsole.log("first");',
        'async function reads() {\n  for (let i = 0; i < 9; i++) await readFile("package.json").catch(() => {});\n  throw new Error("planted late");\n}\nvoid reads();',
      ],
      3,
      3,
    ],
  ];
  for (const [what, sources, cell, line] of afterTheEnd)
    it(`fails if ${what} fails after the last cell has run, and names its cell`, () => {
      writeNotebook("01-late", [PARAMETERS, ...sources]);
      const { status, stdout, stderr } = run("--junit", "reports/junit.xml");
      assert.equal(status, 1, stdout);
      const place = new RegExp(
        `^\\s*01-late\\.ipynb failed at cell ${cell} \\([^\n]+\\), line ${line}, after the cell had ended:`,
      );
      assert.match(stderr, place);
      assert.equal(stderr.trimEnd().split("\n").at(-1), "Error: planted late");
      assert.match(readFileSync(folder.file("reports/junit.xml"), "utf8"), /tests="3" failures="1"/);
      const { cells } = readNotebook(out("01-late.ipynb"));
      assert.equal(cells.length, 3);
      assert.deepEqual(
        cells[cell - 1].outputs?.map(({ ename }) => ename),
        ["Error"],
      );
    });

  it("stops at a parameter of another type than the notebook declares", () => {
    writeNotebook("01-typed", [PARAMETERS, "console.log(count);"]);
    const { status, stderr } = run("--set", 'list=["many"]');
    assert.equal(status, 1);
    assert.match(stderr, /^\s*01-typed\.ipynb failed at cell 1 \(Parameters of this run\), line 2:\n/);
    assert.match(stderr, /Type 'string' is not assignable to type 'number'/);
  });

  it("stops at a cell that takes longer than it may", () => {
    writeNotebook("01-slow", [PARAMETERS, "await new Promise((resolve) => setTimeout(resolve, 600_000));"]);
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
      "a value that is no list where one is declared",
      ["--set", "list=5"],
      /^a list for --set list, as 01-good declares but found 5\. Write it as JSON, such as --set 'list=\[1, 2\]'\.$/m,
    ],
    [
      "a parameter that a broken cell hides",
      ["--notebooks", "02", "--set", "count=2"],
      /^strings and brackets that are closed at line 2 of the cell tagged `parameters` of 02-broken but found let list = \[1, 2;\. Fix this line: the names that are declared after it cannot be read\.$/m,
    ],
    [
      "a number that is too large",
      ["--set", "count=1e400"],
      /^a number up to 1\.7e308 for --set count but found 1e400\. Choose a smaller one\.$/m,
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
    [
      "a notebook that is not there",
      ["--notebooks", "07"],
      /^the beginning of a notebook's name for --notebooks but found 07\. Choose from 01-good\.$/m,
    ],
    ["a notebook that is none", ["--notebooks", "bad"], /^a notebook at \S+bad\.ipynb but found /],
  ];
  for (const [what, args, message] of refused)
    it(`refuses ${what} before it runs anything, also in the JUnit report`, () => {
      writeNotebook("01-good", [PARAMETERS, "console.log(count);"]);
      if (what.includes("broken"))
        writeNotebook("02-broken", [
          'let word = "";\nlet list = [1, 2;\nlet count = 1;',
          "console.log(count);",
        ]);
      if (what.includes("none")) writeFileSync(folder.file("in/bad.ipynb"), "no JSON");
      const { status, stdout, stderr } = run("--notebooks", "01", "--junit", "reports/junit.xml", ...args);
      assert.deepEqual([status, stdout], [1, ""]);
      const xml = readFileSync(folder.file("reports/junit.xml"), "utf8");
      assert.match(
        xml,
        /<testsuite name="run" tests="1" failures="0" errors="1" .*\n.*\n\s*<error message="[^\n]*Expected /,
      );
      const problem = stderr.replace(/^note: --(notebooks|out) is given twice; .*\n/, "");
      assert.match(problem, /^ferkit: (Did you mean \w+\? )?Expected [^\n]+\n$/);
      assert.match(problem.replace(/^ferkit: (Expected )?/, ""), message);
      assert.ok(existsSync(folder.file("in/01-good.ipynb")));
      assert.equal(existsSync(folder.file("out")), false);
    });
});
