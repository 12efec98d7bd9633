// How cells see ferkit: its types from the declarations that set-up rolled into one file, its code compiled file by file when it
// is loaded. After an edit in src, the next import makes both again.
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const { isPackageCurrent, packagePaths } = require("../../../scripts/setup/package-files.cjs");

const root = path.resolve(__dirname, "../../..");
const sources = path.join(root, "src");
/** What compiles src when it is required. */
const COMPILED = "scripts/compiled.cjs";
/** What `require("ferkit")` gives. */
const PACKAGE = path.join(root, "scripts/package.cjs");
const { modules, declarations } = packagePaths(root);

/** Files that the compiler sees, though they are elsewhere: the package in the project's node_modules, under its own name. */
const packageDir = path.join(process.cwd(), "node_modules/ferkit");
const PLACED = new Map([
  [path.join(packageDir, "index.d.ts"), declarations],
  [path.join(packageDir, "modules.d.ts"), modules],
]);
/** What a cell looks like that imports ferkit. */
const IMPORT = /["'](ferkit|\.{1,2}\/src\/[^"']*)["']/;

/** What the compiler wants to be called with when a file changes. */
const watchers = new Map();

/** Returns the compiler's view of the disk, in which files of src are declarations of the package. */
function libraryView(system) {
  const { isCell, withNames } = require("./cell-code.cjs"); // loads the compiler
  const view = Object.create(system);
  view.fileExists = (file) => {
    if (isInPackage(file)) return PLACED.has(file);
    return declarationOf(file) !== undefined || (!isSource(file) && system.fileExists(file));
  };
  view.directoryExists = (dir) => dir === packageDir || (!isInPackage(dir) && system.directoryExists(dir));
  view.realpath = (file) =>
    file === packageDir || isInPackage(file) ? file : (system.realpath?.(file) ?? file);
  view.readFile = (file, encoding) => {
    const text = declarationOf(file) ?? system.readFile(PLACED.get(file) ?? file, encoding);
    return isCell({ fileName: file }) ? withNames(text) : text;
  };
  view.watchFile = (file, callback, ...rest) => {
    if (!PLACED.has(file)) return system.watchFile(file, callback, ...rest);
    watchers.set(file, callback);
    return { close: () => watchers.delete(file) };
  };
  view.watchDirectory = (dir, callback, ...rest) =>
    path.basename(dir) === "node_modules"
      ? watchPackages(system, dir, callback)
      : system.watchDirectory(dir, callback, ...rest);
  return Object.assign(view, manyTimers(system));
}

/**
 * Watches which packages are installed: node_modules and its scopes such as `@types`. The compiler asks to watch every folder below too,
 * thousands of them, though it also watches each file that it has read.
 */
function watchPackages(system, dir, callback) {
  const watched = new Map();
  const watch = (folder) => {
    if (!watched.has(folder)) watched.set(folder, system.watchDirectory(folder, changed, false));
  };
  const watchScopes = () => {
    const names = fs.existsSync(dir) ? fs.readdirSync(dir) : [];
    for (const name of names) if (name.startsWith("@")) watch(path.join(dir, name));
  };
  const changed = () => {
    watchScopes();
    callback(dir); // whatever was not found in it may be there now
  };
  watch(dir);
  watchScopes();
  return {
    close() {
      for (const watcher of watched.values()) watcher.close();
    },
  };
}

/** tslab holds one timer, and fails at a second one. A change on disk, such as that of an npm install, makes the compiler ask for two. */
function manyTimers(system) {
  const due = new Set();
  let held = null;
  let isRunning = false;
  const runAll = () => {
    isRunning = true;
    try {
      for (const timer of due) {
        due.delete(timer);
        timer.callback(); // may add another one, which follows
      }
    } finally {
      isRunning = false;
      held = null;
    }
  };
  return {
    setTimeout(callback) {
      const timer = { callback };
      due.add(timer);
      held ??= system.setTimeout(runAll);
      return timer;
    },
    clearTimeout(timer) {
      due.delete(timer);
      if (due.size > 0 || isRunning || !held) return;
      system.clearTimeout(held);
      held = null;
    },
  };
}

/** Whatever is installed there, a copy or a link, only the placed files are seen. */
const isInPackage = (file) => file.startsWith(`${packageDir}/`);
const isSource = (file) => file.startsWith(`${sources}/`) && file.endsWith(".ts");

/** Returns the text of `src/x.d.ts`, which stands for `src/x.ts`; undefined for any other file. */
function declarationOf(file) {
  if (!isSource(file) || !file.endsWith(".d.ts")) return undefined;
  const name = path.relative(sources, file).slice(0, -".d.ts".length);
  if (!fs.existsSync(path.join(sources, `${name}.ts`))) return undefined;
  return `export * from "ferkit/src/${name}";\n`;
}

/** Makes the declarations again if src was edited. */
function refreshDeclarations() {
  if (isPackageCurrent(root)) return;
  const script = path.join(root, "scripts/setup/declarations.ts");
  const args = ["--require", path.join(root, COMPILED), script];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`The declarations of src could not be made.\n${stderr}`);
}

/** Before a cell that imports ferkit: forgets what was loaded from src before an edit. Returns whether there was one. */
function refreshLibrary(code) {
  if (!IMPORT.test(code) || isPackageCurrent(root)) return false;
  refreshDeclarations();
  for (const file of Object.keys(require.cache))
    if (file.startsWith(`${sources}/`) || file === PACKAGE) delete require.cache[file];
  const CHANGED = 1; // FileWatcherEventKind
  for (const [file, callback] of watchers) callback(file, CHANGED);
  return true;
}

/** Compiles src when it is required. Whatever folder a notebook is in, `ferkit` is the package of this kernel. */
function resolveLibrary() {
  require(path.join(root, COMPILED));
  const resolve = Module._resolveFilename;
  Module._resolveFilename = (request, ...rest) =>
    request === "ferkit" ? PACKAGE : resolve(request, ...rest);
}

/** Renders a value in the forms that ferkit has for it; undefined for other values. */
async function libraryForms(value) {
  return Object(value) === value ? require(PACKAGE).toBundle(value) : undefined;
}

/** Files that are parsed when the kernel starts, so that the first import need not wait for them. */
const ROOTS = [...PLACED.keys()];

module.exports = { libraryForms, libraryView, refreshDeclarations, refreshLibrary, resolveLibrary, ROOTS };
