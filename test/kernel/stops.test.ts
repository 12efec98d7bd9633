import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { findVenvPython, jupyterEnvironment, projectDir } from "../../scripts/jupyter.js";

type Step = [verb: "send" | "printed", text: string] | [verb: "sleep", seconds: number] | [verb: Verb];
type Verb = "stop" | "stop by message" | "replies";

interface StoppedCell {
  statuses: string[];
  printed: string;
  errors: string[];
}

/** Takes steps with a new kernel, as `stop_kernel.py` describes them; returns the cells that were sent. */
async function takeSteps(steps: Step[]): Promise<StoppedCell[]> {
  const job = {
    cwd: path.join(projectDir, "notebooks"),
    steps: steps.map(([verb, value]) => [verb, value ?? null]),
  };
  const argument = JSON.stringify({ ...job, patience: 120 });
  const driver = [path.join(__dirname, "stop_kernel.py"), argument];
  const { stdout } = await promisify(execFile)(findVenvPython(), driver, { env: jupyterEnvironment() });
  return JSON.parse(stdout) as StoppedCell[];
}

/** A cell that says when it waits. Node.js loses an interrupt at the very end of a cell's synchronous part. */
const waits = (word: string) =>
  `await new Promise(setImmediate); console.log("${word}"); await new Promise((resolve) => setTimeout(resolve, 60_000));`;
const prints = (word: string) => `console.log("${word}");`;
/** Cells that clean up when they are stopped, by what they print then. Each says when it is to be stopped. */
const CLEAN_UP: Record<string, string> = {
  "caught Interrupted: The cell was stopped.\n":
    'try { console.log("stop 0"); await new Promise(() => {}); } catch (error) { console.log("caught", String(error)); }',
  "inner\nouter\n": [
    'async function waits() { try { await null; console.log("stop 1"); await new Promise(() => {}); } finally { console.log("inner"); } }',
    'try { await waits(); } finally { console.log("outer"); }',
  ].join("\n"),
  "after an await\n":
    'try { console.log("stop 2"); await new Promise(() => {}); } finally { await new Promise((r) => setTimeout(r, 20)); console.log("after an await"); }',
  "generator\nloop\n": [
    'async function* values() { try { yield 1; console.log("stop 3"); await new Promise(() => {}); } finally { console.log("generator"); } }',
    'try { for await (const value of values()) void value; } finally { console.log("loop"); }',
  ].join("\n"),
  "left\n":
    'try { console.log("stop 4"); for (;;) { const end = Date.now() + 30; while (Date.now() < end); await null; } } finally { console.log("left"); }',
};
/** Loops over what code outside of cells gives. */
const LOOPS = [
  'const give = new Function("wait", "close", "return (async function* () { try { yield 1; await wait(); yield 2; } finally { close(); } })()");',
  'const wait = () => { console.log("stop 5"); return new Promise((resolve) => setTimeout(resolve, 200)); };',
  "await new Promise(setImmediate);\nfor await (const value of give(wait, () => { isClosed = true; })) void value;",
].join("\n");
const LONG_TO_COMPILE = Array.from(
  { length: 1000 },
  (_, i) => `const f${i} = (n: number) => [n].map((value) => ({ value, half: value / ${i + 1} }));`,
).join("\n");
const ROUNDS = 4;

