import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { load, root, setUpSandbox } from "./fixtures.js";

describe("makeWhole", () => {
  const sandbox = setUpSandbox();
  type MakeWhole = (target: string, make: (folder: string) => Promise<string> | string) => Promise<void>;
  let makeWhole: MakeWhole;
  beforeEach(async () => {
    makeWhole = (await load<{ makeWhole: MakeWhole }>("work-folder")).makeWhole;
  });

  it("leaves nothing behind when the making fails", async () => {
    const make = (made: string): string => {
      fs.writeFileSync(path.join(made, "half"), "");
      throw new Error("interrupted");
    };
    await assert.rejects(makeWhole(path.join(sandbox.context.cacheDir, "library"), make), /interrupted/);
    assert.deepEqual(sandbox.listCache(), []);
  });

  it("lets two clones make the same folder at once", async () => {
    const target = path.join(sandbox.context.cacheDir, "library");
    const make = (name: string, durationMs: number) => async (made: string) => {
      await new Promise((resolve) => setTimeout(resolve, durationMs));
      fs.writeFileSync(path.join(made, name), "");
      return made;
    };
    await Promise.all([makeWhole(target, make("first", 10)), makeWhole(target, make("second", 40))]);
    assert.deepEqual(sandbox.listCache(), ["library", "library/first"]);
  });

  it("removes the temporary folder of a process that was killed", async () => {
    const dead = spawnSync(process.execPath, ["-e", ""]).pid;
    const abandoned = path.join(sandbox.context.cacheDir, `.tmp-${os.hostname()}-${dead}-0`);
    const inUse = path.join(sandbox.context.cacheDir, `.tmp-${os.hostname()}-${process.ppid}-0`);
    for (const dir of [abandoned, inUse]) fs.mkdirSync(dir, { recursive: true });
    await makeWhole(path.join(sandbox.context.cacheDir, "library"), (made) => made);
    assert.deepEqual(sandbox.listCache(), [path.basename(inUse), "library"].sort());
  });

  it("cleans up and says how to go on when it is stopped", async () => {
    const script = [
      `import { installInterruptHandler, runCommand } from ${JSON.stringify(path.join(root, "scripts/setup/command.mjs"))};`,
      `import { makeWhole } from ${JSON.stringify(path.join(root, "scripts/setup/work-folder.mjs"))};`,
      "installInterruptHandler((text) => process.stdout.write(text));",
      `makeWhole(${JSON.stringify(path.join(sandbox.context.cacheDir, "library"))}, () => {`,
      "  process.stdout.write('making');",
      "  return runCommand('sleep', ['60']);",
      "});",
    ].join("\n");
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
      if (output === "making") child.kill("SIGINT");
    });
    const status = await new Promise((resolve) => child.on("close", resolve));
    assert.equal(status, 130);
    assert.equal(
      output,
      "making\nSet-up was stopped. Run the same command again: it goes on where it stopped.\n",
    );
    assert.deepEqual(sandbox.listCache(), []);
  });
});
