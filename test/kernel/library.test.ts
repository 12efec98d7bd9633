import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { workspace } from "../workspace.js";
import { cloneProject } from "./clone.js";
import { type CellResult, contentsOf, converse, printed, type Request } from "./kernel.js";

/** What can follow these pieces of code. */
const COMPLETIONS: [code: string, names: string[]][] = [
  ["ferkit.trainConfig('", ["baseline", "fer2013", "fer2013-best", "fer2013-fast", "tutorial"]],
  ['ferkit.trainConfig("fer', ["fer2013", "fer2013-best", "fer2013-fast"]],
  ['ferkit.trainConfig("tutorial", { variant: "lite', ["lite0", "lite1", "lite2", "lite3", "lite4"]],
  // Beside a path, which may be any text.
  [
    'ferkit.trainConfig("tutorial", { ...{ seed: 1 }, trainableFrom: "block',
    [1, 2, 3, 4, 5, 6, 7].map((stage) => `block${stage}a`),
  ],
  ['ferkit.trainConfig("tutorial", { weights: "', ["imagenet", "random"]],
  ['ferkit.loadDataset({ data: "', ["fer2013", "synthetic"]],
  ['ferkit.loadDataset({ data: "x", imageSize: 48, labels: "', ["ferplus", "ferplus-soft", "folders"]],
  ['ferkit.loadClassifier("', ["fer2013", "ferplus"]],
];

describe("ferkit in a cell", function () {
  this.timeout(600_000);
  const clone = workspace("suite");
  let results: CellResult[];
  let completions: CellResult["reply"][];

  before("runs cells in a clone, whose src they edit", async () => {
    cloneProject(clone.path);
    const file = clone.file("src/answer.ts");
    writeFileSync(file, "export const answer: number = 42;\n");
    const cells = [
      'import * as ferkit from "ferkit";',
      'import * as same from "./src/index.js";\nconsole.log(same.train === ferkit.train, Object.keys(ferkit).length > 50);',
      "const classes: number = ferkit.EXPRESSIONS;",
      "console.log(ferkit.tf.tensor1d([1, 2]).add(1).sum().dataSync()[0]);\n[{ a: 1 }];",
      'import { answer } from "./src/answer.js";\nconst before: number = answer;\nconsole.log(before);',
      `require("fs").writeFileSync(${JSON.stringify(file)}, "export const answer: string = 'new';\\n");`,
      'import { answer } from "./src/answer.js";\nconst after: string = answer;\nconsole.log(after);',
      'import { writeFileSync, rmSync } from "node:fs";\nwriteFileSync("own.ts", "export const own = 1;\\n");',
      'import { own } from "./own";\nconsole.log(own);',
      'rmSync("own.ts");\nawait new Promise((resolve) => setTimeout(resolve, 500));',
      'writeFileSync("own.ts", "export const own = 2;\\n");\nawait new Promise((resolve) => setTimeout(resolve, 500));',
      'import { own } from "./own";\nconsole.log(own);',
      'console.log(process.getActiveResourcesInfo().filter((kind) => kind === "FSEventWrap").length);',
    ];
    const requests: Request[] = [
      ...cells.map((code) => ({ code })),
      ...COMPLETIONS.map(([code]) => ({
        type: "complete_request",
        content: { code, cursor_pos: code.length },
      })),
    ];
    ({ results } = await converse(
      "tslab",
      requests.map((request) => [request]),
      { root: clone.path },
    ));
    completions = results.splice(cells.length).map(({ reply }) => reply);
  });

  it("is imported by its name, or from src, and is the same", () => {
    assert.equal(results[0].status, "ok");
    assert.equal(printed(results[1]), "true true\n");
  });

  it("has types", () => {
    const [{ evalue }] = contentsOf(results[2], "error");
    assert.equal(evalue, "1:7 - Type 'readonly string[]' is not assignable to type 'number'.");
  });

  it("brings the engine, with the ops that are chained", () => {
    assert.equal(printed(results[3]), "5\n");
  });

  it("shows values in its forms before a cell calls show", () => {
    const [{ data }] = contentsOf(results[3], "execute_result");
    assert.match(String((data as Record<string, unknown>)["text/html"]), /^<table/);
  });

  it("completes names, also where a path may stand too", () => {
    assert.deepEqual(
      completions.map((reply) => reply?.matches),
      COMPLETIONS.map(([, names]) => names),
    );
    assert.deepEqual([completions[1]?.cursor_start, completions[1]?.cursor_end], [20, 23]); // what is typed is replaced
  });

  it("is loaded again by an import after an edit, with its new types", () => {
    assert.equal(printed(results[4]), "42\n");
    assert.deepEqual(contentsOf(results[6], "error"), []);
    assert.equal(printed(results[6]), "new\n");
  });

  it("keeps running when files that were imported are removed and written again while a cell runs", () => {
    for (const result of results.slice(7, 12)) assert.deepEqual(contentsOf(result, "error"), []);
    assert.deepEqual([printed(results[8]), printed(results[11])], ["1\n", "2\n"]);
  });

  it("watches the files that it has read, not each folder of each package", () => {
    const numWatched = Number(printed(results[12]));
    assert.ok(numWatched > 50 && numWatched < 500, printed(results[12]));
  });
});

describe("a package that is installed while the kernel runs", function () {
  this.timeout(600_000);
  const project = workspace();

  it("is found by the next import, in a scope too", async () => {
    writeFileSync(project.file("package.json"), "{}");
    mkdirSync(project.file("node_modules/@old"), { recursive: true });
    const imported =
      'import { late } from "late";\nimport { second } from "@old/second";\nimport { third } from "@new/third";';
    const install = [
      "const { mkdirSync, writeFileSync } = await import('node:fs');",
      "for (const [name, value] of [['late', 'late'], ['@old/second', 'second'], ['@new/third', 'third']]) {",
      "  mkdirSync('node_modules/' + name, { recursive: true });",
      "  writeFileSync('node_modules/' + name + '/index.js', 'exports.' + value + ' = 1;');",
      "  writeFileSync('node_modules/' + name + '/index.d.ts', 'export const ' + value + ': number;');",
      "}",
      "await new Promise((resolve) => setTimeout(resolve, 500));",
    ].join("\n");
    const cells = [imported, install, `${imported}\nconsole.log(late, second, third);`];
    const { results } = await converse(
      "tslab",
      cells.map((code) => [{ code }]),
      { cwd: project.path },
    );
    assert.equal(results[0].status, "error");
    assert.deepEqual(contentsOf(results[2], "error"), []);
    assert.equal(printed(results[2]), "1 1 1\n");
  });
});
