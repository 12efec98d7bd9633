import assert from "node:assert/strict";
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import ts from "typescript";
import { installTypeDoc, namesOf, readGroups, writeReference } from "../../scripts/reference.js";
import { isPackageCurrent } from "../../scripts/setup/package-files.cjs";
import { listFiles, readProjectFile } from "../source-files.js";
import { drawClassFolders, projectDir, runProgram, workspace } from "../workspace.js";

/** Examples that only compile here: all but the last download ImageNet's weights, and the last needs a file of weights. */
const NOT_RUN = [
  ...[
    "createNetwork",
    "findLearningRate",
    "interruptSignal",
    "learningRateSearchChart",
    "showTraining",
    "train",
  ],
  "importNetwork",
];

const PACKAGE_OPTIONS: ts.CompilerOptions = {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
  strict: true,
  noUnusedLocals: true,
  skipLibCheck: false,
  lib: ["lib.es2022.d.ts"],
  noEmit: true,
  types: ["node"],
};

/** Declarations that were read once: two programs use them. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** Compiles programs that are files of this project in memory only: `ferkit` is then the package as others import it. */
function compile(files: Record<string, string>): ts.Program {
  const host = ts.createCompilerHost(PACKAGE_OPTIONS);
  const { readFile, fileExists, getSourceFile } = host;
  const textOf = (file: string) => files[path.relative(projectDir, file)];
  host.fileExists = (file) => textOf(file) !== undefined || fileExists(file);
  host.readFile = (file) => textOf(file) ?? readFile(file);
  host.getSourceFile = (file, options, ...rest) => {
    const text = textOf(file);
    if (text !== undefined) return ts.createSourceFile(file, text, options, true);
    if (!parsed.has(file)) parsed.set(file, getSourceFile(file, options, ...rest));
    return parsed.get(file);
  };
  const names = Object.keys(files).map((file) => path.join(projectDir, file));
  return ts.createProgram(names, PACKAGE_OPTIONS, host);
}

/** Returns the examples in the docstring of each public name, as an editor shows them. */
function readExamples(): Map<string, string[]> {
  const names = readGroups().flatMap(({ exports }) => namesOf(exports));
  const program = compile({ "names.mts": 'export * from "ferkit";\n' });
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(path.join(projectDir, "names.mts")) as ts.SourceFile;
  const found = checker.getExportsOfModule(checker.getSymbolAtLocation(file) as ts.Symbol);
  assert.deepEqual(found.map(({ name }) => name).sort(), [...names, "internals"].sort());
  const examplesOf = (symbol: ts.Symbol) => {
    const original = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const tags = original.getJsDocTags(checker).filter(({ name }) => name === "example");
    const texts = tags.map(({ text }) => ts.displayPartsToString(text)).join("\n");
    return [...texts.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);
  };
  const isPublic = ({ name }: ts.Symbol) => name !== "internals";
  return new Map(found.filter(isPublic).map((symbol) => [symbol.name, examplesOf(symbol)]));
}

describe("the reference of the public API", function () {
  this.timeout(600_000);

  const folder = workspace("suite");
  let examples: Map<string, string[]>;

  before(() => {
    assert.ok(isPackageCurrent(projectDir), "The declarations are not those of src. Run: npm run setup");
    examples = readExamples();
  });

  /** Returns all examples, each by a name for a file; names that differ only in case get different ones. */
  const all = () =>
    [...examples].flatMap(([name, codes], i) =>
      codes.map((code, k) => ({ name, file: `${name}-${i}-${k}`, code })),
    );

  it("has an example for each public name, which uses it", () => {
    const without = [...examples].filter(
      ([name, codes]) => !codes.some((code) => new RegExp(`\\b${name}\\b`).test(code)),
    );
    assert.deepEqual(
      without.map(([name]) => name),
      [],
    );
  });

  it("has examples that compile in a project that imports ferkit", () => {
    const pages = listFiles(["docs", "examples"], [".md"]).filter((page) => !page.startsWith("docs/api/"));
    const snippets = ["README.md", ...pages].flatMap((page) =>
      [...readProjectFile(page).matchAll(/^```ts\n([\s\S]*?)^```/gm)]
        .map(([, code]) => code)
        .filter((code) => code.includes('from "ferkit"'))
        .map((code, i) => ({ file: `${page.replaceAll("/", "-")}-${i}`, code })),
    );
    assert.ok(snippets.length >= 4);
    const program = compile(
      Object.fromEntries([...all(), ...snippets].map(({ file, code }) => [`${file}.mts`, code])),
    );
    const problems = ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
      const line = file ? file.getLineAndCharacterOfPosition(start ?? 0).line + 1 : 0;
      return `${path.basename(file?.fileName ?? "")}:${line} ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
    });
    assert.deepEqual(problems, []);
  });

  it("has examples that run", async () => {
    await drawClassFolders(folder.file("data/pets"), 10);
    renameSync(folder.file("data/pets/disc"), folder.file("data/pets/cat"));
    renameSync(folder.file("data/pets/square"), folder.file("data/pets/dog"));
    cpSync(path.join(projectDir, "test/faces/photos/grace-hopper.jpg"), folder.file("photo.jpg"));
    const small = ["weights=random", "epochs=1", "imageSize=33", "batchSize=8"];
    const settings = small.flatMap((setting) => ["--set", setting]);
    const { status, stderr } = await folder.ferkit(
      "train",
      "--data",
      "data/pets",
      "--run",
      "runs/pets",
      ...settings,
    );
    assert.equal(status, 0, stderr);
    mkdirSync(folder.file("node_modules"));
    symlinkSync(projectDir, folder.file("node_modules/ferkit"));
    const options = { ...PACKAGE_OPTIONS, module: ts.ModuleKind.ES2022 };
    const files = all()
      .filter(({ name }) => !NOT_RUN.includes(name))
      .map(({ file, code }) => {
        writeFileSync(folder.file(`${file}.mjs`), ts.transpile(code, options));
        return file;
      })
      .sort((a, b) => Number(b.startsWith("save")) - Number(a.startsWith("save"))); // others read what these save
    const program = `
      const failed = [];
      const write = console.log;
      console.log = () => {};
      for (const file of ${JSON.stringify(files)})
        await import(\`./\${file}.mjs\`).catch((error) => failed.push(\`\${file}: \${error.stack}\`));
      write(failed.join("\\n\\n"));`;
    writeFileSync(folder.file("run.mjs"), program);
    const ran = runProgram(process.execPath, [folder.file("run.mjs")], folder.path);
    assert.deepEqual(
      { status: ran.status, failed: ran.stdout.trim() },
      { status: 0, failed: "" },
      ran.stderr,
    );
  });

  it("is that of the present docstrings", function () {
    let tools: string;
    try {
      tools = installTypeDoc();
    } catch {
      console.log("      skipped: npm cannot install TypeDoc here");
      this.skip();
    }
    writeReference(tools, folder.file("api"), "markdown");
    const committed = path.join(projectDir, "docs/api");
    const advice = "docs/api is not up to date. Run: npm run docs";
    assert.deepEqual(readdirSync(folder.file("api")).sort(), readdirSync(committed).sort(), advice);
    for (const file of readdirSync(committed))
      assert.equal(
        readFileSync(path.join(committed, file), "utf8"),
        readFileSync(folder.file("api", file), "utf8"),
        advice,
      );
  });
});
