import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { launcher, projectDir, type Result, runProgram, workspace } from "../workspace.js";

/** The first cell: functions that leave a file and wait for one, for 20 seconds at most. */
const FILES = `const fs = await import("node:fs");
const leave = (name: string) => fs.writeFileSync(name, "");
async function waitFor(name: string) {
  for (let i = 0; i < 400 && !fs.existsSync(name); i++) await new Promise((done) => setTimeout(done, 50));
  if (!fs.existsSync(name)) throw new Error("no file " + name);
}`;

describe("ferkit notebooks side by side", function () {
  this.timeout(600_000);
  const folder = workspace();

  /** Runs notebooks of two cells, the first one and the one given; the names of those whose first cell is tagged end in "-tagged". */
  function run(sources: Record<string, string>): Result {
    const { metadata } = JSON.parse(readFileSync(path.join(projectDir, "notebooks/01-setup.ipynb"), "utf8"));
    mkdirSync(folder.file("in"));
    for (const [name, source] of Object.entries(sources)) {
      const tags = name.endsWith("-tagged") ? ["starts-next"] : [];
      const cells = [FILES, source].map((text, i) => {
        const cell = { cell_type: "code", id: `cell-${i}`, source: text, execution_count: null, outputs: [] };
        return { ...cell, metadata: i === 0 ? { tags } : {} };
      });
      const notebook = { cells, metadata, nbformat: 4, nbformat_minor: 5 };
      writeFileSync(folder.file(`in/${name}.ipynb`), JSON.stringify(notebook));
    }
    const args = [launcher, "notebooks", "--folder", "in", "--out", "out", "--junit", "out/junit.xml"];
    return runProgram(process.execPath, args, folder.path);
  }

  const left = () => readdirSync(folder.file("out")).sort();
  const skipped = (name: string) =>
    new RegExp(`<testsuite name="${name}" .* skipped="(\\d)"`).exec(
      readFileSync(folder.file("out/junit.xml"), "utf8"),
    )?.[1];

  it("start after a cell tagged starts-next, otherwise after the end, and are reported in their order", () => {
    const { status, stdout, stderr } = run({
      "01-tagged": '// one\nleave("one"); await waitFor("two"); leave("end of one");',
      "02-plain":
        '// two\nawait waitFor("one"); leave("two"); await waitFor("end of one");\n' +
        'for (let i = 0; i < 40; i++) { if (fs.existsSync("three")) throw new Error("early"); await new Promise((done) => setTimeout(done, 50)); }',
      "03-last": '// three\nleave("three");',
    });
    assert.equal(status, 0, stderr);
    assert.deepEqual(
      stdout
        .split("\n")
        .filter((line) => /^0/.test(line))
        .map((line) => line.replace(/\d\.\d s$/, "").trim()),
      ["01-tagged  one", "02-plain   two", "03-last    three"].flatMap((line) => {
        const [name, title] = line.split(/ {2,}/);
        const padded = name.padEnd(9);
        return [
          `${padded}  1/2  const fs = await import("node:fs");`,
          `${padded}  2/2  ${title}`,
          `${padded}  → ${folder.file("out", name)}.{ipynb,html}`,
        ];
      }),
    );
  });

  it("leave no trace if one before them fails, whether they have ended or not", () => {
    const { status, stdout, stderr } = run({
      "01-tagged": '// one\nawait waitFor("three"); throw new Error("planted");',
      "02-tagged": "// two",
      "03-plain": '// three\nleave("three"); await waitFor("never");',
    });
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^\s*01-tagged\.ipynb failed at cell 2 \(one\), line 2:\n[\s\S]*\nError: planted\n$/,
    );
    assert.doesNotMatch(stdout, /02-tagged|03-plain/);
    assert.deepEqual(left(), ["01-tagged.html", "01-tagged.ipynb", "index.html", "junit.xml"]);
    assert.deepEqual(["01-tagged", "02-tagged", "03-plain"].map(skipped), ["0", "2", "2"]);
    const index = readFileSync(folder.file("out/index.html"), "utf8");
    assert.match(index, /failed.*2 of 2[\s\S]*not run.*0 of 2[\s\S]*not run.*0 of 2/);
  });

  it("let those before them end before one of them fails", () => {
    const { status, stdout, stderr } = run({
      "01-tagged":
        '// one\nawait waitFor("two"); await new Promise((done) => setTimeout(done, 500)); leave("one");',
      "02-plain": '// two\nleave("two"); throw new Error("planted");',
    });
    assert.equal(status, 1);
    assert.match(stderr, /^\s*02-plain\.ipynb failed at cell 2 \(two\)/);
    assert.match(stdout, /^01-tagged {2}→ [\s\S]*^02-plain {3}2\/2 {2}two {2}failed after /m);
    assert.deepEqual([skipped("01-tagged"), skipped("02-plain")], ["0", "0"]);
  });

  it("are all interrupted by Ctrl-C, and keep what they have", () => {
    const { status, stdout, stderr } = run({
      "01-tagged": '// one\nconsole.log("begun"); await waitFor("never");',
      "02-plain":
        '// two\nconsole.log("begun"); setTimeout(() => process.kill(process.ppid, "SIGINT"), 500); await waitFor("never");',
    });
    assert.deepEqual([status, stderr], [130, "\ninterrupted\n"]);
    const said = "interrupted: waiting for the cell to end; Ctrl-C again ends it at once";
    assert.equal(stdout.split(said).length, 2);
    assert.match(stdout, /one {2}interrupted after [\s\S]*two {2}interrupted after /);
    const files = ["01-tagged", "02-plain"].flatMap((name) => [`${name}.html`, `${name}.ipynb`]);
    assert.deepEqual(left(), [...files, "index.html", "junit.xml"]);
    for (const name of ["01-tagged", "02-plain"])
      assert.match(readFileSync(folder.file(`out/${name}.ipynb`), "utf8"), /begun\\n/);
  });
});
