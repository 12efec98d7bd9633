// The types of the package, as cells and other projects see them: all declarations that src/index.ts leads to, those of packages
// included, in one file. A cell is then checked in a moment, and hovering still shows the docs.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { packagePaths, sourceFiles } from "./package-files.cjs";

/** A text that replaces a part of a declaration file. */
interface Change {
  start: number;
  end: number;
  text: string;
}

/** What a declaration file becomes. */
interface Declarations {
  /** The file's own module, and those that it adds to. */
  blocks: { name: string; text: string }[];
  /** Files that it imports. */
  imports: string[];
}

const RESOLUTION: ts.CompilerOptions = {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
};

/** Writes the package's declarations, and what imports it by name. */
export function writePackage(root: string): void {
  const { dir, types, modules, declarations, esm, stamp } = packagePaths(root);
  const files = sourceFiles(root);
  emitDeclarations(root, types);
  const entry = path.join(types, "index.d.ts");
  const own = readdirSync(types, { recursive: true }).map((name) => path.join(types, String(name)));
  const roots = [entry, ...own.filter((file) => file.endsWith(".d.ts") && file !== entry).sort()];
  mkdirSync(dir, { recursive: true });
  writeWhole(modules, rollUp(root, types, roots));
  writeWhole(declarations, '/// <reference path="./modules.d.ts" />\nexport * from "ferkit/src/index";\n');
  writeWhole(esm, esmWrapper(root));
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeWhole(stamp, JSON.stringify(files));
}

function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.${process.pid}.tmp`, text);
  renameSync(`${file}.${process.pid}.tmp`, file);
}

/** The compiler's program, ten times as fast as its JavaScript version, which has the functions that the roll-up needs. */
const COMPILER = path.join(path.dirname(require.resolve("typescript-native/package.json")), "bin/tsc");

/** Writes the declarations of src; files that did not change since the last time cost nothing. Wrong types are not reported here. */
function emitDeclarations(root: string, types: string): void {
  const dir = path.dirname(types);
  const config = path.join(dir, "declarations.tsconfig.json");
  const compilerOptions = {
    noEmit: false,
    allowJs: false,
    declaration: true,
    emitDeclarationOnly: true,
    noCheck: true,
    rootDir: path.join(root, "src"),
    outDir: types,
    tsBuildInfoFile: path.join(dir, "declarations.tsbuildinfo"),
  };
  const include = [path.join(root, "src")];
  mkdirSync(dir, { recursive: true });
  writeWhole(config, JSON.stringify({ extends: path.join(root, "tsconfig.json"), compilerOptions, include }));
  const args = [COMPILER, "--project", config];
  const { status, error, stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (error) throw error;
  // Status 2: declarations were written, but some types are wrong.
  if (status !== 0 && status !== 2) throw new Error(`The compiler wrote no declarations.\n${stdout}`);
}

/** Opens the roll-up. Some packages' declarations name types of browsers, or packages without types, or contradict each other. */
const HEADER = `// Made by set-up from src and the packages that its types mention.
// Programs that use them are checked; this file is not, since some packages' own declarations have errors.
// @ts-nocheck`;

/** Returns the declarations of files and of all that they import, as one script of ambient modules. */
function rollUp(root: string, types: string, roots: string[]): string {
  const blocks: string[] = [HEADER];
  const seen = new Set(roots);
  for (const file of seen) {
    const found = ambientModules(root, types, file);
    for (const { name, text } of found.blocks) blocks.push(`declare module "${name}" {\n${text}\n}`);
    for (const imported of found.imports) seen.add(imported);
  }
  return `${blocks.join("\n")}\n`;
}

/** Returns the name of the ambient module that a declaration file becomes. */
function moduleName(types: string, file: string): string {
  const inTypes = path.relative(types, file);
  const inPackages = file.split("/node_modules/").at(-1) ?? "";
  const name = inTypes.startsWith("..") ? `types/${inPackages}` : `src/${inTypes}`;
  return `ferkit/${name.replace(/\.d\.([cm]?)ts$/, (_, kind) => (kind ? `.${kind}` : ""))}`;
}

