// tslab takes its compiler options from nobody: here they get strict, positions in cells survive, and `{ name }` finds a
// variable of an earlier cell.
const path = require("node:path");
const vm = require("node:vm");
const { addMaps, nextCellFile } = require("./source-positions.cjs");

/** The declarations of earlier cells, as tslab names them. */
const PREVIOUS_CELLS = "__prev__.d.ts";
const INLINE_MAP = /\/\/# sourceMappingURL=data:application\/json;base64,([\w+/=]+)\s*$/;

/** Puts the mended TypeScript in the place of tslab's, which must not be loaded yet. */
function mendCompiler() {
  const tslab = path.dirname(require.resolve("tslab/package.json"));
  const file = require.resolve("@tslab/typescript-for-tslab", { paths: [tslab] });
  const ts = require(file);
  let program = null;

  const createWatchCompilerHost = (roots, options, ...rest) =>
    ts.createWatchCompilerHost(roots, { ...options, strict: true, inlineSourceMap: true }, ...rest);

  const createWatchProgram = (host) => {
    const { afterProgramCreate } = host;
    host.afterProgramCreate = (builder) => {
      program = builder;
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
    visitEachChild,
    transpileModule,
  };
  nameScripts();
}

/** Gives each cell's script a name, by which its lines are found again in a stack. */
function nameScripts() {
  const { runInThisContext } = vm;
  vm.runInThisContext = (code, options) =>
    runInThisContext(code, { ...options, filename: nextCellFile() ?? options?.filename });
}

module.exports = { mendCompiler };
