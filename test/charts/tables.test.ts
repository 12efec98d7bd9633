import assert from "node:assert/strict";
import {
  auditTable,
  blockTable,
  classTable,
  epochTable,
  tableBundle,
  textTable,
} from "../../src/charts/tables.js";
import type { DataReport } from "../../src/data/audit/report.js";
import { efficientNet } from "../../src/model/efficientnet.js";
import type { ModelConfig } from "../../src/model/network.js";
import { dataFrame } from "../../src/show/show.js";
import { epochEvent } from "./fixtures.js";

describe("epochTable", () => {
  it("has a row per epoch, in numbers", () => {
    const [first, second] = epochTable([
      epochEvent(1, 0.5, 0.25, { isBest: true }),
      epochEvent(2, 0.75, 0.125),
    ]);
    assert.deepEqual(first, {
      epoch: 1,
      "train loss": 0.5,
      "train accuracy": 0.5,
      "validation loss": 0.75,
      "validation accuracy": 0.25,
      "macro-F1": 0.5,
      "learning rate": 0.001,
      "images/s": 123,
      seconds: 2.5,
      "best so far": "✓",
    });
    assert.deepEqual(Object.values(second), [2, 0.25, 0.75, 0.875, 0.125, 0.5, 0.001, 123, 2.5, ""]);
  });

  it("names what the train loss is against, if not the labels", () => {
    const [row] = epochTable([epochEvent(1, 0.5, 0.25, { trainTargets: "smoothed labels" })]);
    assert.equal(Object.keys(row)[1], "train loss (against smoothed labels)");
  });
});

describe("classTable", () => {
  it("has a row per class with its count in each split", () => {
    const rows = classTable({
      classCounts: [
        { split: "train", className: "sad", count: 1 },
        { split: "train", className: "happy", count: 3 },
        { split: "validation", className: "happy", count: 2 },
      ],
    });
    assert.deepEqual(rows, [
      { class: "sad", train: 1, validation: 0, "share of train": 0.25 },
      { class: "happy", train: 3, validation: 2, "share of train": 0.75 },
    ]);
  });
});

describe("blockTable", () => {
  it("adds up the parameters of each block, and shows the shape of its output", () => {
    const rows = blockTable({
      architecture: efficientNet("lite0", 7),
      config: { imageSize: 48 } as ModelConfig,
    });
    assert.equal(rows.length, 1 + 16 + 2); // stem, blocks 1a to 7a, top and predictions
    // 3·3·3·32 weights and 4·32 of batch norm; a stride of 2
    assert.deepEqual(rows[0], { block: "stem", output: "24 × 24 × 32", parameters: 992 });
    assert.deepEqual(rows[18], { block: "predictions", output: "1 × 1 × 7", parameters: 1280 * 7 + 7 });
  });
});

describe("auditTable", () => {
  it("has a row for each possible problem, with the number found and an example", () => {
    const report: DataReport = {
      name: "faces",
      root: "/faces",
      classNames: ["a", "b"],
      imageSize: 8,
      split: "folders",
      splitBy: "the folder val",
      numImages: { train: 6, validation: 3 },
      classCounts: [],
      sizes: [],
      colours: { grey: 0, coloured: 0, used: "colour", chosenBy: "majority" },
      unreadable: [{ path: "a/broken.jpg", reason: "cut short" }],
      labels: "class folders",
      files: { found: 11, used: 9, leftOut: [], ownFolders: [], ownImages: 0 },
      notes: [],
      conclusions: [],
      problems: [],
      duplicateGroups: 3,
      duplicateImages: 2,
      leakedImages: 1,
      labelConflicts: 1,
      dropped: { duplicates: 0, leaked: 1 },
      unusedFolders: [],
      examples: { duplicates: [["a/1.jpg", "a/2.jpg"]], leaked: [], conflicts: [["a/3.jpg", "b/3.jpg"]] },
    };
    const rows = auditTable(report);
    assert.deepEqual(Object.keys(rows[0]), ["check", "found", "of", "left out", "example"]);
    assert.deepEqual(
      rows.map((row) => Object.values(row)),
      [
        ["unreadable files", 1, "11 images", 1, "a/broken.jpg"],
        ["images twice in a split", 2, "10 images", 0, "a/1.jpg, a/2.jpg"],
        ["validation images also in train", 1, "4 validation images", 1, ""], // 3 are used, and 1 is left out
        ["groups of duplicates with different classes", 1, "3 groups", 0, "a/3.jpg, b/3.jpg"],
      ],
    );
  });
});

describe("tableBundle", () => {
  const rows = [
    { image: "<b>.jpg", class: 'say "x" & y', probability: 2 / 3, next: null },
    { image: "c.jpg", class: "happy", probability: 0.00001234 },
  ];

  it("escapes markup", () => {
    const html = String(tableBundle(rows)["text/html"]);
    assert.ok(html.includes(">&lt;b&gt;.jpg</td>") && html.includes(">say &quot;x&quot; &amp; y</td>"));
    assert.ok(!html.includes("<b>"));
  });

  it("aligns numbers on the right, with four significant digits", async () => {
    const text = [
      "image    class        probability  next",
      '<b>.jpg  say "x" & y       0.6667  –',
      "c.jpg    happy            1.23e-5  –",
    ].join("\n");
    const bundle = tableBundle(rows);
    assert.ok(String(bundle["text/html"]).includes('<td style="text-align: right">0.6667</td>'));
    assert.equal(bundle["text/plain"], text);
    assert.deepEqual(tableBundle(await dataFrame(rows)), bundle);
  });
});

describe("textTable", () => {
  const table = {
    heading: ["op", "ms"],
    rows: [
      ["MatMul", "42"],
      ["Add", "7"],
    ],
  };

  it("shows control characters, and aligns by what is shown", () => {
    const odd = { heading: ["class", "n"], rows: [["\u001b[31m", "1"]] };
    assert.equal(textTable(odd), "class       n\n\\u001b[31m  1");
  });

  it("aligns columns on the left", () => {
    assert.equal(textTable(table), "op      ms\nMatMul  42\nAdd     7");
  });

  it("aligns numeric columns on the right", () => {
    assert.equal(textTable({ ...table, isNumeric: [false, true] }), "op      ms\nMatMul  42\nAdd      7");
  });
});
