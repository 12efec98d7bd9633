import assert from "node:assert/strict";
import { medianOnly, remarks, timingTable, toMarkdown, withSpread } from "../../bench/tables.js";
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
  it("keeps three digits of each", () => {
    assert.equal(withSpread({ median: 338.4, min: 99.25, max: 1512, numRounds: 3 }), "338 (99.3–1512)");
  });
});

describe("remarks", () => {
  it("describes what was measured besides steps, and nothing else", () => {
    assert.deepEqual(remarks(results), [
      "Peak memory while B0 trains at 48 px, batch 32: ferkit 0.50 GB, PyTorch, default layout 0.80 GB, PyTorch, channels-last 0.60 GB.",
      "Tensors at the ends of 3 epochs: 566; resident memory after the last epoch: 2.0 % more than after the second.",
    ]);
  });

  it("gives the time of one image, for measured contenders", () => {
    const timings = [timing("ferkit", 500, { kind: "predict", batchSize: 1 })];
    assert.deepEqual(remarks({ ...results, timings, memory: [], tensors: [] }), [
      "From the bytes of its file to Lite0's probabilities: ferkit 2.0 ms.",
    ]);
  });

  it("counts the turns that other programs disturbed", () => {
    const timings = [
      { ...timing("ferkit", 300), numDisturbed: 1 },
      { ...timing("pytorch", 150), numDisturbed: 2 },
    ];
    assert.deepEqual(remarks({ ...results, timings, memory: [], tensors: [] }), [
      "3 of 6 turns were disturbed by other programs: measure again.",
    ]);
  });

  it("lists each count of tensors if there is a leak", () => {
    const tensors = [
      { epoch: 1, numTensors: 566, residentBytes: 4e8 },
      { epoch: 2, numTensors: 570, residentBytes: 4e8 },
    ];
    assert.match(remarks({ ...results, tensors }).join(), /2 epochs: 566, 570; .* last epoch: 0\.0 % more/);
  });
});

const table = { heading: ["op", "ms"], rows: [["MatMul", "42"]] };

describe("toMarkdown", () => {
  it("aligns columns of numbers to the right", () => {
    assert.equal(toMarkdown(table), "| op     |  ms |\n| ------ | --: |\n| MatMul |  42 |");
  });
});
