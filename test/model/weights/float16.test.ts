import assert from "node:assert/strict";
import { fromFloat16, toFloat16 } from "../../../src/model/weights/float16.js";

describe("toFloat16", () => {
  const bitsOf = (...values: number[]) => [...toFloat16(Float32Array.from(values))];

  it("gives the bits that IEEE 754 has for numbers that fit", () => {
    assert.deepEqual(bitsOf(0, 1, -2, 0.5, 65504), [0, 0x3c00, 0xc000, 0x3800, 0x7bff]);
    assert.deepEqual(bitsOf(2 ** -14, 2 ** -24), [0x0400, 0x0001]);
  });

  it("rounds to the nearest, ties to even", () => {
    const step = 2 ** -10; // between neighbours from 1 on
    assert.deepEqual(bitsOf(1 + 0.5 * step, 1 + 1.5 * step, 1 + 0.6 * step), [0x3c00, 0x3c02, 0x3c01]);
    assert.deepEqual(bitsOf(0.5 * 2 ** -24, 1.5 * 2 ** -24, 0.6 * 2 ** -24), [0, 2, 1]);
    assert.deepEqual(bitsOf(2 - step / 4), [0x4000]); // carries into the exponent
  });

  it("is infinite beyond the range, and keeps what is no number", () => {
    assert.deepEqual(bitsOf(65520, -1e9, Number.POSITIVE_INFINITY), [0x7c00, 0xfc00, 0x7c00]);
    assert.ok(Number.isNaN(fromFloat16(toFloat16(Float32Array.of(Number.NaN)))[0]));
  });

  it("is undone by fromFloat16 for every number there is", () => {
    const all = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits).filter(
      (bits) => (bits & 0x7c00) !== 0x7c00 || (bits & 0x3ff) === 0, // all but those that are no number
    );
    assert.deepEqual(toFloat16(fromFloat16(all)), all);
  });
});
