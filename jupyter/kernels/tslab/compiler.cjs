// Extends the TypeScript compiler inside tslab, which has no options of its own: checks are strict, positions in cells survive,
// `{ name }` finds a variable of an earlier cell, functions see what later cells assign and declare, a cell may loop with `for await`,
// and each `await` and each turn of a loop of a cell is a place where it can be stopped.
const path = require("node:path");
const vm = require("node:vm");
const { outsideCells } = require("./cells.cjs");
const { libraryView, refreshDeclarations, ROOTS } = require("./library.cjs");
const { addMaps, nextCellFile } = require("./source-positions.cjs");

/** The cell, and the declarations of earlier ones, as tslab names them. */
const CELL = "__tslab__.ts";
const PREVIOUS_CELLS = "__prev__.d.ts";
/** "await is only allowed within an async function". */
const AWAIT_OUTSIDE = 1308;
const UNTERMINATED_TEMPLATE = 1160;
const INLINE_MAP = /\/\/# sourceMappingURL=data:application\/json;base64,([\w+/=]+)\s*$/;

/** The program of the last compilation. */
let program = null;
let ts = null;

/** Puts the extended TypeScript in the place of tslab's, which must not be loaded yet. */
function extendCompiler() {
  const tslab = path.dirname(require.resolve("tslab/package.json"));
  const file = require.resolve("@tslab/typescript-for-tslab", { paths: [tslab] });
  ts = require(file);

  refreshDeclarations();
  // A project need not have the types of Node.js itself.
  const nodeTypes = path.dirname(require.resolve("@types/node/package.json", { paths: [tslab] }));
  const createWatchCompilerHost = (roots, options, system, ...rest) =>
    ts.createWatchCompilerHost(
      [...roots, ...ROOTS],
      {
        ...options,
        strict: true,
        inlineSourceMap: true,
        types: ["node"],
        typeRoots: [...options.typeRoots, path.dirname(nodeTypes)],
      },
      libraryView(system),
      ...rest,
    );

  const createWatchProgram = (host) => {
    const { afterProgramCreate } = host;
    host.afterProgramCreate = (builder) => {
      program = builder;
      const emit = builder.emit.bind(builder);
      builder.emit = (file, write, token, onlyDeclarations, transformers) => {
        const before = file?.fileName.endsWith(CELL) ? [transformCell] : [];
        return emit(file, write, token, onlyDeclarations, { ...transformers, before });
      };
      afterProgramCreate(builder);
    };
    return ts.createWatchProgram(host);
  };

  // tslab reads variables of earlier cells as properties of `exports`, but overlooks the shorthand `{ name }`.
  const visitEachChild = (node, visitor, ...rest) => {
    if (!ts.isShorthandPropertyAssignment(node) || !isOfPreviousCell(node))
      return ts.visitEachChild(node, visitor, ...rest);
    const { factory } = ts;
    const variable = factory.createPropertyAccessExpression(factory.createIdentifier("exports"), node.name);
    return factory.createPropertyAssignment(factory.createIdentifier(node.name.text), variable);
  };
  const isOfPreviousCell = (shorthand) => {
    const checker = program.getProgram().getTypeChecker();
    const { declarations = [] } = checker.getShorthandAssignmentValueSymbol(shorthand) ?? {};
    return declarations.some((declaration) => declaration.getSourceFile().fileName.endsWith(PREVIOUS_CELLS));
  };

  // tslab learns from this error that a cell awaits. TypeScript reports it for `await f()`, not for `await (f())` nor `for await`, and
  // tslab takes it as one of the cell's also in a method of an object: see `awaitsItself`.
  const getPreEmitDiagnosticsOfFiles = (checked, files) => {
    const cell = files.find(({ fileName }) => fileName.endsWith(CELL));
    const found = ts.getPreEmitDiagnosticsOfFiles(checked, files);
    if (!cell) return found;
    const starts = new Set(ownAwaits(cell));
    return found
      .filter(({ code, file, start }) => !(code === AWAIT_OUTSIDE && file === cell && starts.has(start)))
      .map((diagnostic) => (diagnostic.code === AWAIT_OUTSIDE ? { ...diagnostic, code: 0 } : diagnostic));
  };

  // The second of tslab's two passes, from modules of today to CommonJS.
  const transpileModule = (script, options) => {
    const [, encoded] = script.match(INLINE_MAP) ?? [];
    if (!encoded) return ts.transpileModule(script, options);
    const compilerOptions = { ...options.compilerOptions, sourceMap: true };
    const result = ts.transpileModule(script.replace(INLINE_MAP, ""), { ...options, compilerOptions });
    const outputText = result.outputText.replace(/\/\/# sourceMappingURL=.*\s*$/, "");
    addMaps(JSON.parse(Buffer.from(encoded, "base64").toString()), JSON.parse(result.sourceMapText));
    return { ...result, outputText };
  };

  require.cache[file].exports = {
    ...ts,
    createWatchCompilerHost,
    createWatchProgram,
    getPreEmitDiagnosticsOfFiles,
    visitEachChild,
    transpileModule,
  };
  nameScripts();
}

/**
 * Makes a cell's variables shared, and its awaits and loops places to stop.
 *
 * tslab copies each variable of a cell to `exports` when it is declared, where later cells read, assign and declare it. The cell's own
 * functions would keep reading the first copy; here they read and assign `exports` too. What cannot be assigned changes only if a later
 * cell declares it, so the code outside of functions reads the cell's own.
 */
function transformCell(context) {
  const { factory } = context;
  const checker = program.getProgram().getTypeChecker();
  const kernel = (name, ...values) => {
    const callee = factory.createPropertyAccessExpression(factory.createIdentifier("ferkitKernel"), name);
    return factory.createCallExpression(callee, undefined, values);
  };
  /** Puts a look at whether loops stop before the body of a loop. */
  const stoppable = (body) => {
    const stops = factory.createElementAccessExpression(factory.createIdentifier("ferkitStops"), 0);
    const stop = factory.createExpressionStatement(kernel("stopLoop"));
    return factory.createBlock([factory.createIfStatement(stops, stop), body], true);
  };
  const isAssigned = (declaration, cell) => {
    const node = ts.isBindingElement(declaration)
      ? ts.walkUpBindingElementsAndPatterns(declaration)
      : declaration;
    const list = node.parent;
    if (!ts.isVariableDeclaration(node) || !ts.isVariableDeclarationList(list)) return undefined;
    if (!ts.isVariableStatement(list.parent) || list.parent.parent !== cell) return undefined;
    return !(list.flags & ts.NodeFlags.Const);
  };
  /** Whether a function reads what the declaration is at that time. Code within a class, an enum or a namespace reads its own. */
  const isDeclaredAgain = (declaration, node, cell) => {
    if (isAssigned(declaration, cell) === false) return isInFunction(node, cell);
    if (declaration.parent !== cell || ts.isEnumConst(declaration)) return false;
    const isOpen = ts.isFunctionDeclaration(declaration);
    const isClosed =
      ts.isClassDeclaration(declaration) ||
      ts.isEnumDeclaration(declaration) ||
      (ts.isModuleDeclaration(declaration) && ts.isInstantiatedModule(declaration, false));
    return (
      (isOpen || (isClosed && !ts.findAncestor(node, (outer) => outer === declaration))) &&
      isInFunction(node, cell)
    );
  };
  const isInFunction = (node, cell) =>
    ts.findAncestor(node, (outer) => outer !== cell && hasOwnScope(outer)) !== undefined;
  /** Returns what stands for a name of the cell that later cells may change; undefined for any other. */
  const sharedValue = (name, symbol, node, cell) => {
    const declarations = symbol?.declarations ?? [];
    const target = factory.createPropertyAccessExpression(
      factory.createIdentifier("exports"),
      factory.createIdentifier(name),
    );
    if (declarations.some((declaration) => isAssigned(declaration, cell))) return target;
    if (!declarations.some((declaration) => isDeclaredAgain(declaration, node, cell))) return undefined;
    // The first part fails before the declaration has run, as it should.
    return factory.createParenthesizedExpression(factory.createComma(factory.createIdentifier(name), target));
  };
  const isReference = (node) => {
    const { parent } = node;
    return (
      !(ts.isPropertyAccessExpression(parent) && parent.name === node) &&
      !(parent.name === node && !ts.isShorthandPropertyAssignment(parent)) &&
      parent.propertyName !== node
    );
  };
  return (cell) => {
    const visit = (node) => {
      // A base class and `f<string>` are expressions with types.
      const isType = ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node);
      if (ts.isExportDeclaration(node) || isType) return node;
      if (ts.isAwaitExpression(node))
        return factory.updateAwaitExpression(node, kernel("pause", ts.visitNode(node.expression, visit)));
      if (ts.isForOfStatement(node) && node.awaitModifier) {
        const [initializer, each, body] = [node.initializer, node.expression, node.statement].map((part) =>
          ts.visitNode(part, visit),
        );
        return factory.updateForOfStatement(
          node,
          node.awaitModifier,
          initializer,
          kernel("pauseEach", each),
          body,
        );
      }
      if (ts.isIterationStatement(node, false))
        return ts.visitEachChild(
          node,
          (child) => (child === node.statement ? stoppable(ts.visitNode(child, visit)) : visit(child)),
          context,
        );
      if (ts.isShorthandPropertyAssignment(node)) {
        const symbol = checker.getShorthandAssignmentValueSymbol(node);
        const target = sharedValue(node.name.text, symbol, node, cell);
        if (!target) return ts.visitEachChild(node, visit, context);
        const { objectAssignmentInitializer: initializer } = node;
        const value = initializer
          ? factory.createAssignment(target, ts.visitNode(initializer, visit))
          : target;
        return factory.createPropertyAssignment(factory.createIdentifier(node.name.text), value);
      }
      if (ts.isIdentifier(node) && node.parent && isReference(node)) {
        const target = sharedValue(node.text, checker.getSymbolAtLocation(node), node, cell);
        if (target) return ts.setTextRange(target, node);
      }
      return ts.visitEachChild(node, visit, context);
    };
    // A function can be called before its declaration.
    const functions = cell.statements.filter(
      (node) => ts.isFunctionDeclaration(node) && node.body && node.name,
    );
    const hoisted = functions.map(({ name }) => {
      const target = factory.createPropertyAccessExpression(factory.createIdentifier("exports"), name.text);
      const value = factory.createAssignment(target, factory.createIdentifier(name.text));
      return factory.createExpressionStatement(value);
    });
    const visited = ts.visitEachChild(cell, visit, context);
    return factory.updateSourceFile(visited, [...hoisted, ...visited.statements]);
  };
}

