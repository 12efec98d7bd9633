import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { workspace } from "../workspace.js";
import { compileProgram, WORKERS } from "./programs.js";

describe("workers", () => {
  const space = workspace();

  it("run each task once: for one caller, for several at once, for tasks that call; idle, they sleep", function () {
    const program = space.file("workers");
    compileProgram(this, "workers.cc", program);
    for (const args of WORKERS)
      assert.equal(execFileSync(program, args, { encoding: "utf8", timeout: 300_000 }), "ok\n");
  });
});
