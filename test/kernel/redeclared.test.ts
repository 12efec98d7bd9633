import assert from "node:assert/strict";
import { type CellResult, contentsOf, resultOf, runCells } from "./kernel.js";

/** By title: a cell, a later one that declares a name of it again, a last one, and the value that it must have. */
const CELLS: Record<string, [first: string, again: string, last: string, value: string]> = {
  "a function": [
    "function half() { return 1; }\nconst callHalf = () => half();",
    "function half() { return 2; }",
    "callHalf()",
    "2",
  ],
  "a function that is declared after its caller": [
    "const callLater = () => later();\nconst early = callLater();\nfunction later() { return 1; }",
    "function later() { return 2; }",
    "[early, callLater()].join(' ')",
    "1 2",
  ],
  "an asynchronous function": [
    "async function load() { return 1; }\nconst callLoad = async () => await load();",
    "async function load() { return 2; }",
    "await callLoad()",
    "2",
  ],
  "a generator": [
    "function* each() { yield 1; }\nconst list = () => [...each()];",
    "function* each() { yield 2; }",
    "list()[0]",
    "2",
  ],
  "a function that is exported": [
    "export function sent() { return 1; }\nexport const callSent = () => sent();",
    "export function sent() { return 2; }",
    "callSent()",
    "2",
  ],
  "a default export": [
    "export default function main() { return 1; }\nconst callMain = () => main();",
    "export default function main() { return 2; }",
    "callMain()",
    "2",
  ],
  "a function with overloads": [
    "function pick(x: number): number;\nfunction pick(x: string): number;\nfunction pick(_: unknown) { return 1; }\nconst callPick = () => pick('a');",
    "function pick(_: unknown) { return 2; }",
    "callPick()",
    "2",
  ],
  "a function that a method calls": [
    "function rate() { return 1; }\nclass Plan { rate() { return rate(); } }\nconst plan = new Plan();",
    "function rate() { return 2; }",
    "plan.rate()",
    "2",
  ],
  "a class": [
    "class Model { static one = new Model(); kind() { return 1; } }\nconst kind = () => new Model().kind();",
    "class Model { kind() { return 2; } }",
    "kind()",
    "2",
  ],
  "a base class": [
    "class Base { kind() { return 1; } }\nconst makeKind = () => new (class extends Base {})().kind();",
    "class Base { kind() { return 2; } }",
    "makeKind()",
    "2",
  ],
  "a namespace": [
    "namespace Limits { export const low: number = 1; export const same = Limits.low; }\nconst low = () => Limits.low;",
    "namespace Limits { export const low: number = 2; }",
    "low()",
    "2",
  ],
  "an enum": [
    "enum Split { Train = 1 }\nconst train = () => Number(Split.Train);",
    "enum Split { Train = 2 }",
    "train()",
    "2",
  ],
  "a constant": [
    "const size = 1 as number;\nconst read = () => ({ size }).size;",
    "const size = 2;",
    "read()",
    "2",
  ],
  "a constant of an object": [
    "const { depth } = { depth: 1 };\nconst readDepth = () => { const found = depth; return found; };",
    "const depth = 2;",
    "readDepth()",
    "2",
  ],
  "a name that a parameter hides": [
    "const shown = 1;\nconst show = (shown: number) => [1].map((x) => shown + x)[0];",
    "const shown = 5;",
    "show(1)",
    "2",
  ],
  "a constant that is read too early": [
    "let message = '';\ntry { readEarly(); } catch (error) { message = (error as Error).message; }\nconst late = 1;\nfunction readEarly() { return late; }",
    "0;",
    "message",
    "Cannot access 'late' before initialization",
  ],
};

