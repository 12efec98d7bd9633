// Fuzzes one target in a process of its own: `worker.ts TARGET FOLDER SECONDS SEED`. The last line of standard output is the
// outcome as JSON. Inputs that reach code of src that no earlier one reached are kept to be changed further.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import inspector from "node:inspector";
import path from "node:path";
import { Random } from "../../src/random.js";
import { projectDir } from "../workspace.js";
import { mutate } from "./mutate.js";
import { TARGETS } from "./targets.js";

const [name, dir, seconds, seed] = process.argv.slice(2);
const target = TARGETS[name];
const corpus = path.join(__dirname, "corpus", name);
/** Inputs between two looks at the coverage, which takes some milliseconds. */
const BATCH = 25;
/** Processor time that one input may take. */
const MAX_MS = 5000;
const MAX_BYTES = 2 ** 29;
/** Inputs of the corpus that are kept for later runs. */
const MAX_KEPT_BYTES = 600;

const session = new inspector.Session();
session.connect();
session.post("Profiler.enable");
session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
const seen = new Set<string>();

/** Notes which blocks of src ran since the last call; returns how many never ran before. */
function newBlocks(): number {
  const before = seen.size;
  session.post("Profiler.takePreciseCoverage", (_, covered) => {
    for (const { url, functions } of covered?.result ?? []) {
      if (!url.includes("/src/")) continue;
      const file = path.basename(url);
      for (const { ranges } of functions)
        for (const { startOffset, endOffset, count } of ranges)
          if (count > 0) seen.add(`${file}:${startOffset}:${endOffset}`);
    }
  });
  return seen.size - before;
}

export interface Outcome {
  tried: number;
  accepted: number;
  refused: number;
  /** Processor time of the slowest input. */
  slowestMs: number;
  blocks: number;
  /** What went wrong, with a file of the input. */
  faults: string[];
}
const outcome: Outcome = { tried: 0, accepted: 0, refused: 0, slowestMs: 0, blocks: 0, faults: [] };

/** Processor time since `start`, in milliseconds: other programs do not count. */
function cpuMs(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

async function attempt(bytes: Buffer): Promise<void> {
  const before = process.memoryUsage();
  const start = process.cpuUsage();
  let fault = "";
  try {
    await target.parse(bytes, dir);
    outcome.accepted++;
  } catch (error) {
    const { name, stack } = error as Error;
    if (name === "InputError" || name === "ParameterError") outcome.refused++;
    else fault = stack ?? String(error);
  }
  const ms = cpuMs(start);
  const after = process.memoryUsage();
  const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  if (ms > MAX_MS) fault ||= `takes ${Math.round(ms)} ms`;
  if (grown > MAX_BYTES) fault ||= `takes ${grown} bytes of memory`;
  outcome.tried++;
  outcome.slowestMs = Math.max(outcome.slowestMs, ms);
  if (fault === "") return;
  const first = fault.split("\n").slice(0, 2).join(" ").replaceAll(dir, "DIR");
  if (outcome.faults.some((known) => known.startsWith(first))) return;
  const file = path.join(dir, `fault-${outcome.faults.length}`);
  writeFileSync(file, bytes);
  outcome.faults.push(`${first} (${file})`);
}

async function main(): Promise<void> {
  mkdirSync(dir, { recursive: true });
  const random = new Random(Number(seed), "fuzz", name);
  const stored = existsSync(corpus)
    ? readdirSync(corpus).map((file) => readFileSync(path.join(corpus, file)))
    : [];
  const inputs = [...(await target.seeds(dir)), ...stored];
  newBlocks();
  for (const input of inputs) await attempt(input);
  if (outcome.accepted === 0) outcome.faults.push("refuses every input that it starts from");
  newBlocks();
  const end = performance.now() + 1000 * Number(seconds);
  while (performance.now() < end) {
    // Later inputs reach further, so half of the time one of the last is taken.
    const from = random.chance(0.5) ? Math.max(0, inputs.length - 8) : 0;
    const batch = Array.from({ length: BATCH }, () =>
      mutate(inputs[from + random.integer(inputs.length - from)], random.pick(inputs), random),
    );
    // If this process ends or hangs, the input is in this file.
    writeFileSync(path.join(dir, "batch"), Buffer.concat(batch));
    for (const input of batch) await attempt(input);
    process.stdout.write("\n"); // a sign of life
    const numSeen = seen.size;
    if (newBlocks() === 0) continue;
    // Some input of the batch is new: run each by itself, as if the batch had not been.
    const found = [...seen].slice(numSeen);
    for (const block of found) seen.delete(block);
    for (const input of batch) {
      await attempt(input);
      if (newBlocks() > 0) inputs.push(input);
    }
  }
  outcome.blocks = seen.size;
  const kept = inputs.slice(-40).filter(({ length }) => length <= MAX_KEPT_BYTES);
  if (process.env.FUZZ_KEEP === "1") {
    mkdirSync(corpus, { recursive: true });
    for (const input of kept)
      writeFileSync(path.join(corpus, createHash("sha256").update(input).digest("hex").slice(0, 12)), input);
  }
  console.log(JSON.stringify(outcome));
}

process.chdir(projectDir);
main();
