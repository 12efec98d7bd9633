// Measures what the engines need besides time for steps: memory, and time for images.
import { type Spread, spreadOf } from "./rounds.js";
import { CONTENDERS, type Contender, type ContenderName, type Engine, type Workload } from "./suite.js";
import type { Worker } from "./worker.js";
import type { DataTimes, EpochTensors } from "./workers/data.js";
import { startWorker } from "./workers.js";

/** Peak memory of a process that only trains. */
export interface MemoryFigure extends Workload {
  contender: ContenderName;
  peakResidentBytes: number;
}

/** Seconds that the images of a data set take. */
export interface DataFigures extends Record<keyof DataTimes, Spread> {
  numImages: number;
}

export interface DataRounds {
  numRounds: number;
  /** Number of images that are decoded one after another, to estimate the time of all. */
  numSerialImages: number;
}

/** B0 is the only network that every engine has. */
const MEMORY_WORKLOAD: Workload = { kind: "train", variant: "b0", imageSize: 48, batchSize: 32 };
const MEMORY_CONTENDERS: readonly ContenderName[] = [
  "ferkit",
  "pytorch",
  "pytorchChannelsLast",
  "keras",
  "stockLayers",
];
/** Steps until memory stops growing. */
const MEMORY_STEPS = 6;
/** Number of training images in FER-2013. */
const NUM_IMAGES = 28_821;

export async function measureMemory(): Promise<MemoryFigure[]> {
  const figures: MemoryFigure[] = [];
  for (const contender of MEMORY_CONTENDERS) {
    const { engine, label: _, ...options }: Contender = CONTENDERS[contender];
    const peakResidentBytes = await withWorker(engine, async (worker) => {
      const session = await worker.request<number>("prepare", { ...MEMORY_WORKLOAD, ...options });
      await worker.request("time", { session, seconds: 0, minSteps: MEMORY_STEPS });
      return worker.peakResidentBytes();
    });
    figures.push({ ...MEMORY_WORKLOAD, contender, peakResidentBytes });
  }
  return figures;
}

export async function measureData({ numRounds, numSerialImages }: DataRounds): Promise<DataFigures> {
  const options = { numImages: NUM_IMAGES, numSerialImages };
  const rounds = await withWorker("ferkit", async (worker) => {
    const times: DataTimes[] = [];
    for (let round = 0; round < numRounds; round++) times.push(await worker.request("timeData", options));
    return times;
  });
  const spread = (name: keyof DataTimes) => spreadOf(rounds.map((times) => times[name]));
  return {
    numImages: NUM_IMAGES,
    decode: spread("decode"),
    decodeSerially: spread("decodeSerially"),
    startEpoch: spread("startEpoch"),
  };
}

export function countTensors(epochs: number): Promise<EpochTensors[]> {
  return withWorker("ferkit", (worker) => worker.request("countEpochTensors", { epochs }));
}

/** Runs something with a separate worker. */
async function withWorker<T>(engine: Engine, run: (worker: Worker) => Promise<T>): Promise<T> {
  const worker = await startWorker(engine);
  try {
    return await run(worker);
  } finally {
    await worker.close();
  }
}
