import assert from "node:assert/strict";
import { behindTable, medianOnly, remarks, timingTable, toMarkdown, withSpread } from "../../bench/tables.js";
import { results, timing } from "./fixtures.js";

describe("timingTable", () => {
  it("has a row for each workload and a column for each contender that was measured", () => {
    const timings = [timing("pytorch", 150), timing("ferkit", 300), timing("ferkit", 400, { batchSize: 64 })];
    assert.deepEqual(timingTable(timings, medianOnly), {
      heading: ["images/s", "ferkit", "PyTorch, default layout", "ferkit / fastest other"],
      rows: [
        ["train lite0, 48 px, batch 32", "300", "150", "2.00"],
        ["train lite0, 48 px, batch 64", "400", "", ""],
      ],
    });
  });
});

describe("behindTable", () => {
  it("lists what another contender does faster in float32, the slowest first", () => {
    const timings = [
      timing("ferkit", 300),
      timing("pytorch", 150),
      ...[timing("ferkit", 100, { kind: "infer" }), timing("openvino", 200, { kind: "infer" })],
      ...[timing("onnxRuntime", 400, { kind: "infer" }), timing("openvinoBf16", 900, { kind: "infer" })],
      ...[timing("ferkit", 90, { batchSize: 64 }), timing("pytorch", 100, { batchSize: 64 })],
    ];
    assert.deepEqual(behindTable(timings).rows, [
      ["infer lite0, 48 px, batch 32", "100", "ONNX Runtime", "400", "0.25"],
      ["train lite0, 48 px, batch 64", "90.0", "PyTorch, default layout", "100", "0.90"],
    ]);
  });

  it("is empty if ferkit is ahead everywhere", () => {
    assert.deepEqual(behindTable([timing("ferkit", 300), timing("pytorch", 150)]).rows, []);
  });
});

describe("withSpread", () => {
  it("keeps three digits of each", () => {
    assert.equal(withSpread({ median: 338.4, min: 99.25, max: 1512, numRounds: 3 }), "338 (99.3–1512)");
  });
});

describe("remarks", () => {
  it("describes the runtimes that only infer, and cold starts", () => {
    const memory = [{ ...results.memory[0], kind: "infer", variant: "lite0" } as const];
    const logitsParity = [
      { variant: "lite0", imageSize: 48, contender: "openvino", error: 2e-6 },
      { variant: "b0", imageSize: 48, contender: "openvino", error: 3e-5 },
    ] as const;
    const starts = [{ name: "ferkit --help", median: 0.31, min: 0.3, max: 0.4, numRounds: 3 }];
    const own = { ...results, timings: [], tensors: [], memory, logitsParity: [...logitsParity], starts };
    assert.deepEqual(remarks(own), [
      "Largest relative difference of logits from ferkit's: OpenVINO 3e-5.",
      "Peak memory while Lite0 infers at 48 px, batch 32: ferkit 0.50 GB.",
      "Seconds from the start of a process: ferkit --help 0.310.",
    ]);
  });

  it("describes what was measured besides steps, and nothing else", () => {
    assert.deepEqual(remarks(results), [
      "Peak memory while B0 trains at 48 px, batch 32: ferkit 0.50 GB, PyTorch, default layout 0.80 GB, PyTorch, channels-last 0.60 GB.",
      "Tensors at the ends of 3 epochs: 566; resident memory after the last epoch: 2.0% more than after the second.",
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
    assert.match(remarks({ ...results, tensors }).join(), /2 epochs: 566, 570; .* last epoch: 0\.0% more/);
  });
});

const table = { heading: ["op", "ms"], rows: [["MatMul", "42"]] };

describe("toMarkdown", () => {
  it("aligns columns of numbers to the right", () => {
    assert.equal(toMarkdown(table), "| op     |  ms |\n| ------ | --: |\n| MatMul |  42 |");
  });
});
