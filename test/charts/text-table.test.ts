import assert from "node:assert/strict";
import { toText } from "../../src/charts/text-table.js";

describe("toText", () => {
  const table = {
    heading: ["op", "ms"],
    rows: [
      ["MatMul", "42"],
      ["Add", "7"],
    ],
  };

  it("puts columns below one another", () => {
    assert.equal(toText(table), "op      ms\nMatMul  42\nAdd     7");
  });

  it("puts figures to the right where it is told to", () => {
    assert.equal(toText({ ...table, isNumeric: [false, true] }), "op      ms\nMatMul  42\nAdd      7");
  });
});
