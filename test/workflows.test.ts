import assert from "node:assert/strict";
import { listFiles, readProjectFile } from "./source-files.js";

describe("a GitHub workflow", () => {
  const workflows = listFiles([".github"], [".yml"]).map((file) => ({ file, text: readProjectFile(file) }));

  it("names each action by its commit, with its version beside it", () => {
    const actions = workflows.flatMap(({ text }) => text.match(/uses: .*/g) ?? []);
    assert.ok(actions.length > 0);
    const pinned = /^uses: (\.\/|[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$)/;
    assert.deepEqual(
      actions.filter((action) => !pinned.test(action)),
      [],
    );
  });

  it("may read the repository, and nothing else", () => {
    for (const { file, text } of workflows.filter(({ text }) => /^on:/m.test(text)))
      assert.match(text, /^permissions:\n {2}contents: read\n(?! )/m, file);
  });
});
