import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { createContext } from "../../scripts/setup/context.cjs";
import { findCompiler } from "../../scripts/setup/machine.cjs";
import { projectDir, workspace } from "../workspace.js";

describe("workers", () => {
  const space = workspace();

  it("run each task once: for one caller, for several at once, for tasks that call; idle, they sleep", function () {
    const { command } = findCompiler(createContext({ root: projectDir }).env);
    if (!command) {
      console.log("      skipped: there is no compiler");
      this.skip();
    }
    const program = space.file("workers");
    const source = path.join(__dirname, "workers.cc");
    execFileSync(command, ["-std=c++20", "-O1", "-w", "-pthread", source, "-o", program]);
    // One of them stays awake on any machine with two cores; of fifteen, none on most.
    for (const numWorkers of ["1", "3", "15"])
      assert.equal(execFileSync(program, [numWorkers], { encoding: "utf8", timeout: 300_000 }), "ok\n");
  });
});
