import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { root, setUpSandbox } from "./setup/fixtures.js";

describe("setup.mjs", () => {
  const sandbox = setUpSandbox();
  const script = path.join(root, "scripts/setup.mjs");

  it("prints one message for each missing tool and exits with 1", () => {
    fs.mkdirSync(path.join(sandbox.folder, "bin"));
    const env = { PATH: path.join(sandbox.folder, "bin"), FERKIT_CACHE: sandbox.context.cacheDir };
    const { status, stderr } = spawnSync(process.execPath, [script, "--check"], { env, encoding: "utf8" });
    assert.equal(status, 1);
    assert.match(stderr, /^Expected Python 3\.10 or later but found no python3 on PATH\. Run: sudo \S+/m);
    assert.match(
      stderr,
      /^Expected a C\+\+ compiler \(g\+\+, c\+\+, clang\+\+\) but found none on PATH\. Run: sudo \S+/m,
    );
    assert.doesNotMatch(stderr, / at .*mjs:\d+/, "no stack");
  });

  it("starts no program when everything is current", function () {
    const probe = spawnSync(process.execPath, [path.join(root, "scripts/doctor.mjs"), "--json"], {
      encoding: "utf8",
    });
    if (!/"found": "complete"/.test(probe.stdout)) {
      console.log("      skipped: this clone is not set up by npm run setup");
      this.skip();
    }
    const env = { ...process.env, PATH: path.join(sandbox.folder, "no-such-folder") };
    const { status, stderr } = spawnSync(process.execPath, [script], { env, encoding: "utf8" });
    assert.equal(stderr, "set-up: nothing to do\n");
    assert.equal(status, 0);
  });

  it("refuses a folder of wheels that is not there", () => {
    const env = { ...process.env, FERKIT_WHEELS: path.join(sandbox.folder, "wheels") };
    const { status, stderr } = spawnSync(process.execPath, [script], { env, encoding: "utf8" });
    assert.equal(status, 1);
    assert.ok(
      stderr.includes(
        `Expected a folder of wheels at ${sandbox.folder}/wheels but found no such path. Mend or unset FERKIT_WHEELS.`,
      ),
    );
  });

  it("refuses an unknown option", () => {
    const { status, stderr } = spawnSync(process.execPath, [script, "--gpu"], { encoding: "utf8" });
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^Expected --accelerator, --weights, --check or --help but found --gpu\. Run: npm run setup -- --help$/m,
    );
  });
});
