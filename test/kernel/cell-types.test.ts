import assert from "node:assert/strict";
import { builtinModules } from "node:module";
import { type CellResult, contentsOf, resultOf, runCells } from "./kernel.js";

/** By title: a cell whose types have no names outside of it, a later one that uses them, and the value that it has. */
const CELLS: Record<string, [first: string, later: string, value: string]> = {
  "a module of Node.js": [
    "const fs = await import('node:fs');",
    "const there: boolean = fs.default.existsSync('package.json');\nfs.createReadStream('package.json', { start: 1 }).close();\nthere",
    "true",
  ],
  "a function of a module": [
    "const { createReadStream: open, existsSync } = await import('node:fs');",
    "open('package.json', { start: 1 }).close();\nexistsSync('package.json')",
    "true",
  ],
  "several modules": [
    "const [files, { join }] = await Promise.all([import('node:fs'), import('node:path')]);",
    "[files.existsSync('package.json'), join('a', 'b')].join(' ')",
    "true a/b",
  ],
  "an instance of a class within a function": [
    "function start() { class Counter { #n = 1; private step = 2; next() { this.#n += this.step; return this.#n; } self() { return this; } }\nreturn new Counter(); }",
    "start().self().next()",
    "3",
  ],
  "a mixin": [
    "const Named = <T extends new (...args: any[]) => object>(Base: T) => class extends Base { protected label = 'x'; name() { return this.label; } };",
    "new (Named(Object))().name()",
    "x",
  ],
  "an enum, an interface and a symbol within functions": [
    "function level() { enum Level { low, high } return Level.high; }\n" +
      "function list() { interface Row { a: number } const row: Row = { a: 1 }; return new Map<string, Row>([['b', row]]); }\n" +
      "function marked() { const mark = Symbol(); return { [mark]: 1, n: 2 }; }",
    "const mark: string = 'm';\n[level(), list().get('b').a, marked().n, mark].join(' ')",
    "1 1 2 m",
  ],
};

/** Those that @types/node describes. */
const MODULES = builtinModules.filter((name) => !name.startsWith("_") && name !== "sys");

describe("a cell whose types cannot be named outside of it", function () {
  this.timeout(600_000);
  const all = Object.entries(CELLS);
  const packages = ["sharp", "vega", "ferkit"];
  let results: CellResult[];

  before(async () => {
    results = await runCells("tslab", [
      ...all.flatMap(([, [first, later]]) => [first, later]),
      "fs.existsSync('a', 1);\nopen('a', { start: 'x' });",
      [...MODULES, ...packages].map((name, i) => `const module${i} = await import("${name}");`).join("\n"),
      `${[...MODULES, ...packages].map((_, i) => `module${i};`).join(" ")}\n1`,
    ]);
  });

  for (const [i, [title, [, , value]]] of all.entries())
    it(`runs, and later cells use it: ${title}`, () => {
      const two = results.slice(2 * i, 2 * i + 2);
      const failures = two.flatMap((result) => contentsOf(result, "error").map(({ evalue }) => evalue));
      assert.deepEqual(failures, []);
      assert.equal(resultOf(two[1]), value);
    });

  it("is checked in later cells, by the types of the module", () => {
    const [{ evalue }] = contentsOf(results[2 * all.length], "error");
    assert.equal(
      evalue,
      "1:20 - Expected 1 arguments, but got 2.\n2:13 - Type 'string' is not assignable to type 'number'.",
    );
  });

  it("may import any module of Node.js, and packages", () => {
    for (const result of results.slice(-2)) assert.deepEqual(contentsOf(result, "error"), []);
    assert.equal(resultOf(results[results.length - 1]), "1");
  });
});
