import assert from "node:assert/strict";
import { medianOnly, remarks, timingTable, toMarkdown, toText, withSpread } from "../../bench/tables.js";
import { results, timing } from "./fixtures.js";

describe("timingTable", () => {
  it("has a row for each workload and a column for each contender that was measured", () => {
    const timings = [timing("pytorch", 150), timing("ferkit", 300), timing("ferkit", 400, { batchSize: 64 })];
    assert.deepEqual(timingTable(timings, medianOnly), {
      heading: ["images/s", "ferkit", "PyTorch, default layout", "ferkit / fastest PyTorch"],
      rows: [
        ["train lite0, 48 px, batch 32", "300", "150", "2.00"],
        ["train lite0, 48 px, batch 64", "400", "", ""],
      ],
    });
  });
});

describe("withSpread", () => {
  it("gives three digits of each", () => {
    assert.equal(withSpread({ median: 338.4, min: 99.25, max: 1512, numRounds: 3 }), "338 (99.3–1512)");
  });
});

describe("remarks", () => {
  it("says what was measured besides steps, and no more", () => {
    assert.deepEqual(remarks(results), [
      "Peak memory while B0 trains at 48 px, batch 32: ferkit 0.50 GB, PyTorch, default layout 0.80 GB, PyTorch, channels-last 0.60 GB.",
      "Tensors at the ends of epochs: 566, 566.",
    ]);
  });
});

const table = { heading: ["op", "ms"], rows: [["MatMul", "42"]] };

describe("toText", () => {
  it("puts columns below one another", () => {
    assert.equal(toText(table), "op      ms\nMatMul  42");
  });
});

describe("toMarkdown", () => {
  it("puts the first column to the left and figures to the right", () => {
    assert.equal(toMarkdown(table), "| op | ms |\n| --- | --: |\n| MatMul | 42 |");
  });
});
