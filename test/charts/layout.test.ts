import assert from "node:assert/strict";
import { fitText } from "../../src/charts/layout.js";
import { textWidth } from "../../src/charts/render.js";

describe("fitText", () => {
  it("keeps a text that fits", () => {
    assert.equal(fitText("happy", 100, 12), "happy");
  });

  it("cuts a longer text at whole characters", () => {
    const cut = fitText("🙂🙂🙂🙂🙂🙂", 30, 12);
    assert.match(cut, /^🙂+…$/u);
    assert.ok(textWidth(cut, 12) <= 30);
  });
});
