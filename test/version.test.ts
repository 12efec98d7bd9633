import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { commitOf, ferkitVersion } from "../src/version.js";
import { readProjectFile } from "./source-files.js";

describe("ferkitVersion", () => {
  it("is that of package.json", async () => {
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
  /** A clone of one commit; returns that. */
  function clone(): string {
    git("init");
    writeFileSync(path.join(dir, "file"), "as it was");
    git("add", "file");
    git("commit", "--message", "one");
    return git("rev-parse", "HEAD");
  }

  it("is a clone's commit, and says when files differ from it", async function () {
    const commit = clone();
    if (!commit) this.skip(); // no git here
    assert.match(commit, /^[0-9a-f]{40}$/);
    assert.equal(await commitOf(dir), commit);
    writeFileSync(path.join(dir, "file"), "changed");
    assert.equal(await commitOf(dir), `${commit}-dirty`);
  });

  it("is null where there is no clone, also within somebody else's", async () => {
    assert.equal(await commitOf(dir), null);
    clone();
    mkdirSync(path.join(dir, "copy"));
    assert.equal(await commitOf(path.join(dir, "copy")), null);
    assert.equal(await commitOf(path.join(dir, "nowhere")), null);
  });
});
