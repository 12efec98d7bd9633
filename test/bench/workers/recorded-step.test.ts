import assert from "node:assert/strict";
import { encodeSafetensors } from "../../../bench/workers/recorded-step.js";
import { readSafetensors } from "../../../src/model/weights/safetensors.js";

describe("encodeSafetensors", () => {
  it("writes tensors that ferkit reads back", () => {
    const tensors = new Map([
      ["kernel", { shape: [2, 2], data: Float32Array.of(1, -2, 3.5, 4) }],
      ["loss", { shape: [], data: Float32Array.of(0.25) }],
    ]);
    assert.deepEqual(readSafetensors(encodeSafetensors(tensors), "test"), tensors);
  });

  it("writes only an array's own part of its buffer", () => {
    const data = Float32Array.of(1, 2, 3).subarray(1);
    const read = readSafetensors(encodeSafetensors(new Map([["view", { shape: [2], data }]])), "test");
    assert.deepEqual(read.get("view")?.data, Float32Array.of(2, 3));
  });
});
