// The TypeScript inside tslab, before compiler.cjs extends it.
const path = require("node:path");

/** Folder of tslab, whose dependencies may be below it or beside it. */
const tslab = path.dirname(require.resolve("tslab/package.json"));
const file = require.resolve("@tslab/typescript-for-tslab", { paths: [tslab] });

module.exports = { file, ts: require(file), tslab };
