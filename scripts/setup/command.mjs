// Runs commands quietly: their output is kept for the error message, the last line goes to the progress display.
import { spawn } from "node:child_process";

const cleanups = new Set();
let isInterrupted = false;

/** Registers what must be undone when the user stops set-up; returns the function that takes it back. */
export function onInterrupt(cleanup) {
  cleanups.add(cleanup);
  return () => cleanups.delete(cleanup);
}

/** Makes Ctrl-C and termination end the running command, undo what is half done, and say how to go on. */
export function installInterruptHandler(write) {
  const stop = (signal) => {
    if (isInterrupted) return;
    isInterrupted = true;
    for (const cleanup of [...cleanups].reverse()) cleanup();
    write("\nSet-up was stopped. Run the same command again: it goes on where it stopped.\n");
    process.exit(signal === "SIGINT" ? 130 : 143);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}

/**
 * Runs a command without a shell and without stdin.
 *
 * @returns `{ status, output }`: exit status (127 when it could not be started) and everything it printed.
 */
export function runCommand(file, args, { cwd, env = process.env, onLine = () => {} } = {}) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const forget = onInterrupt(() => child.kill("SIGTERM"));
    const chunks = [];
    const collect = (chunk) => {
      chunks.push(chunk);
      const line = chunk
        .toString()
        .trim()
        .split(/[\r\n]+/)
        .pop();
      if (line) onLine(line);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    const finish = (status, message = "") => {
      forget();
      resolve({ status, output: Buffer.concat(chunks).toString() + message });
    };
    child.on("error", (error) => finish(127, `${file}: ${error.code ?? error.message}\n`));
    child.on("close", (code, signal) => finish(code ?? 1, signal ? `${file} was ended by ${signal}\n` : ""));
  });
}
