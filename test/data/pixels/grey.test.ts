import assert from "node:assert/strict";
import { isGrey, toGrey } from "../../../src/data/pixels/grey.js";

/** Red, green, blue, black, white and grey. */
const PIXELS = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 90, 90, 90);

describe("toGrey", () => {
  it("weighs red, green and blue by their brightness", () => {
    // 0.299 · 255 = 76.2, 0.587 · 255 = 149.7, 0.114 · 255 = 29.1
    const expected = [76, 150, 29, 0, 255, 90];
    const grey = toGrey(PIXELS);
    assert.deepEqual(
      [...grey],
      expected.flatMap((value) => [value, value, value]),
    );
    assert.deepEqual([isGrey(PIXELS), isGrey(grey)], [false, true]);
  });
});
