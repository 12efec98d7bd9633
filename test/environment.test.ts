import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { device } from "../src/engine/device.js";
import { commitOf, environment, ferkitVersion } from "../src/environment.js";
import { readProjectFile } from "./source-files.js";

describe("environment", () => {
  it("has versions, machine, device and commit", async () => {
    const { commit, ...rest } = await environment();
    const { kind, tensorflow, kernels } = device();
    assert.deepEqual(rest, {
      versions: {
        ferkit: JSON.parse(readProjectFile("package.json")).version,
        node: process.versions.node,
        tfjs: "4.22.0",
        tensorflow,
      },
      machine: {
        cpu: os.cpus()[0]?.model.trim() ?? "unknown",
        cores: os.cpus().length,
        memoryGiB: Math.round(os.totalmem() / 1024 ** 3),
      },
      threads: os.availableParallelism(),
      device: kind,
      kernels,
    });
    assert.match(String(commit), /^([0-9a-f]{40}(-dirty)?|null)$/);
  });
});

describe("ferkitVersion", () => {
  it("is the version in package.json", async () => {
    assert.equal(await ferkitVersion(), JSON.parse(readProjectFile("package.json")).version);
  });
});

describe("commitOf", () => {
  let dir: string;
  beforeEach(() => {
    dir = realpathSync(mkdtempSync(path.join(os.tmpdir(), "ferkit-clone-")));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const git = (...names: string[]) => {
    const author = ["-c", "user.name=me", "-c", "user.email=me@example.org", "-c", "commit.gpgsign=false"];
    return spawnSync("git", [...author, ...names], { cwd: dir, encoding: "utf8" }).stdout?.trim();
  };
  /** Makes a clone of one commit and returns it. */
  function clone(): string {
    git("init");
    writeFileSync(path.join(dir, "file"), "as it was");
    git("add", "file");
    git("commit", "--message", "one");
    return git("rev-parse", "HEAD");
  }

  it("gives a clone's commit, and marks one whose files differ", async function () {
    const commit = clone();
    if (!commit) this.skip(); // no git here
    assert.match(commit, /^[0-9a-f]{40}$/);
    assert.equal(await commitOf(dir), commit);
    writeFileSync(path.join(dir, "file"), "changed");
    assert.equal(await commitOf(dir), `${commit}-dirty`);
  });

  it("is null outside a clone, and in a folder inside another clone", async () => {
    assert.equal(await commitOf(dir), null);
    clone();
    mkdirSync(path.join(dir, "copy"));
    assert.equal(await commitOf(path.join(dir, "copy")), null);
    assert.equal(await commitOf(path.join(dir, "nowhere")), null);
  });
});
