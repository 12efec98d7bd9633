// Where the package's declarations are, and whether they are those of the present src. Imports no package.
const fs = require("node:fs");
const path = require("node:path");

/** @param {string} root */
function packagePaths(root) {
  const dir = path.join(root, "dist");
  const inDir = (name) => path.join(dir, name);
  return {
    dir,
    /** One declaration file for each file of src. */
    types: path.join(root, ".ferkit/types"),
    /** All of them in one, with those of packages. */
    modules: inDir("modules.d.ts"),
    declarations: inDir("index.d.ts"),
    esm: inDir("index.mjs"),
    stamp: path.join(root, ".ferkit/declarations.json"),
  };
}

/**
 * Returns time and size of each file that the declarations depend on, by its path from the root.
 *
 * @param {string} root
 * @returns {Record<string, string>}
 */
function sourceFiles(root) {
  const sources = fs.readdirSync(path.join(root, "src"), { recursive: true }).sort();
  const names = sources.filter((name) => name.endsWith(".ts")).map((name) => `src/${name}`);
  const describe = (name) => {
    const { mtimeMs, size } = fs.statSync(path.join(root, name));
    return [name, `${Math.floor(mtimeMs)} ${size}`];
  };
  return Object.fromEntries(["package-lock.json", ...names].map(describe));
}

/**
 * Returns whether the declarations were made from the present src.
 *
 * @param {string} root
 */
function isPackageCurrent(root) {
  const { stamp, modules } = packagePaths(root);
  if (!fs.existsSync(stamp) || !fs.existsSync(modules)) return false;
  return fs.readFileSync(stamp, "utf8") === JSON.stringify(sourceFiles(root));
}

module.exports = { isPackageCurrent, packagePaths, sourceFiles };
