// Changes the code of a cell, in the two passes in which tslab compiles it: its variables are shared with the other cells, and each
// `await` and each turn of a loop is a place where it can be stopped.
const { renamedTypes } = require("./refusals.cjs");
const { ts } = require("./typescript.cjs");

/** The cell, and the declarations of earlier ones, as tslab names them. */
const CELL = "__tslab__.ts";
const PREVIOUS_CELLS = "__prev__.d.ts";
const { factory } = ts;

const isCell = ({ fileName }) => fileName.endsWith(CELL);
const kernelCall = (name, ...values) =>
  factory.createCallExpression(
    factory.createPropertyAccessExpression(factory.createIdentifier("ferkitKernel"), name),
    undefined,
    values,
  );
/** What all cells have under a name. */
const shared = (name) => factory.createPropertyAccessExpression(factory.createIdentifier("exports"), name);

/**
 * Makes the transformer of the first pass, from TypeScript to modules of today.
 *
 * tslab copies each variable of a cell to `exports` when it is declared, where later cells read, assign and declare it. The cell's own
 * functions would keep reading the first copy; here they read and assign `exports` too. What cannot be assigned changes only if a later
 * cell declares it, so the code outside of functions reads the cell's own.
 */
const transformCell = (checker) => (context) => (cell) => {
  const visitChildren = (node) => ts.visitEachChild(node, visit, context);
  const visit = (node) => {
    if (isOnlyType(node)) return node;
    if (ts.isVariableDeclarationList(node) && isInnerVar(node, cell)) return assignmentsOf(node);
    if (ts.isVariableStatement(node) && isInnerVar(node.declarationList, cell)) {
      const assignments = assignmentsOf(node.declarationList);
      return assignments ? factory.createExpressionStatement(assignments) : factory.createEmptyStatement();
    }
    if (ts.isAwaitExpression(node))
      return factory.updateAwaitExpression(node, kernelCall("pause", ts.visitNode(node.expression, visit)));
    if (ts.isForOfStatement(node) && node.awaitModifier) {
      const { awaitModifier, initializer, expression, statement } = visitChildren(node);
      const each = kernelCall("pauseEach", expression);
      return factory.updateForOfStatement(node, awaitModifier, initializer, each, statement);
    }
    if (ts.isIterationStatement(node, false))
      return ts.visitEachChild(
        node,
        (child) => (child === node.statement ? stoppable(ts.visitNode(child, visit)) : visit(child)),
        context,
      );
    if (isBareVar(node, cell))
      // It keeps what the cell has assigned above.
      return factory.updateVariableDeclaration(node, node.name, undefined, node.type, shared(node.name.text));
    if (ts.isShorthandPropertyAssignment(node)) return visitShorthand(node) ?? visitChildren(node);
    if (ts.isIdentifier(node) && node.parent && isReference(node)) {
      const value = sharedValue(node, checker.getSymbolAtLocation(node), cell);
      return value ? ts.setTextRange(value, node) : node;
    }
    return visitChildren(node);
  };
  const visitShorthand = (node) => {
    const symbol = checker.getShorthandAssignmentValueSymbol(node);
    // tslab itself overlooks `{ name }`, with a name of an earlier cell.
    const value = isOfEarlierCell(symbol) ? shared(node.name.text) : sharedValue(node.name, symbol, cell);
    if (!value) return undefined;
    const { objectAssignmentInitializer: initial } = node; // as in `({ name = 1 } = object)`
    return factory.createPropertyAssignment(
      node.name.text,
      initial ? factory.createAssignment(value, ts.visitNode(initial, visit)) : value,
    );
  };
  /** Returns what stands for a `var` in a loop or block: it assigns what all cells have. Undefined if there is nothing to assign. */
  const assignmentsOf = ({ declarations, parent }) => {
    // The loop assigns: `for (exports.i of list)`.
    if (ts.isForInStatement(parent) || ts.isForOfStatement(parent)) return targetOf(declarations[0].name);
    const assigned = declarations
      .filter(({ initializer }) => initializer)
      .map(({ name, initializer }) =>
        factory.createAssignment(targetOf(name), ts.visitNode(initializer, visit)),
      );
    return assigned.length > 0 ? factory.inlineExpressions(assigned) : undefined;
  };
  /** Returns what an assignment to the names of a binding has on its left: `{ a: exports.a }` for `{ a }`. */
  const targetOf = (binding) => {
    if (ts.isIdentifier(binding)) return shared(binding.text);
    const isArray = ts.isArrayBindingPattern(binding);
    const elements = binding.elements.map((element) => {
      if (ts.isOmittedExpression(element)) return element;
      const { dotDotDotToken, initializer, name, propertyName } = element;
      const target = targetOf(name);
      if (dotDotDotToken)
        return isArray ? factory.createSpreadElement(target) : factory.createSpreadAssignment(target);
      const value = initializer ? factory.createAssignment(target, ts.visitNode(initializer, visit)) : target;
      const key = propertyName ? ts.visitNode(propertyName, visit) : name.text;
      return isArray ? value : factory.createPropertyAssignment(key, value);
    });
    return isArray
      ? factory.createArrayLiteralExpression(elements)
      : factory.createObjectLiteralExpression(elements);
  };
  const visited = visitChildren(cell);
  return factory.updateSourceFile(visited, [...hoisted(cell), ...visited.statements]);
};

