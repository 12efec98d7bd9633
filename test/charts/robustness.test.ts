import assert from "node:assert/strict";
import { chartText } from "../../src/charts/render.js";
import { robustnessChart } from "../../src/charts/robustness.js";
import { dataMarks, drawnMarks, textsOf } from "./drawn.js";

const report = {
  numImages: 1500,
  clean: { accuracy: 0.8 },
  corrupted: ["blur", "noise"].flatMap((corruption, k) =>
    [1, 2, 3].map((strength) => ({
      corruption,
      strength,
      value: 0,
      accuracy: 0.8 - 0.1 * strength * (k + 1),
    })),
  ),
};

describe("robustnessChart", () => {
  it("draws a line for each corruption, from the accuracy without any", async () => {
    const marks = await drawnMarks(robustnessChart(report));
    const points = dataMarks(marks, "symbol");
    assert.equal(points.length, 2 * 4);
    const [blur, noise] = [points.slice(0, 4), points.slice(4)];
    assert.equal(blur[0].y, noise[0].y);
    for (const line of [blur, noise])
      for (const [i, point] of line.slice(1).entries()) {
        assert.ok(point.x > line[i].x);
        assert.ok(point.y > line[i].y, "falls");
      }
    assert.deepEqual(textsOf(marks, "legend-label"), ["blur", "noise"]);
  });

  it("says the numbers in words", () => {
    const words = chartText(robustnessChart(report));
    assert.match(words, /1,500 images, unchanged 80\.0%/);
    assert.match(words, /blur: 80\.0%, 70\.0%, 60\.0%, 50\.0% at strengths 0 to 3/);
  });
});
