// What must hold of all files, checked beside the tests: each check has one core busy for seconds.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { projectDir } from "./source-files.js";

describe("the project", () => {
  for (const [what, command] of [
    ["has no wrong types", "typecheck"],
    ["follows the rules of the linter", "lint"],
  ])
    it(`${what}: npm run ${command}`, () => {
      const { status, stdout, stderr } = spawnSync("npm", ["run", "--silent", command], {
        cwd: projectDir,
        encoding: "utf8",
      });
      assert.equal(status, 0, stdout + stderr);
    });
});
