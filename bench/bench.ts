// The whole bench: checks that the engines agree, then measures how fast they are, then what else they need.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { checkParity } from "./parity.js";
import { countTensors, type DataRounds, measureData, measureMemory } from "./resources.js";
import { machine, type Results, today } from "./results.js";
import { measure, type Timing } from "./rounds.js";
import { type Case, CONTENDERS, describe, type SuiteOptions, suite } from "./suite.js";
import { medianOnly } from "./tables.js";
import { greyJpeg } from "./workers/noise.js";
import { Workers } from "./workers.js";

export interface BenchOptions extends SuiteOptions {
  /** Minimum duration of a turn. */
  seconds: number;
  data: DataRounds;
  /** Epochs after which tensors are counted. */
  tensorEpochs: number;
  /** Measures only the speed of workloads whose name contains this text. */
  only?: string;
}

/** Takes about twenty minutes on two cores. */
export const WHOLE: BenchOptions = {
  numRounds: 7,
  numRoundsOfLong: 5,
  seconds: 2,
  data: { numRounds: 3, numSerialImages: 28_821 },
  tensorEpochs: 50,
};

/** Takes less than eight minutes on two cores. */
export const QUICK: BenchOptions = {
  numRounds: 3,
  numRoundsOfLong: 2,
  seconds: 0.7,
  data: { numRounds: 1, numSerialImages: 3_000 },
  tensorEpochs: 3,
};

/** @throws Error if the engines disagree; then nothing is timed. */
export async function runBench(options: BenchOptions): Promise<Results> {
  const { only } = options;
  const cases = suite(options).filter(({ workload }) => describe(workload).includes(only ?? ""));
  const workers = new Workers();
  const dir = await mkdtemp(path.join(os.tmpdir(), "ferkit-bench-"));
  try {
    const parity = await step("parity", () => checkParity(workers, dir));
    const versions = await workers.versions(["ferkit", "pytorch", "keras"]);
    const timings = await measureAll(cases, workers, dir, options.seconds);
    await workers.close();
    const results = { date: today(), machine: machine(), versions, parity, timings };
    if (only !== undefined) return { ...results, memory: [], tensors: [] };
    return {
      ...results,
      memory: await step("memory", measureMemory),
      data: await step("data", () => measureData(options.data)),
      tensors: await step("tensors", () => countTensors(options.tensorEpochs)),
    };
  } finally {
    workers.kill();
    await rm(dir, { recursive: true });
  }
}

async function measureAll(cases: Case[], workers: Workers, dir: string, seconds: number): Promise<Timing[]> {
  const imageFile = path.join(dir, "face.jpg");
  await writeFile(imageFile, await greyJpeg(48, 0));
  const timings: Timing[] = [];
  for (const one of cases) {
    const measured = await step(
      describe(one.workload),
      () => measure(one, workers, { seconds, imageFile }),
      (found) => found.map((t) => `${CONTENDERS[t.contender].label} ${medianOnly(t)}`).join("; "),
    );
    timings.push(...measured);
  }
  return timings;
}

/** Reports a step on standard error: its name, duration and outcome. */
async function step<T>(
  name: string,
  run: () => Promise<T>,
  outcome: (result: T) => string = () => "done",
): Promise<T> {
  const start = performance.now();
  const result = await run();
  console.error(`${name} (${((performance.now() - start) / 1000).toFixed(0)} s): ${outcome(result)}`);
  return result;
}
