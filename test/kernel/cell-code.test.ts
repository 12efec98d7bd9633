import assert from "node:assert/strict";
import { shareQuickly } from "../../jupyter/kernels/tslab/cell-code.cjs";
import { ts } from "../../jupyter/kernels/tslab/typescript.cjs";

/** Compiles what the first pass made of a cell. */
function secondPass(code: string): string {
  const { CommonJS } = ts.ModuleKind;
  const compilerOptions = { module: CommonJS, target: ts.ScriptTarget.ES2022, noImplicitUseStrict: true };
  return ts.transpileModule(code, { compilerOptions, transformers: { after: [shareQuickly] } }).outputText;
}

describe("the code of a cell", () => {
  // As a proxy, `exports` made `sum += x` in a loop 75 times as slow.
  it("looks each shared variable up once, and not through `exports`", () => {
    const code = secondPass(
      "let sum = 0;\nwhile (exports.n) exports.sum += (n, exports.n)[0];\nexport { sum };",
    );
    assert.equal(
      code.replace(/^Object\.defineProperty.*\n/m, ""),
      [
        'const sum_1 = ferkitKernel.variable("sum"), n_1 = ferkitKernel.variable("n");',
        "sum_1.value = void 0;",
        "let sum = 0;",
        "sum_1.value = sum;",
        "while (n_1.value)",
        "    sum_1.value += (n, n_1.value)[0];",
        "",
      ].join("\n"),
    );
  });

  it("calls a shared function without the variable as `this`", () => {
    assert.match(secondPass("exports.f(exports.x);"), /\(0, f_1\.value\)\(x_1\.value\);/);
  });

  it("keeps `exports` in a cell that has another one", () => {
    const code = "const f = (exports) => exports.n;\nexports.n;";
    assert.equal(secondPass(code), `${code}\n`);
  });
});