/** By title: three cells, and the value of the last one. */
const SHARED: typeof CELLS = {
  "is a default value of a later cell": [
    "let numSeen = 1;",
    "({ numSeen = 7 } = {} as { numSeen?: number });",
    "numSeen",
    "7",
  ],
  "is not `this` of a function that a later cell calls": [
    "function own(this: unknown) { return this; }\nfunction tag(this: unknown, _: TemplateStringsArray) { return this; }",
    "const others = [own(), own?.(), tag`x`];",
    "others.map(String).join()",
    "undefined,undefined,undefined",
  ],
  "keeps what was assigned before a `var` without a value": [
    "bare = 3;\nvar bare: number, other: number;\nconst readBare = () => bare;\nconst bares = [bare, other!];",
    "bare += 1;",
    "[...bares, bare, readBare()].join()",
    "3,,4,4",
  ],
  "keeps what a block assigned before a `var` without a value": [
    "if (true) { var inBlock = 4; }\nvar inBlock: number;\nconst fromBlock = inBlock;",
    "const blocks = [fromBlock];",
    "blocks.join()",
    "4",
  ],
  "is declared by `var` with a value, and again without": [
    "var twice = 5;\nvar twice: number;",
    "var again: number | undefined;\nagain = (again ?? 0) + twice;",
    "again",
    "5",
  ],
  "of a loop or block is one of the cell, if it is declared by `var`": [
    "for (var turn = 0; turn < 3; turn++) { var last = turn; }\nconst readTurn = () => [turn, last];",
    "turn += 5;",
    "[...readTurn(), turn].join()",
    "8,2,8",
  ],
  "of `for … of` and `for … in` is one of the cell, if it is declared by `var`": [
    "for (var [head, { body = 5, ...others }] of [[1, { z: 3 }]] as [number, { body?: number; z: number }][]) for (var key in others) {}\nfor await (var awaited of [1, 2]) {}",
    "const heads = () => [head, body, others.z, key, awaited];",
    "key = 'y'; heads().join()",
    "1,5,3,y,2",
  ],
  "is what a block destructures with `var`": [
    "label: { var { length, [length - 1]: end, ...letters } = 'abc' as any, [first, , ...more] = [1, 2, 3]; break label; }",
    "const parts = [length, end, letters[0], first, ...more];",
    "parts.join()",
    "3,c,a,1,3",
  ],
  "is one if `var` declares it on top and in a loop or block": [
    "var wide = 1;\n{ var wide = 7; }\nfor (var high = 0; high < 3; high++) {}\nvar high: number;\nconst areas = [wide, high];",
    "const readArea = () => [wide, high];",
    "[...areas, ...readArea()].join()",
    "7,3,7,3",
  ],
  "is none of a function, a static block or a namespace": [
    "let own1 = 1;\nconst scoped = () => { for (var own1 = 5; own1 < 6; own1++) {} return own1; };\nclass Static { static { var own1 = 7; } }\nnamespace Space { { var own1 = 8; } }",
    "const both = [scoped(), own1];",
    "both.join()",
    "6,1",
  ],
  "is no function of a block": [
    "function inner() { return 1; }\n{ function inner() { return 2; } }\nconst inners = [inner()];",
    "{ function inner() { return 3; } inners.push(inner()); }",
    "[...inners, inner()].join()",
    "1,3,1",
  ],
  "may begin with several `_`": [
    "const __dirname = 'here';\nlet ___count = 1;\nclass __Kind {}",
    "___count += 1;",
    "[__dirname, ___count, __Kind.name].join()",
    "here,2,__Kind",
  ],
  "is what a cell exports from a module": [
    "export { sep as pathSep } from 'node:path';\nexport * as paths from 'node:path';",
    "const separators = [pathSep, paths.sep];",
    "separators.join()",
    "/,/",
  ],
  "is what a cell exports under another name": [
    "const width = 3, height = 4;\nexport { width as across, width,\n  height as down }\n[width].join()",
    "const area = across * down;",
    "area",
    "12",
  ],
  "is a namespace for all later cells": [
    "namespace Sizes { export const low = 1; export interface Size { low: number } }\nimport lowest = Sizes.low;",
    "const between = 1;",
    "const size1: Sizes.Size = Sizes; [size1.low, lowest].join()",
    "1,1",
  ],
  "is a property of `exports`": [
    "let shade = 1;\nconst readShade = () => shade;",
    "exports.shade = 2;",
    "readShade() + exports.shade",
    "4",
  ],
  "is none of another object that is called `exports`": [
    "let tint = 1;",
    "const given = ((exports: { tint: number }) => { exports.tint = 3; return exports; })({ tint: 2 });",
    "[tint, given.tint].join()",
    "1,3",
  ],
  "may be an import, which later cells replace": [
    "import { sep } from 'node:path';\nconst readSep = () => sep;",
    "const sep = 'x';",
    "[sep, readSep()].join()",
    "x,/",
  ],
  "does not change while a later cell has not declared it yet": [
    "const level = 1;\nconst readLevel = () => level;",
    "const seen = [0].map(() => readLevel());\n{ const level = 5; }",
    "seen[0]",
    "1",
  ],
};

