// Gives every parser damaged files, and expects a result or a clear error, soon and in bounded memory: `npm run fuzz`.
// FUZZ_KEEP=1 adds small inputs that reach new code to test/fuzz/corpus.
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { findVenvPython } from "../../scripts/jupyter.js";
import { internals, interruptSignal } from "../../src/index.js";
import { projectDir } from "../workspace.js";
import { TARGETS } from "./targets.js";
import type { Outcome } from "./worker.js";

/** The parser of torch checkpoints and Keras files is in Python. */
const PYTHON = "checkpoint.py";
const { values: flags } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    only: { type: "string", default: [...Object.keys(TARGETS), PYTHON].join(",") },
    seed: { type: "string", default: "0" },
  },
});
/** A worker that shows no sign of life for so long hangs: other programs may slow it down, and its first inputs are many. */
const SILENT_MS = 300_000;
/** Aborted by Ctrl-C or a stop: the table then has the parsers so far. */
const { signal: stopped, release } = interruptSignal();

function fuzz(name: string, dir: string): Promise<Outcome> {
  const seconds = String(60 * Number(flags.minutes));
  const [command, script] =
    name === PYTHON
      ? [findVenvPython(), ["-X", "utf8", path.join(__dirname, PYTHON)]]
      : [process.execPath, ["--require", "tsx/cjs", path.join(__dirname, "worker.ts"), name]];
  const child = spawn(command, [...script, dir, seconds, flags.seed], {
    cwd: projectDir,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, FERKIT_OFFLINE: "1" },
  });
  const end = () => child.kill("SIGKILL");
  stopped.addEventListener("abort", end);
  let output = "";
  const timer = setTimeout(end, SILENT_MS);
  child.stdout.on("data", (text) => {
    output += text;
    timer.refresh();
  });
  return new Promise((resolve) =>
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      stopped.removeEventListener("abort", end);
      const last = output.trim().split("\n").at(-1) ?? "";
      const ended = `ends with ${signal ?? status}; its last inputs are in ${path.join(dir, "batch")}`;
      const nothing = { tried: 0, accepted: 0, refused: 0, slowestMs: 0, blocks: 0 };
      resolve(last.startsWith("{") ? JSON.parse(last) : { ...nothing, faults: [ended] });
    }),
  );
}

async function main(): Promise<void> {
  const root = mkdtempSync(path.join(os.tmpdir(), "ferkit-fuzz-"));
  const rows: string[][] = [];
  let numFaults = 0;
  for (const name of flags.only.split(",")) {
    const outcome = await fuzz(name, path.join(root, name.replace(".", "-")));
    if (stopped.aborted) {
      console.log(`stopped: ${name} and the parsers after it have no result`);
      process.exitCode = 1;
      break;
    }
    const { tried, accepted, refused, slowestMs, blocks, faults } = outcome;
    for (const fault of faults) console.log(`FAULT ${name}: ${fault}`);
    numFaults += faults.length;
    // A file that is only read loses nothing.
    const counts = [
      tried,
      accepted + refused,
      accepted,
      refused,
      Math.round(slowestMs),
      blocks,
      faults.length,
      0,
    ];
    rows.push([name, ...counts.map(String)]);
    console.log(`${name}: ${tried} inputs, ${faults.length} faults`);
  }
  const heading = [
    "parser",
    "tried",
    "survived",
    "read",
    "refused",
    "slowest ms",
    "blocks",
    "faults",
    "bytes lost",
  ];
  console.log(internals.textTable({ heading, rows, isNumeric: heading.map((_, i) => i > 0) }));
  if (numFaults > 0) process.exitCode = 1;
}

main().finally(release);
