import assert from "node:assert/strict";
import { ratiosOf } from "../../bench/ratios.js";
import { accuracyRecord, accuracyRun, results, timing } from "./fixtures.js";

const valuesOf = (...args: Parameters<typeof ratiosOf>) =>
  Object.fromEntries(Object.entries(ratiosOf(...args)).map(([name, { value }]) => [name, value]));

describe("ratiosOf", () => {
  it("divides ferkit's speed by the other's, at the same workload or at the best of each", () => {
    assert.deepEqual(valuesOf(results), {
      trainLite0VsPytorchBaseline: 300 / 150, // default layout
      trainLite0VsPytorchBest: 400 / 500, // both at batch 128
      inferLite0VsPytorch: 2000 / 1600, // the faster layout
      inferLite0VsPytorchDefault: 2000 / 1000,
      peakMemoryVsPytorch: 6e8 / 5e8, // the layout that needs less
      trainB0Batch32MemoryVsPytorch: 6e8 / 5e8,
      trainLite0Batch32VsBatch128: 300 / 400,
    });
  });

  it("compares inference with the faster ONNX Runtime, and bfloat16 with OpenVINO's", () => {
    const timings = [
      timing("ferkit", 900, { kind: "infer" }),
      timing("onnxRuntime", 500, { kind: "infer" }),
      timing("onnxRuntimeNode", 600, { kind: "infer" }),
      timing("ferkitBf16", 2000, { kind: "infer" }),
      timing("openvinoBf16", 1000, { kind: "infer" }),
      timing("ferkit", 90, { kind: "infer", imageSize: 144 }),
      timing("onnxRuntime", 100, { kind: "infer", imageSize: 144 }),
      timing("ferkit", 80, { kind: "infer", batchSize: 1 }),
      timing("onnxRuntime", 40, { kind: "infer", batchSize: 1 }),
      timing("ferkit", 30, { kind: "infer", variant: "b0" }),
      timing("onnxRuntimeNode", 40, { kind: "infer", variant: "b0" }),
    ];
    assert.deepEqual(valuesOf({ ...results, timings, memory: [] }), {
      inferLite0Batch1VsOnnxRuntime: 80 / 40,
      inferLite0Batch32VsOnnxRuntime: 900 / 600,
      inferLite0Px144Batch32VsOnnxRuntime: 90 / 100,
      inferB0Batch32VsOnnxRuntime: 30 / 40,
      inferLite0Batch32Bf16VsOpenvinoBf16: 2000 / 1000,
    });
  });

  it("compares training with compiled PyTorch, and batch 32 with batch 128", () => {
    const timings = [
      timing("ferkit", 300),
      timing("pytorchCompiled", 200),
      timing("ferkit", 400, { batchSize: 128 }),
    ];
    assert.deepEqual(valuesOf({ ...results, timings, memory: [] }), {
      trainLite0VsPytorchCompiled: 300 / 200,
      trainLite0Batch32VsBatch128: 300 / 400,
    });
  });

  it("adds the ratios of a record of trainings", () => {
    const { timeToAccuracyVsPytorch, timeToAccuracyVsPytorchRecipe } = valuesOf(results, accuracyRecord);
    // 0.6 is reached after 30 s by the baseline, after 10 s by ferkit, after 20 s by its preset in PyTorch.
    assert.deepEqual([timeToAccuracyVsPytorch, timeToAccuracyVsPytorchRecipe], [30 / 10, 20 / 10]);
  });

  it("omits the time to an accuracy that was not reached", () => {
    const runs = { ...accuracyRecord.runs, ferkit: accuracyRun(0.59) };
    assert.equal("timeToAccuracyVsPytorch" in ratiosOf(results, { ...accuracyRecord, runs }), false);
  });
});