/** Cells, each with what it fails with or gives. */
const FAILED: [code: string, outcome: string | null][] = [
  ["let loaded = 1, kind = 'a';", null],
  ["throw new Error('early');\nlet loaded = 2;", "early"],
  ["[loaded, kind].join()", "1,a"],
  ["const kind = 'b';\nconst weights = await Promise.reject(new Error('gone'));", "gone"],
  ["kind", "b"],
  [
    "weights",
    "1:1 - Cannot find name 'weights'.\nCell NUMBER, which declares weights, failed. Run it again.",
  ],
];
/** The same, of cells with `declare`. */
const DECLARED: typeof FAILED = [
  [
    "declare global { var total1: number; }\nglobalThis.total1 = 4;\n[total1, (() => total1)()].join()",
    "4,4",
  ],
  ["total1", "1:1 - Cannot find name 'total1'."],
  [
    "declare let total1: number;\ndeclare function isFinite(x: number): boolean;\ndeclare class URL { constructor(x: string); port: string }\n[(() => [isFinite(1), new URL('http://a:1').port])(), total1, (() => total1)()].join()",
    "true,1,4,4",
  ],
  ["[isFinite(1), new URL('http://a:2').port].join()", "true,2"],
  ["declare const require: (name: string) => { sep: string };\nrequire('node:path').sep", "/"],
  ["require('node:path').sep", "/"],
];

describe("a variable of a cell", function () {
  this.timeout(600_000);
  const all = Object.entries({ ...CELLS, ...SHARED });
  let results: CellResult[];

  before(async () => {
    results = await runCells("tslab", [
      ...all.flatMap(([, cells]) => cells.slice(0, 3)),
      ...FAILED.map(([code]) => code),
      ...DECLARED.map(([code]) => code),
    ]);
  });

  for (const [i, [title, [, , , value]]] of all.entries())
    it(title in CELLS ? `that is ${title} is what a later cell declares again, for functions` : title, () => {
      const three = results.slice(3 * i, 3 * i + 3);
      assert.deepEqual(
        three.map(({ status }) => status),
        ["ok", "ok", "ok"],
      );
      assert.equal(resultOf(three[2]), value);
    });

  /** What each of the last cells fails with, or gives. */
  const outcomes = (first: number, end?: number) =>
    results
      .slice(first, end)
      .map((result) => contentsOf(result, "error")[0]?.evalue ?? resultOf(result) ?? null);

  it("keeps its value if a cell fails before it has declared it again", () => {
    const number = String(3 * all.length + 4);
    const expected = FAILED.map(([, outcome]) => outcome?.replace("NUMBER", number) ?? null);
    assert.deepEqual(outcomes(3 * all.length, -DECLARED.length), expected);
  });

  it("is what there is already, for a cell that says so with `declare`", () => {
    const expected = DECLARED.map(([, outcome]) => outcome);
    assert.deepEqual(outcomes(-DECLARED.length), expected);
  });
});
