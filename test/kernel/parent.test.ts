import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { findVenvPython, jupyterEnvironment } from "../../scripts/jupyter.js";

const START = `
from jupyter_client import KernelManager
manager = KernelManager(kernel_name="tslab")
manager.start_kernel()
print(manager.provisioner.pid, flush=True)
input()
`;

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe("a kernel whose parent is killed", function () {
  this.timeout(600_000);

  it("ends", async () => {
    const parent = spawn(findVenvPython(), ["-c", START], {
      env: jupyterEnvironment(),
      stdio: ["pipe", "pipe", "inherit"],
    });
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const kernel = Number(line.toString());
    // Its start takes a few seconds, and it looks at its parent each second after that.
    await new Promise((resolve) => setTimeout(resolve, 4000));
    assert.ok(isAlive(kernel));
    parent.kill("SIGKILL");
    const end = Date.now() + 120_000;
    while (isAlive(kernel) && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 100));
    const hasEnded = !isAlive(kernel);
    if (!hasEnded) process.kill(kernel, "SIGKILL");
    assert.ok(hasEnded);
  });
});
