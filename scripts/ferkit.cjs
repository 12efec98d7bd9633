#!/usr/bin/env node
// Runs the command line straight from TypeScript.
require("./all-cores.cjs");
require("tsx/cjs");
require("./cli.ts").main();
