import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { load, setUpSandbox } from "./fixtures.js";

describe("stampKey", () => {
  const sandbox = setUpSandbox();
  it("changes with each input and with a file's content", async () => {
    const { stampKey, isStamped, writeStamp } = await load<{
      stampKey: (inputs: (string | { file: string })[]) => string;
      isStamped: (file: string, key: string) => boolean;
      writeStamp: (file: string, key: string) => void;
    }>("stamps");
    const file = path.join(sandbox.folder, "lock.json");
    const stamp = path.join(sandbox.folder, "made/.ferkit-stamp");
    const key = () => stampKey([{ file }, "node 22"]);
    const withoutFile = key();
    fs.writeFileSync(file, "one");
    const withFile = key();
    assert.notEqual(withoutFile, withFile);
    assert.notEqual(stampKey(["ab", "c"]), stampKey(["a", "bc"]));

    assert.equal(isStamped(stamp, withFile), false);
    writeStamp(stamp, withFile);
    assert.equal(isStamped(stamp, key()), true);
    fs.writeFileSync(file, "two");
    assert.equal(isStamped(stamp, key()), false);
    assert.deepEqual(fs.readdirSync(path.dirname(stamp)), [".ferkit-stamp"]);
  });
});
