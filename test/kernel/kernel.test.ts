import assert from "node:assert/strict";
import { projectDir } from "../../scripts/jupyter.js";
import { type CellResult, contentsOf, printed, resultOf, runCells } from "./kernel.js";

const THROWS = [
  "const size: number = 3;",
  "",
  "function shrink(by: number): never {",
  "  throw new RangeError('by ' + by);",
  "}",
  "shrink(size);",
].join("\n");
const REJECTS = "Promise.reject(new Error('stray'));\n7;";
const IMPLICIT_ANY = "const double = (x) => 2 * x;\ndouble(1);";
/** The line of the second await is in the stack only if something awaits the promise when it is rejected. */
const BUSY_THEN_AWAITS = [
  "const fails = new Function('wait', 'return (async () => { await wait(); throw new Error(\"in time\"); })()');",
  "const end = performance.now() + 200;",
  "while (performance.now() < end);",
  "await fails(() => new Promise((resolve) => setImmediate(resolve)));",
].join("\n");
const NUM_PRINTS = 20_000;
const PRINTS = `for (let i = 0; i < ${NUM_PRINTS}; i++) console.log(i);`;

describe("the kernel", function () {
  this.timeout(600_000);

  /** Results of the cells that fail, and of those that succeed. All run in one kernel, whose start takes seconds. */
  let [failing, succeeding]: CellResult[][] = [];
  before(async () => {
    // The next cell says when, so that this one has ended by then.
    const late =
      "let go = () => {};\nvoid new Promise<void>((resolve) => { go = resolve; }).then(() => setTimeout(() => { throw new Error('late'); }));";
    const waits =
      "go();\nawait new Promise((resolve) => setTimeout(resolve, 50)); console.log('runs to its end');";
    const fail = [
      THROWS,
      "const count: number = 'x';\nconst name: string = 3;",
      IMPLICIT_ANY,
      REJECTS,
      "throw { code: 3 };",
      late,
      waits,
      "await import('./src/index.js').then(({ loadDataset }) => loadDataset({ data: '/no', imageSize: 8 }));",
      "1 + 1;",
      BUSY_THEN_AWAITS,
    ];
    const succeed = [
      "let seed = 4;",
      "process.cwd();",
      "const options = await Promise.resolve({ seed, twice: 2 * seed });\nconsole.log(options);",
      "import { show } from './src/show/show.js';\nawait show({ 'text/plain': 'plain', 'text/html': '<b>bold</b>' });",
      PRINTS,
      "for await (const part of (async function* () { yield 1; yield 2; })()) console.log(part);",
    ];
    const results = await runCells("tslab", [...fail, ...succeed]);
    [failing, succeeding] = [results.slice(0, fail.length), results.slice(fail.length)];
  });

  describe("where a cell fails", () => {
    const errorOf = (i: number) => {
      assert.equal(failing[i].status, "error");
      const errors = contentsOf(failing[i], "error");
      assert.equal(errors.length, 1);
      return errors[0] as { ename: string; evalue: string; traceback: string[] };
    };

    it("reports a thrown error with the lines of the cell", () => {
      assert.deepEqual(errorOf(0), {
        ename: "RangeError",
        evalue: "by 3",
        traceback: [
          "RangeError",
          "    at shrink (cell 1, line 4:9)",
          "    at cell 1, line 6:1",
          "RangeError: by 3",
        ],
      });
    });

    it("reports every type error with its line and column", () => {
      const { ename, evalue } = errorOf(1);
      assert.equal(ename, "TypeScriptError");
      assert.equal(
        evalue,
        "1:7 - Type 'string' is not assignable to type 'number'.\n2:7 - Type 'number' is not assignable to type 'string'.",
      );
    });

    it("names the line that awaits a function from elsewhere, also after long work", () => {
      const { evalue, traceback } = errorOf(9);
      assert.equal(evalue, "in time");
      assert.equal(traceback.at(-2), "    at async cell 10, line 4:1");
    });

    it("checks types strictly", () => {
      assert.equal(errorOf(2).evalue, "1:17 - Parameter 'x' implicitly has an 'any' type.");
    });

    it("fails a cell that leaves a promise rejected", () => {
      const { evalue, traceback } = errorOf(3);
      assert.equal(evalue, "stray");
      assert.deepEqual(traceback.slice(0, 2), ["Error", "    at cell 4, line 1:16"]);
      assert.equal(traceback.at(-1), "Error: stray");
    });

    it("shows what was thrown that is no error", () => {
      assert.deepEqual(errorOf(4), {
        ename: "Thrown",
        evalue: "{ code: 3 }",
        traceback: ["Thrown: { code: 3 }"],
      });
    });

    it("shows what a cell throws late below it, and names that cell where the one that runs ends", () => {
      const frame = "    at Timeout._onTimeout (cell 6, line 2:92)";
      assert.equal(failing[5].status, "ok");
      assert.deepEqual(contentsOf(failing[5], "error"), [
        { ename: "Error", evalue: "late", traceback: ["Error", frame, "Error: late"] },
      ]);
      assert.equal(printed(failing[6]), "runs to its end\n");
      const evalue = "Cell 6 failed after it had ended. Error: late";
      assert.deepEqual(errorOf(6), {
        ename: "LateError",
        evalue,
        traceback: ["LateError", frame, `LateError: ${evalue}`],
      });
    });

    it("names the lines of src as they are written", () => {
      const { ename, traceback } = errorOf(7);
      assert.equal(ename, "InputError");
      assert.match(traceback[1], /^ {4}at \w+ \(src\/data\/[\w/]+\.ts:\d+:\d+\)$/);
    });

    it("continues with the cells that come after", () => {
      assert.equal(failing[8].status, "ok");
      assert.equal(resultOf(failing[8]), "2");
    });
  });

  describe("where a cell succeeds", () => {
    it("counts the cells and repeats their code, as front ends expect", () => {
      assert.deepEqual(contentsOf(succeeding[1], "execute_input"), [
        { code: "process.cwd();", execution_count: failing.length + 2 },
      ]);
    });

    it("runs in the project's root, wherever the notebook is", () => {
      assert.equal(resultOf(succeeding[1]), projectDir);
    });

    it("finds a variable of an earlier cell by its shorthand", () => {
      assert.equal(printed(succeeding[2]), "{ seed: 4, twice: 8 }\n");
    });

    it("shows several forms of one output", () => {
      const [{ data }] = contentsOf(succeeding[3], "display_data");
      assert.deepEqual(data, { "text/plain": "plain", "text/html": "<b>bold</b>" });
    });

    it("loops with `for await`", () => {
      assert.equal(printed(succeeding[5]), "1\n2\n");
    });

    it(`loses none of ${NUM_PRINTS} prints`, () => {
      assert.ok(succeeding[4].isIdle);
      const expected = Array.from({ length: NUM_PRINTS }, (_, i) => `${i}\n`).join("");
      assert.ok(printed(succeeding[4]) === expected);
    });
  });

  // What the launcher is for: each of these passes unseen, or is lost, in tslab as it comes.
  describe("that tslab brings", () => {
    it("publishes no error for what is thrown", async () => {
      const [thrown, rejected, untyped] = await runCells("stock", [THROWS, REJECTS, IMPLICIT_ANY]);
      assert.deepEqual(contentsOf(thrown, "error"), []);
      assert.equal(rejected.status, "ok");
      assert.equal(untyped.status, "ok");
    });

    it("loses prints", async () => {
      const [result] = await runCells("stock", [PRINTS], 5);
      assert.ok(printed(result).split("\n").length - 1 < NUM_PRINTS);
    });
  });
});
