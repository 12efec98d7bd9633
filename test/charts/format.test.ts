import assert from "node:assert/strict";
import { escapeHtml } from "../../src/charts/format.js";

describe("escapeHtml", () => {
  it("shows control characters and marks that reorder text", () => {
    assert.equal(escapeHtml('<a\u0007\0"\u202e&\n'), "&lt;a\\u0007\\u0000&quot;\\u202e&amp;\n");
  });
});
