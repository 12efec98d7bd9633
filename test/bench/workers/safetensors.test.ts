import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { decodeSafetensors, encodeSafetensors, readLogits } from "../../../bench/workers/safetensors.js";
import { readSafetensors } from "../../../src/model/weights/safetensors.js";

describe("encodeSafetensors", () => {
  it("writes tensors that ferkit reads back", () => {
    const tensors = new Map([
      ["kernel", { shape: [2, 2], data: Float32Array.of(1, -2, 3.5, 4) }],
      ["loss", { shape: [], data: Float32Array.of(0.25) }],
    ]);
    assert.deepEqual(readSafetensors(encodeSafetensors(tensors), "test").tensors, tensors);
  });

  it("writes only an array's own part of its buffer", () => {
    const data = Float32Array.of(1, 2, 3).subarray(1);
    const bytes = encodeSafetensors(new Map([["view", { shape: [2], data }]]));
    const { tensors: read } = readSafetensors(bytes, "test");
    assert.deepEqual(read.get("view")?.data, Float32Array.of(2, 3));
  });
});

describe("decodeSafetensors", () => {
  it("reads what was written, whatever the length of the header", () => {
    for (const name of ["a", "ab", "abc", "abcd"]) {
      const value = { shape: [2], data: Float32Array.of(1, -2) };
      assert.deepEqual(decodeSafetensors(encodeSafetensors(new Map([[name, value]]))), { [name]: value });
    }
  });
});

describe("readLogits", () => {
  it("returns images plane by plane", async () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-bench-"));
    const file = path.join(dir, "logits.safetensors");
    const images = { shape: [1, 1, 2, 3], data: Float32Array.of(1, 2, 3, 10, 20, 30) }; // two pixels of three channels
    const logits = { shape: [1, 2], data: Float32Array.of(0.5, -0.5) };
    writeFileSync(file, encodeSafetensors(new Map(Object.entries({ images, logits }))));
    assert.deepEqual(await readLogits(file), {
      images: { shape: [1, 3, 1, 2], data: Float32Array.of(1, 10, 2, 20, 3, 30) },
      logits,
    });
    rmSync(dir, { recursive: true });
  });
});
