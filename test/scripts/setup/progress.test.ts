import assert from "node:assert/strict";
import { load, type SetUpOptions, type Show } from "./fixtures.js";

describe("createProgress", () => {
  it("redraws one line on a terminal, cut to its width", async () => {
    const { createProgress } = await load<{
      createProgress: (
        stream: SetUpOptions["stream"],
        numSteps: number,
      ) => { step: (name: string, work: (show: Show) => Promise<string>) => Promise<void> };
    }>("progress");
    let output = "";
    const stream = { isTTY: true, columns: 30, write: (text: string) => (output += text) };
    await createProgress(stream, 1).step("library", async () => "from the cache");
    assert.equal(
      output.replaceAll(/\d+\.\d s/g, "T"),
      "\rset-up 1/1  library: T\x1b[K\rset-up 1/1  library: done in T (from the cache)\x1b[K\n",
    );
  });
});
