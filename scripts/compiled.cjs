// Lets Node.js load the project's TypeScript: from the copies that set-up or an earlier run compiled, or, after an edit, by compiling
// the file again. The compiler takes longer to load than most commands run, so it is loaded only when a file has no current copy.
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const process = require("node:process");
const { ensureSetUp } = require("./home.cjs");

const root = path.resolve(__dirname, "..");
const folder = path.join(root, ".ferkit/compiled");
// Node.js 22.8 and later keep what V8 makes of each file: of copies, packages, and the compiler itself.
Module.enableCompileCache?.(path.join(root, ".ferkit/v8"));

/** What a copy ends with: what it was compiled from, and a file that need not be read again to see that it has not changed. */
const MARK = "\n//# compiled from ";
/** Another version of this file may compile in another way. */
const OWN = digest(fs.readFileSync(__filename));

/** Returns the JavaScript of a TypeScript file. */
function javascriptOf(file) {
  const { mtimeMs, size } = fs.statSync(file);
  const name = path.relative(root, file);
  const copy = name.startsWith("..") ? null : path.join(folder, name.replace(/ts$/, "js"));
  const kept = copy && fs.existsSync(copy) ? fs.readFileSync(copy, "utf8") : "";
  const time = `${OWN} ${mtimeMs} ${size}\n`;
  if (kept.endsWith(time)) return kept;
  const text = fs.readFileSync(file, "utf8");
  const mark = `${MARK}${digest(text)} `;
  const at = kept.lastIndexOf(`${mark}${OWN} `);
  const code = (at < 0 ? compile(file, text) : kept.slice(0, at)) + mark + time;
  if (copy) keep(copy, code);
  return code;
}

function digest(content) {
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}

function compile(file, text) {
  const ts = require("typescript");
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022);
  const isIndex = source.statements.every((node) => ts.isExportDeclaration(node) && node.moduleSpecifier);
  if (isIndex && source.statements.length > 0) return lazyExports(ts, source);
  const compilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.Node16, // in which `import()` stays as it is
    esModuleInterop: true,
    removeComments: true,
    inlineSourceMap: true,
  };
  const transformers = { before: [(context) => (node) => setUpBeforeImports(ts, context, file, node)] };
  return withoutColumns(
    ts.transpileModule(text, { fileName: file, compilerOptions, transformers }).outputText,
  );
}

/** Keeps only what a source map tells about lines, as stacks need it: the copies are a third smaller. */
function withoutColumns(code) {
  return code.replace(/(?<=^\/\/# sourceMappingURL=data:application\/json;base64,)\S+$/m, (encoded) => {
    const map = JSON.parse(Buffer.from(encoded, "base64").toString());
    const mappings = linesOf(map.mappings);
    return Buffer.from(JSON.stringify({ ...map, mappings })).toString("base64");
  });
}

