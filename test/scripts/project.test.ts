import assert from "node:assert/strict";
import { mkdirSync, utimesSync } from "node:fs";
import { newestModel } from "../../scripts/project.js";
import { temporaryFolder, writeFiles } from "../data/fixtures.js";

describe("newestModel", () => {
  const inFolder = temporaryFolder();

  it("names the best model that was written last to a run", () => {
    const dir = inFolder("project");
    mkdirSync(dir);
    assert.equal(newestModel(dir), undefined);
    writeFiles(dir, { "runs/notes.txt": "", "runs/unfinished/config.json": "{}" });
    assert.equal(newestModel(dir), undefined);
    for (const [name, time] of Object.entries({ a: 1, newest: 3, b: 2 })) {
      writeFiles(dir, { [`runs/${name}/best/model.json`]: "{}" });
      utimesSync(`${dir}/runs/${name}/best/model.json`, time, time);
    }
    assert.equal(newestModel(dir), "runs/newest/best");
  });
});
