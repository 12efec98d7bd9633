import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import ts from "typescript";
import { projectDir, runProgram, workspace } from "./workspace.js";

describe("the package ferkit in another folder", () => {
  const folder = workspace("suite");

  before("links it, as npm install PATH does", () => {
    mkdirSync(folder.file("node_modules"));
    symlinkSync(projectDir, folder.file("node_modules/ferkit"));
  });

  /** Runs a program of the folder. */
  function run(name: string, code: string) {
    writeFileSync(folder.file(name), code);
    return runProgram(process.execPath, [folder.file(name)], folder.path);
  }

  it("is imported by an ES module, names and all", () => {
    const code = `import * as ferkit from "ferkit";
      import { train, trainConfig } from "ferkit";
      console.log(typeof train, trainConfig("tutorial").variant, ferkit.train === train);`;
    assert.deepEqual(run("program.mjs", code), { status: 0, stdout: "function lite0 true\n", stderr: "" });
  });

  it("is required by a CommonJS module", () => {
    const code = 'const { trainConfig } = require("ferkit"); console.log(trainConfig("tutorial").variant);';
    assert.deepEqual(run("program.cjs", code), { status: 0, stdout: "lite0\n", stderr: "" });
  });

  it("has types", () => {
    const file = folder.file("program.mts");
    const code = `import { type Dataset, tf, trainConfig } from "ferkit";
      export const epochs: number = trainConfig("tutorial").epochs;
      export const numImages = (dataset: Dataset): number => dataset.train.numImages;
      export const sum = tf.tensor1d([1, 2]).add(1).sum();
      export const wrong: string = trainConfig("tutorial").epochs;`;
    writeFileSync(file, code);
    const program = ts.createProgram([file], {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      strict: true,
      skipLibCheck: true,
      noEmit: true,
      types: [],
    });
    const found = ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText);
    assert.deepEqual(found, ["Type 'number' is not assignable to type 'string'."]);
  });
});

describe("npm pack", () => {
  it("packs what the package needs, in at most 12 MB", () => {
    const [npm, ...args] = ["npm", "pack", "--dry-run", "--json", "--ignore-scripts"];
    const { status, stdout, stderr } = runProgram(npm, args, projectDir);
    assert.equal(status, 0, stderr);
    const [{ size, files }] = JSON.parse(stdout) as [{ size: number; files: { path: string }[] }];
    assert.ok(size <= 12e6, `${size} bytes`);
    const names = files.map((file) => file.path);
    for (const name of [
      "dist/index.d.ts",
      "dist/index.mjs",
      "src/index.ts",
      "scripts/package.cjs",
      "models/fer2013/model.json",
    ])
      assert.ok(names.includes(name), name);
    const unwanted = names.filter((name) => /^(test|bench|experiments|out|runs)\/|\.pyc$/.test(name));
    assert.deepEqual(unwanted, []);
  });
});
