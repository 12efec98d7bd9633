import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
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

describe("tf", () => {
  it("loads the library without its notices, and keeps what else is printed", () => {
    const tsx = path.join(projectDir, "node_modules/tsx/dist/cjs/index.cjs");
    const args = ["--require", tsx, "--eval", SCRIPT];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: projectDir,
      encoding: "utf8",
    });
    assert.deepEqual(
      { status, stdout, stderr },
      { status: 0, stdout: "3\n", stderr: "a real error\nafter\n" },
    );
  });
});
