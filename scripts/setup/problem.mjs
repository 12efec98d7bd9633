// What can go wrong in set-up, as one message form: what was expected, what was found, what to do.
import fs from "node:fs";

/** A problem that the reader can mend; printed without a stack. Reads "Expected E at WHERE but found F. FIX". */
export class SetupError extends Error {
  constructor({ expected, found, where, fix }) {
    super(`Expected ${expected}${where ? ` at ${where}` : ""} but found ${found}.${fix ? ` ${fix}` : ""}`);
    this.name = "SetupError";
  }
}

// Package names per package manager; the first manager whose family matches /etc/os-release is used.
const PACKAGE_MANAGERS = [
  {
    family: /debian|ubuntu/,
    command: "sudo apt-get install",
    python: "python3 python3-venv",
    compiler: "g++",
  },
  { family: /fedora|rhel|centos/, command: "sudo dnf install", python: "python3", compiler: "gcc-c++" },
  { family: /suse/, command: "sudo zypper install", python: "python311", compiler: "gcc-c++" },
  { family: /arch/, command: "sudo pacman -S", python: "python", compiler: "gcc" },
];

/**
 * The command that installs a missing tool on this distribution.
 *
 * @param tool - "python", "venv" or "compiler".
 * @param osRelease - Text of /etc/os-release.
 * @param python - Name of the interpreter that lacks venv, such as "python3.12".
 */
export function installCommand(tool, osRelease, python = "python3") {
  const family = osRelease.match(/^ID(_LIKE)?=.*$/gm)?.join(" ") ?? "";
  const manager = PACKAGE_MANAGERS.find((known) => known.family.test(family)) ?? PACKAGE_MANAGERS[0];
  if (tool !== "venv") return `${manager.command} ${manager[tool]}`;
  return `${manager.command} ${manager === PACKAGE_MANAGERS[0] ? `${python}-venv` : manager.python}`;
}

/** Text of /etc/os-release, or an empty string where there is none. */
export function readOsRelease() {
  return fs.existsSync("/etc/os-release") ? fs.readFileSync("/etc/os-release", "utf8") : "";
}

const NETWORK_FAILURE =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|name resolution|Network is unreachable|Connection refused|Could not fetch URL/;

/** The problem behind a failed command's output; a full disk and a missing network look alike in every tool. */
export function describeFailure(what, output, where) {
  if (/ENOSPC|No space left on device/.test(output)) {
    return new SetupError({
      expected: "room on the disk",
      where,
      found: `a full one while working on ${what}`,
      fix: "Free about 3 GB, or put the cache on another disk: FERKIT_CACHE=/path/with/room npm run setup",
    });
  }
  if (/EACCES|EROFS|Permission denied|Read-only file system/.test(output)) {
    return new SetupError({
      expected: "writable folders",
      where,
      found: `permission denied while working on ${what}`,
      fix: `Run: sudo chown -R "$(id -un)" ${where}\n${lastLines(output, 5)}`,
    });
  }
  if (NETWORK_FAILURE.test(output)) return unreachable(what, output);
  if (/EINTEGRITY|DO NOT MATCH THE HASHES/.test(output)) {
    return new SetupError({
      expected: `the pinned files for ${what}`,
      found: "another digest",
      fix: `Clear the tool's own cache (npm cache clean --force, pip cache purge) and run this again.\n${lastLines(output, 12)}`,
    });
  }
  return new SetupError({
    expected: `${what} to succeed`,
    found: "a failed command",
    fix: `Its last lines:\n${lastLines(output, 30)}`,
  });
}

function unreachable(what, output) {
  const host =
    output.match(/host='([^']+)'/)?.[1] ??
    output.match(/request to (https?:\/\/[^/\s]+)/)?.[1] ??
    output.match(/(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED)\s+(\S+)/)?.[1] ??
    "the package index (see: pip config list, npm config get registry)";
  return new SetupError({
    expected: `to download ${what}`,
    found: `that ${host} cannot be reached`,
    fix:
      "Check the network and proxy (HTTPS_PROXY) and run this again: it goes on where it stopped. " +
      "Python wheels are also taken from a local folder: FERKIT_WHEELS=/path/to/wheels npm run setup",
  });
}

function lastLines(text, count) {
  return text.trim().split("\n").slice(-count).join("\n");
}
