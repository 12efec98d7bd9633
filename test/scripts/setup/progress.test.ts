import assert from "node:assert/strict";
import { createProgress } from "../../../scripts/setup/progress.cjs";

/** What steps side by side write, with T for each time. */
async function written(isTTY: boolean): Promise<string> {
  let output = "";
  const stream = { isTTY, columns: 60, write: (text: string) => (output += text) };
  const progress = createProgress(stream);
  const library = progress.step("library", async (show: (text: string) => void) => {
    show("unpack");
    await new Promise(setImmediate);
    return "from the cache";
  });
  progress.report({ name: "packages", state: "start" });
  await library;
  progress.report({ state: "note", text: "Take note." });
  progress.report({ name: "packages", state: "failed" });
  progress.end();
  return output.replaceAll(/\d+\.\d s/g, "T");
}

describe("createProgress", () => {
  it("writes a line at each start and end to a log", async () => {
    assert.equal(
      await written(false),
      "set-up  library …\nset-up  packages …\nset-up  library: done in T (from the cache)\n" +
        "Take note.\nset-up  packages: failed after T\n",
    );
  });

  it("shows on one line of a terminal what runs now, cut to its width", async () => {
    const lines = (await written(true)).split("\r\x1b[K").filter(Boolean);
    assert.deepEqual(lines, [
      "set-up  library T",
      "set-up  library T (unpack)",
      "set-up  library T (unpack) · packages T",
      "set-up  library: done in T (from the cache)\n",
      "set-up  packages T",
      "Take note.\n",
      "set-up  packages T",
      "set-up  packages: failed after T\n",
    ]);
  });
});
