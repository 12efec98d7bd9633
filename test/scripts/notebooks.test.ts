import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { findNotebooks } from "../../scripts/notebooks.js";

describe("findNotebooks", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-notebooks-"));
    for (const name of ["02-b.ipynb", "01-a.ipynb", "10-c.ipynb", ".hidden.ipynb", "notes.md"])
      writeFileSync(path.join(dir, name), "");
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const find = (wanted?: string) => findNotebooks(dir, wanted).map((file) => path.relative(dir, file));

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
        message: `Expected the beginning of a notebook's name for --notebooks but found ${found}. There are 01-a, 02-b, 10-c.`,
      });
    });

  it("says that there is no folder, or none in it", () => {
    const [none, empty] = ["none", "empty"].map((name) => path.join(dir, name));
    mkdirSync(empty);
    assert.throws(() => findNotebooks(none), {
      message: `Expected a folder of notebooks at ${none} but found no such path.`,
    });
    assert.throws(() => findNotebooks(empty), {
      message: `Expected notebooks (*.ipynb) at ${empty} but found none. Name a folder that has some.`,
    });
  });
});
