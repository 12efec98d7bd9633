// The TypeScript inside tslab, before compiler.cjs extends it. It is loaded when it is first used.
const fs = require("node:fs");
const path = require("node:path");

/** Folder of tslab, whose dependencies may be below it or beside it. */
const tslab = path.dirname(require.resolve("tslab/package.json"));
const file = require.resolve("@tslab/typescript-for-tslab", { paths: [tslab] });
const { version } = JSON.parse(fs.readFileSync(path.resolve(file, "../../package.json"), "utf8"));
let loaded = null;

module.exports = {
  file,
  tslab,
  version,
  get ts() {
    loaded ??= require(file);
    return loaded;
  },
};
