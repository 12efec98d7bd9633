import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import path from "node:path";
import { loadRuns } from "../src/training/runs.js";
import { projectDir, readProjectFile } from "./source-files.js";

const RESULTS = path.join(projectDir, "experiments/results");

describe("experiments/results", () => {
  it("holds runs that can be read, without weights, each with an epoch and what it was done on", async () => {
    const { runs, broken } = await loadRuns(RESULTS);
    assert.deepEqual(broken, []);
    for (const { folder, epochs, sessions } of runs) {
      assert.ok(epochs.length > 0 && sessions.length > 0, folder);
      assert.deepEqual(readdirSync(folder).sort(), ["config.json", "environment.json", "metrics.jsonl"]);
    }
  });

  it("has a row for each run in experiments/README.md", async () => {
    const readme = readProjectFile("experiments/README.md");
    const { runs } = await loadRuns(RESULTS);
    const names = runs.map(({ folder }) => path.relative(RESULTS, folder));
    assert.deepEqual(
      names.filter((name) => !readme.includes(`\`${name}\``)),
      [],
    );
  });
});
