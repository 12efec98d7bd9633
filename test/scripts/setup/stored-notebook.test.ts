import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { findVenvPython } from "../../../scripts/jupyter.js";
import {
  addNotebookFilter,
  hasNotebookFilter,
  storedNotebook,
} from "../../../scripts/setup/stored-notebook.cjs";
import { projectDir, workspace } from "../../workspace.js";

const NOTEBOOK = "notebooks/01-setup.ipynb";

interface Cell {
  cell_type: string;
  execution_count: number | null;
  metadata: Record<string, unknown>;
  outputs: unknown[];
  source: string[];
}

/** Returns a notebook as a front end saves it after a run. */
function executed(text: string): string {
  const notebook = JSON.parse(text) as {
    cells: Cell[];
    metadata: { language_info: Record<string, unknown> };
  };
  for (const [i, cell] of notebook.cells.entries())
    if (cell.cell_type === "code") {
      cell.execution_count = i;
      cell.outputs = [{ name: "stdout", output_type: "stream", text: ["ran\n"] }];
      cell.metadata.execution = { "iopub.execute_input": "2026-11-28T00:00:00Z" };
    }
  notebook.metadata.language_info.version = "5.0.4";
  return JSON.stringify(notebook, null, 1);
}

describe("a notebook in git", () => {
  const stored = execFileSync("git", ["show", `:${NOTEBOOK}`], { cwd: projectDir, encoding: "utf8" });

  it("is the same after a run", () => {
    assert.equal(storedNotebook(executed(stored)), stored);
  });

  it("keeps what is hidden, tags, and a change of the code", () => {
    const changed = stored.replace("let seed = 0;", "let seed = 1;");
    assert.equal(storedNotebook(executed(changed)), changed);
    assert.match(changed, /"source_hidden": true/);
  });

  it("is left as it is if it cannot be read", () => {
    for (const text of ["", "<<<<<<< HEAD\n{}", "null", '{"cells": 3}', "[1]"])
      assert.equal(storedNotebook(text), text);
  });
});

describe("git's filter for notebooks", () => {
  const clone = workspace();
  const git = (...args: string[]) =>
    execFileSync("git", args, {
      cwd: clone.path,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();
  const context = () => ({ root: clone.path });

  beforeEach("makes a clone", () => {
    for (const name of [".gitattributes", NOTEBOOK, "scripts/setup/stored-notebook.cjs"]) {
      mkdirSync(path.dirname(clone.file(name)), { recursive: true });
      cpSync(path.join(projectDir, name), clone.file(name));
    }
    writeFileSync(clone.file(NOTEBOOK), storedNotebook(readFileSync(clone.file(NOTEBOOK), "utf8")));
    git("init", "--quiet");
    git("add", ".");
    git("-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "--quiet", "-m", "Begin");
  });

  /** Saves an executed notebook as JupyterLab does, with its hook. */
  function save(text: string) {
    writeFileSync(clone.file(NOTEBOOK), text);
    const code = [
      "import sys; from ferkit_jupyter.saved import refresh_index",
      "refresh_index({'type': 'notebook'}, sys.argv[1], None)",
    ].join("\n");
    const env = { ...process.env, PYTHONPATH: path.join(projectDir, "jupyter/python") };
    execFileSync(findVenvPython(), ["-c", code, clone.file(NOTEBOOK)], { env });
  }

  it("is set up once", () => {
    assert.equal(hasNotebookFilter(context()), false);
    assert.equal(addNotebookFilter(context()).status, 0);
    assert.equal(hasNotebookFilter(context()), true);
  });

  it("is not set up in a folder inside another repository", () => {
    mkdirSync(clone.file("inner"));
    assert.equal(hasNotebookFilter({ root: clone.file("inner") }), true);
  });

  it("keeps a notebook unchanged that was run and saved", () => {
    addNotebookFilter(context());
    const before = readFileSync(clone.file(NOTEBOOK), "utf8");
    save(executed(before));
    assert.equal(git("status", "--short"), "");
    git("add", ".");
    assert.equal(git("diff", "--cached"), "");
    assert.notEqual(readFileSync(clone.file(NOTEBOOK), "utf8"), before, "the outputs stay in the file");
  });

  it("shows a change of the code, and stages nothing", () => {
    addNotebookFilter(context());
    const changed = readFileSync(clone.file(NOTEBOOK), "utf8").replace("let seed = 0;", "let seed = 1;");
    save(executed(changed));
    assert.equal(git("diff", "--cached"), "");
    assert.match(git("diff"), /^-.*let seed = 0;.*\n\+.*let seed = 1;.*$/m);
    assert.doesNotMatch(git("diff"), /ran\\n/);
  });
});
