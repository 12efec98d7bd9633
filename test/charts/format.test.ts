import assert from "node:assert/strict";
import { duration, escapeHtml } from "../../src/charts/format.js";

describe("duration", () => {
  it("counts in whole seconds, and in minutes where there are any", () => {
    assert.equal(duration(0.4), "0 s");
    assert.equal(duration(59.4), "59 s");
    assert.equal(duration(125), "2 min 5 s");
  });

  it("never writes a minute as 60 seconds", () => {
    assert.equal(duration(59.5), "1 min 0 s");
    assert.equal(duration(119.7), "2 min 0 s");
  });
});

describe("escapeHtml", () => {
  it("shows control characters and marks that reorder text", () => {
    assert.equal(escapeHtml('<a\u0007\0"\u202e&\n'), "&lt;a\\u0007\\u0000&quot;\\u202e&amp;\n");
  });
});
