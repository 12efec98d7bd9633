// What the project's own source files import, read from their syntax.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { storedNotebook } from "../scripts/setup/stored-notebook.cjs";

export const projectDir = path.resolve(__dirname, "..");

export interface Import {
  /** As written: `./tf.js`, `node:path`, `sharp`. */
  specifier: string;
  /** The project's file that it names, from the root; null for a package. */
  file: string | null;
  /** Gone once compiled. */
  isTypeOnly: boolean;
  /** A call of `import`, `require` or `require.resolve`: when it is reached, not when the file is loaded. */
  isCall: boolean;
}

/** Names of the tutorial's notebooks. A reader's own ones beside them are no part of the project. */
export const TUTORIAL = [
  "01-setup",
  "02-preprocessing",
  "03-model",
  "04-training",
  "05-inference",
  "06-errors-and-labels",
];

/** Paths from the root of all files below folders whose names end in one of the suffixes, sorted. */
export function listFiles(folders: string[], suffixes: string[]): string[] {
  return folders
    .flatMap((folder) => readdirSync(path.join(projectDir, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && suffixes.some((suffix) => entry.name.endsWith(suffix)))
    .map((entry) => path.relative(projectDir, path.join(entry.parentPath, entry.name)))
    .filter(
      (file) =>
        !/^notebooks\/.*\.ipynb$/.test(file) || TUTORIAL.some((name) => file === `notebooks/${name}.ipynb`),
    )
    .sort();
}

/** Returns the text of a file, that of a notebook without outputs: those of a reader are no part of the project. */
export function readProjectFile(file: string): string {
  const text = readFileSync(path.join(projectDir, file), "utf8");
  return file.endsWith(".ipynb") ? storedNotebook(text) : text;
}

/** Returns a page without its fenced code. */
export function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, "");
}

/** Returns the links of a page, and its pictures, to files of the project: as written, with their anchors. */
export function linksOf(text: string): string[] {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g)]
    .map(([, link, source]) => link ?? source)
    .filter((link) => !/^(https?|mailto|data):/.test(link));
}

export function parse(file: string, text = readProjectFile(file)): ts.SourceFile {
  return ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
}

/** Calls `visit` for a node and all nodes below it. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

/** Every import, re-export, `import()`, `require()`, `require.resolve()` and `import("…").Type` of a file. */
export function importsOf(source: ts.SourceFile): Import[] {
  const imports: Import[] = [];
  const add = (specifier: ts.Node | undefined, isTypeOnly: boolean, isCall: boolean) => {
    if (!specifier || !ts.isStringLiteralLike(specifier)) return;
    const file = projectFile(source.fileName, specifier.text);
    imports.push({ specifier: specifier.text, file, isTypeOnly, isCall });
  };
  walk(source, (node) => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeImport(node.importClause), false);
    else if (ts.isExportDeclaration(node))
      add(node.moduleSpecifier, node.isTypeOnly || areTypes(node.exportClause), false);
    else if (ts.isImportTypeNode(node))
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true, false);
    else if (ts.isExternalModuleReference(node)) add(node.expression, false, false);
    else if (ts.isCallExpression(node) && isLoader(node.expression)) add(node.arguments[0], false, true);
  });
  return imports;
}

function isTypeImport(clause: ts.ImportClause | undefined): boolean {
  if (!clause) return false;
  return clause.isTypeOnly || (clause.name === undefined && areTypes(clause.namedBindings));
}

/** Whether `{ type A, type B }` names types alone. */
function areTypes(names: ts.NamedImportBindings | ts.NamedExportBindings | undefined): boolean {
  if (!names || !(ts.isNamedImports(names) || ts.isNamedExports(names))) return false;
  return names.elements.length > 0 && [...names.elements].every((name) => name.isTypeOnly);
}

function isLoader(callee: ts.Expression): boolean {
  return (
    callee.kind === ts.SyntaxKind.ImportKeyword || ["require", "require.resolve"].includes(callee.getText())
  );
}

function projectFile(importer: string, specifier: string): string | null {
  if (!specifier.startsWith(".")) return null;
  const named = path.join(path.dirname(importer), specifier);
  return importer.endsWith(".ts") ? named.replace(/\.js$/, ".ts") : named;
}

/** Name of the package that a specifier names, such as `vega` or `@scope/name`; null for a file or a part of Node.js. */
export function packageName(specifier: string): string | null {
  if (specifier.startsWith(".") || specifier.startsWith("node:")) return null;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
