import assert from "node:assert/strict";
import { classTable, epochTable, predictionsTable, tableBundle } from "../../src/charts/tables.js";
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

describe("tableBundle", () => {
  const table = () =>
    predictionsTable([
      { name: "<b>.jpg", predictions: [{ className: 'say "x" & y', prob: 2 / 3 }] },
      { name: "c.jpg", predictions: [{ className: "happy", prob: 0.00001234 }] },
    ]);

  it("escapes what would be markup", async () => {
    const html = String(tableBundle(await table())["text/html"]);
    assert.ok(html.includes(">&lt;b&gt;.jpg</td>") && html.includes(">say &quot;x&quot; &amp; y</td>"));
    assert.ok(!html.includes("<b>"));
  });

  it("aligns numbers on the right, with four significant digits", async () => {
    const bundle = tableBundle(await table());
    assert.ok(String(bundle["text/html"]).includes('<td style="text-align: right">0.6667</td>'));
    assert.equal(
      bundle["text/plain"],
      [
        "image    class        probability  next class  next probability",
        '<b>.jpg  say "x" & y       0.6667  –           –',
        "c.jpg    happy            1.23e-5  –           –",
      ].join("\n"),
    );
  });
});
