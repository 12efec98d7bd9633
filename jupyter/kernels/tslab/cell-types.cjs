// The types that later cells see of what a cell declares: declarations, as the compiler writes them for a library. A library must be able
// to name each type; a cell need not. What cannot be named is `any` for later cells, so that a valid cell runs.
const { innerVars, isAmbientValue } = require("./cell-code.cjs");
const { ts } = require("./typescript.cjs");

const { factory } = ts;
const anyType = () => factory.createKeywordTypeNode(ts.SyntaxKind.AnyKeyword);

/**
 * Makes the transformer of a cell's declarations.
 *
 * @param cell - As it was written.
 */
const transformTypes = (checker, cell) => (context) => {
  let isNameable = true;
  context.addDiagnostic = () => {
    isNameable = false;
  };
  const visit = (node) => {
    if (ts.isVariableDeclaration(node)) {
      const type = importedType(node.name, checker);
      if (type) return factory.updateVariableDeclaration(node, node.name, undefined, type, undefined);
    }
    if (ts.isPropertySignature(node) && ts.isComputedPropertyName(node.name)) {
      const { expression } = node.name;
      if (ts.isIdentifier(expression) && !isKnown(expression, checker, cell)) return undefined; // a symbol
    }
    if (ts.isTypeReferenceNode(node) && !isKnown(leftmost(node.typeName), checker, cell)) return anyType();
    if (ts.isTypeQueryNode(node) && !isKnown(leftmost(node.exprName), checker, cell)) return anyType();
    return ts.visitEachChild(node, visit, context);
  };
  return (declarations) => {
    const nameable = isNameable ? declarations : ts.visitEachChild(declarations, visit, context);
    const shared = nameable.statements.filter((node) => !isAmbientValue(ts.getParseTreeNode(node) ?? node));
    const inner = innerDeclarations(checker, cell, namesOf(shared)).map((node) => ts.visitNode(node, visit));
    return factory.updateSourceFile(nameable, [...shared, ...inner]);
  };
};

/** Names of the variables that are declared already. */
function namesOf(statements) {
  const lists = statements.filter(ts.isVariableStatement).map(({ declarationList }) => declarationList);
  return new Set(lists.flatMap(({ declarations }) => declarations.map(({ name }) => name.text)));
}

/** Declares what the cell declares with `var` in loops and blocks, which the compiler leaves out. */
function innerDeclarations(checker, cell, declared) {
  const symbols = new Set(innerVars(cell).map((name) => checker.getSymbolAtLocation(name)));
  return [...symbols]
    .filter(({ name }) => !declared.has(name))
    .map((symbol) => {
      const type = checker.typeToTypeNode(
        checker.getTypeOfSymbol(symbol),
        cell,
        ts.NodeBuilderFlags.NoTruncation,
      );
      const variable = factory.createVariableDeclaration(symbol.name, undefined, type ?? anyType());
      return factory.createVariableStatement(
        [factory.createModifier(ts.SyntaxKind.DeclareKeyword)],
        factory.createVariableDeclarationList([variable], ts.NodeFlags.Let),
      );
    });
}

const leftmost = (name) => (ts.isQualifiedName(name) ? leftmost(name.left) : name);

/** Whether a name means the same at the top of the cell. Names that the compiler wrote have a symbol. */
function isKnown({ text, symbol }, checker, cell) {
  if (!symbol || symbol.flags & ts.SymbolFlags.TypeParameter) return true;
  const { Type, Value, Namespace, Alias } = ts.SymbolFlags;
  const found = checker.resolveName(text, cell, Type | Value | Namespace | Alias, false);
  if (!found) return false;
  const target = (one) => (one.flags & Alias ? checker.getAliasedSymbol(one) : one);
  return target(found) === target(symbol);
}

/**
 * Returns `typeof import("module")`, or of what is taken from it, for a variable of `await import("module")`; undefined for others.
 * The compiler would list all that is in the module, also what has no name outside of it.
 */
function importedType(name, checker) {
  const own = ts.getParseTreeNode(name);
  if (!own || !ts.isIdentifier(own)) return undefined;
  const { parent } = own;
  if (ts.isVariableDeclaration(parent)) {
    const module = importedModule(parent, checker);
    return module && typeOfImport(module, checker.getTypeAtLocation(own));
  }
  if (!ts.isBindingElement(parent) || parent.initializer || parent.dotDotDotToken) return undefined;
  const member = parent.propertyName ?? own;
  const declaration = parent.parent.parent;
  const module = ts.isIdentifier(member) ? importedModule(declaration, checker) : undefined;
  return module?.symbol.exports.has(member.escapedText)
    ? factory.createImportTypeNode(
        module.argument,
        undefined,
        factory.createIdentifier(member.text),
        [],
        true,
      )
    : undefined;
}

/** Returns the module that a variable is initialized with: its symbol, and its name as a type. */
function importedModule({ type, initializer }, checker) {
  if (type || !initializer || !ts.isAwaitExpression(initializer)) return undefined;
  const call = initializer.expression;
  if (!ts.isCallExpression(call) || call.expression.kind !== ts.SyntaxKind.ImportKeyword) return undefined;
  const [specifier] = call.arguments;
  if (!specifier || !ts.isStringLiteralLike(specifier)) return undefined;
  const symbol = checker.getSymbolAtLocation(specifier);
  if (!symbol?.exports || symbol.exports.has("export=")) return undefined; // what it is depends on how it is imported
  const argument = factory.createLiteralTypeNode(factory.createStringLiteral(specifier.text));
  return { symbol, argument };
}

/** Adds the `default` that a module of CommonJS gets when it is imported. */
function typeOfImport({ symbol, argument }, type) {
  const module = () => factory.createImportTypeNode(argument, undefined, undefined, undefined, true);
  if (symbol.exports.has("default") || !type.getProperty("default")) return module();
  const member = factory.createPropertySignature(undefined, "default", undefined, module());
  return factory.createIntersectionTypeNode([module(), factory.createTypeLiteralNode([member])]);
}

module.exports = { transformTypes };
