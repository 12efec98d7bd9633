// Measures the time of each op in one training step of ferkit.
import { tf } from "../src/index.js";
import type { Workload } from "./suite.js";
import type { Table } from "./tables.js";
import { training } from "./workers/steps.js";

/** Time of one op, over all its calls in a step. */
export interface OpTime {
  op: string;
  calls: number;
  ms: number;
}

/** The two methods through which the engine runs every op. */
type Execute = (name: string, ...rest: unknown[]) => unknown;
type Backend = Record<"executeSingleOutput" | "executeMultipleOutputs", Execute>;

const NUM_WARM_UP = 5;
const NUM_STEPS = 20;

/** Returns the time of each op in an average step, largest first, and the time spent outside ops. */
export async function profileTraining(workload: Omit<Workload, "kind">): Promise<OpTime[]> {
  const { step, dispose } = await training({ kind: "train", ...workload });
  for (let i = 0; i < NUM_WARM_UP; i++) await step();
  const watch = watchOps(tf.backend() as unknown as Backend);
  const start = performance.now();
  for (let i = 0; i < NUM_STEPS; i++) await step();
  const totalMs = performance.now() - start;
  watch.stop();
  dispose();
  const inside = [...watch.times.values()];
  const outsideMs = totalMs - inside.reduce((sum, { ms }) => sum + ms, 0);
  return [...inside, { op: "outside ops", calls: 0, ms: outsideMs }]
    .map(({ op, calls, ms }) => ({ op, calls: calls / NUM_STEPS, ms: ms / NUM_STEPS }))
    .sort((a, b) => b.ms - a.ms);
}

/** Times every op that the backend runs, until it is stopped. */
export function watchOps(backend: Backend): { times: Map<string, OpTime>; stop: () => void } {
  const times = new Map<string, OpTime>();
  const own = { single: backend.executeSingleOutput, multiple: backend.executeMultipleOutputs };
  const timed = (execute: Execute): Execute => {
    return (op, ...rest) => {
      const start = performance.now();
      try {
        return execute.call(backend, op, ...rest);
      } finally {
        const time = times.get(op) ?? { op, calls: 0, ms: 0 };
        times.set(op, time);
        time.calls++;
        time.ms += performance.now() - start;
      }
    };
  };
  backend.executeSingleOutput = timed(own.single);
  backend.executeMultipleOutputs = timed(own.multiple);
  const stop = () => {
    backend.executeSingleOutput = own.single;
    backend.executeMultipleOutputs = own.multiple;
  };
  return { times, stop };
}

export function profileTable(times: readonly OpTime[]): Table {
  const total = times.reduce((sum, { ms }) => sum + ms, 0);
  const row = (op: string, calls: number, ms: number) => [
    op,
    calls ? String(Math.round(calls)) : "",
    ms.toFixed(2),
    `${((100 * ms) / total).toFixed(1)}%`,
  ];
  const calls = times.reduce((sum, time) => sum + time.calls, 0);
  const rows = times.map((time) => row(time.op, time.calls, time.ms));
  return { heading: ["op", "calls", "ms", "share"], rows: [...rows, row("a step", calls, total)] };
}
