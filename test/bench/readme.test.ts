import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { latestAccuracyRecord } from "../../bench/accuracy-record.js";
import { speedPage } from "../../bench/readme.js";
import { latestResults } from "../../bench/results.js";
import { accuracyRecord, results } from "./fixtures.js";

describe("speedPage", () => {
  it("states machine, date, versions, the table and the ratios", () => {
    const page = speedPage(results, accuracyRecord);
    assert.match(
      page,
      /2 cores of an AMD EPYC, 24 GiB, 2026-01-02; Node v20, TensorFlow 2\.21\.0, PyTorch 2\.13\.0/,
    );
    assert.match(page, /in float32: 0\.80 to 1\.50 in training, 1\.25 to 1\.25 in inference\./);
    assert.match(page, /\| train lite0, 48 px, batch 32 +\| +300 \| +150 \| +200 \| +1\.50 \|/);
    assert.match(page, /- 2\.00 × training Lite0, batch 32, 48 px; PyTorch in its default layout/);
    assert.match(page, /- 3\.00 × seconds to the best validation accuracy of the preset baseline/);
  });
});

describe("docs/speed.md", () => {
  it("agrees with the newest results", () => {
    const newest = latestResults();
    const page = readFileSync(path.join(__dirname, "../../docs/speed.md"), "utf8");
    if (newest) assert.equal(page, speedPage(newest, latestAccuracyRecord()));
  });
});
