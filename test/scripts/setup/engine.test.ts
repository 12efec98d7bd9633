import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { ignore, load, type Step, setUpSandbox, sha256 } from "./fixtures.js";

describe("libtensorflowStep", () => {
  const sandbox = setUpSandbox();
  it("unpacks the libraries and headers once and links each clone to them", async () => {
    const { libtensorflowStep: step } = await load<{ libtensorflowStep: Step }>("engine");
    sandbox.context.venvPython = "python3";
    sandbox.context.wheelsDir = sandbox.folder;
    const pin = sandbox.context.pins.libtensorflow.cpu;
    const wheel = path.join(sandbox.folder, pin.wheel);
    const members = [
      "libtensorflow_cc.so.2",
      "libtensorflow_framework.so.2",
      "include/tensorflow/c/c_api.h",
      "python/keras.py",
    ];
    const code =
      "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], 'w') as z:\n  for n in sys.argv[2:]: z.writestr('tensorflow/' + n, n)";
    execFileSync("python3", ["-c", code, wheel, ...members]);
    pin.sha256 = sha256(fs.readFileSync(wheel));

    assert.equal(step.isCurrent(sandbox.context), false);
    await step.run(sandbox.context, ignore);
    assert.equal(step.isCurrent(sandbox.context), true);
    const name = `libtensorflow/cpu-1.0-${pin.sha256.slice(0, 8)}`;
    const inDeps = (file: string) =>
      fs.readFileSync(path.join(sandbox.context.engineDir, "deps", file), "utf8");
    assert.equal(inDeps("lib/libtensorflow.so.2"), "libtensorflow_cc.so.2");
    assert.equal(inDeps("lib/libtensorflow_framework.so"), "libtensorflow_framework.so.2");
    assert.equal(inDeps("include/tensorflow/c/c_api.h"), "include/tensorflow/c/c_api.h");
    assert.deepEqual(
      sandbox.listCache().filter((file) => file.endsWith("keras.py")),
      [],
    );
    assert.deepEqual(fs.readdirSync(path.join(sandbox.context.cacheDir, "libtensorflow")), [
      path.basename(name),
    ]);

    // Another clone, with neither the wheel nor a way to download it, and an earlier folder in the way.
    fs.rmSync(wheel);
    const second = {
      ...sandbox.context,
      engineDir: path.join(sandbox.folder, "second"),
      venvPython: "false",
    };
    fs.mkdirSync(path.join(second.engineDir, "deps/lib"), { recursive: true });
    assert.equal(await step.run(second, ignore), "from the cache");
    assert.equal(step.isCurrent(second), true);
  });
});
