// Loads tslab's compiler only when it is needed.
//
// What this replaces: two modules in Node.js' cache, tslab's converter.js, which compiles cells, and the TypeScript inside tslab. Other
// modules of tslab load both when the kernel starts. They get stand-ins, which load the real module when something of it is first read.
// Why: loading the compiler takes a kernel as long as compiling its cells. In a run of notebooks one process compiles the cells of all kernels
// (shared-compiler.cjs, whose address is in FERKIT_COMPILER), and most of these kernels need no compiler. A kernel that runs alone loads it
// at once.
// What breaks if tslab changes: if it reads something of these modules while it loads, every kernel loads the compiler, and notebooks run as
// before, but more slowly (test/kernel/compilation.test.ts fails). If it moves the modules, no kernel starts.
const Module = require("node:module");
const net = require("node:net");
const { text } = require("node:stream/consumers");
const { refreshLibrary } = require("./library.cjs");
const { file: typescript } = require("./typescript.cjs");

/** Where the process listens that compiles for all kernels, if there is one. Programs that cells start must not ask it. */
const address = process.env.FERKIT_COMPILER;
delete process.env.FERKIT_COMPILER;

const converterFile = require.resolve("tslab/dist/converter.js");
let compiler = null;
let converter = null;

/** Puts the stand-ins in the place of both modules, before tslab is loaded. */
function prepareCompiler() {
  for (const file of [typescript, converterFile]) {
    const module = new Module(file);
    const load = () => ownCompiler() && require(file);
    module.exports = new Proxy({ __esModule: true }, { get: (own, name) => own[name] ?? load()[name] });
    module.loaded = true;
    require.cache[file] = module;
  }
  if (!address) ownCompiler();
}

/** Returns this process' own compiler: compiler.cjs. */
function ownCompiler() {
  if (compiler) return compiler;
  for (const file of [typescript, converterFile]) delete require.cache[file]; // the stand-ins
  const own = require("./compiler.cjs");
  own.extendCompiler();
  converter = require(converterFile).createConverter({ isJS: false, isBrowser: false });
  compiler = own;
  return compiler;
}

/** Returns what tslab takes for its converter. It compiles nothing: `convert` returns what `compile` returned for the cell. */
function converterOf(convert) {
  const own =
    (name) =>
    (...args) =>
      ownCompiler() && converter[name](...args);
  const close = () => converter?.close();
  return { addModule: own("addModule"), close, complete: own("complete"), convert, inspect: own("inspect") };
}

/** Compiles a cell: see compiler.cjs. Asks the other process, until the cells depend on something that it does not see. */
async function compile(declarations, code) {
  const isEdited = refreshLibrary(code);
  const isShared = address && !compiler && !isEdited;
  const shared = isShared ? await askCompiler({ declarations, code }).catch(() => null) : null;
  return shared ?? compileHere(declarations, code);
}

/** Compiles a cell in this process. */
function compileHere(declarations, code) {
  return ownCompiler().compile(converter, declarations, code);
}

/** Asks the other process. Returns null if it cannot know what the cell means. */
async function askCompiler(request) {
  const socket = net.connect(address);
  socket.end(JSON.stringify(request));
  return JSON.parse(await text(socket));
}

module.exports = { compile, compileHere, converterOf, ownCompiler, prepareCompiler };
