import assert from "node:assert/strict";
import { columnsOf, textOf } from "../../../../src/data/sources/packed/parquet-columns.js";

describe("labels in Parquet columns", () => {
  it("are neither dates nor within structures", () => {
    assert.throws(() => textOf(new Date("2020-01-03"), "day", "a.parquet"), {
      message:
        "Expected class names in the column day at a.parquet but found dates, such as 2020-01-03. " +
        "Choose another column with --label-column NAME, or write the dates as text if they are the classes.",
    });
    const values = { image: { bytes: new Uint8Array(1), path: "1.png" }, meta: { label: 1 } };
    assert.throws(() => columnsOf(values, [], {}, {}, "a.parquet"), {
      message:
        "Expected the column label at a.parquet but found image, meta. Write the file again with the label in a column of its own.",
    });
  });
});