/** Starts of the `await`s of a cell that no function of the cell, or other code with a scope of its own, contains. */
function ownAwaits(cell) {
  const starts = [];
  const visit = (node) => {
    if (ts.isAwaitExpression(node)) starts.push(node.getStart(cell));
    if (ts.isForOfStatement(node) && node.awaitModifier) starts.push(node.awaitModifier.getStart(cell));
    if (hasOwnScope(node)) {
      // A computed name belongs to what is around.
      if (node.name && ts.isComputedPropertyName(node.name)) visit(node.name);
    } else ts.forEachChild(node, visit);
  };
  visit(cell);
  return starts;
}

const hasOwnScope = (node) =>
  ts.isFunctionLike(node) ||
  ts.isPropertyDeclaration(node) ||
  ts.isClassStaticBlockDeclaration(node) ||
  ts.isModuleDeclaration(node);

/** Returns whether the cell that was compiled last awaits something itself, so that it must run as an async function. */
function awaitsItself() {
  return ownAwaits(lastCell().cell).length > 0;
}

/**
 * Blanks each `export` of a declaration of a cell, and keeps all positions. tslab exports what a cell declares itself, and twice is an
 * error.
 */
function withoutExports(code) {
  const cell = ts.createSourceFile(CELL, code, ts.ScriptTarget.Latest);
  let text = code;
  const blank = (start, end) => {
    text = text.slice(0, start) + text.slice(start, end).replace(/\S/g, " ") + text.slice(end);
  };
  for (const node of cell.statements) {
    const isPlainList = ts.isExportDeclaration(node) && !node.moduleSpecifier && node.exportClause;
    if (isPlainList && node.exportClause.elements.every(({ propertyName }) => !propertyName))
      blank(node.getStart(cell), node.end);
    const isAnonymous = (ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node)) && !node.name;
    if (ts.isExportAssignment(node) && !node.isExportEquals)
      blank(node.getStart(cell), node.expression.getStart(cell));
    else if (!isAnonymous)
      for (const { kind, end, pos } of node.modifiers ?? [])
        if (kind === ts.SyntaxKind.ExportKeyword || kind === ts.SyntaxKind.DefaultKeyword)
          blank(ts.skipTrivia(code, pos), end);
  }
  return text;
}

