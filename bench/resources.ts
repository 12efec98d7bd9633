// Measures what the engines need besides time for steps: memory, time for images, and time to start.
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { type Spread, spreadOf } from "./rounds.js";
import { CONTENDERS, type ContenderName, type Engine, type Workload } from "./suite.js";
import type { Worker } from "./worker.js";
import type { DataTimes, EpochTensors } from "./workers/data.js";
import { startWorker, type Workers } from "./workers.js";

const run = promisify(execFile);

/** Peak memory of a process that only does one workload. */
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

/** Seconds from the start of a process to its first result. */
export interface StartFigure extends Spread {
  name: string;
}

/** B0 is the only network for which every engine has training, and Lite0 the bundled one. */
const MEMORY_CASES: readonly { workload: Workload; contenders: readonly ContenderName[] }[] = [
  {
    workload: { kind: "train", variant: "b0", imageSize: 48, batchSize: 32 },
    contenders: ["ferkit", "pytorch", "pytorchChannelsLast", "pytorchCompiled", "keras", "stockLayers"],
  },
  {
    workload: { kind: "infer", variant: "lite0", imageSize: 48, batchSize: 32 },
    contenders: [
      ...(["ferkit", "pytorch", "pytorchChannelsLast", "pytorchCompiled"] as const),
      ...(["onnxRuntime", "onnxRuntimeNode", "openvino"] as const),
    ],
  },
];
/** Steps until memory stops growing. */
const MEMORY_STEPS = 6;
/** Number of training images in FER-2013. */
const NUM_IMAGES = 28_821;

export async function measureMemory(workers: Workers): Promise<MemoryFigure[]> {
  const figures: MemoryFigure[] = [];
  for (const { workload, contenders } of MEMORY_CASES)
    for (const contender of contenders) {
      const peakResidentBytes = await withWorker(CONTENDERS[contender].engine, async (worker) => {
        const { session } = await workers.prepare(contender, workload, worker);
        await worker.request("time", { session, seconds: 0, minSteps: MEMORY_STEPS });
        return worker.peakResidentBytes();
      });
      figures.push({ ...workload, contender, peakResidentBytes });
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

const PROJECT_DIR = path.join(__dirname, "..");
const PHOTO = "test/faces/photos/grace-hopper.jpg";
const PREDICT: Workload = { kind: "predict", variant: "lite0", imageSize: 48, batchSize: 1 };

/** Measures cold starts: each is a new process, in turns. */
export async function measureStarts(workers: Workers, numRounds: number): Promise<StartFigure[]> {
  const ferkit = (...args: string[]) =>
    run(process.execPath, ["scripts/ferkit.cjs", ...args], { cwd: PROJECT_DIR });
  const python = path.join(PROJECT_DIR, ".venv/bin/python");
  const firstPrediction = (contender: ContenderName) =>
    withWorker(CONTENDERS[contender].engine, async (worker) => {
      const { session } = await workers.prepare(contender, PREDICT, worker);
      await worker.request("time", { session, seconds: 0, minSteps: 1 });
    });
  const starts: Record<string, () => Promise<number>> = {
    "ferkit --help": () => secondsOf(() => ferkit("--help")),
    "ferkit predict": () => secondsOf(() => ferkit("predict", PHOTO)),
    "the first cell of a notebook, which imports ferkit": async () => {
      const { stdout } = await run(python, [path.join(__dirname, "python/import_cell.py")], {
        cwd: PROJECT_DIR,
      });
      return Number(stdout);
    },
    "a process that predicts with ferkit": () => secondsOf(() => firstPrediction("ferkit")),
    "a process that predicts with PyTorch": () => secondsOf(() => firstPrediction("pytorch")),
  };
  const seconds = new Map(Object.keys(starts).map((name): [string, number[]] => [name, []]));
  for (let round = 0; round < numRounds; round++)
    for (const [name, start] of Object.entries(starts)) seconds.get(name)?.push(await start());
  return [...seconds].map(([name, values]) => ({ name, ...spreadOf(values) }));
}

async function secondsOf(start: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await start();
  return (performance.now() - begin) / 1000;
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