describe("a cell that is stopped", function () {
  this.timeout(600_000);
  let cells: StoppedCell[];
  /** What became of each cell, by what it prints. */
  const became = (...words: string[]) =>
    words.map((word) => cells.find(({ printed }) => printed.includes(word))?.statuses.join());

  before(async () => {
    const rounds = Array.from({ length: ROUNDS }, (_, i): Step[] => [
      ["send", `process.once("SIGINT", () => console.log("read ${i},"));\n${waits(`round ${i},`)}`],
      ["send", prints("queued before a stop")],
      ["printed", `round ${i},`],
      ["stop"],
      // In the last round at once: such a cell may come in the same moment as the stop, and be dropped.
      ...(i === ROUNDS - 1 ? [] : [["printed", `read ${i},`] as Step]),
      ["send", prints(`next ${i},`)],
      ["replies"],
    ]);
    cells = await takeSteps([
      ...rounds.flat(),
      ["send", waits("asked to stop")],
      ["send", prints("queued before a message")],
      ["printed", "asked to stop"],
      ["stop by message"],
      ["replies"],
      // Compiled for about a second: the stop comes in that time.
      ["send", LONG_TO_COMPILE],
      ["sleep", 0.2],
      ["stop"],
      ["replies"],
      // Twice and three times in a row, also while the cell ends and while the queue is dropped.
      [
        "send",
        'await new Promise(setImmediate); console.log("stopped thrice"); for (;;) try { await new Promise((r) => setTimeout(r, 50)); } catch {}',
      ],
      ["send", prints("queued before three stops")],
      ["printed", "stopped thrice"],
      ["stop"],
      ["stop"],
      ["sleep", 0.2],
      ["stop"],
      ["replies"],
      ["send", prints("after three stops")],
      ["replies"],
      ...Object.values(CLEAN_UP).flatMap((code, i): Step[] => [
        ["send", `await new Promise(setImmediate);\n${code}`],
        ["printed", `stop ${i}`],
        ["stop"],
        ["replies"],
      ]),
      ["send", "let isClosed = false;"],
      ["send", LOOPS],
      ["printed", "stop 5"],
      ["stop"],
      ["replies"],
      ["send", 'await new Promise((r) => setTimeout(r, 500)); console.log("closed:", isClosed);'],
      ["replies"],
      // Cleans up for a while, also where a stop came before; fails while the next cell runs.
      [
        "send",
        'try { for (;;) { await new Promise((r) => setTimeout(r, 50)); console.log("turns"); } } finally { console.log("cleaned"); }',
      ],
      ["printed", "turns"],
      ["stop"],
      ["replies"],
      [
        "send",
        'await new Promise(setImmediate); console.log("long"); try { await new Promise(() => {}); } finally { await new Promise((r) => setTimeout(r, 2000)); await 0; }',
      ],
      ["printed", "long"],
      ["stop"],
      ["replies"],
      [
        "send",
        'await new Promise((r) => setTimeout(r, 2500)); console.log("beside the end of a stopped cell");',
      ],
      ["replies"],
      // What cannot be described, and what cannot be written as JSON.
      [
        "send",
        'throw Object.defineProperty(new Error(), "message", { get() { throw new Error("no message"); } });',
      ],
      ["replies"],
      ["send", 'throw Object.assign(new Error("big"), { name: 1n });'],
      ["replies"],
      ["send", prints("at the end")],
      ["replies"],
    ]);
  });

  it("gives each cell exactly one reply", () => {
    assert.deepEqual(
      cells.map(({ statuses }) => statuses.length),
      cells.map(() => 1),
    );
  });

  it("fails, and lets those run that are sent after it", () => {
    for (let i = 0; i < ROUNDS - 1; i++)
      assert.deepEqual(became(`round ${i},`, `next ${i},`), ["error", "ok"], `round ${i}`);
    const [stopped, next = "aborted"] = became(`round ${ROUNDS - 1},`, `next ${ROUNDS - 1},`);
    assert.ok(stopped === "error" && ["ok", "aborted"].includes(next), next);
  });

  it("drops those that were sent before", () => {
    assert.deepEqual(became("queued before"), [undefined]);
    const sent = Array.from({ length: ROUNDS }, (_, i) => cells[3 * i + 1]);
    assert.deepEqual(
      [...sent, cells[3 * ROUNDS + 1]].map(({ statuses }) => statuses.join()),
      Array(ROUNDS + 1).fill("aborted"),
    );
  });

  it("can be stopped while it is compiled", () => {
    const { statuses, errors } = cells[3 * ROUNDS + 2];
    assert.deepEqual([statuses, errors], [["error"], ["Interrupted: The cell was stopped."]]);
  });

  it("can be stopped again while it ends", () => {
    assert.deepEqual(became("stopped thrice", "after three stops"), ["error", "ok"]);
  });

  for (const [i, cleaned] of Object.keys(CLEAN_UP).entries())
    it(`runs catch and finally, and prints ${JSON.stringify(cleaned)}`, () => {
      const { printed, errors } = cells.find((one) => one.printed.startsWith(`stop ${i}`)) as StoppedCell;
      assert.deepEqual([printed, errors], [`stop ${i}\n${cleaned}`, ["Interrupted: The cell was stopped."]]);
    });

  it("closes what it loops over, such as a training", () => {
    assert.deepEqual(became("closed: true"), ["ok"]);
  });

  it("shows what it prints while it cleans up", () => {
    assert.deepEqual(became("cleaned"), ["error"]);
  });

  it("fails no later cell when it ends", () => {
    const { statuses, printed, errors } = cells[cells.length - 4];
    assert.deepEqual([statuses, printed, errors], [["ok"], "beside the end of a stopped cell\n", []]);
  });

  it("or fails with what cannot be told leaves the kernel working", () => {
    const [undescribed, big, last] = cells.slice(-3);
    assert.deepEqual(undescribed.errors, [
      "Thrown: The cell threw something that cannot be described: no message",
    ]);
    assert.deepEqual(big.errors, ["1: big"]);
    assert.deepEqual(last.statuses, ["ok"]);
  });
});
