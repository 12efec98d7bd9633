import assert from "node:assert/strict";
import {
  columnsOf,
  decimalText,
  shortest,
  singleColumns,
  takeDecimals,
  textOf,
} from "../../../../src/data/sources/packed/parquet-columns.js";

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

describe("decimalText", () => {
  it("keeps all digits of decimal numbers, of bytes and of whole numbers", () => {
    const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));
    assert.equal(decimalText(bytes("000020000000000001"), 0), "9007199254740993");
    assert.equal(decimalText(bytes("ff"), 0), "-1");
    assert.equal(decimalText(9007199254740993n, 2), "90071992547409.93");
    assert.equal(decimalText(-5, 3), "-0.005");
    assert.equal(decimalText(300, 2), "3");
    assert.equal(decimalText(null, 2), null);
  });
});

describe("takeDecimals", () => {
  it("finds the columns of decimals, and leaves others", () => {
    const schema = [
      { name: "root", num_children: 3 },
      { name: "a", type: "INT64", converted_type: "DECIMAL", scale: 2 },
      { name: "b", type: "FIXED_LEN_BYTE_ARRAY", logical_type: { type: "DECIMAL", scale: 9 } },
      { name: "c", type: "BYTE_ARRAY", converted_type: "UTF8" },
    ];
    assert.deepEqual(takeDecimals(schema), { a: 2, b: 9 });
    assert.deepEqual(schema.slice(1), [
      { name: "a", type: "INT64", scale: 2 },
      { name: "b", type: "FIXED_LEN_BYTE_ARRAY" },
      { name: "c", type: "BYTE_ARRAY", converted_type: "UTF8" },
    ]);
  });
});

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
