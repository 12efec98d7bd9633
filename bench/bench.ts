// The whole bench: checks that the engines agree, then measures how fast they are, then what else they need.

import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { internals } from "../src/index.js";
import { checkLogits, checkParity } from "./parity.js";
import { countTensors, type DataRounds, measureData, measureMemory, measureStarts } from "./resources.js";
import { type Results, today } from "./results.js";
import { measure, type Timing } from "./rounds.js";
import {
  type Case,
  CONTENDERS,
  type Contender,
  type ContenderName,
  describe,
  type SuiteOptions,
  suite,
} from "./suite.js";
import { medianOnly } from "./tables.js";
import { Workers } from "./workers.js";

export interface BenchOptions extends SuiteOptions {
  /** Minimum duration of a turn. */
  seconds: number;
  data: DataRounds;
  /** Epochs after which tensors are counted. */
  tensorEpochs: number;
  /** Cold starts of each kind. */
  numStarts: number;
  /** Measures only the speed of workloads whose name contains this text. */
  only?: string;
  /** Measures only these contenders' speed. */
  contenders?: readonly ContenderName[];
}

/** Takes about fifty minutes on two cores. */
export const WHOLE: BenchOptions = {
  numRounds: 7,
  numRoundsOfLong: 5,
  seconds: 2,
  data: { numRounds: 3, numSerialImages: 28_821 },
  tensorEpochs: 50,
  numStarts: 5,
};

/** Takes about twenty minutes on two cores, mostly for compilation by PyTorch. */
export const QUICK: BenchOptions = {
  numRounds: 3,
  numRoundsOfLong: 2,
  seconds: 0.7,
  data: { numRounds: 1, numSerialImages: 3_000 },
  tensorEpochs: 3,
  numStarts: 1,
};

/** @throws Error if the engines disagree; then nothing is timed. */
export async function runBench(options: BenchOptions): Promise<Results> {
  const cases = chooseCases(options);
  const names = new Set(cases.flatMap(({ contenders }) => contenders));
  const isAny = (kinds: readonly string[]) => cases.some(({ workload }) => kinds.includes(workload.kind));
  const dir = await mkdtemp(path.join(os.tmpdir(), "ferkit-bench-"));
  const workers = new Workers(dir);
  try {
    const parity = isAny(["train"]) ? await step("parity of steps", () => checkParity(workers, names)) : [];
    const logitsParity = isAny(["infer", "predict"])
      ? await step("parity of logits", () => checkLogits(workers, names))
      : [];
    const versions = await workers.versions([...names].map((name) => CONTENDERS[name].engine));
    const timings = await measureAll(cases, workers, options.seconds);
    const results = { date: today(), machine: internals.machine(), versions, parity, logitsParity, timings };
    if (options.only !== undefined || options.contenders) return { ...results, memory: [], tensors: [] };
    const memory = await step("memory", () => measureMemory(workers));
    await workers.close();
    return {
      ...results,
      memory,
      data: await step("data", () => measureData(options.data)),
      tensors: await step("tensors", () => countTensors(options.tensorEpochs)),
      starts: await step("cold starts", () => measureStarts(workers, options.numStarts)),
    };
  } finally {
    workers.kill();
    await rm(dir, { recursive: true });
  }
}

/**
 * Returns the cases that the options select, with the contenders that they select.
 *
 * @param hasBfloat16 - Whether the processor multiplies bfloat16 numbers; otherwise nothing is measured in them.
 */
export function chooseCases(
  { only = "", contenders: chosen, ...options }: BenchOptions,
  hasBfloat16 = readFileSync("/proc/cpuinfo", "latin1").includes("avx512_bf16"),
): Case[] {
  const isPossible = (name: ContenderName) => {
    const { precision }: Contender = CONTENDERS[name];
    return hasBfloat16 || precision !== "bfloat16";
  };
  return suite(options)
    .filter(({ workload }) => describe(workload).includes(only))
    .map((one) => ({
      ...one,
      contenders: one.contenders.filter((name) => isPossible(name) && (chosen?.includes(name) ?? true)),
    }))
    .filter(({ contenders }) => contenders.length > 0);
}

async function measureAll(cases: Case[], workers: Workers, seconds: number): Promise<Timing[]> {
  const timings: Timing[] = [];
  for (const one of cases) {
    const measured = await step(
      describe(one.workload),
      () => measure(one, workers, seconds),
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