/** Leaves out each position of a map that is of the same source line as the one before it in its line. */
function linesOf(mappings) {
  const position = [0, 0, 0, 0]; // column of the code, source, its line and column
  let written = [0, 0, 0, 0];
  const kept = mappings.split(";").map((line) => {
    position[0] = written[0] = 0;
    let sourceLine = -1;
    return line.split(",").flatMap((segment) => {
      for (const [i, number] of numbersOf(segment).entries()) position[i] += number;
      if (segment === "" || position[2] === sourceLine) return [];
      const differences = position.map((value, i) => value - written[i]);
      sourceLine = position[2];
      written = [...position];
      return [textOf(differences)];
    });
  });
  return kept.map((segments) => segments.join(",")).join(";");
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Decodes numbers of a source map: five bits a digit, lowest first, the sixth if more follow; the lowest bit of a number is its sign. */
function numbersOf(text) {
  const numbers = [];
  let [number, shift] = [0, 0];
  for (const character of text) {
    const digit = DIGITS.indexOf(character);
    number += (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    numbers.push(number & 1 ? -(number >> 1) : number >> 1);
    [number, shift] = [0, 0];
  }
  return numbers;
}

/** Encodes numbers as a source map has them. */
function textOf(numbers) {
  let text = "";
  for (const number of numbers) {
    let rest = number < 0 ? (-number << 1) | 1 : number << 1;
    for (; rest > 31; rest >>= 5) text += DIGITS[(rest & 31) | 32];
    text += DIGITS[rest];
  }
  return text;
}

/** Makes each `import("package")` set up an installed ferkit before; `require` does so below. */
function setUpBeforeImports(ts, context, file, source) {
  const { factory } = context;
  const home = path.relative(path.dirname(file), path.join(__dirname, "home.cjs"));
  const call = (callee, ...args) => factory.createCallExpression(callee, undefined, args);
  const visit = (node) => {
    const visited = ts.visitEachChild(node, visit, context);
    if (!ts.isCallExpression(node) || node.expression.kind !== ts.SyntaxKind.ImportKeyword) return visited;
    const load = call(factory.createIdentifier("require"), factory.createStringLiteral(home));
    const setUp = call(factory.createPropertyAccessExpression(load, "ensureSetUp"));
    return call(node.expression, factory.createComma(setUp, visited.arguments[0]));
  };
  return ts.visitNode(source, visit);
}

/** Compiles a file that only exports what others have, so that it loads each of them when it is first used. */
function lazyExports(ts, source) {
  const lines = ['"use strict";', 'Object.defineProperty(exports, "__esModule", { value: true });'];
  for (const { exportClause, moduleSpecifier, isTypeOnly } of source.statements) {
    if (isTypeOnly) continue;
    const load = `require(${JSON.stringify(moduleSpecifier.text)})`;
    const add = (name, value) =>
      lines.push(`Object.defineProperty(exports, "${name}", { enumerable: true, get: () => ${value} });`);
    if (ts.isNamespaceExport(exportClause)) add(exportClause.name.text, load);
    else
      for (const { name, propertyName, isTypeOnly: isType } of exportClause.elements)
        if (!isType) add(name.text, `${load}.${(propertyName ?? name).text}`);
  }
  return lines.join("\n");
}

/** Writes a copy as a whole or not at all; where nothing can be written, the next run compiles again. */
function keep(copy, code) {
  const temporary = `${copy}.${process.pid}.tmp`;
  try {
    fs.mkdirSync(path.dirname(copy), { recursive: true });
    fs.writeFileSync(temporary, code);
    fs.renameSync(temporary, copy);
  } catch {
    if (fs.existsSync(temporary)) fs.rmSync(temporary);
  }
}

/** Compiles all files of folders that have no current copy. */
function compileAll(...folders) {
  for (const name of folders)
    for (const entry of fs.readdirSync(path.join(root, name), { withFileTypes: true })) {
      const inRoot = path.join(name, entry.name);
      if (entry.isDirectory()) compileAll(inRoot);
      else if (entry.name.endsWith(".ts")) javascriptOf(path.join(root, inRoot));
    }
}

Module._extensions[".ts"] = (module, file) => module._compile(javascriptOf(file), file, "commonjs");

const isOwn = (file) => file?.startsWith(`${root}/`) && !file.includes("/node_modules/", root.length);
const isPackage = (request) => !/^([./]|commander$)/.test(request) && !Module.isBuiltin(request);
const { _resolveFilename } = Module;
/** Files name each other by what they become: "./load.js" is load.ts. A package other than the bundled one must be installed. */
Module._resolveFilename = function resolve(request, parent, ...rest) {
  if (/^\.{1,2}\/.*\.js$/.test(request)) {
    const file = path.resolve(parent?.filename ? path.dirname(parent.filename) : process.cwd(), request);
    const source = file.replace(/js$/, "ts");
    if (file.startsWith(`${root}/`) && fs.existsSync(source) && !fs.existsSync(file)) return source;
  } else if (isOwn(parent?.filename) && isPackage(request)) ensureSetUp();
  return _resolveFilename.call(this, request, parent, ...rest);
};

const { _compile } = Module.prototype;
/** Packages are compiled without their source maps: Node.js would read these at once, for a quarter of the time that the engine takes to load. */
Module.prototype._compile = function compileModule(content, file, ...rest) {
  return _compile.call(this, file.includes("/node_modules/") ? withoutMap(content) : content, file, ...rest);
};

/** Removes a last line that names a file with a source map. */
function withoutMap(code) {
  const line = "\n//# sourceMappingURL=";
  const at = code.lastIndexOf(line);
  return at >= 0 && /^[\w.@/-]+\s*$/.test(code.slice(at + line.length)) ? code.slice(0, at) : code;
}

process.setSourceMapsEnabled(true);

module.exports = { compileAll, javascriptOf };
