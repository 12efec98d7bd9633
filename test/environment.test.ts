import assert from "node:assert/strict";
import os from "node:os";
import { device } from "../src/engine/device.js";
import { environment } from "../src/environment.js";
import { readProjectFile } from "./source-files.js";

describe("environment", () => {
  it("names versions, computer and device, and the commit where there is one", async () => {
    const { commit, ...rest } = await environment();
    const { kind, tensorflow, kernels } = device();
    assert.deepEqual(rest, {
      versions: {
        ferkit: JSON.parse(readProjectFile("package.json")).version,
        node: process.versions.node,
        tfjs: "4.22.0",
        tensorflow,
      },
      machine: {
        cpu: os.cpus()[0]?.model.trim() ?? "unknown",
        cores: os.cpus().length,
        memoryGiB: Math.round(os.totalmem() / 1024 ** 3),
      },
      device: kind,
      kernels,
    });
    assert.match(String(commit), /^([0-9a-f]{40}(-dirty)?|null)$/);
  });
});
