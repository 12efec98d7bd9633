import assert from "node:assert/strict";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { stat } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { DiskError } from "../src/errors.js";
import {
  cacheDir,
  makeFolder,
  noteSilence,
  readRegularFile,
  writeError,
  writeFileAtomically,
} from "../src/files.js";
import { printedLines } from "./workspace.js";

describe("writeFileAtomically", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-files-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("writes a file and its folders, and leaves no temporary file", async () => {
    await writeFileAtomically(path.join(dir, "a/b.txt"), "text");
    assert.equal(readFileSync(path.join(dir, "a/b.txt"), "utf8"), "text");
    assert.deepEqual(readdirSync(path.join(dir, "a")), ["b.txt"]);
  });

  it("leaves nothing behind when the file cannot be renamed into place", async () => {
    writeFileSync(path.join(dir, "file"), "occupied");
    await assert.rejects(writeFileAtomically(path.join(dir, "file/b.txt"), "text"), {
      message: `Expected to write at ${dir}/file/b.txt but found a file instead of a folder. Rename it or choose another folder; what was there is kept.`,
    });
    assert.deepEqual(readdirSync(dir), ["file"]);
  });

  it("keeps a folder that is in place of the file, and says no more than that", async () => {
    mkdirSync(path.join(dir, "a.json/inner"), { recursive: true });
    await assert.rejects(writeFileAtomically(path.join(dir, "a.json"), "text"), {
      message: `Expected to write at ${dir}/a.json but found a folder instead of a file. Rename it or choose another folder; what was there is kept.`,
    });
    assert.deepEqual([readdirSync(dir), readdirSync(path.join(dir, "a.json"))], [["a.json"], ["inner"]]);
  });
});

describe("noteSilence", () => {
  const said = printedLines("error");
  const { FERKIT_CACHE } = process.env;
  beforeEach(() => {
    process.env.FERKIT_CACHE = "/share/cache";
  });
  afterEach(() => {
    if (FERKIT_CACHE === undefined) delete process.env.FERKIT_CACHE;
    else process.env.FERKIT_CACHE = FERKIT_CACHE;
  });
  /** Returns what is said while a disk takes a tenth of a second to answer. */
  const saidOf = async (file: string | number, silentMs: number) => {
    const end = noteSilence(file, silentMs);
    await new Promise((resolve) => setTimeout(resolve, 100));
    end();
    return said;
  };

  it("names what is waited for, and the variable that moves the cache", async () => {
    assert.deepEqual(await saidOf("/share/cache/pixels/1.bin", 10), [
      "waiting for a disk that has not answered for 0.01 seconds: /share/cache/pixels/1.bin; FERKIT_CACHE=FOLDER moves the cache to another disk",
    ]);
  });

  it("names an open file elsewhere, without that variable", async () => {
    const descriptor = openSync(__filename, "r");
    try {
      assert.deepEqual(await saidOf(descriptor, 10), [
        `waiting for a disk that has not answered for 0.01 seconds: ${__filename}`,
      ]);
    } finally {
      closeSync(descriptor);
    }
  });

  it("takes answers that came while the program computed", async () => {
    const end = noteSilence("/share/cache", 20);
    const answer = stat(__filename).then(end);
    const start = performance.now();
    while (performance.now() - start < 60); // the answer is there, and cannot be taken
    await answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(said, []);
  });

  it("says nothing of a disk that answers in time", async () => {
    assert.deepEqual(await saidOf("/share/cache", 10_000), []);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(said, []);
  });
});

describe("makeFolder", () => {
  for (const folder of ["/proc/ferkit", "/proc/ferkit/inner"])
    it(`ends for ${folder}, which cannot be made`, () => {
      assert.throws(() => makeFolder(folder), {
        name: "InputError",
        message:
          "Expected to write at /proc/ferkit but found a folder of the system, which takes no others. Choose another folder.",
      });
    });
});

describe("writeError", () => {
  it("tells a refusal to replace a file from a file instead of a folder", () => {
    const message = (syscall: string) =>
      (writeError("/disk/a.json", Object.assign(new Error(), { code: "EEXIST", syscall })) as Error).message;
    assert.equal(
      message("rename"),
      "Expected to write at /disk/a.json but found a disk that does not let files replace others. Run again, but choose another folder; what was there is kept.",
    );
    assert.equal(
      message("mkdir"),
      "Expected to write at /disk/a.json but found a file instead of a folder. Rename it or choose another folder; what was there is kept.",
    );
  });

  it("names a full disk", () => {
    const error = writeError(
      "/x",
      Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" }),
    );
    assert.equal(
      (error as Error).message,
      "Expected to write at /x but found a full disk. Make room or choose another folder; what was there is kept.",
    );
  });

  it("returns other errors unchanged", () => {
    const error = new Error("other");
    assert.equal(writeError("/x", error), error);
  });
});

const NAMES = ["FERKIT_CACHE", "XDG_CACHE_HOME"] as const;

describe("readRegularFile", () => {
  const problem = { expected: "a file of weights", fix: "Download it again." };

  it("says that a disk fails, not that the file is to be replaced", async () => {
    const file = "/proc/self/mem"; // a regular file whose first byte cannot be read
    await assert.rejects(readRegularFile(file, problem), (error: Error) => {
      assert.equal(
        error.message,
        `Expected a file of weights at ${file} but found a disk that fails. Run again when the disk can be read.`,
      );
      return error instanceof DiskError;
    });
  });

  it("says that a link leads to itself", async () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-files-"));
    const file = path.join(dir, "link");
    symlinkSync(file, file);
    await assert.rejects(readRegularFile(file, problem), {
      name: "InputError",
      message: `Expected a file of weights at ${file} but found a link to itself. Download it again.`,
    });
    rmSync(dir, { recursive: true });
  });
});

describe("cacheDir", () => {
  let saved: (string | undefined)[];
  beforeEach(() => {
    saved = NAMES.map((name) => process.env[name]);
    for (const name of NAMES) delete process.env[name];
  });
  afterEach(() => {
    NAMES.forEach((name, i) => {
      if (saved[i] === undefined) delete process.env[name];
      else process.env[name] = saved[i];
    });
  });

  it("is in the user's cache folder", () => {
    assert.equal(cacheDir(), path.join(os.homedir(), ".cache/ferkit"));
  });

  it("follows XDG_CACHE_HOME", () => {
    process.env.XDG_CACHE_HOME = "/somewhere/cache";
    assert.equal(cacheDir(), "/somewhere/cache/ferkit");
  });

  it("prefers FERKIT_CACHE, used as it is", () => {
    process.env.XDG_CACHE_HOME = "/somewhere/cache";
    process.env.FERKIT_CACHE = "/elsewhere";
    assert.equal(cacheDir(), "/elsewhere");
  });

  it("resolves a relative FERKIT_CACHE against the current folder", () => {
    process.env.FERKIT_CACHE = "near";
    assert.equal(cacheDir(), path.resolve("near"));
  });

  for (const value of ["", "relative/cache"])
    it(`ignores ${JSON.stringify(value)} as XDG_CACHE_HOME and an empty FERKIT_CACHE`, () => {
      process.env.XDG_CACHE_HOME = value;
      process.env.FERKIT_CACHE = "";
      assert.equal(cacheDir(), path.join(os.homedir(), ".cache/ferkit"));
    });
});
