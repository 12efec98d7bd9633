#!/usr/bin/env node
// Runs the command line straight from TypeScript.
require("tsx/cjs");
require("./cli.ts");
