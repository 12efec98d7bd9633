import assert from "node:assert/strict";
import { groupBy, tally } from "../src/collections.js";

describe("groupBy", () => {
  it("groups items by key, in order", () => {
    const groups = groupBy(["pear", "fig", "plum"], (name) => name.length);
    assert.deepEqual(
      [...groups],
      [
        [4, ["pear", "plum"]],
        [3, ["fig"]],
      ],
    );
  });

  it("groups by the index of an item", () => {
    const groups = groupBy([5, 6, 7], (_, index) => index % 2);
    assert.deepEqual(
      [...groups],
      [
        [0, [5, 7]],
        [1, [6]],
      ],
    );
  });
});

describe("tally", () => {
  it("counts equal values", () => {
    assert.deepEqual(
      [...tally(["b", "a", "b"])],
      [
        ["b", 2],
        ["a", 1],
      ],
    );
  });
});
