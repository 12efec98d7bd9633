import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { latestAccuracyRecord } from "../../bench/accuracy-record.js";
import { speedSection, withSection } from "../../bench/readme.js";
import { latestResults } from "../../bench/results.js";
import { accuracyRecord, results } from "./fixtures.js";

const readme = readFileSync(path.join(__dirname, "../../docs/speed.md"), "utf8");

describe("withSection", () => {
  it("replaces what stands between the README's markers, and nothing else", () => {
    const once = withSection(readme, "the figures");
    assert.equal(once.match(/the figures/g)?.length, 1);
    assert.equal(withSection(once, "the figures"), once);
    assert.ok(once.startsWith(readme.slice(0, readme.indexOf("<!-- speed"))));
    assert.ok(once.endsWith(readme.slice(readme.indexOf("<!-- /speed"))));
  });

  it("refuses a text without markers", () => {
    assert.throws(() => withSection("# ferkit", "the figures"), /Expected the lines <!-- speed/);
  });
});

describe("speedSection", () => {
  it("gives machine, date, versions, the table and the ratios", () => {
    const section = speedSection(results, accuracyRecord);
    assert.match(
      section,
      /2 cores of an AMD EPYC, 24 GiB, 2026-01-02; Node v20, TensorFlow 2\.21\.0, PyTorch 2\.13\.0/,
    );
    assert.match(section, /\| train lite0, 48 px, batch 32 +\| +300 \| +150 \| +200 \| +1\.50 \|/);
    assert.match(section, /- 2\.00 × training Lite0, batch 32, 48 px; PyTorch in its default layout/);
    assert.match(section, /- 3\.00 × seconds to the best validation accuracy of the baseline preset/);
  });
});

describe("README.md", () => {
  it("says what the newest results say", () => {
    const newest = latestResults();
    if (newest) assert.equal(readme, withSection(readme, speedSection(newest, latestAccuracyRecord())));
  });
});
