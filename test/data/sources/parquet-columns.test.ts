import assert from "node:assert/strict";
import { shortest, singleColumns } from "../../../src/data/sources/parquet-columns.js";

describe("numbers of float32 in Parquet files", () => {
  it("are known by their columns, and have their shortest digits", () => {
    const schema = [{ name: "root" }, { name: "label", type: "FLOAT" }, { name: "size", type: "DOUBLE" }];
    assert.deepEqual(singleColumns(schema), ["label"]);
    for (const value of [0.1, 0.2, -1.5, 1 / 3, 16777216, 1e-7, 3.4e38])
      assert.equal(Math.fround(shortest(Math.fround(value)) as number), Math.fround(value));
    assert.deepEqual(
      [0.1, 0.2, 2, -1].map((value) => shortest(Math.fround(value))),
      [0.1, 0.2, 2, -1],
    );
    assert.deepEqual([Number.NaN, "a", null].map(shortest), [Number.NaN, "a", null]);
  });
});
