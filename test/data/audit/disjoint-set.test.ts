import assert from "node:assert/strict";
import { DisjointSet } from "../../../src/data/audit/disjoint-set.js";

describe("Groups", () => {
  it("has each place in a group of its own at first", () => {
    const groups = new DisjointSet(3);
    assert.deepEqual(
      [0, 1, 2].map((place) => groups.firstOf(place)),
      [0, 1, 2],
    );
    assert.equal(groups.sizeOf(2), 1);
  });

  it("joins groups by any of their places, and knows the first place and the size", () => {
    const groups = new DisjointSet(6);
    groups.join(5, 4);
    groups.join(1, 2);
    groups.join(2, 5);
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5].map((place) => groups.firstOf(place)),
      [0, 1, 1, 3, 1, 1],
    );
    assert.deepEqual([groups.sizeOf(4), groups.sizeOf(3)], [4, 1]);
  });

  it("does not count twice what is joined again", () => {
    const groups = new DisjointSet(2);
    groups.join(0, 1);
    groups.join(1, 0);
    assert.equal(groups.sizeOf(1), 2);
  });
});
