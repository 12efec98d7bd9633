// Trains for hours and predicts many images in one process, and watches that nothing grows: `npm run test:soak`. Ctrl-C or SIGTERM
// ends it after the run or the batch at hand, and it prints what it has so far.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import sharp from "sharp";
import {
  bestModelDir,
  internals,
  interruptSignal,
  loadClassifier,
  Random,
  tf,
  train,
} from "../../src/index.js";
import { config, dataset } from "../training/fixtures.js";

const { values: flags } = parseArgs({
  options: {
    minutes: { type: "string", default: "120" },
    predictions: { type: "string", default: "100000" },
    seed: { type: "string", default: "0" },
  },
});

const begin = performance.now();
const minutesSoFar = () => Math.floor((performance.now() - begin) / 60_000);
const { signal: stopped, release } = interruptSignal();

/** What a process holds at a moment. */
interface Holdings {
  tensors: number;
  /** Resident memory, in MB. */
  memory: number;
  /** Open files and sockets. */
  handles: number;
  /** Child processes. */
  processes: number;
}

function holdings(): Holdings {
  const tasks = readdirSync("/proc/self/task");
  const children = tasks.flatMap((task) => {
    try {
      return readFileSync(`/proc/self/task/${task}/children`, "utf8").split(" ").filter(Boolean);
    } catch {
      return []; // the thread has ended
    }
  });
  return {
    tensors: tf.memory().numTensors,
    memory: process.memoryUsage.rss() / 1e6,
    handles: readdirSync("/proc/self/fd").length,
    processes: children.length,
  };
}

/** Memory may vary by this much: V8 and the allocator keep what they have freed. */
const MEMORY_SLACK_MB = 48;
/** Growth from the first to the last third of what follows the warm-up, the first quarter. */
function growth(samples: Holdings[], name: keyof Holdings): { first: number; last: number; isFlat: boolean } {
  const warm = samples.slice(Math.floor(samples.length / 4)).map((one) => one[name]);
  const third = Math.max(1, Math.floor(warm.length / 3));
  const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
  const [first, last] = [median(warm.slice(0, third)), median(warm.slice(-third))];
  return { first, last, isFlat: last - first <= (name === "memory" ? MEMORY_SLACK_MB : 0) };
}

interface Soak {
  what: string;
  tried: number;
  survived: number;
  lost: number;
  samples: Holdings[];
}

const newSoak = (what: string): Soak => ({ what, tried: 0, survived: 0, lost: 0, samples: [] });

/** Minutes between two lines that say how far it is. */
const REPORT_MINUTES = 10;
let nextReport = REPORT_MINUTES;

/** Notes what the process holds. */
function takeSample({ what, tried, survived, samples }: Soak): void {
  const held = holdings();
  samples.push(held);
  const minutes = minutesSoFar();
  if (minutes < nextReport) return;
  nextReport = minutes + REPORT_MINUTES;
  const memory = Math.round(held.memory);
  const parts = [`${tried} ${what}`, `${survived} survived`, `${held.tensors} tensors`, `${memory} MB`];
  parts.push(`${held.handles} handles`, `${held.processes} processes`);
  console.log(`${minutes} minutes: ${parts.join(", ")}`);
}

/** Trains runs one after the other; each is interrupted and resumed once, and its best model is read. */
async function soakTraining(soak: Soak, root: string): Promise<void> {
  const end = begin + 60_000 * Number(flags.minutes);
  const random = new Random(Number(flags.seed), "soak");
  while (performance.now() < end && !stopped.aborted) {
    soak.tried++;
    const runDir = path.join(root, `run-${soak.tried}`);
    const options = { runDir, data: "stripes" };
    const settings = config({ epochs: 4, emaDecay: 0.9, seed: soak.tried });
    const stop = new AbortController();
    const stopAt = 1 + random.integer(9);
    let numBatches = 0;
    for await (const event of train(dataset, settings, { ...options, signal: stop.signal }))
      if (event.type === "batch" && ++numBatches === stopAt) stop.abort();
    let reason = "";
    for await (const event of train(dataset, settings, options))
      if (event.type === "done") reason = event.reason;
    const classifier = await loadClassifier(bestModelDir(runDir)).catch(() => null);
    classifier?.dispose();
    if (!classifier) soak.lost++;
    else if (reason === "completed") soak.survived++;
    if (soak.tried > 1) rmSync(path.join(root, `run-${soak.tried - 1}`), { recursive: true });
    takeSample(soak);
  }
}

