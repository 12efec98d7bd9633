import assert from "node:assert/strict";
import { mkdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { movedFrom, relocate } from "../../../scripts/setup/venv.cjs";
import { workspace } from "../../workspace.js";

describe("a virtual environment", () => {
  const folder = workspace();
  const made = () => ({ venvDir: folder.file("before/.venv") });
  const moved = () => ({ venvDir: folder.file("after/.venv") });
  /** Head of a program as pip writes it, and as it does where the path is too long for a shebang. */
  const HEADS = {
    pip: (venv: string) => `#!${venv}/bin/python3\n`,
    jupyter: (venv: string) => `#!/bin/sh\n'''exec' "${venv}/bin/python" "$0" "$@"\n' '''\n`,
    activate: (venv: string) => `VIRTUAL_ENV="${venv}"\nexport VIRTUAL_ENV\n`,
  };

  beforeEach("makes one, as it looks on disk", () => {
    const { venvDir } = made();
    mkdirSync(`${venvDir}/bin`, { recursive: true });
    for (const [name, head] of Object.entries(HEADS))
      writeFileSync(`${venvDir}/bin/${name}`, `${head(venvDir)}import re\n`, { mode: 0o755 });
    writeFileSync(`${venvDir}/bin/program`, `\0${venvDir}`);
    writeFileSync(`${venvDir}/pyvenv.cfg`, `command = /usr/bin/python3 -m venv ${venvDir}\n`);
    symlinkSync(process.execPath, `${venvDir}/bin/python`);
  });

  it("is where it was made", () => {
    assert.equal(movedFrom(made()), undefined);
  });

  for (const name of ["pip", "jupyter"] as const)
    it(`is found to be moved by ${name}'s way to start, and its programs start the present Python again`, () => {
      const { venvDir } = moved();
      writeFileSync(`${made().venvDir}/bin/pip`, HEADS[name](made().venvDir), { mode: 0o755 });
      renameSync(folder.file("before"), folder.file("after"));
      assert.equal(movedFrom(moved()), made().venvDir);
      relocate(moved());
      assert.equal(movedFrom(moved()), undefined);
      for (const [program, head] of Object.entries(HEADS))
        if (program !== "pip")
          assert.equal(readFileSync(`${venvDir}/bin/${program}`, "utf8"), `${head(venvDir)}import re\n`);
      assert.equal(statSync(`${venvDir}/bin/jupyter`).mode & 0o777, 0o755);
      assert.equal(readFileSync(`${venvDir}/bin/program`, "utf8"), `\0${made().venvDir}`);
      assert.equal(
        readFileSync(`${venvDir}/pyvenv.cfg`, "utf8"),
        `command = /usr/bin/python3 -m venv ${venvDir}\n`,
      );
    });
});
