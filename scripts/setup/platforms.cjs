// The platforms that set-up knows: which of PyPI's wheels fits, what libraries it holds, and how addons are linked. Imports no package.
const process = require("node:process");

const LINUX = {
  libraries: ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"],
  links: {
    "libtensorflow.so": "libtensorflow_cc.so.2",
    "libtensorflow.so.2": "libtensorflow_cc.so.2",
    "libtensorflow_framework.so": "libtensorflow_framework.so.2",
  },
  addonFlags: ["-shared"],
  emptyLibrary: (name) => ["-shared", `-Wl,-soname,${name}`, "-x", "c", "/dev/null"],
  origin: "$ORIGIN",
};
const MACOS = {
  libraries: ["libtensorflow_cc.2.dylib", "libtensorflow_framework.2.dylib"],
  links: {
    "libtensorflow.dylib": "libtensorflow_cc.2.dylib",
    "libtensorflow_framework.dylib": "libtensorflow_framework.2.dylib",
  },
  addonFlags: ["-dynamiclib", "-undefined", "dynamic_lookup"],
  emptyLibrary: null,
  origin: "@loader_path",
};

/**
 * What each platform needs, by Node.js' names of system and processor.
 *
 * @typedef {object} Platform
 * @property {string} name As messages say it.
 * @property {string} wheels Tag of the wheels that fit, for pip.
 * @property {string[]} libraries Files that libtensorflow consists of; the first holds the C interface.
 * @property {{ [name: string]: string }} links Names that addons are linked against, and the libraries that they stand for.
 * @property {string[]} addonFlags Make the linker produce what Node.js loads. Node.js itself defines the functions of N-API.
 * @property {((name: string) => string[]) | null} emptyLibrary Flags that make a library of a name without content, if addons can be
 * linked against it in the place of the true one.
 * @property {string} origin What the linker calls the addon's own folder.
 */

/** @type {{ [key: string]: Platform | undefined }} */
const PLATFORMS = {
  "linux-x64": { name: "Linux on x86-64", wheels: "manylinux_2_27_x86_64", ...LINUX },
  "linux-arm64": { name: "Linux on arm64", wheels: "manylinux_2_27_aarch64", ...LINUX },
  "darwin-arm64": { name: "macOS on Apple silicon", wheels: "macosx_12_0_arm64", ...MACOS },
};

/** Returns the key of a platform in `PLATFORMS` and in `pins.json`. */
function platformKey({ platform, arch } = process) {
  return `${platform}-${arch}`;
}

/** Returns how messages name a platform, also one that set-up does not know. */
function platformName(key) {
  const [system, processor] = key.split("-");
  const systems = { linux: "Linux", darwin: "macOS", win32: "Windows" };
  const processors = { x64: "x86-64", ia32: "32-bit x86", arm: "32-bit ARM" };
  return PLATFORMS[key]?.name ?? `${systems[system] ?? system} on ${processors[processor] ?? processor}`;
}

/**
 * Returns what a platform needs.
 *
 * @param {string} key
 * @returns {Platform}
 */
function platformOf(key) {
  const found = PLATFORMS[key];
  if (!found) throw new Error(`set-up does not know ${platformName(key)}`); // checkMachine has refused it before
  return found;
}

module.exports = { PLATFORMS, platformKey, platformName, platformOf };
