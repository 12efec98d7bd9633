import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { interruptSignal, type KernelHooks } from "../../src/show/kernel.js";

const root = path.resolve(__dirname, "../..");
const globals = globalThis as { ferkitKernel?: KernelHooks };

/** Runs lines in a process and returns what they print and the signal that ended it. `kill()` interrupts like Ctrl-C. */
function runInterrupted(lines: string[]): { stdout: string; signal: NodeJS.Signals | null } {
  const code = [
    `const { interruptSignal } = require("./src/show/kernel.ts");`,
    "const kill = () => process.kill(process.pid, 'SIGINT');",
    ...lines,
  ].join("\n");
  const { stdout, signal } = spawnSync(process.execPath, ["--require", "tsx/cjs", "-e", code], {
    cwd: root,
    encoding: "utf8",
    timeout: 600_000,
  });
  return { stdout, signal };
}

describe("interruptSignal", () => {
  describe("in a notebook", () => {
    const saved = globals.ferkitKernel;
    let callbacks: Set<() => void>;
    beforeEach(() => {
      callbacks = new Set();
      globals.ferkitKernel = {
        onInterrupt: (callback) => {
          callbacks.add(callback);
          return () => callbacks.delete(callback);
        },
      };
    });
    afterEach(() => {
      globals.ferkitKernel = saved;
    });

    it("aborts when the kernel is interrupted", () => {
      const before = process.listenerCount("SIGINT");
      const { signal, release } = interruptSignal();
      assert.equal(signal.aborted, false);
      for (const callback of callbacks) callback();
      assert.equal(signal.aborted, true);
      assert.equal(process.listenerCount("SIGINT"), before); // the kernel has the only handler
      release();
    });

    it("no longer listens after the release", () => {
      const { release } = interruptSignal();
      assert.equal(callbacks.size, 1);
      release();
      assert.equal(callbacks.size, 0);
    });

    it("gives each caller its own signal", () => {
      const [first, second] = [interruptSignal(), interruptSignal()];
      first.release();
      for (const callback of callbacks) callback();
      assert.deepEqual([first.signal.aborted, second.signal.aborted], [false, true]);
      second.release();
    });
  });

  describe("elsewhere", () => {
    it("aborts at Ctrl-C, and lets the program continue", () => {
      const { stdout, signal } = runInterrupted([
        "const { signal, release } = interruptSignal();",
        "const busy = setTimeout(() => {}, 100000);",
        "signal.addEventListener('abort', () => { release(); clearTimeout(busy); console.log('aborted'); });",
        "kill();",
      ]);
      assert.deepEqual([stdout, signal], ["aborted\n", null]);
    });

    it("lets the second Ctrl-C end the program", () => {
      const { stdout, signal } = runInterrupted([
        "const { signal } = interruptSignal();",
        "setTimeout(() => {}, 100000);",
        "signal.addEventListener('abort', () => { console.log('aborted'); kill(); });",
        "kill();",
      ]);
      assert.deepEqual([stdout, signal], ["aborted\n", "SIGINT"]);
    });

    it("lets Ctrl-C end the program after the release", () => {
      const { stdout, signal } = runInterrupted([
        "const { signal, release } = interruptSignal();",
        "signal.addEventListener('abort', () => console.log('aborted'));",
        "setTimeout(() => {}, 100000);",
        "release();",
        "kill();",
      ]);
      assert.deepEqual([stdout, signal], ["", "SIGINT"]);
    });
  });
});
