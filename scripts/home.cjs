// Where ferkit works. A clone works in itself. A package that npm installed cannot: node_modules may be read-only, and npm decides
// what is in it. So it is copied into the user's cache once, and its home there is set up and works as a clone does. Imports no package.
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const process = require("node:process");

const root = path.resolve(__dirname, "..");
/** Made when a package is packed: the lock file, which npm leaves out, the digest of all files, and compiled copies of scripts and src. */
const packed = { lock: "dist/lock.json", digest: "dist/digest", compiled: "dist/compiled" };
const mark = path.join(root, ".ferkit/home.json");
const ready = path.join(root, ".ferkit/ready");

/** Returns the folder in which this ferkit works; copies an installed package there first. */
function homeOf(env = process.env) {
  if (fs.existsSync(path.join(root, "package-lock.json"))) return root; // npm packs no lock file
  const { version } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));
  const digest = fs.readFileSync(path.join(root, packed.digest), "utf8").slice(0, 8);
  const home = path.join(cache(env), "homes", `${version}-${digest}`);
  if (!fs.existsSync(home)) makeHome(home);
  return home;
}

function makeHome(home) {
  const temporary = `${home}.${process.pid}.tmp`;
  const { describeFailure, makeFolder } = require("./setup/machine.cjs");
  try {
    makeFolder(path.dirname(home));
    fs.cpSync(root, temporary, { recursive: true, dereference: true });
    fs.chmodSync(temporary, 0o755);
    fs.renameSync(path.join(temporary, packed.lock), path.join(temporary, "package-lock.json"));
    fs.mkdirSync(path.join(temporary, ".ferkit"));
    fs.renameSync(path.join(temporary, packed.compiled), path.join(temporary, ".ferkit/compiled"));
    fs.writeFileSync(path.join(temporary, ".ferkit/home.json"), JSON.stringify({ madeFrom: root }));
    const { packagePaths, sourceFiles } = require("./setup/package-files.cjs");
    fs.writeFileSync(packagePaths(temporary).stamp, JSON.stringify(sourceFiles(temporary)));
    fs.renameSync(temporary, home);
  } catch (error) {
    fs.rmSync(temporary, { recursive: true, force: true });
    if (fs.existsSync(home)) return; // another process was faster
    if (!error.code) throw error;
    const found = `${error.code} ${error.message}`;
    throw describeFailure("the copying of ferkit into the cache", found, path.dirname(home));
  }
}

/**
 * Sets up a home when something of it is first needed: at a terminal it asks; otherwise it says how.
 *
 * @throws InputError if it is not set up then.
 */
function ensureSetUp() {
  if (!fs.existsSync(mark) || fs.existsSync(ready) || process.env.FERKIT_SETTING_UP) return;
  const { InputError } = require("./setup/machine.cjs");
  const command = "npx ferkit setup";
  if (!asks()) {
    const found = "a package that is not set up";
    const fix = `Run: ${command} (it downloads about 500 MB and needs 3 GB in ${cache()})`;
    throw new InputError({ expected: "ferkit's engine", where: root, found, fix });
  }
  const { status } = spawnSync(process.execPath, [path.join(__dirname, "bootstrap.mjs")], {
    stdio: ["ignore", process.stderr.fd, process.stderr.fd],
  });
  if (status === 0 && fs.existsSync(ready)) return;
  const fix = `Fix what it named, then run: ${command}`;
  throw new InputError({ expected: "ferkit to be set up", where: root, found: "a failed set-up", fix });
}

/** Returns the folder that holds the homes, and what versions share. */
function cache(env = process.env) {
  return require("./setup/context.cjs").cacheFolder(env);
}

/** Asks at a terminal whether to set up now. */
function asks() {
  if (!process.stdin.isTTY || !process.stderr.isTTY || process.env.CI) return false;
  process.stderr.write(`ferkit is not set up yet. Download about 500 MB into ${cache()} now? [Y/n] `);
  const terminal = fs.openSync("/dev/tty", "r");
  const answer = Buffer.alloc(100);
  const length = fs.readSync(terminal, answer);
  fs.closeSync(terminal);
  return /^(y|yes|)$/i.test(answer.toString("utf8", 0, length).trim());
}

/** Names the commands of an installed package in place of those of a clone. */
function inHome(text) {
  if (!fs.existsSync(mark)) return text;
  return text.replace(/npm run (setup|doctor)( --(?= ))?/g, "npx ferkit $1");
}

module.exports = { ensureSetUp, homeOf, inHome, packed };
