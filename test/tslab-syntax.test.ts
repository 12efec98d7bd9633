import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import ts from "typescript";
import { importsOf, listFiles, parse, projectDir, readProjectFile, walk } from "./source-files.js";

const srcFiles = listFiles(["src"], [".ts"]);

describe("src, compiled by the TypeScript 5.0 inside tslab", () => {
  const ARRAY_METHODS = ["toSorted", "toReversed", "toSpliced", "with"];

  /** What a node is that a cell cannot take, if any. */
  function obstacle(node: ts.Node): string | undefined {
    if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) return "import.meta";
    if (ts.isVariableDeclarationList(node) && (node.flags & ts.NodeFlags.Using) === ts.NodeFlags.Using)
      return "using";
    const isAwait = ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier);
    if (isAwait && !ts.findAncestor(node, ts.isFunctionLike)) return "await at the top level";
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { name } = node.expression;
      if (ARRAY_METHODS.includes(name.text)) return `the array method ${name.text}`;
    }
    return undefined;
  }

  function obstacles(source: ts.SourceFile): string[] {
    const found: string[] = [];
    walk(source, (node) => {
      const what = obstacle(node);
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      if (what) found.push(`${source.fileName}:${line + 1} ${what}`);
    });
    return found;
  }

  it("would be stopped by these", () => {
    const text = [
      "const here = import.meta.url;",
      "function f() { using file = open(); }",
      "await f();",
      "for await (const line of lines) f(line);",
      "async function g() { await using file = open(); await f(); }",
      "[1].toSorted(); [1].findLast(f);",
    ];
    assert.deepEqual(obstacles(parse("a.ts", text.join("\n"))), [
      "a.ts:1 import.meta",
      "a.ts:2 using",
      "a.ts:3 await at the top level",
      "a.ts:4 await at the top level",
      "a.ts:5 using",
      "a.ts:6 the array method toSorted",
    ]);
  });

  it("has none of what stops it", () => {
    assert.deepEqual(
      srcFiles.flatMap((file) => obstacles(parse(file))),
      [],
    );
  });

  it("has no suffix .ts in an import", () => {
    assert.deepEqual(
      srcFiles.filter((file) => importsOf(parse(file)).some(({ specifier }) => /\.[cm]?ts$/.test(specifier))),
      [],
    );
  });

  it("is syntax that it knows", () => {
    // in a process of its own: here the loader of TypeScript files would go through all of the compiler first
    const program = `
      const path = require("node:path");
      const tslab = path.dirname(require.resolve("tslab/package.json"));
      const ts = require(require.resolve("@tslab/typescript-for-tslab", { paths: [tslab] }));
      const files = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
      const problems = files.flatMap(([fileName, text]) =>
        ts.transpileModule(text, { fileName, reportDiagnostics: true }).diagnostics
          .map(({ messageText }) => fileName + ": " + messageText));
      console.log(JSON.stringify({ version: ts.versionMajorMinor, problems }));`;
    const check = (files: [string, string][]) =>
      JSON.parse(
        execFileSync(process.execPath, ["-e", program], {
          cwd: projectDir,
          input: JSON.stringify(files),
          encoding: "utf8",
        }),
      );
    const later = check([["later.ts", "{ using file = open(); }"]]);
    assert.equal(later.version, "5.0");
    assert.match(later.problems[0], /^later\.ts: /);
    assert.deepEqual(check(srcFiles.map((file) => [file, readProjectFile(file)])).problems, []);
  });
});
