#!/usr/bin/env node
// Runs the command line, of an installed package the one in its home.
const path = require("node:path");
const { homeOf } = require("./home.cjs");

/** Says why the command line cannot start. */
function refuse(error) {
  const isMissing = error.code === "MODULE_NOT_FOUND" && /'(commander|typescript)'/.test(error.message);
  if (!isMissing && error.name !== "InputError") throw error;
  console.error(
    isMissing
      ? "ferkit: Expected npm's packages but found none. Run: npm run setup"
      : `ferkit: ${error.message}`,
  );
  process.exitCode = 1;
}

/** Tells whether the working folder is there; Node.js cannot resolve paths without one. */
function hasWorkingFolder() {
  try {
    return process.cwd() !== "";
  } catch {
    return false;
  }
}

if (!hasWorkingFolder()) {
  console.error(
    "ferkit: Expected a working folder but found that it was removed. Run ferkit from another folder.",
  );
  process.exit(1);
}

try {
  const scripts = path.join(homeOf(), "scripts");
  if (scripts === __dirname) {
    require("./all-cores.cjs");
    require("./compiled.cjs");
    require("./cli.ts").main();
  } else {
    process.env.FERKIT_PACKAGE = path.resolve(__dirname, "..");
    require(path.join(scripts, "ferkit.cjs"));
  }
} catch (error) {
  refuse(error);
}
