// tslab takes its compiler options from nobody: here they get strict, positions in cells survive, `{ name }` finds a variable
// of an earlier cell, and a cell may loop with `for await`.
const path = require("node:path");
const vm = require("node:vm");
const { addMaps, nextCellFile } = require("./source-positions.cjs");

/** The cell, and the declarations of earlier ones, as tslab names them. */
const CELL = "__tslab__.ts";
const PREVIOUS_CELLS = "__prev__.d.ts";
/** "await is only allowed within an async function": what tslab makes a cell asynchronous for. */
const TOP_LEVEL_AWAIT = 1308;
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

  // TypeScript allows `for await` there, so that tslab does not learn of it.
  const getPreEmitDiagnosticsOfFiles = (checked, files) => {
    const cell = files.find(({ fileName }) => fileName.endsWith(CELL));
    const found = ts.getPreEmitDiagnosticsOfFiles(checked, files);
    return cell ? [...found, ...topLevelForAwaits(cell, cell)] : found;
  };
  const topLevelForAwaits = (cell, node) => {
    if (ts.isFunctionLike(node)) return [];
    const inner = [];
    ts.forEachChild(node, (child) => {
      inner.push(...topLevelForAwaits(cell, child));
    });
    if (!ts.isForOfStatement(node) || !node.awaitModifier) return inner;
    const start = node.awaitModifier.getStart(cell);
    const diagnostic = { file: cell, start, length: "await".length, code: TOP_LEVEL_AWAIT, messageText: "" };
    return [diagnostic, ...inner];
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

/** Gives each cell's script a name, by which its lines are found again in a stack. */
function nameScripts() {
  const { runInThisContext } = vm;
  vm.runInThisContext = (code, options) =>
    runInThisContext(code, { ...options, filename: nextCellFile() ?? options?.filename });
}

module.exports = { mendCompiler };
