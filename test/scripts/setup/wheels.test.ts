import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { type Context, ignore, load, type Pin, type Show, setUpSandbox, sha256 } from "./fixtures.js";

describe("fetchWheel", () => {
  const sandbox = setUpSandbox();
  type FetchWheel = (context: Context, pin: Pin, show: Show) => Promise<string>;
  const fetchWheel: FetchWheel = async (...args) =>
    (await load<{ fetchWheel: FetchWheel }>("wheels")).fetchWheel(...args);
  const toDest = 'while [ "$1" != --dest ]; do shift; done; ';
  let pin: Pin;
  beforeEach(() => {
    pin = sandbox.context.pins.libtensorflow.cpu;
  });

  it("takes a wheel from the user's folder without downloading", async () => {
    sandbox.context.wheelsDir = sandbox.folder;
    fs.writeFileSync(path.join(sandbox.folder, pin.wheel), "whole");
    assert.equal(await fetchWheel(sandbox.context, pin, ignore), path.join(sandbox.folder, pin.wheel));
    assert.deepEqual(sandbox.listCache(), []);
  });

  it("names the digests of a wrong file in the user's folder and leaves it there", async () => {
    sandbox.context.wheelsDir = sandbox.folder;
    const file = path.join(sandbox.folder, pin.wheel);
    fs.writeFileSync(file, "other");
    await assert.rejects(fetchWheel(sandbox.context, pin, ignore), {
      message:
        `Expected sha256 ${sha256("whole")} at ${file} but found ${sha256("other")}. ` +
        "Replace the file, or unset FERKIT_WHEELS to have it downloaded.",
    });
    assert.equal(fs.existsSync(file), true);
  });

  it("leaves no file when the downloaded one has another digest", async () => {
    sandbox.fakePython(`${toDest}printf other > "$2/${pin.wheel}"`);
    await assert.rejects(fetchWheel(sandbox.context, pin, ignore), (error: Error) => {
      assert.match(
        error.message,
        new RegExp(`^Expected sha256 ${sha256("whole")} at .* but found ${sha256("other")}\\. Check`),
      );
      return true;
    });
    assert.deepEqual(sandbox.listCache(), ["downloads"]);
  });

  it("goes on after an interrupted download, and keeps a complete one", async () => {
    sandbox.fakePython(`${toDest}printf who > "$2/${pin.wheel}"; echo "Connection refused"; exit 1`);
    await assert.rejects(
      fetchWheel(sandbox.context, pin, ignore),
      /^SetupError: Expected to download engine 1\.0 but found/,
    );
    assert.deepEqual(sandbox.listCache(), ["downloads"]);

    sandbox.fakePython(`${toDest}printf whole > "$2/${pin.wheel}"`);
    const wheel = await fetchWheel(sandbox.context, pin, ignore);
    assert.equal(fs.readFileSync(wheel, "utf8"), "whole");

    sandbox.fakePython("exit 1");
    assert.equal(await fetchWheel(sandbox.context, pin, ignore), wheel);
  });
});
