// Where cells are compiled. Of a run of notebooks, one process compiles all cells (shared-compiler.cjs), and their kernels load no compiler.
// Otherwise, and once that process cannot know what a cell means, the kernel compiles its cells itself.
const Module = require("node:module");
const net = require("node:net");
const { text } = require("node:stream/consumers");
const { refreshLibrary } = require("./library.cjs");
const { file: typescript } = require("./typescript.cjs");

/** Where that process listens, if there is one. It compiles for the project of these notebooks, so programs that cells start do not ask it. */
const address = process.env.FERKIT_COMPILER;
delete process.env.FERKIT_COMPILER;

const converterFile = require.resolve("tslab/dist/converter.js");
let isLoaded = false;

/** Loads the compiler into this process, where it stays. */
function ownCompiler() {
  const compiler = require("./compiler.cjs");
  if (!isLoaded) {
    isLoaded = true;
    compiler.extendCompiler();
    delete require.cache[converterFile]; // a stand-in
    require(converterFile);
  }
  return compiler;
}

/** Prepares tslab, which must not be loaded yet: with a compiler, or with what loads one when it is first used. */
function prepareCompiler() {
  if (!address) {
    ownCompiler();
    return;
  }
  const converter = () => {
    ownCompiler();
    return require(converterFile);
  };
  standIn(typescript, () => {
    ownCompiler();
    return require(typescript);
  });
  standIn(converterFile, converter, {
    createConverter: (options) => {
      let made = null;
      const call =
        (name) =>
        (...args) => {
          made ??= converter().createConverter(options);
          return made[name](...args);
        };
      const names = ["addModule", "complete", "convert", "inspect"];
      return {
        ...Object.fromEntries(names.map((name) => [name, call(name)])),
        close: () => made?.close(), // before the kernel ends
      };
    },
  });
  const metadata = require("tslab/dist/metadata.js");
  const { getCodeMetadata } = metadata;
  metadata.getCodeMetadata = (code) => (/@(module|browser)\b/.test(code) ? getCodeMetadata(code) : {});
}

/** Puts something in the place of a module: what is `known` of it, and otherwise what `load` returns. */
function standIn(file, load, known = {}) {
  const own = { __esModule: true, ...known };
  const module = new Module(file);
  module.loaded = true;
  module.exports = new Proxy(own, { get: (_, name) => (name in own ? own[name] : load()[name]) });
  require.cache[file] = module;
}

/** Compiles a cell: see compiler.cjs. */
async function compile(converter, declarations, code) {
  const isEdited = refreshLibrary(code);
  const isShared = address && !isLoaded && !isEdited;
  const shared = isShared ? await askCompiler({ declarations, code }).catch(() => null) : null;
  return shared ?? ownCompiler().compile(converter, declarations, code);
}

/** Asks the other process. Returns null if it cannot know what the cell means. */
async function askCompiler(request) {
  const socket = net.connect(address);
  socket.end(JSON.stringify(request));
  return JSON.parse(await text(socket));
}

module.exports = { compile, ownCompiler, prepareCompiler };
