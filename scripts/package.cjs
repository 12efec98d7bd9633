// What `require("ferkit")` gives, of an installed package that of its home.
const path = require("node:path");
const { homeOf } = require("./home.cjs");

const scripts = path.join(homeOf(), "scripts");
if (scripts === __dirname) {
  require("./all-cores.cjs");
  require("./compiled.cjs");
  module.exports = require("../src/index.ts");
} else module.exports = require(path.join(scripts, "package.cjs"));
