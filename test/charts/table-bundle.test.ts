import assert from "node:assert/strict";
import { tableBundle } from "../../src/charts/table-bundle.js";
import { predictionsTable } from "../../src/charts/tables.js";

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
