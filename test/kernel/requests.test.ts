import assert from "node:assert/strict";
import {
  type CellResult,
  type Conversation,
  contentsOf,
  converse,
  printed,
  type Request,
  resultOf,
} from "./kernel.js";

/** What the kernel offers to cells. */
const KERNEL = "(globalThis as any).ferkitKernel";

/** Asks what can follow the code. Jupyter counts characters, not the units of JavaScript. */
const completion = (code: string): Request => ({
  type: "complete_request",
  content: { code, cursor_pos: [...code].length },
});

const history = (content: Record<string, unknown>): Request => ({
  type: "history_request",
  content: { raw: true, output: false, ...content },
});

const errorOf = (result: CellResult) =>
  contentsOf(result, "error")[0] as { ename: string; evalue: string } | undefined;
const statusesOf = (results: CellResult[]) => results.map(({ status }) => status);

describe("a request to the kernel", function () {
  this.timeout(600_000);
  let conversation: Conversation;
  /** The requests of each test below. */
  const groups: Request[][] = [];

  before(async () => {
    conversation = await converse("tslab", groups, { late: 0.5 }); // one for all, since its start takes seconds
  });

  /**
   * Tests what the kernel makes of requests, which it gets all at once, when those of the tests above are done. Text is a cell.
   * Node.js loses an interrupt at the very end of a cell's synchronous part, so cells that are stopped print after it.
   */
  function test(
    title: string,
    requests: (string | Request)[],
    check: (results: CellResult[], first: number) => void,
  ): void {
    const first = groups.flat().length;
    groups.push(requests.map((request) => (typeof request === "string" ? { code: request } : request)));
    it(title, () => check(conversation.results.slice(first, first + requests.length), first));
  }

  test(
    "that is a module succeeds, also as the first one",
    [
      "/** @module half */\nexport const half: number = 0.5;",
      'import { half } from "./half";\nhalf;',
      "/**\n * Doubles.\n * @module double\n */\nexport const double = (n: number) => 2 * n;",
      'import { double } from "./double";\ndouble(half);',
      "/* @module none */\nhalf + 1;",
    ],
    (results) => assert.deepEqual(results.map(resultOf), [undefined, "0.5", undefined, "1", "1.5"]),
  );

  test(
    "that assigns a variable changes it for the functions of earlier cells",
    [
      "let epochs = 8;\nconst total = (more: number) => (epochs + more) * 10;",
      "epochs = 3;\ntotal(1);",
      "console.log(epochs, total(0));",
    ],
    ([, assigning, reading]) => {
      assert.equal(resultOf(assigning), "40");
      assert.equal(printed(reading), "3 30\n");
    },
  );

  test(
    "shows no fields of a timer or a program that its last line starts",
    ["setTimeout(() => {}, 1)", "require('node:child_process').spawn('true')", "({ a: { b: { c: {} } } })"],
    (results) =>
      assert.deepEqual(results.map(resultOf), ["[Timeout]", "[ChildProcess]", "{ a: { b: { c: {} } } }"]),
  );

  // Node.js removed the listeners for a moment, in which an interrupt ended the kernel.
  test(
    "listens to interrupts from its first line",
    ["const atFirst = process.listenerCount('SIGINT');\natFirst;", "process.listenerCount('SIGTERM');"],
    (results) => assert.deepEqual(results.map(resultOf), ["1", "0"]),
  );

  test(
    "that assigns lists, counters and destructured variables changes them too",
    [
      [
        "let list = [1], count = 0;",
        "let { a, b: [second] } = { a: 1, b: [2] };",
        "const read = () => ({ list, count: count++, a, second });",
        "function swap() { [a, second] = [second, a]; ({ count = 7 } = {} as { count?: number }); }",
      ].join("\n"),
      "list = [1, 2]; count = 40; a = 5;\nread(); swap(); [read(), count];",
    ],
    ([, assigning]) => {
      // read() leaves count at 41; swap() exchanges a = 5 and second = 2, and sets count to 7; the last read() makes it 8.
      const expected = "[ { list: [ 1, 2 ], count: 7, a: 2, second: 5 }, 8 ]";
      assert.equal(String(resultOf(assigning)).replace(/\s+/g, " "), expected);
    },
  );

  test(
    "that assigns a variable changes it for a class, and no other of its name",
    [
      "let steps = 8;\nfor (let i = 0, steps = 0; i < 2; i++) steps += i;\nclass Model { steps = steps; }",
      "new Model().steps;",
      "steps = 4;\nnew Model().steps;",
    ],
    ([, before, after]) => assert.deepEqual([before, after].map(resultOf), ["8", "4"]),
  );

  test(
    "is busy, then idle, before the next one is busy",
    ["await new Promise((resolve) => setTimeout(resolve, 300));", "1;", completion("Mat")],
    (_, first) => {
      const states = conversation.statuses.filter(([request]) => request >= first && request < first + 3);
      assert.deepEqual(
        states.map(([request, state]) => `${request - first} ${state}`),
        ["0 busy", "0 idle", "1 busy", "1 idle", "2 busy", "2 idle"],
      );
    },
  );

  test(
    "that fails drops those that were queued behind it",
    ["throw new Error('x');", "1;", "2;"],
    (results) => assert.deepEqual(statusesOf(results), ["error", "aborted", "aborted"]),
  );

  test("that comes after a failure succeeds", ["3;"], ([{ status }]) => assert.equal(status, "ok"));

  test(
    "that may fail drops nothing",
    [{ code: "throw new Error('x');", stopOnError: false }, "1 + 1;"],
    (results) => assert.deepEqual(statusesOf(results), ["error", "ok"]),
  );

  test(
    "keeps its late output",
    [
      `setTimeout(() => { console.log('late'); ${KERNEL}.display({ 'text/plain': 'shown' }, 'id', false); }, 200);`,
      "await new Promise((resolve) => setTimeout(resolve, 500)); console.log('second');",
    ],
    ([first, second]) => {
      assert.equal(printed(first), "late\n");
      assert.deepEqual(contentsOf(first, "display_data")[0].data, { "text/plain": "shown" });
      assert.equal(printed(second), "second\n");
    },
  );

  test("says how many timers are still to fire", ["1;", "setTimeout(() => {}, 500);"], (results) =>
    assert.deepEqual(
      results.map(({ reply }) => reply?.numTimers),
      [0, 1],
    ),
  );

  test(
    "for the history is answered with the inputs",
    [
      "1 + 10;",
      "2 + 20;",
      history({ hist_access_type: "tail", n: 2 }),
      history({ hist_access_type: "search", pattern: "1 + 1*" }),
    ],
    ([, , tail, search]) => {
      const inputsOf = ({ reply }: CellResult) =>
        (reply as { history: unknown[][] }).history.map(([, , input]) => input);
      assert.deepEqual(inputsOf(tail), ["1 + 10;", "2 + 20;"]);
      assert.deepEqual(inputsOf(search), ["1 + 1;", "1 + 10;"]);
    },
  );

  test(
    "for comms is answered, and one that is opened is closed",
    [
      { type: "comm_info_request", content: {} },
      { type: "comm_open", content: { comm_id: "c", target_name: "jupyter.widget", data: {} } },
    ],
    ([info, opened]) => {
      assert.deepEqual(info.reply, { status: "ok", comms: {} });
      assert.deepEqual(contentsOf(opened, "comm_close"), [{ comm_id: "c", data: {} }]);
    },
  );

  test(
    "counts positions in characters, not in JavaScript's units",
    [completion('const face = "😀😀"; Mat')],
    ([{ reply }]) => {
      assert.deepEqual(reply?.matches, ["Math"]);
      assert.deepEqual([reply?.cursor_start, reply?.cursor_end], [19, 22]);
    },
  );

  test(
    "for whether code is complete sees open brackets and templates",
    ["const a = `b", "const a = `b\nc`", "f(", "f()"].map((code) => ({
      type: "is_complete_request",
      content: { code },
    })),
    (results) =>
      assert.deepEqual(statusesOf(results).map(String), ["incomplete", "complete", "incomplete", "complete"]),
  );

  test(
    "for the values of expressions beside a cell is refused",
    [{ code: "4;", expressions: { sum: "1 + 1" } }],
    ([{ reply }]) => {
      const values = reply?.user_expressions as Record<string, { status: string }>;
      assert.deepEqual(Object.keys(values), ["sum"]);
      assert.equal(values.sum.status, "error");
    },
  );

  test(
    "that is not for the history is not counted",
    ["4;", { code: "5;", storeHistory: false }],
    (results) => {
      const [counted, uncounted] = results.map(({ reply }) => reply?.execution_count);
      assert.equal(uncounted, counted);
    },
  );

  test(
    "for completion is answered at the first try",
    [completion("const shape = { side: 3 };\nshape.")],
    ([{ reply }]) => assert.deepEqual(reply?.matches, ["side"]),
  );

  test(
    "for help inside a call shows the signature",
    [
      {
        type: "inspect_request",
        content: {
          code: "/** Adds.\n * @param a - The first. */\nfunction add(a: number, b: number) { return a + b; }\nadd(",
          cursor_pos: 95,
          detail_level: 0,
        },
      },
    ],
    ([{ reply }]) =>
      assert.equal(
        (reply as { data: Record<string, string> }).data["text/plain"],
        "add(a: number, b: number): number\n\nAdds.\n\n@param a - The first.",
      ),
  );

  test(
    "that exports what it declares runs as without",
    [
      "export const q = 5, r = 6;\nexport { q };\nexport async function twice(x: number) { return 2 * x; }\nq;",
      "export default (await twice(q)) + r;",
      "export const wrong: string = q;",
    ],
    ([declared, added, wrong]) => {
      assert.deepEqual([declared, added].map(resultOf), ["5", "16"]);
      assert.equal(errorOf(wrong)?.evalue, "1:14 - Type 'number' is not assignable to type 'string'.");
    },
  );

  test(
    "shows a function or class without a name as such",
    ["(x: number) => 2 * x", "(class {})", "(function twice() {})"],
    (results) =>
      assert.deepEqual(results.map(resultOf), [
        "[Function (anonymous)]",
        "[class (anonymous)]",
        "[Function: twice]",
      ]),
  );

  test(
    "shows the value of a promise, text as it is, and nothing for a declaration",
    ["Promise.resolve(7);", '"plain text";', "let unused = 5;"],
    (results) => assert.deepEqual(results.map(resultOf), ["7", "plain text", undefined]),
  );

  test("with a habit from elsewhere fails with what to do instead", ["%%time\nconst x = 1;"], ([result]) =>
    assert.match(errorOf(result)?.evalue ?? "", /console\.time\("cell"\)/),
  );

  test(
    "that is stopped fails and drops the queue, whatever an earlier cell left behind",
    [
      { code: `${KERNEL}.onInterrupt(() => {}); throw new Error('x');`, stopOnError: false },
      {
        code: "await new Promise(setImmediate); console.log('waits'); await new Promise((resolve) => setTimeout(resolve, 60_000));",
        interruptAt: "waits",
      },
      "console.log('dropped');",
    ],
    ([, stopped, dropped]) => {
      assert.equal(stopped.status, "error");
      assert.equal(errorOf(stopped)?.evalue, "The cell was stopped.");
      assert.equal(dropped.status, "aborted");
    },
  );

  test(
    "is stopped in a loop of settled promises",
    [
      {
        code: [
          "await new Promise(setImmediate); console.log('loops');",
          "for (let i = 0; i < 600; i++) { const end = Date.now() + 50; while (Date.now() < end); await null; }",
        ].join("\n"),
        interruptAt: "loops",
      },
    ],
    ([stopped]) => assert.equal(errorOf(stopped)?.ename, "Interrupted"),
  );

  test(
    "that stops by itself succeeds, and drops the queue",
    [
      {
        code: [
          `const stopped = new Promise((resolve) => ${KERNEL}.onInterrupt(() => resolve('model kept')));`,
          "await new Promise(setImmediate); console.log('trains'); await stopped;",
        ].join("\n"),
        interruptAt: "trains",
      },
      "console.log('dropped');",
    ],
    (results) => assert.deepEqual(statusesOf(results), ["ok", "aborted"]),
  );

  test(
    "is stopped in a loop that catches everything",
    [
      {
        code: [
          "await new Promise(setImmediate); console.log('retries');",
          "for (;;) try { await new Promise((resolve) => setTimeout(resolve, 20)); } catch {}",
        ].join("\n"),
        interruptAt: "retries",
      },
    ],
    ([stopped]) => assert.equal(errorOf(stopped)?.ename, "Interrupted"),
  );

  test(
    "ends with what is thrown in a callback of the cell, and drops the queue",
    [
      "await new Promise(() => setTimeout(() => { throw new Error('in a timer'); }, 50));",
      "console.log('dropped');",
    ],
    ([thrown, dropped]) => {
      assert.equal(errorOf(thrown)?.evalue, "in a timer");
      assert.equal(dropped.status, "aborted");
    },
  );

  test(
    "ends with what is thrown in a callback of the cell, and drops nothing if it may fail",
    [
      {
        code: "(async () => { await null; throw new Error('not awaited'); })(); await new Promise(() => {});",
        stopOnError: false,
      },
      "console.log('runs');",
    ],
    ([thrown, next]) => {
      assert.equal(errorOf(thrown)?.evalue, "not awaited");
      assert.equal(printed(next), "runs\n");
    },
  );

  const asks: Request = {
    code: "const ask = require('node:readline/promises').createInterface({ input: process.stdin });\nawait ask.question('name? ');",
    stopOnError: false,
  };
  test(
    "fails each time that a cell asks for input, and reads an empty one",
    [asks, asks, "require('node:fs').readFileSync(0).length;"],
    ([first, second, reading]) => {
      for (const asking of [first, second])
        assert.equal(errorOf(asking)?.evalue, "A cell cannot ask for input. Put the value in a variable.");
      assert.equal(resultOf(reading), "0");
    },
  );

  test("that comes after all stops succeeds", ["console.log('alive');"], ([result]) =>
    assert.equal(printed(result), "alive\n"),
  );
});
