import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { projectDir } from "../source-files.js";

/** Loads the engine in a process of its own; a library that it loads says something itself. */
const SCRIPT = `
  const Module = require("node:module");
  const load = Module._load;
  Module._load = function (name, ...rest) {
    if (name === "@tensorflow/tfjs-node-gpu") require("node:fs").writeSync(2, "a real error\\n");
    return load.call(this, name, ...rest);
  };
  const { tf } = require("./src/engine/tf.ts");
  console.log(tf.scalar(3).dataSync()[0]);
  console.error("after");
`;

/** Loads it where the addon that set-up makes says that the processor is too old. */
const ON_OLD_PROCESSOR = `
  const Module = require("node:module");
  const load = Module._load;
  Module._load = function (name, ...rest) {
    if (/notices\\.node$/.test(name)) return { runsTensorFlow: false };
    if (name === "@tensorflow/tfjs-node-gpu") throw new Error("loaded");
    return load.call(this, name, ...rest);
  };
  const { tf } = require("./src/engine/tf.ts");
  try { tf.scalar(3); } catch (error) { console.log(error.name, error.message); }
`;

function run(script: string) {
  const tsx = path.join(projectDir, "node_modules/tsx/dist/cjs/index.cjs");
  const args = ["--require", tsx, "--eval", script];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: projectDir, encoding: "utf8" });
  return { status, stdout, stderr };
}

describe("tf", () => {
  it("refuses a processor on which the library would end the process", function () {
    if (!existsSync(path.join(projectDir, ".ferkit/native/notices.node"))) {
      console.log("      skipped: the addon could not be compiled");
      this.skip();
    }
    const message =
      "InputError Expected a processor with AVX, as TensorFlow's library needs, but found one without. Run it on a processor of " +
      "2012 or later. In a virtual machine, choose the processor type of the host (QEMU: -cpu host).\n";
    assert.deepEqual(run(ON_OLD_PROCESSOR), { status: 0, stdout: message, stderr: "" });
  });

  it("loads the library without its notices, and keeps what else is printed", () => {
    assert.deepEqual(run(SCRIPT), { status: 0, stdout: "3\n", stderr: "a real error\nafter\n" });
  });
});
