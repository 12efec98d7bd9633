import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { workspace } from "../workspace.js";
import { converse, resultOf } from "./kernel.js";

describe("after its last cell, the kernel", function () {
  this.timeout(600_000);
  const folder = workspace();

  it("has nothing left in a project without packages, unless a cell left a timer", async () => {
    mkdirSync(folder.file("notebooks"));
    writeFileSync(folder.file("package.json"), "{}");
    const settled = (limitMs: number) => `await (globalThis as any).ferkitKernel.settled(${limitMs});`;
    const cells = ["const a = 1;", settled(60_000), "setInterval(() => {}, 50);", settled(500)];
    const groups = cells.map((code) => [{ code }]);
    const { results } = await converse("tslab", groups, { cwd: folder.file("notebooks") });
    assert.deepEqual([results[1], results[3]].map(resultOf), ["true", "false"]);
  });
});
