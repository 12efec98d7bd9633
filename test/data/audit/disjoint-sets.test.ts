import assert from "node:assert/strict";
import { DisjointSets } from "../../../src/data/audit/disjoint-sets.js";

describe("DisjointSets", () => {
  it("has each index in its own set at first", () => {
    const sets = new DisjointSets(3);
    assert.deepEqual(
      [0, 1, 2].map((index) => sets.firstOf(index)),
      [0, 1, 2],
    );
    assert.equal(sets.sizeOf(2), 1);
  });

  it("joins sets by any of their indices, and knows the first index and the size", () => {
    const sets = new DisjointSets(6);
    sets.join(5, 4);
    sets.join(1, 2);
    sets.join(2, 5);
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5].map((index) => sets.firstOf(index)),
      [0, 1, 1, 3, 1, 1],
    );
    assert.deepEqual([sets.sizeOf(4), sets.sizeOf(3)], [4, 1]);
  });

  it("does not count twice what is joined twice", () => {
    const sets = new DisjointSets(2);
    sets.join(0, 1);
    sets.join(1, 0);
    assert.equal(sets.sizeOf(1), 2);
  });
});
