import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { workspace } from "../workspace.js";
import { type CellResult, contentsOf, converse, printed, type Request } from "./kernel.js";

const RUNS = "await new Promise(setImmediate); console.log('runs'); await new Promise(() => {});";
const WAITS = "await new Promise((resolve) => setTimeout(resolve, 400)); console.log('second');";

/** Interrupts all of the kernel's processes, as Jupyter does. No print leaves the process during a busy loop. */
const INTERRUPTS = "require('node:child_process').spawn('sh', ['-c', 'sleep 0.5; kill -INT 0']);";

/** Cells that are stopped, each with one that runs after it. */
const STOPPED: Record<string, string> = {
  "an interval": `setInterval(() => console.log('tick'), 20);\n${RUNS}`,
  "a timer that starts the next": `const next = () => { console.log('tick'); setTimeout(next, 20); };\nnext();\n${RUNS}`,
  "a loop that nobody awaits": [
    "(async () => { for (;;) { await new Promise((resolve) => setTimeout(resolve, 20)); console.log('tick'); } })();",
    RUNS,
  ].join("\n"),
  "an interval beside a busy loop": [
    INTERRUPTS,
    "setInterval(() => console.log('tick'), 20);\nfor (;;);",
  ].join("\n"),
  "a busy loop behind an await": `${INTERRUPTS}\nawait null;\nfor (;;) try { for (;;); } catch {}`,
  "a busy loop in a timer": `${INTERRUPTS}\nsetTimeout(() => { while (true); }, 10);\nawait new Promise(() => {});`,
  "a listener": `process.on('SIGINT', () => console.log('mine'));\n${RUNS}`,
};

describe("after an interrupt, of a cell", function () {
  this.timeout(600_000);
  let results: CellResult[];
  const titles = Object.keys(STOPPED);
  const temporary = workspace("suite");

  before(async () => {
    // Takes for ever, but only the first time.
    const slow =
      "globalThis.numLoads = (globalThis.numLoads ?? 0) + 1;\nwhile (numLoads < 2);\nexports.answer = 42;\n";
    writeFileSync(temporary.file("slow.cjs"), slow);
    const groups: Request[][] = titles.flatMap((title) => [
      [{ code: STOPPED[title], interruptAt: "runs" }],
      [{ code: WAITS }],
    ]);
    const count = {
      code: "await new Promise(setImmediate); console.log(process.listenerCount('SIGINT'));",
    };
    const left = {
      code: "setInterval(() => console.log('tick'), 50);\nsetTimeout(() => process.kill(process.pid, 'SIGINT'), 300);",
    };
    const file = JSON.stringify(temporary.file("slow.cjs"));
    const load = [`${INTERRUPTS}\nrequire(${file});`, `console.log(require(${file}).answer);`];
    const loads = load.map((code) => [{ code }]);
    ({ results } = await converse("tslab", [...groups, [count], ...loads, [left]], {
      late: 2,
    }));
  });

  /** Returns what a cell sent after it had ended. */
  const late = ({ messages }: CellResult) => {
    const idle = messages.findIndex(({ content }) => content.execution_state === "idle");
    return messages.slice(idle + 1);
  };

  for (const [i, title] of titles.entries())
    it(`${title} does not remain`, () => {
      const [stopped, next] = results.slice(2 * i, 2 * i + 2);
      assert.equal(contentsOf(stopped, "error")[0]?.evalue, "The cell was stopped.");
      assert.deepEqual(late(stopped), []);
      assert.equal(next.status, "ok");
      assert.equal(printed(next), "second\n");
    });

  it("no listener for signals remains", () => {
    assert.equal(printed(results[2 * titles.length]), "1\n");
  });

  it("no module remains that is loaded in part", () => {
    const [stopped, next] = results.slice(2 * titles.length + 1);
    assert.equal(contentsOf(stopped, "error")[0]?.evalue, "The cell was stopped.");
    assert.equal(printed(next), "42\n");
  });

  it("that had ended before, nothing remains either", () => {
    const [left] = results.slice(-1);
    const numTicks = printed(left).split("\n").length - 1;
    // 300 ms before the interrupt, of over 2 s.
    assert.ok(numTicks > 0 && numTicks < 20, `${numTicks} ticks`);
  });
});
