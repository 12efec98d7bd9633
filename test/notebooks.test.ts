import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { storedNotebook } from "../scripts/setup/stored-notebook.cjs";
import { importsOf, listFiles, parse, projectDir, readProjectFile } from "./source-files.js";

const MAX_CELL_LINES = 10;
const MAX_MEDIAN_LINES = 5;
const MAX_LINE_LENGTH = 104; // more are cut off in a window of 1280 pixels

interface NotebookCell {
  cell_type: "code" | "markdown" | "raw";
  id: string;
  metadata: { tags?: string[] };
  source: string[];
}

interface Notebook {
  cells: NotebookCell[];
  metadata: { kernelspec: object; language_info: { name: string } };
  nbformat: number;
  nbformat_minor: number;
}

const files = listFiles(["notebooks"], [".ipynb"]);
const names = files.map((file) => path.basename(file));
const read = (file: string): Notebook => JSON.parse(readProjectFile(file));
const sourceOf = (cell: NotebookCell) => cell.source.join("");
const codeCells = ({ cells }: Notebook) => cells.filter((cell) => cell.cell_type === "code");
const proseOf = ({ cells }: Notebook) =>
  cells
    .filter((cell) => cell.cell_type === "markdown")
    .map(sourceOf)
    .join("\n\n");

/** Returns the text of a notebook that git has; without git, of the file. */
function storedText(file: string): string {
  if (!existsSync(path.join(projectDir, ".git"))) return readProjectFile(file);
  return execFileSync("git", ["show", `:${file}`], { cwd: projectDir, encoding: "utf8" });
}

/** Names of the functions that a cell defines at its top level. */
function definedFunctions(code: string): string[] {
  const found: string[] = [];
  const isFunction = (value: ts.Expression | undefined) =>
    value !== undefined && (ts.isArrowFunction(value) || ts.isFunctionExpression(value));
  for (const statement of parse("cell.ts", code).statements) {
    if (ts.isFunctionDeclaration(statement) && statement.name) found.push(statement.name.text);
    if (ts.isVariableStatement(statement))
      for (const { name, initializer } of statement.declarationList.declarations)
        if (isFunction(initializer)) found.push(name.getText());
  }
  return found;
}

describe("definedFunctions", () => {
  it("sees each way to define one", () => {
    const code =
      "function a() {}\nasync function b() {}\nconst c = () => 1, d = function () {}, e = 2;\nf(() => 3);";
    assert.deepEqual(definedFunctions(code), ["a", "b", "c", "d"]);
  });
});

describe("notebooks", () => {
  it("are numbered from 01 without a gap", () => {
    assert.ok(names.length >= 5);
    names.forEach((name, i) => {
      assert.match(name, new RegExp(`^${String(i + 1).padStart(2, "0")}-[a-z-]+\\.ipynb$`));
    });
  });

  it("share no function: code of two notebooks is in src", () => {
    const defined = files.flatMap((file) => [
      ...new Set(codeCells(read(file)).flatMap((cell) => definedFunctions(sourceOf(cell)))),
    ]);
    assert.deepEqual(
      defined.filter((name, i) => defined.indexOf(name) !== i),
      [],
    );
  });
});

