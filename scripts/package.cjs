// What `require("ferkit")` gives, of an installed package that of its home.
const { createRequire } = require("node:module");
const path = require("node:path");

// A .cts program that tsx runs gives this module another `require`, which reads neither TypeScript nor JSON.
const load = createRequire(__filename);
const { homeOf } = load("./home.cjs");
const scripts = path.join(homeOf(), "scripts");
if (scripts === __dirname) {
  load("./all-cores.cjs");
  load("./compiled.cjs");
  module.exports = load("../src/index.ts");
} else module.exports = load(path.join(scripts, "package.cjs"));
