// Ray: installed at first use into ferkit's cache, and run with the trials of a sweep.
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { InputError, internals } from "../../src/index.js";
import { findVenvPython } from "../jupyter.js";

const REQUIREMENTS = path.join(__dirname, "requirements.txt");
/** What Ray needs with Python 3.11; other versions differ by a few percent. */
const SIZES = "170 MB to download and 630 MB on the disk";

/** Returns the folder of the Python environment that has Ray, whether it is there or not. */
function rayFolder(): string {
  const digest = createHash("sha256").update(readFileSync(REQUIREMENTS)).digest("hex");
  return path.join(internals.cacheDir(), `ray-${digest.slice(0, 12)}`);
}

export function hasRay(): boolean {
  return existsSync(path.join(rayFolder(), "complete"));
}

/**
 * Returns the folder of the Python environment with Ray. Installs it if it is missing: at a terminal it asks first.
 *
 * @throws InputError if it is missing and must not or cannot be installed.
 */
export async function ensureRay(): Promise<string> {
  const dir = rayFolder();
  if (hasRay()) return dir;
  const missing = (found: string, fix: string) =>
    new InputError({ expected: "Ray, which runs the trials", where: dir, found, fix });
  if (!["", "0", undefined].includes(process.env.FERKIT_OFFLINE))
    throw missing("none", `Run once without --offline: npx ferkit sweep --ray (${SIZES})`);
  const question = `Ray is not installed yet: ${SIZES}, in ${dir}.`;
  if (!(await agrees(question))) throw missing("none", "Run again, and answer with y.");
  const python = findVenvPython();
  await rm(dir, { recursive: true, force: true });
  try {
    await call(python, "-m", "venv", dir);
    const options = [
      "--no-deps",
      "--require-hashes",
      "--only-binary",
      ":all:",
      "--disable-pip-version-check",
    ];
    if (process.env.FERKIT_WHEELS) options.push("--find-links", path.resolve(process.env.FERKIT_WHEELS));
    await call(
      path.join(dir, "bin/python"),
      "-m",
      "pip",
      "install",
      "--quiet",
      ...options,
      "-r",
      REQUIREMENTS,
    );
  } catch (error) {
    const { stderr = "", message } = error as { stderr?: string; message: string };
    const lines = (stderr || message).trim().split("\n");
    const line = lines.find((one) => one.startsWith("ERROR")) ?? lines[lines.length - 1];
    throw missing(`a failed installation: ${line}`, "Run again when the packages can be downloaded.");
  }
  await writeFile(path.join(dir, "complete"), "");
  return dir;
}

const call = (file: string, ...args: string[]) => promisify(execFile)(file, args, { maxBuffer: 2 ** 26 });

/** Asks at a terminal; elsewhere it only says what is done. */
async function agrees(question: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY || process.env.CI) {
    console.error(`${question} Installing it …`);
    return true;
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await new Promise<string>((resolve) => {
    lines.once("close", () => resolve("n"));
    lines.question(`${question} Install it now? [Y/n] `, resolve);
  });
  lines.close();
  return /^(y|yes|)$/i.test(answer.trim());
}

/** What scripts/sweep/trials.py takes. */
export interface RayJob {
  /** HOST:PORT of a cluster, or null for this machine. */
  address: string | null;
  /** Processors of this machine, if Ray is started here. */
  cores: number;
  trials: { name: string; runDir: string; isFinished: boolean; command: string[]; epochs: number }[];
  asha: boolean;
  metric: string;
  mode: "max" | "min";
  maxEpochs: number;
  graceEpochs: number;
  /** Processors of each trial; null to divide what there is. */
  cpus: number | null;
  gpus: number;
  cwd: string;
  env: Record<string, string>;
  logs: string;
  /** Exists when the trials are to stop. */
  stopFile: string;
  /** Exists in the folder of the runs, which all nodes must see. */
  token: string;
  storage: string;
  projectDir: string;
  version: string;
  node: string;
  /** What all nodes must see as it is here. */
  paths: string[];
}

/** A line that scripts/sweep/trials.py prints. */
export type RayEvent =
  | { type: "refused"; problem: InputError["problem"] }
  | { type: "plan"; nodes: number; cores: number; cpus: number; atOnce: number }
  | {
      type: "epoch";
      trial: string;
      attempts: number;
      epoch: number;
      accuracy: number;
      macroF1: number;
      loss: number;
    }
  | { type: "restart"; trial: string; attempts: number }
  | { type: "end"; trial: string; attempts: number; state: string; reason?: string | null; host?: string };

/**
 * Runs the trials of a job to their end.
 *
 * SIGINT and SIGTERM stop the trials, which save their state; a second one stops at once.
 *
 * @param log - File for what Ray prints on standard error.
 * @returns Exit status.
 * @throws InputError if the cluster cannot run them.
 */
export async function runTrials(
  rayDir: string,
  jobFile: string,
  log: number,
  onEvent: (event: RayEvent) => Promise<void>,
): Promise<number> {
  const command = [path.join(rayDir, "bin/python"), path.join(__dirname, "trials.py"), jobFile];
  // Ray ends with this process, also when that is killed. Ctrl-C reaches it through this process alone.
  const tied = existsSync("/usr/bin/setpriv")
    ? ["/usr/bin/setpriv", "--pdeathsig", "TERM", ...command]
    : command;
  const child = spawn(tied[0], tied.slice(1), { stdio: ["ignore", "pipe", log], detached: true });
  let numSignals = 0;
  const stop = () => {
    numSignals++;
    if (numSignals === 1) console.error("stopping: the trials save their state; Ctrl-C again stops at once");
    child.kill(numSignals === 1 ? "SIGTERM" : "SIGKILL");
  };
  const signals: NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, stop);
  const ended = new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => resolve(status ?? 128 + os.constants.signals[signal ?? "SIGTERM"]));
  });
  let refusal: InputError | null = null;
  try {
    for await (const line of createInterface({ input: child.stdout as Readable })) {
      if (!line.startsWith('{"type": "')) continue;
      const event = JSON.parse(line) as RayEvent;
      if (event.type === "refused") refusal = new InputError(event.problem);
      else await onEvent(event);
    }
    const status = await ended;
    if (refusal) throw refusal;
    return numSignals > 0 ? 130 : status;
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
}
