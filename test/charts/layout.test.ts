import assert from "node:assert/strict";
import { fitText } from "../../src/charts/layout.js";
import { textWidth } from "../../src/charts/render.js";

describe("fitText", () => {
  it("keeps a text that fits", () => {
    assert.equal(fitText("happy", 100, 12), "happy");
  });

  it("cuts a longer text at whole characters", () => {
    const cut = fitText("🙂🙂🙂🙂🙂🙂", 45, 12);
    assert.match(cut, /^🙂+…🙂+$/u);
    assert.ok(textWidth(cut, 12) <= 45);
  });

  it("keeps both ends of a longer text, and no space beside the cut", () => {
    for (let width = 30; width < 160; width += 5) {
      const cut = fitText("a long class name, number 1", width, 12);
      assert.match(cut, /^a.*[^ ]…[^ ]?.*1$/);
      assert.ok(textWidth(cut, 12) <= width, cut);
    }
  });
});
