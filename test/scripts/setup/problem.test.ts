import assert from "node:assert/strict";
import { load } from "./fixtures.js";

describe("installCommand", () => {
  it("speaks the distribution's package manager", async () => {
    const { installCommand } = await load<{
      installCommand: (tool: string, osRelease: string, python?: string) => string;
    }>("problem");
    assert.equal(installCommand("compiler", "ID=debian"), "sudo apt-get install g++");
    assert.equal(installCommand("compiler", "ID=fedora"), "sudo dnf install gcc-c++");
    assert.equal(
      installCommand("python", 'ID="rocky"\nID_LIKE="rhel centos fedora"'),
      "sudo dnf install python3",
    );
    assert.equal(installCommand("compiler", "ID=arch"), "sudo pacman -S gcc");
    assert.equal(installCommand("venv", "ID=ubuntu", "python3.11"), "sudo apt-get install python3.11-venv");
  });
});

describe("describeFailure", () => {
  const describeOutput = async (output: string) => {
    const { describeFailure } = await load<{
      describeFailure: (what: string, output: string, where: string) => Error;
    }>("problem");
    return describeFailure("engine 1.0", output, "/home/me").message;
  };

  it("recognises a full disk", async () => {
    assert.equal(
      await describeOutput("OSError: [Errno 28] No space left on device"),
      "Expected room on the disk at /home/me but found a full one while working on engine 1.0. " +
        "Free about 3 GB, or put the cache on another disk: FERKIT_CACHE=/path/with/room npm run setup",
    );
  });

  it("names the host that cannot be reached, and the way without it", async () => {
    const fix =
      "Check the network and proxy (HTTPS_PROXY) and run this again: it goes on where it stopped. " +
      "Python wheels are also taken from a local folder: FERKIT_WHEELS=/path/to/wheels npm run setup";
    const pip = "HTTPSConnectionPool(host='pypi.example', port=443): Failed to establish: NewConnectionError";
    assert.equal(
      await describeOutput(pip),
      `Expected to download engine 1.0 but found that pypi.example cannot be reached. ${fix}`,
    );
    const npm = "npm error code EAI_AGAIN\nnpm error request to https://npm.example/tslab failed";
    assert.equal(
      await describeOutput(npm),
      `Expected to download engine 1.0 but found that https://npm.example cannot be reached. ${fix}`,
    );
  });

  it("shows the last lines of any other failure", async () => {
    const output = Array.from({ length: 50 }, (_, i) => `line ${i + 1}`).join("\n");
    const message = await describeOutput(output);
    assert.match(
      message,
      /^Expected engine 1\.0 to succeed but found a failed command\. Its last lines:\nline 21\n/,
    );
    assert.match(message, /line 50$/);
  });
});
