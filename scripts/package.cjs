// What `require("ferkit")` gives: src, compiled when it is loaded.
require("./all-cores.cjs");
require("tsx/cjs");
module.exports = require("../src/index.ts");
