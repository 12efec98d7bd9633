import assert from "node:assert/strict";
import { counted, duration, formatCount, percent } from "../src/text.js";

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

describe("percent", () => {
  it("writes a share with one decimal, or as many as it is given", () => {
    assert.equal(percent(0.7134), "71.3%");
    assert.equal(percent(0.7134, 0), "71%");
    assert.equal(percent(0, 0), "0%");
  });
});

describe("counted", () => {
  it("writes one thing in the singular, and a comma between thousands", () => {
    assert.equal(counted(1, "image"), "1 image");
    assert.equal(counted(2100, "image"), "2,100 images");
    assert.equal(counted(0, "class", "classes"), "0 classes");
    assert.equal(formatCount(1_234_567), "1,234,567");
  });
});