/** Rewrites a declaration file as a block of a script: imports by the names of other blocks, additions in their own. */
function ambientModules(root: string, types: string, file: string): Declarations {
  const text = readFileSync(file, "utf8");
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const imports: string[] = [];
  /** Returns the module that a specifier names, or null if it stays as it is, such as `node:stream`. */
  const resolve = (specifier: string): string | null => {
    const from = specifier.startsWith(".")
      ? file
      : file.startsWith(types)
        ? path.join(root, "src/index.ts")
        : file;
    const { resolvedModule } = ts.resolveModuleName(specifier, from, RESOLUTION, ts.sys);
    const target = resolvedModule?.resolvedFileName;
    if (!target || !/\.d\.[cm]?ts$/.test(target) || target.includes("/@types/node/")) return null;
    imports.push(target);
    return moduleName(types, target);
  };
  const changes: Change[] = [];
  const additions: { name: string; body: ts.ModuleBlock }[] = [];
  const importLines: string[] = [];
  const rename = (literal: ts.Node | undefined) => {
    if (!literal || !ts.isStringLiteralLike(literal)) return;
    const name = resolve(literal.text);
    if (name) changes.push({ start: literal.getStart(), end: literal.getEnd(), text: JSON.stringify(name) });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) rename(node.moduleSpecifier);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) rename(node.argument.literal);
    else if (ts.isExternalModuleReference(node)) rename(node.expression);
    else if (ts.isNamespaceExportDeclaration(node))
      changes.push({ start: node.getFullStart(), end: node.getEnd(), text: "" });
    else if (
      ts.isModuleDeclaration(node) &&
      ts.isStringLiteral(node.name) &&
      node.body &&
      ts.isModuleBlock(node.body)
    ) {
      const name = resolve(node.name.text) ?? node.name.text;
      additions.push({ name, body: node.body });
    } else if (ts.canHaveModifiers(node)) {
      const declare = node.modifiers?.find(({ kind }) => kind === ts.SyntaxKind.DeclareKeyword);
      // A block of a `declare module` allows no second one.
      if (declare) changes.push({ start: declare.getStart(), end: declare.getEnd() + 1, text: "" });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  const edited = (start: number, end: number) => {
    let [result, at] = ["", start];
    for (const change of changes
      .filter((one) => one.start >= start && one.end <= end)
      .sort((a, b) => a.start - b.start)) {
      if (change.start < at) continue; // inside of what was removed
      result += text.slice(at, change.start) + change.text;
      at = change.end;
    }
    return result + text.slice(at, end);
  };
  for (const statement of source.statements)
    if (ts.isImportDeclaration(statement)) importLines.push(edited(statement.getStart(), statement.getEnd()));
  const blocks = additions.map(({ name, body }) => ({
    name,
    text: `${importLines.join("\n")}\n${edited(body.getStart() + 1, body.getEnd() - 1)}`,
  }));
  for (const { body } of additions)
    changes.push({ start: body.parent.getFullStart(), end: body.parent.getEnd(), text: "" });
  blocks.unshift({ name: moduleName(types, file), text: edited(0, text.length) });
  return { blocks, imports };
}

/** Returns an ES module that names what src exports, so that `import { train } from "ferkit"` finds it. */
function esmWrapper(root: string): string {
  const names = Object.keys(require(path.join(root, "src/index.ts"))).sort();
  return (
    'import { createRequire } from "node:module";\n' +
    `const ferkit = createRequire(import.meta.url)("../scripts/package.cjs");\n` +
    `export default ferkit;\nexport const { ${names.join(", ")} } = ferkit;\n`
  );
}

if (require.main === module) {
  const root = path.resolve(__dirname, "../..");
  if (process.argv.includes("--clean")) rmSync(packagePaths(root).dir, { recursive: true, force: true });
  writePackage(root);
  if (process.argv.includes("--compile")) require("../compiled.cjs").compileAll("src", "scripts");
}
