import assert from "node:assert/strict";
import { spreadOf } from "../../bench/rounds.js";

describe("spreadOf", () => {
  it("takes the middle value of an odd number", () => {
    assert.deepEqual(spreadOf([30, 10, 20]), { median: 20, min: 10, max: 30, numRounds: 3 });
  });

  it("takes the mean of the middle two values of an even number", () => {
    assert.deepEqual(spreadOf([40, 10, 30, 20]), { median: 25, min: 10, max: 40, numRounds: 4 });
  });

  it("keeps the order of the values", () => {
    const values = [3, 1, 2];
    spreadOf(values);
    assert.deepEqual(values, [3, 1, 2]);
  });
});
