import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { findVenvPython } from "../../scripts/jupyter.js";
import { projectDir, workspace } from "../workspace.js";

/** Every warning ends it: those of nbformat will be errors one day. */
const PROGRAM = `
import json, sys, warnings
sys.modules["rfc3987_syntax"] = None  # as in run-notebooks.py
sys.path.append(sys.argv[1])
import nbformat
from headless.notebook import read_notebook
warnings.simplefilter("error")
for path in sys.argv[2:]:
    notebook = read_notebook(path)
    nbformat.validate(notebook)
    again = nbformat.reads(nbformat.writes(notebook), as_version=4)
    print(json.dumps([again.nbformat_minor, [cell.id for cell in again.cells]]))
`;

describe("read_notebook", function () {
  this.timeout(60_000);
  const folder = workspace();

  it("gives each cell an id of its own, in every version of the format, without a warning", () => {
    const notebook = (minor: number, ...ids: (string | undefined)[]) => ({
      cells: ids.map((id) => ({ cell_type: "markdown", metadata: {}, source: ["text"], ...(id && { id }) })),
      metadata: {},
      nbformat: 4,
      nbformat_minor: minor,
    });
    const cases: [object, string[]][] = [
      [notebook(4, undefined, undefined), ["cell-1", "cell-2"]],
      [notebook(5, "a", undefined, "c"), ["a", "cell-2", "c"]],
      [notebook(5, "a", "a", "a"), ["a", "cell-2", "cell-3"]],
      [notebook(5, "cell-2", undefined), ["cell-2", "cell-2-"]],
      [notebook(5), []],
    ];
    const files = cases.map(([content], i) => {
      const file = folder.file(`${i}.ipynb`);
      writeFileSync(file, JSON.stringify(content));
      return file;
    });
    const args = ["-c", PROGRAM, path.join(projectDir, "scripts"), ...files];
    const lines = execFileSync(findVenvPython(), args, { encoding: "utf8" }).trim().split("\n");
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      cases.map(([, ids]) => [5, ids]),
    );
  });
});
