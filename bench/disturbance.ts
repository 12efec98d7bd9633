// Whether a measurement had the machine to itself. PyTorch's threads wait for one another in a loop, so that another program
// on one processor of two makes it ten times slower, and ferkit hardly: a busy machine would flatter ferkit.
import { readFileSync } from "node:fs";
import os from "node:os";

/** Of /proc's processor times. */
export const TICKS_PER_SECOND = 100;

/** Processor seconds used so far, since the machine and the processes began. */
export interface Usage {
  /** Wall clock, in seconds. */
  at: number;
  /** By all programs, and by the hypervisor's other guests. */
  machine: number;
  /** By this process. */
  own: number;
  /** By the worker that is measured. */
  busy: number;
  /** By each of the others. */
  waiting: number[];
}

export interface Disturbance {
  /** Of the whole machine's processors, by other programs, [0, 1]. */
  outside: number;
  /** Of one processor, by each worker that should have waited. */
  waiting: number[];
}

/** Share of the machine that other programs may use while a worker is measured. */
const MAX_OUTSIDE = 0.05;

/** Something that uses processors, as workers do. */
interface Consumer {
  cpuSeconds(): number;
}

/** What has been used so far by `busy`, by those who wait, and by all. */
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

/** Processor seconds that the machine was not idle, from the text of /proc/stat. */
export function machineSeconds(stat: string): number {
  const [user, nice, system, _idle, _ioWait, irq, softIrq, steal] = stat
    .slice(0, stat.indexOf("\n"))
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softIrq + steal) / TICKS_PER_SECOND;
}

/** Who else computed between two readings. */
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
