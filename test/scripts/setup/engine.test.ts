import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { libtensorflow, libtensorflowDir } from "../../../scripts/setup/engine.js";
import { ignore, setUpSandbox, sha256, writeWheel } from "./sandbox.js";

describe("libtensorflow", () => {
  const sandbox = setUpSandbox();

  it("unpacks the libraries and headers once and links each clone to them", async () => {
    const { context, folder } = sandbox;
    context.wheelsDir = folder.path;
    const pin = context.pins.libtensorflow["linux-x64"].cpu;
    const wheel = folder.file(pin.wheel);
    const members = [
      "libtensorflow_cc.so.2",
      "libtensorflow_framework.so.2",
      "include/tensorflow/c/c_api.h",
      "python/keras.py",
    ].map((name) => `tensorflow/${name}`);
    writeWheel(wheel, members);
    pin.sha256 = sha256(readFileSync(wheel));

    assert.equal(libtensorflow.isCurrent(context), false);
    await libtensorflow.run(context, ignore);
    assert.equal(libtensorflow.isCurrent(context), true);
    const deps = path.join(context.nodeModulesDir, "@tensorflow/tfjs-node-gpu/deps");
    const inDeps = (file: string) => readFileSync(path.join(deps, file), "utf8");
    assert.equal(inDeps("lib/libtensorflow.so.2"), members[0]);
    assert.equal(inDeps("lib/libtensorflow_framework.so"), members[1]);
    assert.equal(inDeps("include/tensorflow/c/c_api.h"), members[2]);
    assert.deepEqual(
      sandbox.listCache().filter((file) => file.endsWith("keras.py")),
      [],
    );
    const name = `cpu-1.0-${pin.sha256.slice(0, 8)}`;
    assert.equal(path.basename(libtensorflowDir(context)), name);
    assert.deepEqual(readdirSync(path.join(context.cacheDir, "libtensorflow")), [name]);

    // Another clone, with neither the wheel nor a way to download it, and an earlier folder in its place.
    rmSync(wheel);
    const second = { ...context, nodeModulesDir: folder.file("second"), venvPython: "false" };
    mkdirSync(folder.file("second/@tensorflow/tfjs-node-gpu/deps/lib"), { recursive: true });
    assert.equal(await libtensorflow.run(second, ignore), "from the cache");
    assert.equal(libtensorflow.isCurrent(second), true);
  });
});
