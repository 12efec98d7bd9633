import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { addon, libtensorflow, libtensorflowDir } from "../../../scripts/setup/engine.js";
import { PLATFORMS } from "../../../scripts/setup/platforms.cjs";
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
      "include/xla/tsl/platform/status.h",
      "include/external/llvm-project/mlir/IR.h",
      "include/tensorflow/compiler/mlir.h",
      "include/xla/service.h",
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
    assert.equal(inDeps("include/xla/tsl/platform/status.h"), members[3]);
    assert.deepEqual(
      sandbox.listCache().filter((file) => /(keras\.py|IR\.h|mlir\.h|service\.h)$/.test(file)),
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

describe("the engine's addon", () => {
  const sandbox = setUpSandbox();

  it("loads libtensorflow, though it is linked without it", async function () {
    const { emptyLibrary } = PLATFORMS[`${process.platform}-${process.arch}`] ?? {};
    if (!emptyLibrary) this.skip();
    const { context } = sandbox;
    const names = ["@tensorflow/tfjs-node-gpu", "node-api-headers"];
    const packages = Object.fromEntries(names.map((name) => [`node_modules/${name}`, { version: "1.0" }]));
    writeFileSync(path.join(context.root, "package-lock.json"), JSON.stringify({ packages }));
    const binding = path.join(context.nodeModulesDir, names[0], "binding");
    mkdirSync(binding);
    writeFileSync(path.join(binding, "tfjs_backend.cc"), 'extern "C" const char* TF_Version();\n');
    const calls = 'extern "C" const char* TF_Version();\nconst char* version() { return TF_Version(); }\n';
    writeFileSync(path.join(binding, "tfjs_binding.cc"), calls);
    const lib = path.join(libtensorflowDir(context), "lib");
    mkdirSync(lib, { recursive: true });
    const framework = path.join(lib, "libtensorflow_framework.so");
    execFileSync("c++", [...emptyLibrary("libtensorflow_framework.so.2"), "-o", framework]);

    assert.equal(await addon.run(context, ignore), undefined);
    const [file] = addon.files(context);
    for (const name of ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2", "TF_Version"])
      assert.ok(readFileSync(file).includes(`${name}\0`), name);
  });
});
