import { spawnSync } from "node:child_process";
import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { InputError } from "../errors.js";
import { kindOf, makeFolder, writeError } from "../files.js";

/** A lock on a run's folder, until it is released or the process ends. */
export interface RunLock {
  /** False if this system cannot lock files. */
  isHeld: boolean;
  /** @throws InputError if the run's folder was removed, renamed or replaced since it was locked. */
  check: () => void;
  release: () => void;
}

/** What `flock` exits with when another process holds the lock. */
const HELD_BY_ANOTHER = 1;

/**
 * Locks a run's folder, which is created if it is missing. The system itself releases the lock when the process ends, even when
 * it is killed, so nothing has to be cleaned up.
 *
 * Node.js has no call for that. The program `flock` locks a file that it inherits from this process, which keeps the lock.
 *
 * @throws InputError that names the process which holds the lock.
 */
export function lockRun(runDir: string): RunLock {
  const file = path.join(runDir, "lock");
  const descriptor = openLock(file);
  const stdio: (number | "ignore")[] = ["ignore", "ignore", "ignore", descriptor];
  const { status } = spawnSync("flock", ["-x", "-n", "3"], { stdio });
  if (status === HELD_BY_ANOTHER) {
    closeSync(descriptor);
    const { name, isThis } = holder(file);
    throw new InputError({
      expected: "a run that nothing else trains",
      where: runDir,
      found: name,
      fix: `Choose another run folder, or ${isThis ? "restart the kernel" : "stop that process"} first.`,
    });
  }
  const own = fstatSync(descriptor);
  try {
    ftruncateSync(descriptor);
    const started = new Date().toISOString();
    writeSync(descriptor, JSON.stringify({ pid: process.pid, host: os.hostname(), started }), 0);
  } catch (error) {
    closeSync(descriptor);
    throw writeError(file, error);
  }
  return {
    isHeld: status === 0,
    check: () => {
      const found = statSync(file, { throwIfNoEntry: false });
      if (found?.ino === own.ino && found.dev === own.dev) return;
      throw new InputError({
        expected: "the folder of the run that trains",
        where: runDir,
        found: found ? "another one in its place" : "none: it was removed or renamed meanwhile",
        fix: "Run the training again, with a folder that stays.",
      });
    },
    release: () => {
      try {
        ftruncateSync(descriptor);
      } catch {
        // on a disk that has become read-only; the lock ends with the file all the same
      }
      closeSync(descriptor);
    },
  };
}

function openLock(file: string): number {
  try {
    const found = statSync(file, { throwIfNoEntry: false });
    const kind = found ? kindOf(found) : null;
    if (kind !== null)
      throw new InputError({
        expected: "a file that locks the run",
        where: file,
        found: kind,
        fix: "Remove it, or choose another run folder (--run).",
      });
    makeFolder(path.dirname(file));
    const descriptor = openSync(file, "a+");
    if (isOwn(readFileSync(file, "utf8"))) return descriptor;
    closeSync(descriptor);
    throw new InputError({
      expected: "a file that locks the run",
      where: file,
      found: "another one, which it would replace",
      fix: "Rename it, or choose another run folder (--run).",
    });
  } catch (error) {
    throw error instanceof InputError ? error : writeError(file, error);
  }
}

/** What a lock's content starts with. A process that was killed leaves less at times, and one that has ended leaves nothing. */
const CONTENT = '{"pid":';

function isOwn(text: string): boolean {
  return text.slice(0, CONTENT.length) === CONTENT.slice(0, text.length);
}

function holder(file: string): { name: string; isThis: boolean } {
  try {
    const { pid, host, started } = JSON.parse(readFileSync(file, "utf8"));
    const isThis = pid === process.pid && host === os.hostname();
    return { name: `${isThis ? "this process, " : "process "}${pid} on ${host}, since ${started}`, isThis };
  } catch {
    return { name: "another process", isThis: false };
  }
}
