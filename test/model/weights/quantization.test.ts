import assert from "node:assert/strict";
import { fromFloat16, pack, toFloat16, unpack } from "../../../src/model/weights/quantization.js";

describe("pack", () => {
  const numbers = Float32Array.of(-1, 0.1, 0.25, 4.1);

  it("keeps float32 unchanged", () => {
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

describe("toFloat16", () => {
  const bitsOf = (...values: number[]) => [...toFloat16(Float32Array.from(values))];

  it("gives the bits of IEEE 754 for numbers that fit", () => {
    assert.deepEqual(bitsOf(0, 1, -2, 0.5, 65504), [0, 0x3c00, 0xc000, 0x3800, 0x7bff]);
    assert.deepEqual(bitsOf(2 ** -14, 2 ** -24), [0x0400, 0x0001]);
  });

  it("rounds to the nearest, ties to even", () => {
    const step = 2 ** -10; // between neighbours above 1
    assert.deepEqual(bitsOf(1 + 0.5 * step, 1 + 1.5 * step, 1 + 0.6 * step), [0x3c00, 0x3c02, 0x3c01]);
    assert.deepEqual(bitsOf(0.5 * 2 ** -24, 1.5 * 2 ** -24, 0.6 * 2 ** -24), [0, 2, 1]);
    assert.deepEqual(bitsOf(2 - step / 4), [0x4000]); // carries into the exponent
  });

  it("is infinite outside the range, and keeps NaN", () => {
    assert.deepEqual(bitsOf(65520, -1e9, Number.POSITIVE_INFINITY), [0x7c00, 0xfc00, 0x7c00]);
    assert.ok(Number.isNaN(fromFloat16(toFloat16(Float32Array.of(Number.NaN)))[0]));
  });

  it("is undone by fromFloat16 for every number", () => {
    const all = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits).filter(
      (bits) => (bits & 0x7c00) !== 0x7c00 || (bits & 0x3ff) === 0, // all but those that are not a number
    );
    assert.deepEqual(toFloat16(fromFloat16(all)), all);
  });
});
