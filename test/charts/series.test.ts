import assert from "node:assert/strict";
import { smooth, thin } from "../../src/charts/series.js";

describe("smooth", () => {
  it("takes the mean of each value and its neighbours", () => {
    // (0+3)/2, (0+3+6)/3, (3+6+0)/3, (6+0)/2
    assert.deepEqual(smooth([0, 3, 6, 0], 1), [1.5, 3, 3, 3]);
  });

  it("changes nothing at reach 0", () => {
    assert.deepEqual(smooth([1, 5, 2], 0), [1, 5, 2]);
  });
});

describe("thin", () => {
  it("keeps the first and the last of evenly spaced items", () => {
    assert.deepEqual(thin([0, 1, 2, 3, 4, 5, 6, 7, 8], 3), [0, 4, 8]);
  });

  it("keeps all where they are few", () => {
    assert.deepEqual(thin([1, 2, 3], 3), [1, 2, 3]);
  });
});
