// Detects whether other programs ran during a measurement. PyTorch's threads spin while they wait for one another, so
// another program on one of two processors makes PyTorch ten times slower, and ferkit hardly: a busy machine would flatter ferkit.
import { readFileSync } from "node:fs";
import os from "node:os";

/** Unit of the processor times in /proc. */
export const TICKS_PER_SECOND = 100;

/** Processor seconds used so far, since the machine and the processes started. */
export interface Usage {
  /** Wall clock, in seconds. */
  at: number;
  /** Used by all programs, and by the hypervisor's other guests. */
  machine: number;
  /** Used by this process. */
  own: number;
  /** Used by the worker that is measured. */
  busy: number;
  /** Used by each of the other workers. */
  waiting: number[];
}

export interface Disturbance {
  /** Share of all processors that other programs used, [0, 1]. */
  outside: number;
  /** Share of one processor that each waiting worker used. */
  waiting: number[];
}

/** Share of all processors that other programs may use while a worker is measured. */
const MAX_OUTSIDE = 0.05;

interface Consumer {
  cpuSeconds(): number;
}

/** Reads the processor seconds of the busy worker, of the waiting ones, and of the machine. */
export function readUsage(busy: Consumer, waiting: readonly Consumer[]): Usage {
  const { user, system } = process.cpuUsage();
  return {
    at: performance.now() / 1000,
    machine: machineSeconds(readFileSync("/proc/stat", "latin1")),
    own: (user + system) / 1e6,
    busy: busy.cpuSeconds(),
    waiting: waiting.map((worker) => worker.cpuSeconds()),
  };
}

/** Returns the busy processor seconds in the text of /proc/stat. */
export function machineSeconds(stat: string): number {
  const [user, nice, system, _idle, _ioWait, irq, softIrq, steal] = stat
    .slice(0, stat.indexOf("\n"))
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softIrq + steal) / TICKS_PER_SECOND;
}

/** Returns what other programs and waiting workers used between two readings. */
export function disturbanceBetween(before: Usage, after: Usage, numCores = os.cpus().length): Disturbance {
  const seconds = after.at - before.at;
  const waiting = after.waiting.map((used, i) => used - before.waiting[i]);
  const accounted = [after.own - before.own, after.busy - before.busy, ...waiting];
  const outside = after.machine - before.machine - accounted.reduce((sum, used) => sum + used, 0);
  return {
    outside: Math.max(0, outside / seconds / numCores),
    waiting: waiting.map((used) => used / seconds),
  };
}

export function isDisturbed({ outside }: Disturbance): boolean {
  return outside > MAX_OUTSIDE;
}
