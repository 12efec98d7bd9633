import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { findNotebooks, numAtOnce } from "../../scripts/commands/notebooks.js";
import { workspace } from "../workspace.js";

describe("findNotebooks", () => {
  const folder = workspace();
  beforeEach("writes files", () => {
    for (const name of ["02-b.ipynb", "01-a.ipynb", "10-c.ipynb", ".hidden.ipynb", "notes.md"])
      writeFileSync(folder.file(name), "");
  });
  const find = (wanted?: string) => findNotebooks(folder.path, wanted).map((file) => path.basename(file));

  it("lists the notebooks of a folder in order, so that none is forgotten", () => {
    assert.deepEqual(find(), ["01-a.ipynb", "02-b.ipynb", "10-c.ipynb"]);
  });

  it("chooses by the beginnings of names, in the folder's order", () => {
    assert.deepEqual(find("10, 01"), ["01-a.ipynb", "10-c.ipynb"]);
    assert.deepEqual(find("0"), ["01-a.ipynb", "02-b.ipynb"]);
  });

  for (const [wanted, found] of [
    ["03", "03"],
    ["01,7", "7"],
    ["01,", "an empty one"],
  ])
    it(`refuses ${JSON.stringify(wanted)} and says what there is`, () => {
      assert.throws(() => find(wanted), {
        name: "InputError",
        message: `Expected the beginning of a notebook's name for --notebooks but found ${found}. Choose from 01-a, 02-b, 10-c.`,
      });
    });

  it("says that there is no folder, or none in it", () => {
    const [none, empty] = ["none", "empty"].map((name) => folder.file(name));
    mkdirSync(empty);
    assert.throws(() => findNotebooks(none), {
      message: `Expected a folder of notebooks at ${none} but found no such path. Choose another with --folder.`,
    });
    assert.throws(() => findNotebooks(empty), {
      message: `Expected notebooks (*.ipynb) at ${empty} but found none. Choose a folder that has some.`,
    });
  });
});

describe("numAtOnce", () => {
  it("is two on the CPU, and one on a single core or a GPU", () => {
    assert.deepEqual([numAtOnce("cpu", 8), numAtOnce("cpu", 1), numAtOnce("gpu", 8)], [2, 1, 1]);
  });
});