/** The cell that was inspected or completed last, and where it begins: after the line that tslab puts before it. */
function lastCell() {
  const files = program.getProgram().getSourceFiles();
  const cell = files.find(({ fileName }) => fileName.endsWith(CELL));
  return { cell, start: cell.text.indexOf("\n") + 1 };
}

/** Text in quotes around a position of that cell: where it begins, and what of it is before the position. Undefined elsewhere. */
function quotedBefore(position) {
  const { cell, start } = lastCell();
  const token = ts.findPrecedingToken(start + position, cell);
  if (!token || !ts.isStringLiteralLike(token)) return undefined;
  const begin = token.getStart(cell) + 1 - start;
  return begin > position ? undefined : { begin, text: cell.text.slice(start + begin, start + position) };
}

/** Returns whether code ends inside a template literal, which may have more lines. */
function endsInTemplate(code) {
  const { parseDiagnostics } = ts.createSourceFile(CELL, code, ts.ScriptTarget.Latest);
  return parseDiagnostics.some((found) => found.code === UNTERMINATED_TEMPLATE);
}

/** Signature of the call around a position of the cell that was inspected last, with its documentation; empty outside of calls. */
function signatureAt(position) {
  const { cell, start } = lastCell();
  const never = { isCancellationRequested: () => false, throwIfCancellationRequested: () => {} };
  const found = ts.SignatureHelp.getSignatureHelpItems(
    program.getProgram(),
    cell,
    start + position,
    undefined,
    never,
  );
  if (!found) return "";
  const text = (parts) => parts.map((part) => part.text).join("");
  const { prefixDisplayParts, separatorDisplayParts, suffixDisplayParts, parameters, documentation } =
    found.items[found.selectedItemIndex];
  const separator = text(separatorDisplayParts);
  const signature =
    text(prefixDisplayParts) +
    parameters.map((parameter) => text(parameter.displayParts)).join(separator) +
    text(suffixDisplayParts);
  const described = parameters
    .filter((parameter) => parameter.documentation.length > 0)
    .map((parameter) => `@param ${parameter.name} ${text(parameter.documentation)}`);
  return [signature, text(documentation), described.join("\n")].filter((part) => part !== "").join("\n\n");
}

/** Gives each cell's script a name, by which its lines are found again in a stack, and lets interrupts arrive after it. */
function nameScripts() {
  const { runInThisContext } = vm;
  vm.runInThisContext = (code, options) => {
    try {
      return runInThisContext(code, { ...options, filename: nextCellFile() ?? options?.filename });
    } finally {
      if (options?.breakOnSigint) outsideCells(listenAgain);
    }
  };
}

/** Listens to interrupts again: Node.js forgets to if a script that may be broken off has added a listener. */
function listenAgain() {
  const listeners = process.rawListeners("SIGINT");
  process.removeAllListeners("SIGINT");
  for (const listener of listeners) process.on("SIGINT", listener);
}

module.exports = { awaitsItself, endsInTemplate, extendCompiler, quotedBefore, signatureAt, withoutExports };
