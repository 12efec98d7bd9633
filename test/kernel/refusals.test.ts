import assert from "node:assert/strict";
import { type CellResult, contentsOf, resultOf, runCells } from "./kernel.js";

const FILE = "Cells belong to no file. For the folder that paths count from: process.cwd()";
const reserved = (name: string) =>
  `A cell cannot declare ${name}, which its compiled code uses. Choose another name.`;

/** Cells that are refused, each with its error. */
const REFUSED: [code: string, error: string][] = [
  ["const exports = 3;", `1:7 - ${reserved("exports")}`],
  ["\nclass require {}", `2:7 - ${reserved("require")}`],
  ["let [a, tsLastExpr] = [1, 2];", `1:9 - ${reserved("tsLastExpr")}`],
  ['import * as ferkitKernel from "node:fs";', `1:13 - ${reserved("ferkitKernel")}`],
  ["__filename;", `1:1 - ${FILE}`],
  ["const here = import.meta.url;", `1:14 - ${FILE}`],
  [
    "module.exports = 1;",
    "1:1 - Cells are no modules. What a cell declares, later cells see without an export.",
  ],
  [
    "type A = 1;\nexport type { A as B };",
    "2:15 - Cells cannot export a type under another name. Write: type B = A;",
  ],
  [
    "type A = 1;\nexport {\n  type A as B };",
    "3:3 - Cells cannot export a type under another name. Write: type B = A;",
  ],
  [
    "\nexport * from 'node:zlib';",
    "2:1 - Cells cannot export all names of a module. Import what later cells use: import * as name from 'node:zlib';",
  ],
];

const EARLY = "The cell ends too early: a bracket, a quote or a name is missing.";
/** Cells that end too early, each with its errors: none is below the code. */
const CUT: [code: string, error: string][] = [
  [
    "import os",
    `1:10 - ${EARLY}\nThis looks like Python; cells are TypeScript. To import: import { readFileSync } from "node:fs";`,
  ],
  ["const a = `b\nc", `2:2 - ${EARLY}`],
  ["let open = [1,\n", `2:1 - ${EARLY}`],
  [
    'const e: number = "x", f = (',
    `1:7 - Type 'string' is not assignable to type 'number'.\n1:29 - ${EARLY}`,
  ],
];

/** Cells that are valid, each with the text of its value. */
const VALID: [code: string, value: string][] = [
  ["{ const exports = 3; [exports]; }\ntype require = 1;\n(1 as require);", "1"],
  ["const module = { module: 3 };\nmodule.module;", "3"],
  ["typeof __filename;", "undefined"],
  ["type C = 1;\nexport type { C };\nconst one: C = 1;\none;", "1"],
  // tslab skips a cell with this tag, and forgets the types of earlier cells.
  ["/** @browser */\nmodule.module + one;", "4"],
  // Values whose own code fails when they are looked at.
  ["new Proxy({ a: 1 }, { get() { throw new Error('get'); } })", "{ a: 1 }"],
  ["new Proxy(() => 1, { get() { throw new Error('get'); } })", "[Function (anonymous)]"],
  ["const { proxy, revoke } = Proxy.revocable({}, {});\nrevoke();\nproxy;", "<Revoked Proxy>"],
  ["({ get $schema() { throw new Error('schema'); } })", "{ '$schema': [Getter] }"],
  ["({ get then() { throw new Error('then'); } })", "{ then: [Getter] }"],
  [
    "({ [Symbol.for('nodejs.util.inspect.custom')]() { throw new Error('no words'); } })",
    "A value that fails to describe itself: no words",
  ],
];

describe("a cell", function () {
  this.timeout(600_000);
  let results: CellResult[];
  before(async () => {
    results = await runCells(
      "tslab",
      [...REFUSED, ...CUT, ...VALID].map(([code]) => code),
    );
  });

  for (const [i, [code, error]] of [...REFUSED, ...CUT].entries())
    it(`cannot have ${JSON.stringify(code)}`, () =>
      assert.deepEqual(
        contentsOf(results[i], "error").map(({ evalue }) => evalue),
        [error],
      ));

  for (const [i, [code, value]] of VALID.entries())
    it(`shows the value of ${JSON.stringify(code)}`, () =>
      assert.equal(resultOf(results[REFUSED.length + CUT.length + i]), value));
});
