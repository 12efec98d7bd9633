import assert from "node:assert/strict";
import { tableBundle } from "../../src/charts/table-bundle.js";
import {
  auditTable,
  blockTable,
  classTable,
  epochTable,
  predictionsTable,
  table,
} from "../../src/charts/tables.js";
import type { DataReport } from "../../src/data/audit/report.js";
import { efficientNet } from "../../src/model/efficientnet.js";
import { summary } from "../../src/model/parameters.js";
import { epochEvent } from "./fixtures.js";

describe("epochTable", () => {
  it("has a row an epoch, in numbers", async () => {
    const table = await epochTable([epochEvent(1, 0.5, 0.25, { isBest: true }), epochEvent(2, 0.75, 0.125)]);
    assert.deepEqual(table.columns.slice(0, 5), [
      "epoch",
      "train loss",
      "train accuracy",
      "validation loss",
      "validation accuracy",
    ]);
    // macro-F1, learning rate, images/s, seconds, best so far
    assert.deepEqual(table.values, [
      [1, 0.5, 0.5, 0.75, 0.25, 0.5, 0.001, 123, 2.5, "✓"],
      [2, 0.25, 0.75, 0.875, 0.125, 0.5, 0.001, 123, 2.5, ""],
    ]);
  });

  it("is empty before the first epoch has ended", async () => {
    assert.match(
      String(tableBundle(await epochTable([]))["text/plain"]),
      /^epoch {2}train loss.*best so far$/,
    );
  });
});

describe("classTable", () => {
  it("has a row a class with its count in each split", async () => {
    const table = await classTable({
      classCounts: [
        { split: "train", className: "sad", count: 1 },
        { split: "train", className: "happy", count: 3 },
        { split: "validation", className: "happy", count: 2 },
      ],
    });
    assert.deepEqual(table.columns, ["class", "train", "validation", "share of train"]);
    assert.deepEqual(table.values, [
      ["sad", 1, 0, 0.25],
      ["happy", 3, 2, 0.75],
    ]);
  });
});

describe("predictionsTable", () => {
  it("has a row an image with its two most probable classes", async () => {
    const table = await predictionsTable([
      {
        name: "a.jpg",
        predictions: [
          { className: "sad", prob: 0.25 },
          { className: "happy", prob: 0.75 },
        ],
      },
    ]);
    assert.deepEqual(table.values, [["a.jpg", "happy", 0.75, "sad", 0.25]]);
  });
});

describe("table", () => {
  it("has the columns of the first record, and nothing where another lacks one", async () => {
    const { columns, values } = await table([{ a: 1, b: "x" }, { a: 2 }]);
    assert.deepEqual(columns, ["a", "b"]);
    assert.deepEqual(values, [
      [1, "x"],
      [2, null],
    ]);
  });
});

describe("blockTable", () => {
  it("adds up the parameters of each block, and shows what leaves it", async () => {
    const { values } = await blockTable(summary(efficientNet("lite0", 7), 48));
    const rows = values as [string, string, number][];
    assert.equal(rows.length, 1 + 16 + 2); // stem, blocks 1a to 7a, top and predictions
    // 3·3·3·32 weights and 4·32 of batch norm; a stride of 2
    assert.deepEqual(rows[0], ["stem", "24 × 24 × 32", 992]);
    assert.deepEqual(rows[18], ["predictions", "1 × 1 × 7", 1280 * 7 + 7]);
  });
});

describe("auditTable", () => {
  it("has a row for each thing that can be wrong, with how many there are and an example", async () => {
    const report: DataReport = {
      name: "faces",
      root: "/faces",
      classNames: ["a", "b"],
      imageSize: 8,
      split: "folders",
      numImages: { train: 6, validation: 3 },
      classCounts: [],
      sizes: [],
      unreadable: [{ path: "a/broken.jpg", reason: "cut short" }],
      duplicateGroups: 3,
      duplicateImages: 2,
      leakedImages: 1,
      labelConflicts: 1,
      dropped: { duplicates: 0, leaked: 1 },
      unusedFolders: [],
      examples: { duplicates: [["a/1.jpg", "a/2.jpg"]], leaked: [], conflicts: [["a/3.jpg", "b/3.jpg"]] },
    };
    const { columns, values } = await auditTable(report);
    assert.deepEqual(columns, ["check", "found", "of", "left out", "example"]);
    assert.deepEqual(values, [
      ["unreadable files", 1, 11, 1, "a/broken.jpg"],
      ["images twice in a split", 2, 10, 0, "a/1.jpg, a/2.jpg"],
      ["validation images also in train", 1, 10, 1, ""],
      ["same image, different classes", 1, 3, 0, "a/3.jpg, b/3.jpg"],
    ]);
  });
});
