import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { findVenvPython } from "../../scripts/jupyter.js";
import { projectDir } from "../workspace.js";

const PROGRAM = `
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("declarations", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules["declarations"] = module
spec.loader.exec_module(module)
whole, broken = json.load(sys.stdin)
found = [module.find_declarations(source) for source in whole]
unclosed = [module.find_unclosed(source) for source in [*whole, *broken]]
print(json.dumps([[[[d.keyword, d.name, d.type, d.value] for d in one] for one in found], unclosed]))
`;

/** A cell, and what it declares: keyword, name, type, value. */
const CASES: [string, ...[string, string, string, string][]][] = [
  ["let a = 1, b = 2;", ["let", "a", "", "1"], ["let", "b", "", "2"]],
  ["let a: number | null = null;", ["let", "a", "number | null", "null"]],
  ["let a\nlet b = 'x, y'", ["let", "a", "", ""], ["let", "b", "", "'x, y'"]],
  [
    "const a: Record<string, number> = {\n  one: 1,\n  two: 2,\n}, b = [\n  1,\n];",
    ["const", "a", "Record<string, number>", "{\n  one: 1,\n  two: 2,\n}"],
    ["const", "b", "", "[\n  1,\n]"],
  ],
  ["let\n  a\n    = 1,\n  b = 2", ["let", "a", "", "1"], ["let", "b", "", "2"]],
  ["let a = 1 +\n  2\nlet b = 3", ["let", "a", "", "1 +\n  2"], ["let", "b", "", "3"]],
  [
    "let a = new Map<string, number>(), b = 1 < 2",
    ["let", "a", "", "new Map<string, number>()"],
    ["let", "b", "", "1 < 2"],
  ],
  [
    "let a: (x: number) => void = () => {}, b",
    ["let", "a", "(x: number) => void", "() => {}"],
    ["let", "b", "", ""],
  ],
  [
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the cell has a template
    "let a = `${[1, 2].join(',')}, c`, b = \"it's\"",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the cell has a template
    ["let", "a", "", "`${[1, 2].join(',')}, c`"],
    ["let", "b", "", '"it\'s"'],
  ],
  [
    "let { a, b: c = 3, ...d } = o, [e, , f] = l",
    ...["a", "c", "d"].map((name) => ["let", name, "", "o"] as [string, string, string, string]),
    ["let", "e", "", "l"],
    ["let", "f", "", "l"],
  ],
  ['let a = "\nlet b = 2', ["let", "a", "", '"'], ["let", "b", "", "2"]],
  ["// let a = 1\n/* let b = 2 */ var c = 3", ["var", "c", "", "3"]],
  ["for (let i = 0; i < 3; i++) { let j = i; }\nfunction f() { const k = 1; }\nletter = 4; o.let = 5;"],
];

/** A cell with a string, comment or bracket that stays open or closes none, and where that is. */
const BROKEN: [string, number][] = [
  ['let a = "', 8],
  ["let a = 1;\nlet b = 'x;\nlet c = 2;", 19],
  ["let a = [1, (2, 3];\nlet b = 4;", 17],
  ["let a = { b: 1;\nlet c = 2;", 8],
  ["let a = 1);\nlet b = 2;", 9],
  ["let a = `x\nlet b = 2;", 8],
  ["let a = 1; /* open\nlet b = 2;", 11],
  ["let a = 1; /*/", 11],
];

describe("find_declarations", () => {
  const input = JSON.stringify([CASES.map(([source]) => source), BROKEN.map(([source]) => source)]);
  const file = path.join(projectDir, "jupyter/python/ferkit_jupyter/declarations.py");
  const [found, unclosed] = JSON.parse(
    execFileSync(findVenvPython(), ["-c", PROGRAM, file], { input, encoding: "utf8" }),
  );

  it("says where a cell stays open, and nothing of whole cells", () => {
    const [whole, broken] = [unclosed.slice(0, CASES.length), unclosed.slice(CASES.length)];
    assert.deepEqual(
      CASES.filter((_, i) => whole[i] !== null).map(([source]) => source),
      ['let a = "\nlet b = 2'],
    );
    assert.deepEqual(
      broken,
      BROKEN.map(([, position]) => position),
    );
  });

  for (const [i, [source, ...declared]] of CASES.entries())
    it(`reads ${JSON.stringify(source)}`, () => {
      assert.deepEqual(found[i], declared);
    });
});

describe("papermill's parameters", () => {
  it("are assigned in a notebook without the constants of the notebook before", () => {
    const program = `
import sys
sys.path.insert(0, "jupyter/python")
from types import SimpleNamespace
from ferkit_jupyter.papermill import TypeScriptTranslator
TypeScriptTranslator.inspect(SimpleNamespace(source="const steps = 3;"))
for _ in range(2): print(TypeScriptTranslator.codify({"steps": 4}).splitlines()[1])
`;
    const found = execFileSync(findVenvPython(), ["-c", program], { cwd: projectDir, encoding: "utf8" });
    assert.equal(found, "const steps: number = 4;\nsteps = 4;\n");
  });
});
