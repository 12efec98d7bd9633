import assert from "node:assert/strict";
import { loadRunConfig } from "../../src/training/run-folder.js";
import { train } from "../../src/training/train.js";
import { config, dataset, runFolder } from "./fixtures.js";

describe("train", () => {
  const folder = runFolder();

  for (const [split, noted] of [
    ["official-test", "official-test"],
    ["folders", undefined],
  ] as const)
    it(`notes ${noted ?? "nothing"} in the run's configuration for the split ${split}`, async () => {
      const options = { runDir: folder.dir, data: "stripes" };
      const events = train({ ...dataset, split }, config({ epochs: 1 }), options);
      await events.next();
      await events.return();
      assert.equal((await loadRunConfig(folder.dir))?.split, noted);
    });
});
