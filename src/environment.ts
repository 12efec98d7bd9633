// What ferkit runs on: its version, the machine, the device.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { type Device, device } from "./engine/device.js";
import { tf } from "./engine/tf.js";

export const PROJECT_DIR = path.join(__dirname, "..");

/** A computer. */
export interface Machine {
  /** Model of the processor. */
  cpu: string;
  /** Processors that Node.js sees. */
  cores: number;
  /** Main memory, in GiB. */
  memoryGiB: number;
}

/** What a process runs on. */
export interface Environment {
  /** Versions of ferkit and of what it runs on. */
  versions: { ferkit: string; node: string; tfjs: string; tensorflow: string };
  /** Commit of ferkit's clone, ending in "-dirty" if files differ from it; null outside a clone. */
  commit: string | null;
  /** The computer. */
  machine: Machine;
  /** Threads that the engine computes on, which may be fewer than the computer has cores; absent before version 0.3. */
  threads?: number;
  /** Where the engine computes. */
  device: Device["kind"];
  /** Instruction set of our C++ ops; "stock" if TensorFlow's own kernels run instead. */
  kernels: Device["kernels"];
}

/** Describes what this process runs on. */
export async function environment(): Promise<Environment> {
  const [ferkit, commit] = await Promise.all([ferkitVersion(), commitOf(PROJECT_DIR)]);
  const { kind, tensorflow, kernels } = device();
  const versions = { ferkit, node: process.versions.node, tfjs: tf.version.tfjs, tensorflow };
  return { versions, commit, machine: machine(), threads: numThreads(), device: kind, kernels };
}

/** Returns the number of threads that TensorFlow takes: one for each processor that the process may use, if nothing else is asked. */
function numThreads(): number {
  return Number(process.env.TF_NUM_INTRAOP_THREADS) || os.availableParallelism();
}

/** Describes this computer. */
export function machine(): Machine {
  const processors = os.cpus();
  return {
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
  };
}

export async function ferkitVersion(): Promise<string> {
  const file = path.join(PROJECT_DIR, "package.json");
  return (JSON.parse(await readFile(file, "utf8")) as { version: string }).version;
}

/**
 * Returns the commit of the clone whose root is `dir`, ending in "-dirty" if files differ from it; null if `dir` is no
 * clone's root or git does not answer.
 */
export async function commitOf(dir: string): Promise<string | null> {
  const describe = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"];
  // Without the ceiling, a copy of ferkit inside another project's clone would give that project's commit.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: path.dirname(dir), GIT_OPTIONAL_LOCKS: "0" };
  try {
    const { stdout } = await promisify(execFile)("git", describe, { cwd: dir, env, timeout: 10_000 });
    return stdout.trim();
  } catch {
    return null;
  }
}
