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
      ["send", waits("stopped thrice")],
      ["send", prints("queued before three stops")],
      ["printed", "stopped thrice"],
      ["stop"],
      ["stop"],
      ["sleep", 0.2],
      ["stop"],
      ["replies"],
      ["send", prints("after three stops")],
      ["replies"],
      // Cleans up, also where a stop came before; fails while the next cell runs.
      [
        "send",
        'try { for (;;) { await new Promise((r) => setTimeout(r, 50)); console.log("turns"); } } finally { console.log("cleaned"); }',
      ],
      ["printed", "turns"],
      ["stop"],
      ["replies"],
      [
        "send",
        'await new Promise(setImmediate); console.log("long"); try { await new Promise((r) => setTimeout(r, 1500)); } finally { await 0; }',
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