for (const [number, file] of files.entries())
  describe(file, () => {
    const notebook = read(file);

    it("is stored without outputs, formatted like nbformat", () => {
      const stored = storedText(file);
      assert.equal(stored, storedNotebook(stored));
      assert.deepEqual([notebook.nbformat, notebook.nbformat_minor], [4, 5]);
      for (const { id, source } of notebook.cells) {
        assert.deepEqual(source, sourceOf({ source } as NotebookCell).match(/[^\n]*\n|[^\n]+$/g), id);
        assert.doesNotMatch(source.at(-1) as string, /\s$/, id);
      }
    });

    it("runs on the project's kernel", () => {
      assert.deepEqual(notebook.metadata.kernelspec, {
        display_name: "TypeScript (tslab)",
        language: "typescript",
        name: "tslab",
      });
      assert.equal(notebook.metadata.language_info.name, "typescript");
    });

    it("begins with a title, a promise, inputs, outputs and run time", () => {
      const [first] = notebook.cells;
      assert.equal(first.cell_type, "markdown");
      const [title, promise, frame] = sourceOf(first).split("\n\n");
      assert.match(title, new RegExp(`^# ${number + 1} · \\S.*$`));
      assert.match(promise, /^In this notebook [^\n]+\.$/);
      assert.match(frame, /^\*\*In:\*\* [^\n]+\. \*\*Out:\*\* [^\n]+\. \*\*Time:\*\* [^\n]+\.$/);
      assert.equal(proseOf(notebook).match(/^# /gm)?.length, 1, "one title");
    });

    it("has one cell tagged parameters, with one variable per line", () => {
      const [tagged, ...others] = notebook.cells.filter(({ metadata }) =>
        metadata.tags?.includes("parameters"),
      );
      assert.equal(tagged?.cell_type, "code");
      assert.equal(others.length, 0);
      const { statements } = parse("cell.ts", sourceOf(tagged));
      assert.ok(statements.length > 0);
      for (const statement of statements) {
        assert.match(statement.getText(), /^let /);
        if (ts.isVariableStatement(statement)) assert.equal(statement.declarationList.declarations.length, 1);
      }
    });

    it("has short cells with unique ids", () => {
      for (const cell of codeCells(notebook)) {
        assert.ok(cell.source.length <= MAX_CELL_LINES, `${cell.id}: ${cell.source.length} lines`);
        for (const line of sourceOf(cell).split("\n"))
          assert.ok(line.length <= MAX_LINE_LENGTH, `${cell.id}: ${line.length} characters: ${line}`);
      }
      const lengths = codeCells(notebook).map(({ source }) => source.length);
      const median = lengths.sort((a, b) => a - b)[Math.floor(lengths.length / 2)];
      assert.ok(median <= MAX_MEDIAN_LINES, `median of ${median} lines`);
      const ids = notebook.cells.map(({ id }) => id);
      assert.deepEqual(
        ids.filter((id, i) => ids.indexOf(id) !== i),
        [],
      );
    });

    it("imports the package only", () => {
      const modules = codeCells(notebook).flatMap((cell) =>
        importsOf(parse("cell.ts", sourceOf(cell))).map(({ specifier }) => specifier),
      );
      assert.deepEqual(modules, ["ferkit"]);
    });

    it("lets the next one start as soon as it has saved what later ones load", () => {
      const saving = codeCells(notebook)
        .filter((cell) => /ferkit\.save\w+\(/.test(sourceOf(cell)))
        .map(({ id }) => id);
      const startsNext = codeCells(notebook)
        .filter(({ metadata }) => metadata.tags?.includes("starts-next"))
        .map(({ id }) => id);
      const isLast = number === files.length - 1;
      assert.deepEqual(startsNext, isLast ? [] : [saving.at(-1) ?? codeCells(notebook)[0].id]);
    });

    it("ends with two exercises, each with a solution that runs", () => {
      const { cells } = notebook;
      const start = cells.findIndex((cell) => /^## Exercises$/m.test(sourceOf(cell)));
      assert.ok(start >= 0);
      const kinds = cells
        .slice(start, start + 4)
        .map(({ cell_type, metadata }) => metadata.tags?.[0] ?? cell_type);
      assert.deepEqual(kinds, ["markdown", "solution", "markdown", "solution"]);
      assert.match(sourceOf(cells[start]), /^1\. /m);
      assert.match(sourceOf(cells[start + 2]), /^2\. /m);
    });

    it("links to files that exist, and to the next notebook", () => {
      const links = [...proseOf(notebook).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map(
        ([, link]) => link,
      );
      for (const link of links)
        assert.ok(existsSync(path.join(projectDir, "notebooks", link)), `no such file: ${link}`);
      const next = names[number + 1];
      if (next) assert.ok(links.includes(next), `no link to ${next}`);
    });
  });
