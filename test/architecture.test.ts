import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import {
  type Import,
  importsOf,
  listFiles,
  packageName,
  parse,
  projectDir,
  readProjectFile,
  walk,
} from "./source-files.js";

const MAX_LINES = 400;
/** Folders of src, low to high: a folder imports from itself, from lower ones, and from the files beside the folders. */
const FOLDERS = [
  "engine",
  "model",
  "cartoons",
  "data",
  "metrics",
  "inference",
  "training",
  "faces",
  "charts",
  "show",
];
const ENGINE = "@tensorflow/tfjs-node-gpu";
const ENGINE_FILE = "src/engine/tf.ts";

const srcFiles = listFiles(["src"], [".ts"]);
const scripts = listFiles(["scripts"], [".ts", ".mjs", ".cjs"]);
const bench = listFiles(["bench"], [".ts"]);
const tests = listFiles(["test"], [".ts"]);
const imports = new Map(
  [...srcFiles, ...scripts, ...bench, ...tests].map((file) => [file, importsOf(parse(file))]),
);

/** `importer → imported` for all imports that fit. */
function edges(importers: string[], fits: (found: Import) => boolean): string[] {
  return importers.flatMap((file) =>
    (imports.get(file) ?? []).filter(fits).map(({ specifier }) => `${file} → ${specifier}`),
  );
}

