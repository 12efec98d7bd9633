import assert from "node:assert/strict";
import { type Import, importsOf, packageName, parse } from "./source-files.js";

describe("importsOf", () => {
  const cases: [string, Partial<Import>[]][] = [
    ['import "./a.js"; import b, { type C } from "b";', [{ file: "src/x/a.ts" }, { specifier: "b" }]],
    ['import type { A } from "./a.js";', [{ isTypeOnly: true }]],
    ['import { type A, type B } from "a";', [{ isTypeOnly: true }]],
    ['import { type A, b } from "a";', [{ isTypeOnly: false }]],
    ['export * from "../a.js";', [{ file: "src/a.ts", isTypeOnly: false }]],
    ['export type { A } from "a"; export { type B } from "b";', [{ isTypeOnly: true }, { isTypeOnly: true }]],
    ['let a: import("a").A; let b: typeof import("b");', [{ isTypeOnly: true }, { isTypeOnly: true }]],
    ['f(() => import("a")); require("b"); require.resolve(`c`);', Array(3).fill({ isCall: true })],
    ["// import 'a'\nconst text = \"import 'b'\"; f(import(name));", []],
  ];
  for (const [text, expected] of cases)
    it(`reads ${text}`, () => {
      const found = importsOf(parse("src/x/file.ts", text));
      assert.equal(found.length, expected.length);
      expected.forEach((part, i) => {
        for (const [name, value] of Object.entries(part)) assert.equal(found[i][name as keyof Import], value);
      });
    });
});

describe("packageName", () => {
  it("is what package.json calls the package", () => {
    const names = ["./a.js", "node:fs", "vega", "tsx/cjs", "@scope/name/part.js"].map(packageName);
    assert.deepEqual(names, [null, null, "vega", "tsx", "@scope/name"]);
  });
});
