import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fetchWheel, makeWhole, type Pin, unpackWheel } from "../../../scripts/setup/wheels.js";
import { workspace } from "../../workspace.js";
import { ignore, setUpSandbox, sha256, writeWheel } from "./sandbox.js";

describe("fetchWheel", () => {
  const sandbox = setUpSandbox();
  const toDest = 'while [ "$1" != --dest ]; do shift; done; ';
  let pin: Pin;
  beforeEach(() => {
    pin = sandbox.context.pins.libtensorflow["linux-x64"].cpu;
  });

  it("takes a wheel from the user's folder without downloading", async () => {
    sandbox.context.wheelsDir = sandbox.folder.path;
    writeFileSync(sandbox.folder.file(pin.wheel), "whole");
    assert.equal(await fetchWheel(sandbox.context, pin, ignore), sandbox.folder.file(pin.wheel));
    assert.deepEqual(sandbox.listCache(), []);
  });

  it("names the digests of a wrong file in the user's folder and leaves it there", async () => {
    sandbox.context.wheelsDir = sandbox.folder.path;
    const file = sandbox.folder.file(pin.wheel);
    writeFileSync(file, "other");
    await assert.rejects(fetchWheel(sandbox.context, pin, ignore), {
      message:
        `Expected sha256 ${sha256("whole")} at ${file} but found ${sha256("other")}. ` +
        "Replace the file, or unset FERKIT_WHEELS to download it.",
    });
    assert.equal(existsSync(file), true);
  });

  it("leaves no file if the downloaded one has another digest", async () => {
    sandbox.fakePython(`${toDest}printf other > "$2/${pin.wheel}"`);
    await assert.rejects(
      fetchWheel(sandbox.context, pin, ignore),
      new RegExp(
        `^InputError: Expected sha256 ${sha256("whole")} at .* but found ${sha256("other")}\\. Check`,
      ),
    );
    assert.deepEqual(sandbox.listCache(), ["downloads"]);
  });

  it("downloads again after a failure, and keeps a complete file", async () => {
    sandbox.fakePython(`${toDest}printf who > "$2/${pin.wheel}"; echo "Connection refused"; exit 1`);
    await assert.rejects(
      fetchWheel(sandbox.context, pin, ignore),
      /^InputError: Expected to reach the package index .* but found no answer during the download of engine 1\.0\./,
    );
    assert.deepEqual(sandbox.listCache(), ["downloads"]);

    sandbox.fakePython(`${toDest}printf whole > "$2/${pin.wheel}"`);
    const wheel = await fetchWheel(sandbox.context, pin, ignore);
    assert.equal(readFileSync(wheel, "utf8"), "whole");

    sandbox.fakePython("exit 1");
    assert.equal(await fetchWheel(sandbox.context, pin, ignore), wheel);
  });
});

describe("unpackWheel", () => {
  const folder = workspace();

  it("writes the members that are wanted", async () => {
    const wheel = folder.file("a.whl");
    writeWheel(wheel, ["lib/one", "lib/two", "docs/three"]);
    const shown: string[] = [];
    const targetOf = (name: string) => (name.startsWith("lib/") ? folder.file("out", name.slice(4)) : null);
    await unpackWheel(wheel, targetOf, (text) => shown.push(text));
    assert.equal(readFileSync(folder.file("out/one"), "utf8"), "lib/one");
    assert.equal(readFileSync(folder.file("out/two"), "utf8"), "lib/two");
    assert.equal(existsSync(folder.file("out/three")), false);
  });

  it("refuses a wheel without them", async () => {
    const wheel = folder.file("a.whl");
    writeWheel(wheel, ["docs/three"]);
    await assert.rejects(
      unpackWheel(wheel, () => null, ignore),
      {
        name: "InputError",
        message:
          `Expected the files that set-up needs at ${wheel} but found none of them. ` +
          "Remove the file and run this again.",
      },
    );
  });
});

describe("makeWhole", () => {
  const folder = workspace();

  it("removes what an ended process left, and nothing of one that runs", async () => {
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    const [ended, running] = [pid, process.ppid].map((id) => folder.file(`.tmp-${os.hostname()}-${id}-0`));
    for (const dir of [ended, running]) mkdirSync(dir);
    await makeWhole(folder.file("made"), async (dir) => {
      writeFileSync(path.join(dir, "file"), "whole");
      return path.join(dir, "file");
    });
    assert.equal(readFileSync(folder.file("made"), "utf8"), "whole");
    assert.deepEqual([ended, running].map(existsSync), [false, true]);
  });

  it("takes what another clone made meanwhile", async () => {
    await makeWhole(folder.file("made"), async () => {
      writeFileSync(folder.file("made"), "by another");
      throw new Error("too late");
    });
    assert.equal(readFileSync(folder.file("made"), "utf8"), "by another");
  });
});
