// Folders in the cache are made under a temporary name and renamed when complete: one that exists is whole,
// whatever was interrupted and however many clones are set up at once.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { onInterrupt } from "./command.mjs";

const DAY_MS = 24 * 60 * 60 * 1000;
let numFolders = 0;

/**
 * Makes `target` (a file or folder) by letting `make` fill a temporary folder beside it.
 *
 * @param make - Gets the temporary folder; returns the path in it that becomes `target`.
 */
export async function makeWhole(target, make) {
  const parent = path.dirname(target);
  fs.mkdirSync(parent, { recursive: true });
  removeAbandoned(parent);
  const temporary = path.join(parent, `.tmp-${os.hostname()}-${process.pid}-${numFolders++}`);
  fs.mkdirSync(temporary);
  const forget = onInterrupt(() => fs.rmSync(temporary, { recursive: true, force: true }));
  try {
    renameUnlessThere(await make(temporary), target);
  } catch (error) {
    // Another clone may have finished it, and removed what both were made from.
    if (!fs.existsSync(target)) throw error;
  } finally {
    forget();
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

function renameUnlessThere(made, target) {
  try {
    fs.renameSync(made, target);
  } catch (error) {
    // Another clone was faster; what it made is the same.
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
  }
}

/** Removes the temporary folders of processes that are gone. */
function removeAbandoned(parent) {
  for (const name of fs.readdirSync(parent)) {
    const [, host, pid] = name.match(/^\.tmp-(.*)-(\d+)-\d+$/) ?? [];
    if (!pid) continue;
    const folder = path.join(parent, name);
    // A process on another machine that shares the cache cannot be asked; a day is longer than any set-up.
    const isAbandoned = host === os.hostname() ? !isRunning(Number(pid)) : ageMs(folder) > DAY_MS;
    if (isAbandoned) fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether a process of this machine is alive. */
export function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function ageMs(folder) {
  return Date.now() - (fs.statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
}
