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

/** Cells whose last value is 3; TypeScript reads some of them as calls of a function `await` at first. */
const AWAITS = [
  "await (Promise.resolve(3));",
  "(await [3])[0];",
  "await (await import('node:util')).promisify((done: (error: null, x: number) => void) => done(null, 3))();",
  "await (async () => await (async () => 3)())();",
  "if (await (Promise.resolve(true))) 3;\n3;",
  `Number(\`\${await (Promise.resolve(3))}\`);`,
  "true ? await (3) : await [2];",
  "class Base { three = 3; }\nclass Kind extends (await (async () => Base)()) {}\nnew Kind().three;",
  "const keyed = { async m() { return await (3); }, [await ('k')]: 2 };\nkeyed.m();",
  "let sum = 0;\nfor await (const x of (await ([1, 2]))) sum += x;\nsum;",
];

/** Asks what can follow the code. Jupyter counts characters, not the units of JavaScript. */
const completion = (code: string): Request => ({
  type: "complete_request",
  content: { code, cursor_pos: [...code].length },
});

/** The first cells: a module, which tslab keeps for imports, and what the groups use. */
const FIRST = [
  "/** @module half */\nexport const half: number = 0.5;",
  "const hooks = (globalThis as any).ferkitKernel;",
];

/**
 * Groups by title, sent to one kernel because its start takes seconds. Node.js loses an interrupt at the very end of a cell's
 * synchronous part, so cells that are stopped print after it.
 */
