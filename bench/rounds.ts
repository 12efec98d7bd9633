// Contenders measured in turns, so that what slows the machine for a while slows all of them.
import { CONTENDERS, type Contender, type ContenderName } from "./contenders.js";
import { type Spread, spreadOf } from "./statistics.js";
import type { Case } from "./suite.js";
import type { Worker } from "./worker.js";
import type { Workers } from "./workers.js";
import type { Workload } from "./workload.js";

/** Images a second of one contender at one workload. */
export interface Timing extends Workload, Spread {
  contender: ContenderName;
}

export interface RoundOptions {
  /** Least duration of a turn. */
  seconds: number;
  /** An image to predict. */
  imageFile: string;
}

/** Before the rounds: graphs are traced, code is compiled, memory is taken. */
const WARM_UP = { seconds: 0.5, minSteps: 2 };
/** Share of a processor that workers may use while another is measured. */
const MAX_IDLE_SHARE = 0.1;

interface Turn {
  contender: ContenderName;
  worker: Worker;
  session: number;
  imagesPerSecond: number[];
}

/** Prepares all contenders of a case, then lets them take turns: forwards in one round, backwards in the next. */
export async function measure(
  { workload, contenders, numRounds }: Case,
  workers: Workers,
  { seconds, imageFile }: RoundOptions,
): Promise<Timing[]> {
  const turns: Turn[] = [];
  for (const contender of contenders) {
    const { engine, label: _, ...options }: Contender = CONTENDERS[contender];
    const worker = await workers.of(engine);
    const file = workload.kind === "predict" ? { file: imageFile } : {};
    const session = await worker.request<number>("prepare", { ...workload, ...options, ...file });
    turns.push({ contender, worker, session, imagesPerSecond: [] });
    await worker.request("time", { session, ...WARM_UP });
  }
  const idle = new IdleWatch(workers);
  for (let round = 0; round < numRounds; round++) {
    for (const { worker, session, imagesPerSecond } of round % 2 ? [...turns].reverse() : turns) {
      const time = () => worker.request<Times>("time", { session, seconds, minSteps: 1 });
      const { steps, seconds: passed } = await idle.during(worker, time);
      imagesPerSecond.push((steps * workload.batchSize) / passed);
    }
  }
  for (const { worker, session } of turns) await worker.request("release", { session });
  return turns.map(({ contender, imagesPerSecond }) => ({
    ...workload,
    contender,
    ...spreadOf(imagesPerSecond),
  }));
}

interface Times {
  steps: number;
  seconds: number;
}

/** Sees to it that those who wait do not compute, as threads do that spin for their next work. */
class IdleWatch {
  constructor(private readonly workers: Workers) {}

  /** Runs what `busy` does, and warns when another used a processor meanwhile. */
  async during<T>(busy: Worker, run: () => Promise<T>): Promise<T> {
    const waiting = this.workers.all().filter((worker) => worker !== busy);
    const before = waiting.map((worker) => worker.cpuSeconds());
    const start = performance.now();
    const result = await run();
    const seconds = (performance.now() - start) / 1000;
    waiting.forEach((worker, i) => {
      const share = (worker.cpuSeconds() - before[i]) / seconds;
      if (share > MAX_IDLE_SHARE)
        console.error(
          `warning: the ${worker.engine} worker used ${(100 * share).toFixed(0)} % of a processor while it waited`,
        );
    });
    return result;
  }
}