/** The first chain of imports that leads back to where it began, if any. */
function findCycle(graph: Map<string, string[]>): string[] {
  const done = new Set<string>();
  const follow = (file: string, above: string[]): string[] => {
    if (above.includes(file)) return [...above.slice(above.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const next of graph.get(file) ?? []) {
      const cycle = follow(next, [...above, file]);
      if (cycle.length > 0) return cycle;
    }
    done.add(file);
    return [];
  };
  for (const file of graph.keys()) {
    const cycle = follow(file, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

function graphOf(files: string[], fits: (found: Import) => boolean): Map<string, string[]> {
  const fitting = (found: Import[]) => found.filter(fits).flatMap(({ file }) => file ?? []);
  return new Map(files.map((file) => [file, fitting(imports.get(file) ?? [])]));
}

/** Names of the functions, classes and constants that a file exports where it declares them. */
function exportedValues(file: string): string[] {
  return parse(file).statements.flatMap((statement) => {
    const isValue =
      ts.isVariableStatement(statement) ||
      ts.isFunctionDeclaration(statement) ||
      ts.isClassDeclaration(statement);
    if (!isValue || !statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
    const declared = ts.isVariableStatement(statement)
      ? [...statement.declarationList.declarations]
      : [statement];
    return declared.flatMap(({ name }) => name?.getText() ?? []);
  });
}

describe("src", () => {
  it("imports nothing outside itself, and nothing of tslab", () => {
    const isBack = ({ specifier, file }: Import) =>
      file === null ? /^@?tslab\b/.test(specifier) : !file.startsWith("src/");
    assert.deepEqual(edges(srcFiles, isBack), []);
  });

  it("has no cycle of imports that are loaded", () => {
    assert.deepEqual(findCycle(graphOf(srcFiles, ({ isTypeOnly }) => !isTypeOnly)), []);
  });

  it("has no cycle through types either", () => {
    assert.deepEqual(findCycle(graphOf(srcFiles, () => true)), []);
  });

  it("imports from lower folders only", () => {
    const rank = (file: string) => FOLDERS.indexOf(file.split("/")[1]);
    const isInFolder = (file: string) => file.startsWith("src/") && file.split("/").length > 2;
    const inFolders = srcFiles.filter(isInFolder);
    assert.deepEqual(
      inFolders.filter((file) => rank(file) < 0),
      [],
    );
    const upward = inFolders.flatMap((importer) =>
      edges([importer], ({ file }) => file !== null && isInFolder(file) && rank(file) > rank(importer)),
    );
    assert.deepEqual(upward, []);
  });

  it("is imported from outside through src/index.ts alone", () => {
    // Set-up, doctor and the command line itself run before there is an engine.
    const runsBefore = (file: string) => /^scripts\/(setup\/|doctor\.ts|cli\.ts)/.test(file);
    const folders = ["scripts", "bench", "examples", "experiments"];
    const outside = listFiles(folders, [".ts", ".mts", ".mjs", ".cjs"]).filter((file) => !runsBefore(file));
    const isDeep = ({ specifier }: Import) => /\bsrc\/(?!index\.[jt]s$)/.test(specifier);
    const deep = outside.flatMap((importer) =>
      importsOf(parse(importer))
        .filter(isDeep)
        .map(({ specifier }) => `${importer} → ${specifier}`),
    );
    assert.deepEqual(deep, []);
  });

  it("has one file that imports the engine", () => {
    const isEngine = ({ specifier }: Import) => packageName(specifier)?.startsWith("@tensorflow/") ?? false;
    assert.deepEqual([...new Set(edges([...imports.keys()], isEngine))], [`${ENGINE_FILE} → ${ENGINE}`]);
  });
});

describe("the first stage of set-up", () => {
  it("imports no package, since there is none before it has run", () => {
    const before = scripts.filter((file) => file.endsWith(".mjs") || /^scripts\/setup\/.*\.cjs$/.test(file));
    assert.deepEqual(
      edges(before, ({ specifier }) => packageName(specifier) !== null),
      [],
    );
    assert.deepEqual(
      edges(before, ({ file }) => file !== null && !/\.(mjs|cjs|json)$/.test(file)),
      [],
    );
  });
});

describe("the public API", () => {
  const MAX_NAMES = 90 /* two for the search for a learning rate, one for the options of loadDataset, one for ParameterError */;

  it("is all that bench, examples and experiments import from folders of src", () => {
    const programs = listFiles(["bench", "examples", "experiments"], [".ts", ".mts"]);
    const deep = programs.flatMap((file) =>
      importsOf(parse(file))
        .filter((found) => /^src\/.+\//.test(found.file ?? ""))
        .map(({ specifier }) => `${file} → ${specifier}`),
    );
    assert.deepEqual(deep, []);
  });

  it(`has at most ${MAX_NAMES} names, each once`, () => {
    const names: string[] = [];
    walk(parse("src/index.ts"), (node) => {
      if (ts.isExportSpecifier(node) || ts.isNamespaceExport(node)) names.push(node.name.getText());
    });
    assert.deepEqual([...new Set(names)], names);
    assert.ok(names.length <= MAX_NAMES, `${names.length} names`);
  });
});

describe("imports", () => {
  it("have no cycle in scripts and bench either, but for what a call imports", () => {
    for (const files of [scripts, bench])
      assert.deepEqual(findCycle(graphOf(files, ({ isCall }) => !isCall)), []);
  });

  it("name files that are there", () => {
    const isMissing = ({ file }: Import) => file !== null && !existsSync(path.join(projectDir, file));
    assert.deepEqual(edges([...imports.keys()], isMissing), []);
  });

  it("of packages are in package.json", () => {
    const { dependencies, devDependencies } = JSON.parse(readProjectFile("package.json"));
    const known = { ...dependencies, ...devDependencies };
    const isUnknown = (found: Import) => {
      const name = packageName(found.specifier);
      return name !== null && !Object.hasOwn(known, name);
    };
    assert.deepEqual(edges([...imports.keys()], isUnknown), []);
  });

  it("of what an installed package starts with are in its tarball", () => {
    const { dependencies, bundleDependencies } = JSON.parse(readProjectFile("package.json"));
    assert.deepEqual(Object.keys(dependencies), bundleDependencies);
    assert.ok((imports.get("scripts/cli.ts") ?? []).some(({ specifier }) => specifier === "commander"));
  });
});

describe("a source file", () => {
  const sources = listFiles(["src", "scripts", "test"], [".ts", ".mjs", ".cjs", ".py"]);
  const isLong = (file: string) => readProjectFile(file).trimEnd().split("\n").length > MAX_LINES;

  it(`has at most ${MAX_LINES} lines`, () => {
    assert.deepEqual(sources.filter(isLong), []);
  });
});

describe("an exported value", () => {
  it("has a user in another file", () => {
    const users = [
      ...listFiles(
        ["src", "scripts", "bench", "demo", "experiments", "examples", "test", "jupyter"],
        [".ts", ".mts", ".mjs", ".cjs"],
      ),
      ...listFiles(["notebooks"], [".ipynb"]),
    ];
    const words = new Map(users.map((file) => [file, new Set(readProjectFile(file).match(/\w+/g))]));
    const isUsed = (name: string, own: string) =>
      users.some((file) => file !== own && words.get(file)?.has(name));
    const unused = [...srcFiles, ...scripts, ...bench].flatMap((file) =>
      exportedValues(file)
        .filter((name) => !isUsed(name, file))
        .map((name) => `${file}: ${name}`),
    );
    assert.deepEqual(unused, []);
  });
});
