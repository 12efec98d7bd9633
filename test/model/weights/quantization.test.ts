import assert from "node:assert/strict";
import { pack, unpack } from "../../../src/model/weights/quantization.js";

describe("pack", () => {
  const numbers = Float32Array.of(-1, 0.1, 0.25, 4.1);

  it("keeps float32 as it is", () => {
    const { bytes, quantization } = pack(numbers, "float32");
    assert.equal(bytes.length, 16);
    assert.equal(quantization, undefined);
    assert.deepEqual(unpack(bytes), numbers);
  });

  it("halves numbers in float16, to a 2048th of each", () => {
    const { bytes, quantization } = pack(numbers, "float16");
    assert.equal(bytes.length, 8);
    unpack(bytes, quantization).forEach((number, i) => {
      assert.ok(Math.abs(number - numbers[i]) <= Math.abs(numbers[i]) / 2048);
    });
  });

  it("divides the range into 255 even steps in uint8", () => {
    const { bytes, quantization } = pack(numbers, "uint8");
    // (4.1 − −1) / 255 = 0.02; (0.1 − −1) / 0.02 = 55; (0.25 − −1) / 0.02 = 62.5
    assert.deepEqual([bytes[0], bytes[1], bytes[3]], [0, 55, 255]);
    const unpacked = unpack(bytes, quantization);
    for (const [i, number] of numbers.entries()) assert.ok(Math.abs(unpacked[i] - number) <= 0.0101);
  });

  it("keeps numbers that are all the same", () => {
    const { bytes, quantization } = pack(Float32Array.of(0.5, 0.5), "uint8");
    assert.deepEqual([...unpack(bytes, quantization)], [0.5, 0.5]);
  });

  it("is undone from the middle of a file, where numbers begin at any byte", () => {
    const { bytes, quantization } = pack(numbers, "float16");
    const inFile = Buffer.concat([Buffer.of(7), bytes]).subarray(1);
    assert.deepEqual(unpack(inFile, quantization), unpack(bytes, quantization));
  });
});
