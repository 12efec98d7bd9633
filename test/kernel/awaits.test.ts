import assert from "node:assert/strict";
import { type CellResult, contentsOf, resultOf, runCells } from "./kernel.js";

/** Cells whose last value is 3; TypeScript reads some of them as calls of a function `await` at first. */
const AWAITS = [
  "await (Promise.resolve(3));",
  "(await [3])[0];",
  "await (await import('node:util')).promisify((done: (error: null, x: number) => void) => done(null, 3))();",
  "await (async () => await (async () => 3)())();",
  "if (await (Promise.resolve(true))) 3;\n3;",
  `Number(\`\${await (Promise.resolve(3))}\`);`,
  "true ? await (3) : await [2];",
  "class Base { three = 3; }\nclass Kind extends (await (async () => Base)()) {}\nnew Kind().three;",
  "const keyed = { async m() { return await (3); }, [await ('k')]: 2 };\nkeyed.m();",
  "let sum = 0;\nfor await (const x of (await ([1, 2]))) sum += x;\nsum;",
];

const NOT_ASYNCHRONOUS = "({ m() { await Promise.resolve(1); } });";

describe("a cell that awaits", function () {
  this.timeout(600_000);
  let results: CellResult[];
  before(async () => {
    results = await runCells("tslab", [...AWAITS, NOT_ASYNCHRONOUS]);
  });

  for (const [i, code] of AWAITS.entries())
    it(`gives the value of ${JSON.stringify(code)}`, () => assert.equal(resultOf(results[i]), "3"));

  it("fails where a function that is not asynchronous does so", () => {
    const [error] = contentsOf(results[AWAITS.length], "error") as { evalue: string }[];
    assert.match(error.evalue, /^1:10 - 'await' expressions are only allowed within async/);
  });
});
