// Loads the addon that FERKIT_TEST_ADDON names in place of the one that set-up made, and checks that tests ran on it.
const assert = require("node:assert/strict");
const { readFileSync, realpathSync } = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const process = require("node:process");

const addon = process.env.FERKIT_TEST_ADDON;
const own = path.join(__dirname, "../../.ferkit/native/ferkit_ops.node");
const resolve = Module._resolveFilename;
Module._resolveFilename = (request, ...rest) => (request === own ? addon : resolve(request, ...rest));

exports.mochaHooks = {
  afterAll() {
    const loaded = readFileSync("/proc/self/maps", "utf8");
    assert.ok(loaded.includes(realpathSync(addon)), `${addon} was not loaded`);
  },
};