/** Whether a node is a variable of the cell that is declared with `var` and no value. */
const isBareVar = (node, cell) =>
  ts.isVariableDeclaration(node) &&
  !node.initializer &&
  keywordOf(node, cell) === "let" &&
  !(node.parent.flags & ts.NodeFlags.BlockScoped) &&
  !isAmbient(node);

/** Whether a node is a declaration with `declare`, which only says what is there. It holds for its cell: later ones would read a variable. */
const isAmbient = (node) => (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Ambient) !== 0;

/** Whether a node is about types alone, or a list of exports. A base class and `f<string>` are expressions with types. */
const isOnlyType = (node) =>
  ts.isExportDeclaration(node) || (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node));

/** Puts a look at whether loops stop before the body of a loop. */
function stoppable(body) {
  const stops = factory.createElementAccessExpression(factory.createIdentifier("ferkitStops"), 0);
  const stop = factory.createExpressionStatement(kernelCall("stopLoop"));
  return factory.createBlock([factory.createIfStatement(stops, stop), body], true);
}

/** Statements that share a cell's functions at its start: a function can be called before its declaration. */
function hoisted(cell) {
  return cell.statements
    .filter((node) => ts.isFunctionDeclaration(node) && node.body && node.name)
    .map(({ name: { text } }) =>
      factory.createExpressionStatement(
        factory.createAssignment(shared(text), factory.createIdentifier(text)),
      ),
    );
}

/** Whether an identifier stands for a value, not for a property or for what it declares. */
function isReference(node) {
  const { parent } = node;
  return (
    !(ts.isPropertyAccessExpression(parent) && parent.name === node) &&
    !(parent.name === node && !ts.isShorthandPropertyAssignment(parent)) &&
    parent.propertyName !== node
  );
}

const isOfEarlierCell = (symbol) =>
  (symbol?.declarations ?? []).some((declaration) =>
    declaration.getSourceFile().fileName.endsWith(PREVIOUS_CELLS),
  );

/** Returns what stands for a name of the cell that later cells may change; undefined for any other. */
function sharedValue(node, symbol, cell) {
  const declarations = (symbol?.declarations ?? []).filter((declaration) => !isAmbient(declaration));
  if (declarations.some((declaration) => keywordOf(declaration, cell) === "let")) return shared(node.text);
  const isSeenAgain = declarations.some((declaration) => canBeDeclaredAgain(declaration, node, cell));
  if (!isSeenAgain || !isInFunction(node, cell)) return undefined;
  // The first part fails before the declaration has run, as it should.
  const value = factory.createComma(factory.createIdentifier(node.text), shared(node.text));
  return factory.createParenthesizedExpression(value);
}

