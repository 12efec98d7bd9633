import assert from "node:assert/strict";
import os from "node:os";
import path from "node:path";
import { cacheDir } from "../src/cache-dir.js";

const NAMES = ["FERKIT_CACHE", "XDG_CACHE_HOME"] as const;

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

  it("is the user's cache folder", () => {
    assert.equal(cacheDir(), path.join(os.homedir(), ".cache/ferkit"));
  });

  it("follows XDG_CACHE_HOME", () => {
    process.env.XDG_CACHE_HOME = "/somewhere/cache";
    assert.equal(cacheDir(), "/somewhere/cache/ferkit");
  });

  it("prefers FERKIT_CACHE, as it stands", () => {
    process.env.XDG_CACHE_HOME = "/somewhere/cache";
    process.env.FERKIT_CACHE = "/elsewhere";
    assert.equal(cacheDir(), "/elsewhere");
  });

  it("reads a relative FERKIT_CACHE from the current folder", () => {
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
