// How the project calls its own Jupyter.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { InputError } from "../src/index.js";
import { ensureSetUp } from "./home.cjs";

export const projectDir = path.resolve(__dirname, "..");

/**
 * Returns the Python with the pinned Jupyter packages.
 *
 * @throws InputError if set-up has not made it.
 */
export function findVenvPython(root = projectDir): string {
  ensureSetUp();
  const python = path.join(root, ".venv/bin/python");
  if (existsSync(python)) return python;
  throw new InputError({
    expected: "the Python with the Jupyter packages",
    where: python,
    found: "no such file",
    fix: "Run: npm run setup",
  });
}

/** Returns an environment in which Jupyter finds the project's kernel and settings, and the kernel runs on this Node. */
export function jupyterEnvironment(root = projectDir): NodeJS.ProcessEnv {
  const jupyterDir = path.join(root, "jupyter");
  return {
    ...process.env,
    PATH: joinPaths(path.dirname(process.execPath), process.env.PATH),
    JUPYTER_PATH: joinPaths(jupyterDir, process.env.JUPYTER_PATH),
    JUPYTER_CONFIG_PATH: joinPaths(jupyterDir, process.env.JUPYTER_CONFIG_PATH),
  };
}

function joinPaths(first: string, rest: string | undefined): string {
  return rest ? `${first}${path.delimiter}${rest}` : first;
}

interface Ending {
  /** Exit status; 128 and the signal's number if a signal ended the program. */
  status: number;
  /** How it ended, in words, if that was by a signal that nobody asked this process for, which the program had no time to explain. */
  death: string | null;
}

/**
 * Runs the project's Python. It gets this process's signals, so that it can end in order.
 *
 * @param onLine - Called with each line that the program writes to file descriptor 3.
 */
export function runPython(args: string[], onLine?: (line: string) => void): Promise<Ending> {
  const child = spawn(findVenvPython(), args, {
    stdio: ["inherit", "inherit", "inherit", onLine ? "pipe" : "ignore"],
    env: jupyterEnvironment(),
  });
  const lines = child.stdio[3];
  if (onLine && lines) createInterface({ input: lines as Readable }).on("line", onLine);
  const signals: NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  const forward = (signal: NodeJS.Signals) => child.kill(signal === "SIGHUP" ? "SIGTERM" : signal);
  for (const signal of signals) process.on(signal, forward);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => {
      for (const name of signals) process.off(name, forward);
      resolve({
        status: status ?? 128 + os.constants.signals[signal ?? "SIGTERM"],
        death:
          signal === null || signals.includes(signal) ? null : `ended by ${signal}${CAUSES[signal] ?? ""}`,
      });
    });
  });
}

const CAUSES: Partial<Record<NodeJS.Signals, string>> = {
  SIGKILL: ", as Linux does when memory runs out",
  SIGSEGV: ", a fault in native code",
};
