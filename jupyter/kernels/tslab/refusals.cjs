// What a cell cannot have though its types are right: each is an error that says what to do instead.
const { ts } = require("./typescript.cjs");

/** Names that the compiled code of a cell uses. A declaration of the same name would take their place. */
const RESERVED = new Set(["exports", "require", "Object", "ferkitKernel", "ferkitStops", "tsLastExpr"]);
const FOLDER = "Cells belong to no file. For the folder that paths count from: process.cwd()";
/** Names that Node.js gives to files, but not to cells. */
const MISSING = {
  __dirname: FOLDER,
  __filename: FOLDER,
  module: "Cells are no modules. What a cell declares, later cells see without an export.",
};

/** Returns the errors of a cell that the compiler would not find. */
function refusalsOf(cell, checker) {
  return [...declaredNames(cell), ...exported(cell), ...missingNames(cell, checker)].map(
    ([node, messageText]) => ({
      file: cell,
      start: node.getStart(cell),
      length: node.getWidth(cell),
      messageText,
      category: ts.DiagnosticCategory.Error,
      code: 0,
    }),
  );
}

/** Finds values that the cell declares, or imports, under a reserved name. */
function declaredNames(cell) {
  const { Alias, Value } = ts.SymbolFlags;
  return [...(cell.locals?.values() ?? [])]
    .filter(({ flags, name }) => flags & (Alias | Value) && RESERVED.has(name))
    .flatMap(({ declarations }) => declarations.slice(0, 1))
    .filter((declaration) => !(ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Ambient))
    .map(({ name }) => [
      name,
      `A cell cannot declare ${name.text}, which its compiled code uses. Choose another name.`,
    ]);
}

/** Finds exports that later cells would not see. */
function exported(cell) {
  return cell.statements.filter(ts.isExportDeclaration).flatMap((node) => {
    if (!node.exportClause) {
      const from = node.moduleSpecifier.getText(cell);
      return [
        [
          node,
          `Cells cannot export all names of a module. Import what later cells use: import * as name from ${from};`,
        ],
      ];
    }
    return renamedTypes(node).map((element) => [
      element,
      `Cells cannot export a type under another name. Write: type ${element.name.text} = ${element.propertyName.text};`,
    ]);
  });
}

/** Returns the types that a list of exports gives another name. */
function renamedTypes({ exportClause, isTypeOnly, moduleSpecifier }) {
  if (moduleSpecifier || !exportClause || !ts.isNamedExports(exportClause)) return [];
  return exportClause.elements.filter((one) => one.propertyName && (isTypeOnly || one.isTypeOnly));
}

/** Finds uses of what only files have. */
function missingNames(cell, checker) {
  const found = [];
  const visit = (node) => {
    if (ts.isTypeNode(node) || ts.isTypeOfExpression(node)) return; // `typeof module` asks whether it is there
    if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword)
      found.push([node, FOLDER]);
    if (ts.isIdentifier(node) && Object.hasOwn(MISSING, node.text) && isOfNode(node, checker))
      found.push([node, MISSING[node.text]]);
    ts.forEachChild(node, visit);
  };
  visit(cell);
  return found;
}

/** Whether a name means what the types of Node.js declare. */
function isOfNode(node, checker) {
  const { declarations = [] } = checker.getSymbolAtLocation(node) ?? {};
  return declarations.length > 0 && declarations.every((one) => isNodeType(one.getSourceFile().fileName));
}

const isNodeType = (file) => file.includes("/@types/node/");

module.exports = { refusalsOf, renamedTypes };
