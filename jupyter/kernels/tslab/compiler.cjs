// Extends the TypeScript compiler inside tslab, which has no options of its own: checks are strict, positions in cells survive, a cell
// may loop with `for await`, and its code is changed as cell-code.cjs says.
const path = require("node:path");
const { CELL, isCell, ownAwaits, shareQuickly, transformCell, withoutExports } = require("./cell-code.cjs");
const { transformTypes } = require("./cell-types.cjs");
const { libraryView, refreshDeclarations, ROOTS } = require("./library.cjs");
const { refusalsOf } = require("./refusals.cjs");
const { file: typescript, ts, tslab } = require("./typescript.cjs");

/** "await is only allowed within an async function". */
const AWAIT_OUTSIDE = 1308;
const UNTERMINATED_TEMPLATE = 1160;
/** See `withNames`. */
const LIST_OF_EXPORTS = /\nexport \{[^{}]*\}$/;
const INLINE_MAP = /\/\/# sourceMappingURL=data:application\/json;base64,([\w+/=]+)\s*$/;

/** The program of the last compilation. */
let program = null;
/** Source maps of that compilation, a pair for each file: see `addMaps`. */
let maps = [];

/** Puts the extended TypeScript in the place of tslab's, which must not be loaded yet. */
function extendCompiler() {
  refreshDeclarations();
  // A project need not have the types of Node.js itself.
  const nodeTypes = path.dirname(require.resolve("@types/node/package.json", { paths: [tslab] }));
  const createWatchCompilerHost = (roots, options, system, _, ...rest) =>
    ts.createWatchCompilerHost(
      [...roots, ...ROOTS],
      {
        ...options,
        lib: [...options.lib, "lib.es2023.d.ts"], // which Node.js has since version 20
        strict: true,
        inlineSourceMap: true,
        types: ["node"],
        typeRoots: [...options.typeRoots, path.dirname(nodeTypes)],
      },
      libraryView(system),
      createBuilder,
      ...rest,
    );

  const createWatchProgram = (host) => {
    const { afterProgramCreate } = host;
    host.afterProgramCreate = (builder) => {
      program = builder;
      const emit = builder.emit.bind(builder);
      builder.emit = (file, write, token, onlyDeclarations, transformers) => {
        const checker = program.getProgram().getTypeChecker();
        const before = file && isCell(file) ? [transformCell(checker)] : [];
        const afterDeclarations = [transformTypes(checker, file), ...transformers.afterDeclarations];
        return emit(file, write, token, onlyDeclarations, { ...transformers, before, afterDeclarations });
      };
      afterProgramCreate(builder);
    };
    return ts.createWatchProgram(host);
  };

  // tslab learns from this error that a cell awaits. TypeScript reports it for `await f()`, not for `await (f())` nor `for await`, and
  // tslab takes it as one of the cell's also in a method of an object: see `awaitsItself`.
  const getPreEmitDiagnosticsOfFiles = (checked, files) => {
    const cell = files.find(isCell);
    // What cannot be declared is no error of the cell: see cell-types.cjs.
    const found = ts.getPreEmitDiagnosticsOfFiles({ ...checked, getDeclarationDiagnostics: () => [] }, files);
    if (!cell) return found;
    const starts = new Set(ownAwaits(cell));
    return [...withinCode(found, cell), ...refusalsOf(cell, checked.getTypeChecker())]
      .filter(({ code, file, start }) => !(code === AWAIT_OUTSIDE && file === cell && starts.has(start)))
      .map((diagnostic) => (diagnostic.code === AWAIT_OUTSIDE ? { ...diagnostic, code: 0 } : diagnostic));
  };

  // The second of tslab's two passes, from modules of today to CommonJS.
  const transpileModule = (script, options) => {
    const [, encoded] = script.match(INLINE_MAP) ?? [];
    if (!encoded) return ts.transpileModule(script, options);
    // Modules are strict, and so were they checked.
    const compilerOptions = { ...options.compilerOptions, noImplicitUseStrict: false, sourceMap: true };
    const map = JSON.parse(Buffer.from(encoded, "base64").toString());
    const transformers = { after: isCell({ fileName: map.sources[0] }) ? [shareQuickly] : [] };
    const source = script.replace(INLINE_MAP, "");
    const result = ts.transpileModule(source, { ...options, compilerOptions, transformers });
    const outputText = result.outputText.replace(/\/\/# sourceMappingURL=.*\s*$/, "");
    maps.push([map, JSON.parse(result.sourceMapText)]);
    return { ...result, outputText };
  };

  require.cache[typescript].exports = {
    ...ts,
    createWatchCompilerHost,
    createWatchProgram,
    getPreEmitDiagnosticsOfFiles,
    transpileModule,
  };
}

/** Moves syntax errors to the end of the code that are in the list of exports, which tslab puts below it, and says what they mean. */
function withinCode(found, cell) {
  const end = cell.text.search(LIST_OF_EXPORTS);
  if (end < 0 || !cell.parseDiagnostics.some(({ start }) => start >= end)) return found;
  const isBelow = ({ file, start }) => file === cell && start >= end;
  const messageText = "The cell ends too early: a bracket, a quote or a name is missing.";
  const early = { ...found.find(isBelow), start: end, length: 0, messageText };
  return [...found.filter((one) => !isBelow(one)), early];
}

/** Makes a program of cells. TypeScript's own builder keeps, at each change, which file depends on which of all declarations. */
function createBuilder(...args) {
  const builder = ts.createAbstractBuilder(...args);
  const made = builder.getProgram();
  // tslab reads the names that a cell declares before the cell is checked.
  for (const file of made.getSourceFiles()) ts.bindSourceFile(file, made.getCompilerOptions());
  builder.getAllDependencies = (file) => sourcesBehind(made, file);
  return builder;
}

/** Returns a file and the files that it loads, directly or not, without those of declarations. */
function sourcesBehind(made, file) {
  const found = new Set([file.fileName]);
  for (const name of found)
    made.getSourceFile(name)?.resolvedModules?.forEach(({ resolvedModule }) => {
      const loaded = resolvedModule && made.getSourceFile(resolvedModule.resolvedFileName);
      if (loaded && !loaded.isDeclarationFile) found.add(loaded.fileName);
    });
  return [...found];
}

/**
 * Compiles a cell.
 *
 * @param converter - tslab's.
 * @param declarations - Those of the earlier cells.
 * @returns What tslab returns, with the names that the cell declares, whether it awaits something itself, its source maps, and whether it
 * loads files of the project, which are compiled with it once.
 */
function compile(converter, declarations, code) {
  maps = [];
  const result = converter.convert(declarations, withoutExports(code));
  return {
    ...result,
    declOutput: `${result.declOutput ?? ""}${keptNamespaces(declarations)}`,
    names: declaredNames(),
    hasToplevelAwait: awaitsItself(),
    maps,
    loadsFiles: sourcesBehind(program.getProgram(), lastCell().cell).length > 1,
  };
}

/** Returns whether the cell that was compiled last awaits something itself, so that it must run as an async function. */
function awaitsItself() {
  return ownAwaits(lastCell().cell).length > 0;
}

/** The cell that was inspected or completed last, and where it begins: after the line that tslab puts before it. */
function lastCell() {
  const files = program.getProgram().getSourceFiles();
  const cell = files.find(isCell);
  return { cell, start: cell.text.indexOf("\n") + 1 };
}

/** Names that the cell declares which was compiled last. */
function declaredNames() {
  return [...(lastCell().cell.locals?.keys() ?? [])].map(ts.unescapeLeadingUnderscores);
}

/** Returns the declarations of earlier cells that tslab drops: namespaces and their aliases, unless the cell declares them again. */
function keptNamespaces(declarations) {
  const { locals } = lastCell().cell;
  const file = ts.createSourceFile(CELL, declarations, ts.ScriptTarget.Latest);
  return file.statements
    .filter((node) => ts.isModuleDeclaration(node) || ts.isImportEqualsDeclaration(node))
    .filter(({ name }) => !locals?.has(name.escapedText))
    .map((node) => node.getFullText(file))
    .join("");
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

module.exports = { compile, endsInTemplate, extendCompiler, quotedBefore, signatureAt };
