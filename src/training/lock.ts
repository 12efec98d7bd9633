import { spawnSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { InputError } from "../errors.js";
import { writeError } from "../files.js";

/** A lock on a run's folder, until it is released or the process ends. */
export interface RunLock {
  /** False if this system cannot lock files. */
  isHeld: boolean;
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
    throw new InputError({
      expected: "a run that no other process trains",
      where: runDir,
      found: holder(file),
      fix: "Choose another run folder, or stop that process first.",
    });
  }
  ftruncateSync(descriptor);
  const started = new Date().toISOString();
  writeSync(descriptor, JSON.stringify({ pid: process.pid, host: os.hostname(), started }), 0);
  return {
    isHeld: status === 0,
    release: () => {
      ftruncateSync(descriptor);
      closeSync(descriptor);
    },
  };
}

function openLock(file: string): number {
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    return openSync(file, "a+");
  } catch (error) {
    throw writeError(file, error);
  }
}

function holder(file: string): string {
  try {
    const { pid, host, started } = JSON.parse(readFileSync(file, "utf8"));
    const own = pid === process.pid && host === os.hostname() ? ", which is this process" : "";
    return `process ${pid} on ${host}, since ${started}${own}`;
  } catch {
    return "another process";
  }
}
