// Contenders are measured in turns, so that whatever slows the machine for a while slows all of them.
import { disturbanceBetween, isDisturbed, readUsage } from "./disturbance.js";
import type { Case, ContenderName, Workload } from "./suite.js";
import type { Worker } from "./worker.js";
import type { Workers } from "./workers.js";

/** The median of some measurements and their range. */
export interface Spread {
  median: number;
  min: number;
  max: number;
  numRounds: number;
}

/** Images per second of one contender at one workload. */
export interface Timing extends Workload, Spread {
  contender: ContenderName;
  /** Turns that other programs disturbed, even when repeated. */
  numDisturbed: number;
}

/** Before the rounds, graphs are traced, code is compiled and memory is allocated. */
const WARM_UP = { seconds: 0.5, minSteps: 2 };
/** Share of a processor that workers may use while another is measured. */
const MAX_IDLE_SHARE = 0.1;
/** Number of repetitions of a disturbed turn, and the pause before each. */
const MAX_REPETITIONS = 2;
const PAUSE_MS = 1000;

interface Turn {
  contender: ContenderName;
  worker: Worker;
  session: number;
  imagesPerSecond: number[];
  numDisturbed: number;
}

/** A worker's answer to `time`. */
interface Times {
  steps: number;
  seconds: number;
}

/**
 * Prepares all contenders of a case, then lets them take turns: forwards in one round, backwards in the next.
 *
 * @param seconds - Minimum duration of a turn.
 */
export async function measure(
  { workload, contenders, numRounds }: Case,
  workers: Workers,
  seconds: number,
): Promise<Timing[]> {
  const turns: Turn[] = [];
  for (const contender of contenders) {
    const { worker, session } = await workers.prepare(contender, workload);
    turns.push({ contender, worker, session, imagesPerSecond: [], numDisturbed: 0 });
    await worker.request("time", { session, ...WARM_UP });
  }
  for (let round = 0; round < numRounds; round++) {
    for (const turn of round % 2 ? [...turns].reverse() : turns) {
      const { times, isDisturbed } = await takeTurn(turn, workers.all(), seconds);
      turn.imagesPerSecond.push((times.steps * workload.batchSize) / times.seconds);
      if (isDisturbed) turn.numDisturbed++;
    }
  }
  for (const { worker, session } of turns) await worker.request("release", { session });
  return turns.map(({ contender, imagesPerSecond, numDisturbed }) => ({
    ...workload,
    contender,
    ...spreadOf(imagesPerSecond),
    numDisturbed,
  }));
}

/** Returns the median and range; the median of an even number of values is the mean of the middle two. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const last = sorted.length - 1;
  const median = (sorted[Math.floor(last / 2)] + sorted[Math.ceil(last / 2)]) / 2;
  return { median, min: sorted[0], max: sorted[last], numRounds: sorted.length };
}

/** Times steps, and repeats the turn if other programs were computing. */
async function takeTurn({ worker, session }: Turn, workers: Worker[], seconds: number) {
  const waiting = workers.filter((other) => other !== worker);
  for (let repetition = 0; ; repetition++) {
    const before = readUsage(worker, waiting);
    const times = await worker.request<Times>("time", { session, seconds, minSteps: 1 });
    const disturbance = disturbanceBetween(before, readUsage(worker, waiting));
    disturbance.waiting.forEach((share, i) => {
      if (share > MAX_IDLE_SHARE) warnOf(waiting[i], share);
    });
    const disturbed = isDisturbed(disturbance);
    if (!disturbed || repetition === MAX_REPETITIONS) return { times, isDisturbed: disturbed };
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** Waiting workers should be idle; threads that spin for their next task are not. */
function warnOf({ engine }: Worker, share: number): void {
  const percent = (100 * share).toFixed(0);
  console.error(`warning: the ${engine} worker used ${percent}% of a processor while it waited`);
}