/** Whether a name of the cell can be another thing when it is read. Code within a class, an enum or a namespace reads its own. */
function canBeDeclaredAgain(declaration, node, cell) {
  if (keywordOf(declaration, cell) === "const") return true;
  if (declaration.parent !== cell || ts.isEnumConst(declaration)) return false;
  if (ts.isFunctionDeclaration(declaration)) return true;
  const hasInnerName =
    ts.isClassDeclaration(declaration) ||
    ts.isEnumDeclaration(declaration) ||
    (ts.isModuleDeclaration(declaration) && ts.isInstantiatedModule(declaration, false));
  return hasInnerName && !ts.findAncestor(node, (outer) => outer === declaration);
}

/** Returns "const", or "let" for `var` too, if a declaration is that of a variable of the cell itself; otherwise undefined. */
function keywordOf(declaration, cell) {
  const node = ts.isBindingElement(declaration)
    ? ts.walkUpBindingElementsAndPatterns(declaration)
    : declaration;
  const list = node.parent;
  if (!ts.isVariableDeclaration(node) || !ts.isVariableDeclarationList(list)) return undefined;
  if (!isOnTop(list, cell) && !isInnerVar(list, cell)) return undefined;
  return list.flags & ts.NodeFlags.Const ? "const" : "let";
}

const isOnTop = (list, cell) => ts.isVariableStatement(list.parent) && list.parent.parent === cell;

/** Whether variables are those of a `var` in a loop or block, which belong to the cell itself. */
const isInnerVar = (list, cell) =>
  !(list.flags & ts.NodeFlags.BlockScoped) &&
  list.getSourceFile() === cell &&
  !isOnTop(list, cell) &&
  !isInFunction(list, cell);

/** Names that are declared by a `var` in a loop or block of a cell and that belong to the cell itself. */
function innerVars(cell) {
  const names = [];
  const addNames = (binding) => {
    if (ts.isIdentifier(binding)) names.push(binding);
    else for (const element of binding.elements) if (element.name) addNames(element.name);
  };
  const visit = (node) => {
    if (ts.isVariableDeclarationList(node) && isInnerVar(node, cell))
      for (const { name } of node.declarations) addNames(name);
    ts.forEachChild(node, visit);
  };
  visit(cell);
  return names;
}

const isInFunction = (node, cell) =>
  ts.findAncestor(node, (outer) => outer !== cell && hasOwnScope(outer)) !== undefined;

const hasOwnScope = (node) =>
  ts.isFunctionLike(node) ||
  ts.isPropertyDeclaration(node) ||
  ts.isClassStaticBlockDeclaration(node) ||
  ts.isModuleDeclaration(node);

/**
 * Transforms a cell in the second pass, from modules of today to CommonJS: looks each shared variable up once, so that reading and
 * assigning it costs as little as with any other. `exports`, a proxy, would cost a hundred times as much.
 */
