import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { writeError, writeFileAtomically } from "../src/files.js";

describe("writeFileAtomically", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-files-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("writes a file, its folders too, and leaves no temporary one", async () => {
    await writeFileAtomically(path.join(dir, "a/b.txt"), "text");
    assert.equal(readFileSync(path.join(dir, "a/b.txt"), "utf8"), "text");
    assert.deepEqual(readdirSync(path.join(dir, "a")), ["b.txt"]);
  });

  it("leaves nothing behind when the file cannot be put in place", async () => {
    writeFileSync(path.join(dir, "file"), "in the way");
    await assert.rejects(writeFileAtomically(path.join(dir, "file/b.txt"), "text"), {
      message: `Expected to write at ${dir}/file/b.txt but found a file in place of a folder. Make room or choose another folder; nothing was changed.`,
    });
    assert.deepEqual(readdirSync(dir), ["file"]);
  });
});

describe("writeError", () => {
  it("says that the disk is full", () => {
    const error = writeError(
      "/x",
      Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" }),
    );
    assert.equal(
      (error as Error).message,
      "Expected to write at /x but found a full disk. Make room or choose another folder; nothing was changed.",
    );
  });

  it("hands on what it does not know", () => {
    const error = new Error("other");
    assert.equal(writeError("/x", error), error);
  });
});
