import assert from "node:assert/strict";
import { Cell } from "../../jupyter/kernels/tslab/cells.cjs";
import { bounded, failureOf } from "../../jupyter/kernels/tslab/failures.cjs";

interface Content {
  name?: string;
  text?: string;
  data?: Record<string, unknown>;
}

describe("a cell's output", () => {
  /** Makes a cell and a list that gets what it sends. */
  function makeCell() {
    const sent: { type: string; content: Content }[] = [];
    const cell = new Cell((type: string, content: Content) => sent.push({ type, content }), false);
    return { cell, sent };
  }
  const textOf = (sent: { content: Content }[], name: string) =>
    sent.map(({ content }) => (content.name === name ? content.text : "")).join("");

  it("is sent in few messages, in order", () => {
    const { cell, sent } = makeCell();
    for (let i = 0; i < 10_000; i++) cell.print("stdout", `${i}\n`);
    cell.print("stderr", "warning\n");
    cell.print("stdout", "end\n");
    cell.end();
    const expected = Array.from({ length: 10_000 }, (_, i) => `${i}\n`).join("");
    assert.equal(textOf(sent, "stdout"), `${expected}end\n`);
    assert.deepEqual(
      sent.slice(-2).map(({ content }) => content.text),
      ["warning\n", "end\n"],
    );
    assert.ok(sent.length < 100, `${sent.length} messages`);
  });

  it("comes before what the cell shows after it", () => {
    const { cell, sent } = makeCell();
    cell.print("stdout", "first\n");
    cell.print("stdout", "second\n");
    cell.display({ data: { "text/plain": "chart" } }, false);
    assert.deepEqual(
      sent.map(({ content }) => content.text ?? content.data?.["text/plain"]),
      ["first\n", "second\n", "chart"],
    );
  });

  it("ends with a line that says so if it is too long, in one print or in many", () => {
    const note = "\nThis cell printed over 5 million characters; the rest is left out.\n";
    for (const [length, times] of [
      [6_000_000, 1],
      [1_000_000, 7],
    ]) {
      const { cell, sent } = makeCell();
      for (let i = 0; i < times; i++) cell.print("stdout", "x".repeat(length));
      cell.end();
      assert.equal(textOf(sent, "stdout").length, 5_000_000);
      assert.equal(textOf(sent, "stderr"), note);
    }
  });

  it("ends with such a line if too much is shown; updates take the place of what was shown", () => {
    const { cell, sent } = makeCell();
    const output = { data: { "image/png": "x".repeat(30_000_000) } };
    for (let i = 0; i < 5; i++) cell.display(output, true);
    for (let i = 0; i < 5; i++) cell.display(output, false);
    cell.end();
    assert.equal(sent.filter(({ type }) => type === "update_display_data").length, 5);
    assert.equal(sent.filter(({ type }) => type === "display_data").length, 3);
    const note = "\nThis cell showed over 100 million characters; the rest is left out.\n";
    assert.equal(textOf(sent, "stderr"), note);
  });

  it("has no half characters, which cannot be saved", () => {
    const { cell, sent } = makeCell();
    cell.print("stdout", "a\ud83d");
    cell.end();
    assert.equal(textOf(sent, "stdout"), "a\ufffd");
    assert.equal(bounded("\ude00"), "\ufffd");
  });

  it("is dropped once the cell was stopped", () => {
    const { cell, sent } = makeCell();
    cell.interrupt();
    cell.print("stdout", "cleans up\n");
    cell.end();
    cell.print("stdout", "continues\n");
    cell.display({ data: { "text/plain": "chart" } }, true);
    assert.equal(textOf(sent, "stdout"), "cleans up\n");
    assert.equal(sent.length, 1);
  });
});

describe("a cell's failure", () => {
  // An expression of quadratic time would take hours.
  for (const [title, message] of [
    ["a long word", "x".repeat(3_000_000)],
    ["a word like a frame", `\n    at ${"x:1".repeat(1_000_000)}`],
    ["many lines", "    at x\n".repeat(300_000)],
  ])
    it(`is told in linear time for ${title}, and cut`, () => {
      const { evalue, traceback } = failureOf(new Error(message));
      assert.match(evalue, /\n… [\d,]+ characters left out$/);
      assert.ok(evalue.length < 1_000_100);
      assert.ok(traceback.join("\n").length < 1_000_100);
    });

  it("names the errors that led to it, before its message", () => {
    const stackless = (message: string) => Object.assign(new Error(message), { stack: `Error: ${message}` });
    const error = new AggregateError([stackless("first"), "second"], "all", { cause: stackless("below") });
    error.stack = "AggregateError: all\n    at place";
    assert.deepEqual(failureOf(error).traceback, [
      ...["AggregateError", "    at place"],
      ...["Cause: [Error: below]", "Cause: [Error: first]", "Cause: 'second'", "AggregateError: all"],
    ]);
  });

  it("that was thrown and is no error is cut too", () => {
    const { evalue } = failureOf(Array.from({ length: 100 }, () => "x".repeat(20_000)));
    assert.ok(evalue.length < 1_100_000);
  });
});