const GROUPS: Record<string, Request[]> = {
  "import of a module": [{ code: 'import { half } from "./half";\nhalf;' }],
  "declared number": [{ code: "let rate = 1;\nconst rateAt = (step: number) => rate / step;" }],
  "assigned number": [{ code: "rate = 5;\nrateAt(1);" }],
  "declared parameter": [{ code: "let epochs = 8;\nconst total = () => epochs * 10;" }],
  "injected parameter": [{ code: "epochs = 3;" }],
  "read parameter": [{ code: "console.log(epochs, total());" }],
  "declared others": [
    {
      code: [
        "let list = [1], count = 0;",
        "let { a, b: [second] } = { a: 1, b: [2] };",
        "const read = () => ({ list, count: count++, a, second });",
        "function swap() { [a, second] = [second, a]; ({ count = 7 } = {} as { count?: number }); }",
      ].join("\n"),
    },
  ],
  "assigned others": [{ code: "list = [1, 2]; count = 40; a = 5;\nread(); swap(); [read(), count];" }],
  "a class and a loop": [
    { code: "for (let i = 0, epochs = 0; i < 2; i++) epochs += i;\nclass Model { epochs = epochs; }" },
  ],
  "a class of a later cell": [{ code: "epochs = 4;\nnew Model().epochs;" }],
  queued: [
    { code: "await new Promise((resolve) => setTimeout(resolve, 300));" },
    { code: "1;" },
    completion("Mat"),
  ],
  failure: [{ code: "throw new Error('x');" }, { code: "1;" }, { code: "2;" }],
  "after a failure": [{ code: "3;" }],
  "expected failure": [{ code: "throw new Error('x');", stopOnError: false }, { code: "1 + 1;" }],
  late: [
    {
      code: "setTimeout(() => { console.log('late'); hooks.display({ 'text/plain': 'shown' }, 'id', false); }, 200);",
    },
    { code: "await new Promise((resolve) => setTimeout(resolve, 500)); console.log('second');" },
  ],
  "pending timer": [{ code: "setTimeout(() => {}, 500);" }],
  history: [
    { type: "history_request", content: { hist_access_type: "tail", n: 2, raw: true, output: false } },
  ],
  search: [
    {
      type: "history_request",
      content: { hist_access_type: "search", pattern: "let ep*", raw: true, output: false },
    },
  ],
  comms: [
    { type: "comm_info_request", content: {} },
    { type: "comm_open", content: { comm_id: "c", target_name: "jupyter.widget", data: {} } },
  ],
  "completion behind an emoji": [completion('const face = "😀😀"; Mat')],
  "complete code": ["const a = `b", "const a = `b\nc`", "f(", "f()"].map((code) => ({
    type: "is_complete_request",
    content: { code },
  })),
  "beside a cell": [{ code: "4;", expressions: { sum: "1 + 1" } }],
  "not in the history": [{ code: "5;", storeHistory: false }],
  "first completion": [completion("const shape = { side: 3 };\nshape.")],
  signature: [
    {
      type: "inspect_request",
      content: {
        code: "/** Adds.\n * @param a - The first. */\nfunction add(a: number, b: number) { return a + b; }\nadd(",
        cursor_pos: 95,
        detail_level: 0,
      },
    },
  ],
  promise: [{ code: "Promise.resolve(7);" }],
  text: [{ code: '"plain text";' }],
  declaration: [{ code: "let unused = 5;" }],
  "awaited brackets": AWAITS.map((code) => ({ code })),
  "await in a method": [{ code: "({ m() { await Promise.resolve(1); } });" }],
  exports: [
    {
      code: "export const q = 5, r = 6;\nexport { q };\nexport async function twice(x: number) { return 2 * x; }\nq;",
    },
    { code: "export default (await twice(q)) + r;" },
    { code: "export const wrong: string = q;" },
  ],
  magic: [{ code: "%%time\nconst x = 1;" }],
  shell: [{ code: "!ls" }],
  question: [{ code: "?rate" }],
  python: ["import numpy", "print(1)", "help(rate)", "len(list)", "for x in [1, 2]:\n  x"].map((code) => ({
    code,
    stopOnError: false,
  })),
  installs: ["pip install x", "%pip install x", "!pip install x", "conda install -y x"].map((code) => ({
    code,
    stopOnError: false,
  })),
  shells: ["files = !ls", "%%bash\nls", "const x = 1;\n!ls -l"].map((code) => ({ code, stopOnError: false })),
  "left-over listener": [
    { code: "hooks.onInterrupt(() => {}); console.log('failing'); throw new Error('x');" },
  ],
  "stopped wait": [
    {
      code: "await new Promise(setImmediate); console.log('waits'); await new Promise((resolve) => setTimeout(resolve, 60_000));",
      interruptAt: "waits",
    },
    { code: "console.log('dropped');" },
  ],
  "stopped microtasks": [
    {
      code: [
        "await new Promise(setImmediate); console.log('loops');",
        "for (let i = 0; i < 600; i++) { const end = Date.now() + 50; while (Date.now() < end); await null; }",
      ].join("\n"),
      interruptAt: "loops",
    },
  ],
  "stopped listener": [
    {
      code: "const stopped = new Promise((resolve) => hooks.onInterrupt(() => resolve('model kept')));\nawait new Promise(setImmediate); console.log('trains'); await stopped;",
      interruptAt: "trains",
    },
    { code: "console.log('dropped');" },
  ],
  "stopped retries": [
    {
      code: [
        "await new Promise(setImmediate); console.log('retries');",
        "for (;;) try { await new Promise((resolve) => setTimeout(resolve, 20)); } catch {}",
      ].join("\n"),
      interruptAt: "retries",
    },
  ],
  "a throwing callback": [
    { code: "await new Promise(() => setTimeout(() => { throw new Error('in a timer'); }, 50));" },
    { code: "console.log('dropped');" },
  ],
  "an expected throwing callback": [
    {
      code: "(async () => { await null; throw new Error('not awaited'); })(); await new Promise(() => {});",
      stopOnError: false,
    },
    { code: "console.log('runs');" },
  ],
  input: [
    {
      code: "const ask = require('node:readline/promises').createInterface({ input: process.stdin });\nawait ask.question('name? ');",
    },
  ],
  "read input": [{ code: "require('node:fs').readFileSync(0).length;" }],
  "after the stops": [{ code: "console.log('alive');" }],
};

