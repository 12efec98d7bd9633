// Compiles programs that test the parts of native/ that need no TensorFlow.
import { execFileSync } from "node:child_process";
import path from "node:path";
import { createContext } from "../../scripts/setup/context.cjs";
import { findCompiler } from "../../scripts/setup/machine.cjs";
import { projectDir } from "../workspace.js";

/** Arguments to workers.cc: how many to start, and whether they stay awake. */
export const WORKERS = [
  ["0", "awake"],
  ["1", "awake"],
  ["3", "awake"],
  ["3", "asleep"],
  ["15", "asleep"],
];

/** Compiles `source`, a file of this folder, to `program`; skips the test if there is no compiler. */
export function compileProgram(test: Mocha.Context, source: string, program: string): void {
  const { command } = findCompiler(createContext({ root: projectDir }).env);
  if (!command) {
    console.log("      skipped: there is no compiler");
    test.skip();
  }
  execFileSync(command, ["-std=c++20", "-O1", "-w", "-pthread", path.join(__dirname, source), "-o", program]);
}