const shareQuickly = (context) => (file) => {
  if (declaresExports(file)) return file; // whose properties may be something else
  const variables = new Map();
  const variable = (name) => {
    if (!variables.has(name)) variables.set(name, factory.createUniqueName(name));
    return factory.createPropertyAccessExpression(variables.get(name), "value");
  };
  const visit = (node) => {
    if (isSharedName(node)) return ts.setTextRange(variable(node.name.text), node);
    const visited = ts.visitEachChild(node, visit, context);
    // Otherwise the function would get the variable as `this`.
    const called = (callee) =>
      factory.createParenthesizedExpression(factory.createComma(factory.createNumericLiteral(0), callee));
    if (ts.isCallExpression(node) && isSharedName(node.expression))
      return factory.updateCallExpression(visited, called(visited.expression), undefined, visited.arguments);
    if (ts.isTaggedTemplateExpression(node) && isSharedName(node.tag))
      return factory.updateTaggedTemplateExpression(
        visited,
        called(visited.tag),
        undefined,
        visited.template,
      );
    return visited;
  };
  const visited = ts.visitEachChild(file, visit, context);
  const found = [...variables].map(([name, identifier]) =>
    factory.createVariableDeclaration(
      identifier,
      undefined,
      undefined,
      kernelCall("variable", factory.createStringLiteral(name)),
    ),
  );
  if (found.length === 0) return visited;
  const list = factory.createVariableDeclarationList(found, ts.NodeFlags.Const);
  const first = visited.statements.findIndex((node) => !ts.isPrologueDirective(node)); // "use strict" comes before
  return factory.updateSourceFile(
    visited,
    visited.statements.toSpliced(first, 0, factory.createVariableStatement(undefined, list)),
  );
};

const isSharedName = (node) =>
  ts.isPropertyAccessExpression(node) &&
  ts.isIdentifier(node.expression) &&
  node.expression.text === "exports";

const declaresExports = (node) =>
  (node.name?.kind === ts.SyntaxKind.Identifier && node.name.text === "exports") ||
  ts.forEachChild(node, declaresExports) === true;

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

/**
 * Blanks each `export` of a declaration of a cell, and keeps all positions. tslab exports what a cell declares itself, and twice is an
 * error. What a cell exports from a module, it imports, and what it exports under another name, it declares: later cells see both.
 */
function withoutExports(code) {
  const cell = ts.createSourceFile(CELL, code, ts.ScriptTarget.Latest);
  let text = code;
  const replace = (start, part) => {
    text = text.slice(0, start) + part + text.slice(start + part.length);
  };
  const blank = (start, end) => replace(start, text.slice(start, end).replace(/\S/g, " "));
  for (const node of cell.statements) {
    const isList = ts.isExportDeclaration(node) && node.exportClause;
    if (isList && node.moduleSpecifier) replace(node.getStart(cell), "import");
    else if (isList && renamedTypes(node).length === 0) {
      blank(node.getStart(cell), node.end);
      const renamed = node.exportClause.elements.filter(
        ({ name, propertyName }) => propertyName && name.text !== "default",
      );
      renamed.forEach((element, i) => {
        const { name, propertyName } = element;
        replace(element.getStart(cell), `${i > 0 ? "," : ""}${name.text}=${propertyName.text}`);
      });
      if (renamed.length > 0) {
        replace(node.getStart(cell), "const ");
        replace(node.end - 1, ";");
      }
    }
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

/**
 * Returns the text of a cell with the names that it shares in the list of exports, which tslab has put at its end. There, two `_` before a
 * name are three, and `declare global` has a name.
 */
function withNames(text) {
  return text.replace(/\nexport \{([^{}]*)\}$/, (_, keys) => {
    const { statements } = ts.createSourceFile(CELL, text, ts.ScriptTarget.Latest);
    const ambient = new Set(["__global", ...statements.filter(isAmbientValue).flatMap(keysOf)]);
    const names = keys.split(", ").filter((key) => !ambient.has(key) && !key.startsWith('"'));
    return `\nexport {${names.map(ts.unescapeLeadingUnderscores).join(", ")}}`;
  });
}

/** Whether a statement only declares something that is not a type. */
const isAmbientValue = (node) =>
  node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.DeclareKeyword) &&
  !ts.isInterfaceDeclaration(node) &&
  !ts.isTypeAliasDeclaration(node);

const keysOf = ({ name, declarationList }) =>
  (declarationList?.declarations ?? [{ name }]).map((one) => one.name.escapedText);

module.exports = {
  CELL,
  innerVars,
  isAmbientValue,
  isCell,
  ownAwaits,
  shareQuickly,
  transformCell,
  withNames,
  withoutExports,
};