describe("a request to the kernel", function () {
  this.timeout(600_000);
  let conversation: Conversation;
  let opening: CellResult[];
  const firstOf = (title: string) => {
    const titles = Object.keys(GROUPS);
    return titles.slice(0, titles.indexOf(title)).reduce((sum, one) => sum + GROUPS[one].length, 0);
  };
  const resultsOf = (title: string): CellResult[] => {
    const first = firstOf(title);
    return conversation.results.slice(first, first + GROUPS[title].length);
  };
  const errorOf = (title: string) =>
    contentsOf(resultsOf(title)[0], "error")[0] as { ename: string; evalue: string };

  before(async () => {
    const groups = [...FIRST.map((code) => [{ code }]), ...Object.values(GROUPS)];
    conversation = await converse("tslab", groups, { late: 0.5 });
    opening = conversation.results.splice(0, FIRST.length);
    conversation.statuses = conversation.statuses.map(([request, state]) => [request - FIRST.length, state]);
  });

  it("that is a module succeeds, also as the first one", () => {
    assert.equal(opening[0].status, "ok");
    assert.equal(resultOf(resultsOf("import of a module")[0]), "0.5");
  });

  it("that assigns a variable changes it for the functions of earlier cells", () => {
    assert.equal(resultOf(resultsOf("assigned number")[0]), "5");
    assert.equal(printed(resultsOf("read parameter")[0]), "3 30\n");
    assert.equal(resultOf(resultsOf("a class of a later cell")[0]), "4");
  });

  it("that assigns lists, counters and destructured variables changes them too", () => {
    // read() leaves count at 41; swap() exchanges a = 5 and second = 2, and sets count to 7; the last read() makes it 8.
    const expected = "[ { list: [ 1, 2 ], count: 7, a: 2, second: 5 }, 8 ]";
    assert.equal(String(resultOf(resultsOf("assigned others")[0])).replace(/\s+/g, " "), expected);
  });

  it("is busy, then idle, before the next one is busy", () => {
    const first = firstOf("queued");
    const states = conversation.statuses.filter(([request]) => request >= first && request < first + 3);
    assert.deepEqual(
      states.map(([request, state]) => `${request - first} ${state}`),
      ["0 busy", "0 idle", "1 busy", "1 idle", "2 busy", "2 idle"],
    );
  });

  it("that fails drops those that were queued behind it, and no later one", () => {
    assert.deepEqual(
      resultsOf("failure").map(({ status }) => status),
      ["error", "aborted", "aborted"],
    );
    assert.equal(resultsOf("after a failure")[0].status, "ok");
  });

  it("that may fail drops nothing", () => {
    assert.deepEqual(
      resultsOf("expected failure").map(({ status }) => status),
      ["error", "ok"],
    );
  });

  it("keeps its late output", () => {
    const [first, second] = resultsOf("late");
    assert.equal(printed(first), "late\n");
    assert.deepEqual(contentsOf(first, "display_data")[0].data, { "text/plain": "shown" });
    assert.equal(printed(second), "second\n");
  });

  it("says how many timers are still to fire", () => {
    assert.equal(resultsOf("pending timer")[0].reply?.numTimers, 1);
    assert.equal(resultsOf("declared number")[0].reply?.numTimers, 0);
  });

  it("for the history is answered with the inputs", () => {
    const [{ reply }] = resultsOf("history");
    assert.deepEqual(
      (reply as { history: unknown[][] }).history.map(([, , input]) => input),
      [(GROUPS.late[1] as { code: string }).code, "setTimeout(() => {}, 500);"],
    );
    assert.equal((resultsOf("search")[0].reply as { history: unknown[] }).history.length, 1);
  });

  it("for comms is answered, and one that is opened is closed", () => {
    const [info, opened] = resultsOf("comms");
    assert.deepEqual(info.reply, { status: "ok", comms: {} });
    assert.deepEqual(contentsOf(opened, "comm_close"), [{ comm_id: "c", data: {} }]);
  });

  it("counts positions in characters, not in JavaScript's units", () => {
    const [{ reply }] = resultsOf("completion behind an emoji");
    assert.deepEqual(reply?.matches, ["Math"]);
    assert.deepEqual([reply?.cursor_start, reply?.cursor_end], [19, 22]);
  });

  it("for whether code is complete sees open brackets and templates", () => {
    const statuses = resultsOf("complete code").map(({ status }) => String(status));
    assert.deepEqual(statuses, ["incomplete", "complete", "incomplete", "complete"]);
  });

  it("for the values of expressions beside a cell is refused", () => {
    const values = resultsOf("beside a cell")[0].reply?.user_expressions as Record<
      string,
      { status: string }
    >;
    assert.deepEqual(
      Object.entries(values).map(([name, { status }]) => [name, status]),
      [["sum", "error"]],
    );
  });

  it("that is not for the history is not counted", () => {
    const [before, uncounted] = ["beside a cell", "not in the history"].map(
      (title) => resultsOf(title)[0].reply?.execution_count,
    );
    assert.equal(uncounted, before);
  });

  it("for completion is answered at the first try", () => {
    assert.deepEqual(resultsOf("first completion")[0].reply?.matches, ["side"]);
  });

  it("for help inside a call shows the signature", () => {
    const data = resultsOf("signature")[0].reply?.data as Record<string, string>;
    assert.equal(data["text/plain"], "add(a: number, b: number): number\n\nAdds.\n\n@param a - The first.");
  });

  it("awaits what is in brackets, wherever it is in a cell", () => {
    assert.deepEqual(
      resultsOf("awaited brackets").map(resultOf),
      AWAITS.map(() => "3"),
    );
  });

  it("reports an await in a function that is not asynchronous", () => {
    assert.match(
      errorOf("await in a method").evalue,
      /^1:10 - 'await' expressions are only allowed within async/,
    );
  });

  it("that exports what it declares runs as without", () => {
    const [declared, added, wrong] = resultsOf("exports");
    assert.deepEqual([declared, added].map(resultOf), ["5", "16"]);
    const [{ evalue }] = contentsOf(wrong, "error");
    assert.equal(evalue, "1:14 - Type 'number' is not assignable to type 'string'.");
  });

  it("shows the value of a promise", () => {
    assert.equal(resultOf(resultsOf("promise")[0]), "7");
  });

  it("shows text as it is, and nothing for a declaration", () => {
    assert.equal(resultOf(resultsOf("text")[0]), "plain text");
    assert.equal(resultOf(resultsOf("declaration")[0]), undefined);
  });

  it("with a habit from IPython fails with what to do instead", () => {
    assert.match(errorOf("magic").evalue, /console\.time\("cell"\)/);
    assert.match(errorOf("shell").evalue, /execSync/);
    assert.match(errorOf("question").evalue, /press Shift-Tab/);
    const errorsOf = (title: string) =>
      resultsOf(title).map((result) => String(contentsOf(result, "error")[0].evalue).split("\n").at(-1));
    const [, print, help, , loop] = errorsOf("python");
    for (const evalue of errorsOf("python")) assert.match(evalue ?? "", /cells are TypeScript/);
    assert.match(print ?? "", /console\.log\(x\)/);
    assert.match(help ?? "", /Shift-Tab/);
    assert.match(loop ?? "", /for \(const x of list\)/);
    for (const evalue of errorsOf("installs")) assert.match(evalue ?? "", /npm install NAME/);
    for (const evalue of errorsOf("shells")) assert.match(evalue ?? "", /execSync/);
  });

  it("that is stopped fails and drops the queue, whatever an earlier cell left behind", () => {
    const [stopped, dropped] = resultsOf("stopped wait");
    assert.equal(stopped.status, "error");
    assert.equal(errorOf("stopped wait").evalue, "The cell was stopped.");
    assert.equal(dropped.status, "aborted");
  });

  it("is stopped in a loop of settled promises", () => {
    assert.equal(errorOf("stopped microtasks")?.ename, "Interrupted");
  });

  it("is stopped in a loop that catches everything", () => {
    assert.equal(errorOf("stopped retries").ename, "Interrupted");
  });

  it("ends with what is thrown in a callback of the cell, and drops the queue if it may not fail", () => {
    assert.equal(errorOf("a throwing callback").evalue, "in a timer");
    assert.equal(resultsOf("a throwing callback")[1].status, "aborted");
    assert.equal(errorOf("an expected throwing callback").evalue, "not awaited");
    assert.equal(printed(resultsOf("an expected throwing callback")[1]), "runs\n");
  });

  it("fails where a cell asks for input, and reads an empty one", () => {
    assert.equal(errorOf("input").evalue, "A cell cannot ask for input. Put the value in a variable.");
    assert.equal(resultOf(resultsOf("read input")[0]), "0");
  });

  it("that stops by itself succeeds, and drops the queue", () => {
    const [stopped, dropped] = resultsOf("stopped listener");
    assert.equal(stopped.status, "ok");
    assert.equal(dropped.status, "aborted");
    assert.equal(printed(resultsOf("after the stops")[0]), "alive\n");
  });
});
