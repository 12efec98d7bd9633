import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type Finding, formatDiagnosis } from "../../scripts/doctor.js";
import { projectDir, workspace } from "../workspace.js";

describe("formatDiagnosis", () => {
  it("follows what is wrong by the fix, once for neighbours that share it", () => {
    const text = formatDiagnosis([
      { name: "sharp", isOk: true, found: "0.35.5" },
      { name: "vega", isOk: false, found: "not installed", fix: "Run: npm run setup" },
      { name: "engine", isOk: false, found: "does not start", fix: "Run: npm run setup" },
    ]);
    const expected = [
      "ok     sharp   0.35.5",
      "WRONG  vega    not installed",
      "WRONG  engine  does not start",
      "               Run: npm run setup",
      "",
      "2 of 3 things are wrong.",
      "",
    ];
    assert.equal(text, expected.join("\n"));
  });
});

describe("npm run doctor", () => {
  const folder = workspace();
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [folder.file("clone/scripts/bootstrap.mjs"), "doctor", ...args], {
      encoding: "utf8",
      env: { ...process.env, FERKIT_CACHE: folder.file("cache"), FERKIT_ACCELERATOR: "cpu" },
    });

  beforeEach("makes a clone that has npm's packages only", () => {
    for (const name of ["package.json", "package-lock.json", "scripts", "src", "jupyter"])
      cpSync(path.join(projectDir, name), folder.file("clone", name), { recursive: true });
    mkdirSync(folder.file("clone/node_modules"));
    for (const name of ["typescript", "yauzl", "buffer-crc32", "pend"])
      try {
        symlinkSync(path.join(projectDir, "node_modules", name), folder.file("clone/node_modules", name));
      } catch {}
  });

  it("says what is missing, and exits with 1", () => {
    mkdirSync(folder.file("clone/data/flowers"), { recursive: true });
    writeFileSync(folder.file("clone/data/README.md"), "");
    const { status, stdout, stderr } = run("--json");
    assert.equal(stderr, "");
    assert.equal(status, 1);
    const { isOk, records } = JSON.parse(stdout) as { isOk: boolean; records: Finding[] };
    assert.equal(isOk, false);
    const byName = Object.fromEntries(records.map((record) => [record.name, record]));
    const fix = "Run: npm run setup";
    assert.deepEqual(byName.tslab, { name: "tslab", isOk: false, found: "not installed", fix });
    assert.match(byName.engine.found, /^does not start: .*Cannot find module/);
    assert.match(byName.Python.found, /^no working environment at /);
    assert.deepEqual(byName.data, { name: "data", isOk: true, found: "drawn faces, data/flowers" });
  });

  it("refuses an unknown option", () => {
    const { status, stderr } = run("--jsn");
    assert.equal(status, 1);
    assert.equal(stderr, "Expected --json or nothing but found --jsn. Run: npm run doctor\n");
  });
});