const BATCH = 50;

/** Predicts drawn images; every hundredth is damaged and must be reported. */
async function soakPrediction(soak: Soak, modelDir: string): Promise<void> {
  const random = new Random(Number(flags.seed), "images");
  const files = await Promise.all(
    Array.from({ length: 100 }, () => {
      const [width, height] = [20 + random.integer(60), 20 + random.integer(60)];
      const bytes = Buffer.from(Array.from({ length: width * height * 3 }, () => random.integer(256)));
      const image = sharp(bytes, { raw: { width, height, channels: 3 } });
      return (random.chance(0.5) ? image.jpeg() : image.png()).toBuffer();
    }),
  );
  files[99] = files[99].subarray(0, 30);
  const classifier = await loadClassifier(modelDir);
  while (soak.tried < Number(flags.predictions) && !stopped.aborted) {
    const inputs = Array.from({ length: BATCH }, (_, i) => files[(soak.tried + i) % files.length]);
    const numDamaged = inputs.filter((input) => input === files[99]).length;
    let [numRead, numRefused] = [0, 0];
    for await (const { predictions } of classifier.predictEach(inputs, () => numRefused++)) {
      const sum = predictions.reduce((total, { prob }) => total + prob, 0);
      if (Math.abs(sum - 1) < 1e-3) numRead++;
    }
    soak.tried += BATCH;
    soak.survived += numRead === BATCH - numDamaged && numRefused === numDamaged ? BATCH : 0;
    if (soak.tried % (20 * BATCH) === 0) takeSample(soak);
  }
  classifier.dispose();
}

function printTables(soaks: readonly Soak[], seconds: readonly number[]): void {
  const heading = ["what", "tried", "survived", "bytes lost", "seconds"];
  const rows = soaks.map(({ what, tried, survived, lost }, i) => [
    what,
    ...[tried, survived, lost, seconds[i]].map(String),
  ]);
  console.log(internals.textTable({ heading, rows, isNumeric: heading.map((_, i) => i > 0) }));
  const held = soaks
    .filter(({ samples }) => samples.length > 0)
    .flatMap(({ what, samples }) =>
      (["tensors", "memory", "handles", "processes"] as const).map((name) => ({
        what,
        name,
        ...growth(samples, name),
      })),
    );
  console.log(
    internals.textTable({
      heading: ["while", "held", "at first", "at last", "flat"],
      rows: held.map(({ what, name, first, last, isFlat }) => [
        ...[what, name === "memory" ? "memory, MB" : name],
        ...[String(Math.round(first)), String(Math.round(last)), isFlat ? "yes" : "NO"],
      ]),
      isNumeric: [false, false, true, true, false],
    }),
  );
  const isWhole = soaks.every(({ tried, survived, lost }) => tried === survived && lost === 0);
  if (!isWhole || held.some(({ isFlat }) => !isFlat)) process.exitCode = 1;
}

async function main(): Promise<void> {
  const root = mkdtempSync(path.join(os.tmpdir(), "ferkit-soak-"));
  const [training, prediction] = [newSoak("training runs"), newSoak("predictions")];
  const ends: number[] = [];
  console.log(`process ${process.pid}, files in ${root}`);
  try {
    await soakTraining(training, root);
    ends.push(performance.now());
    if (!stopped.aborted)
      await soakPrediction(prediction, bestModelDir(path.join(root, `run-${training.tried}`)));
  } catch (error) {
    console.log(`FAULT ${(error as Error).stack}`); // what came before it is still worth a table
    process.exitCode = 1;
  } finally {
    release();
    ends.push(performance.now());
    const seconds = ends.map((end, i) => Math.round((end - (ends[i - 1] ?? begin)) / 1000));
    printTables([training, prediction].slice(0, ends.length), seconds);
    if (stopped.aborted) {
      console.log(`stopped early after ${minutesSoFar()} minutes`);
      process.exitCode = 1;
    }
    if (process.exitCode !== 1) rmSync(root, { recursive: true, force: true });
  }
}

main();
