import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { backend } from "../../src/engine/device.js";
import { needsNativeOps } from "../engine/backends.js";
import { listFiles, projectDir } from "../source-files.js";

/** Runs test files in a process of their own and counts the tests that passed. */
function numPassing(files: string[], env: Record<string, string>): number {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [require.resolve("mocha/bin/mocha.js"), ...files],
    { cwd: projectDir, env: { ...process.env, ...env, NO_COLOR: "1" }, encoding: "utf8" },
  );
  assert.equal(status, 0, stdout + stderr);
  return Number(stdout.match(/^ +(\d+) passing/m)?.[1]);
}

describe("the other kernels", () => {
  it("for AVX2 pass the tests of those for AVX-512", function () {
    if (backend().kernels !== "avx512") {
      console.log("      skipped: this process runs no kernels of AVX-512");
      this.skip();
    }
    const files = ["fused", "plan", "plan-training"].map((name) => `test/engine/${name}.test.ts`);
    assert.ok(numPassing(files, { FERKIT_CPU: "avx2" }) > files.length);
  });

  // What runs on native ops if there are any.
  const files = ["training/optimizer", "training/step", "engine/variable", "data/augment"];
  it("in TensorFlow pass the tests of what native ops do", function () {
    if (backend().kernels === "stock") {
      console.log("      skipped: this process runs no other");
      this.skip();
    }
    const numPassed = numPassing(
      files.map((name) => `test/${name}.test.ts`),
      { FERKIT_NATIVE: "0" },
    );
    assert.ok(numPassed > files.length, String(numPassed));
  });
});

describe("the files of kernels", () => {
  needsNativeOps();

  // A function that the linker shares with other objects could run on processors that it was not compiled for.
  it("give the linker nothing but their tables", function () {
    const objects = path.join(projectDir, ".ferkit/native/objects");
    const kernels = existsSync(objects) ? listFiles([".ferkit/native/objects"], [".o"]) : [];
    const compiled = kernels.filter((file) => /^(plan_)?kernels-/.test(path.basename(file)));
    const tables =
      process.arch === "arm64"
        ? ["kernelsNeon", "planNeon"]
        : ["kernelsAvx2", "kernelsAvx512", "planAvx2", "planAvx512", "planAvx512Bfloat16"];
    if (compiled.length < tables.length || spawnSync("nm", ["--version"]).status !== 0) {
      console.log("      skipped: the ops came from the cache, or there is no nm");
      this.skip();
    }
    const symbols = compiled.map((file) => {
      const { stdout } = spawnSync("nm", ["--defined-only", "--extern-only", "-C", file], {
        cwd: projectDir,
        encoding: "utf8",
      });
      return stdout
        .trim()
        .split("\n")
        .map((line) => line.replace(/^\S+ \S /, ""));
    });
    assert.deepEqual(
      symbols.sort(),
      tables.map((name) => [`ferkit::${name}`]),
    );
  });
});
