// What is interrupted: each scenario changes files below a folder, and can be run again after anything has gone wrong.
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import sharp from "sharp";
import { loadDataset } from "../../src/data/load.js";
import { downloadFile } from "../../src/download.js";
import type { ParameterValue } from "../../src/model/network.js";
import { loadParameters, saveModel } from "../../src/model/weights/model-folder.js";
import { Random } from "../../src/random.js";
import { bestModelDir } from "../../src/training/best-model.js";
import { loadCheckpoint } from "../../src/training/checkpoint.js";
import { ofType } from "../../src/training/events.js";
import { loadMetrics } from "../../src/training/metrics-log.js";
import { train } from "../../src/training/train.js";
import { tarOf, writeFiles } from "../data/fixtures.js";
import { randomNetwork } from "../model/fixtures.js";
import { config, dataset } from "../training/fixtures.js";

/** Says that something is written, which from then on must not be lost. */
export type Acknowledge = (what: string) => void;

export interface Scenario {
  /** Makes what is there before, in an empty folder. */
  prepare(dir: string): Promise<void>;
  run(dir: string, acknowledge: Acknowledge): Promise<void>;
  /** Counts the bytes of what was acknowledged, or was there before, that cannot be read. */
  lostBytes(dir: string, acknowledged: string[]): Promise<number>;
  /** Returns a digest of all that a whole run leaves, wherever the folder is. */
  result(dir: string): Promise<string>;
  /** Message for the second of two processes, if they cannot share the work. */
  refusal?: RegExp;
}

const digest = (...parts: (string | Uint8Array)[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};
const digestOf = (parameters: ReadonlyMap<string, ParameterValue>) =>
  digest(
    ...[...parameters.values()].map(
      ({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    ),
  );

/** A run of two epochs of three steps, with moments and EMA. */
const training: Scenario = {
  refusal: /^Expected a run that nothing else trains at /,
  prepare: async () => {},
  async run(dir, acknowledge) {
    const options = { runDir: path.join(dir, "run"), data: "stripes" };
    for await (const event of train(dataset, config({ emaDecay: 0.9 }), options))
      if (event.type === "checkpoint") acknowledge(`${event.kind} ${event.epoch}`);
  },
  async lostBytes(dir, acknowledged) {
    const runDir = path.join(dir, "run");
    let lost = 0;
    const last = acknowledged.filter((what) => what.startsWith("last")).map((what) => Number(what.slice(5)));
    const checkpoint = await loadCheckpoint(runDir).catch(() => null);
    if (last.length > 0 && (checkpoint?.progress.epoch ?? 0) < Math.max(...last))
      lost += sizeOf(path.join(runDir, "last/state.json"));
    const hasBest = acknowledged.some((what) => what.startsWith("best"));
    const best = await loadParameters(bestModelDir(runDir)).catch(() => null);
    if (hasBest && !best) lost += sizeOf(path.join(bestModelDir(runDir), "model.json"));
    return lost;
  },
  async result(dir) {
    const runDir = path.join(dir, "run");
    const checkpoint = await loadCheckpoint(runDir);
    const { parameters } = await loadParameters(bestModelDir(runDir));
    const epochs = ofType(await loadMetrics(runDir), "epoch").map(({ epoch, validation }) => [
      epoch,
      validation.loss,
    ]);
    const progress = JSON.stringify([checkpoint?.progress, epochs]);
    return digest(progress, digestOf(checkpoint?.values ?? new Map()), digestOf(parameters));
  },
};

/** A run that was interrupted within its second epoch. */
const resume: Scenario = {
  ...training,
  async prepare(dir) {
    interrupted ??= interruptedRun();
    cpSync(await interrupted, path.join(dir, "run"), { recursive: true });
  },
  async lostBytes(dir, acknowledged) {
    const checkpoint = await loadCheckpoint(path.join(dir, "run")).catch(() => null);
    const isLost = (checkpoint?.progress.step ?? 0) < INTERRUPTED_STEP;
    return (isLost ? 1 : 0) + (await training.lostBytes(dir, ["best 1", ...acknowledged]));
  },
};
const INTERRUPTED_STEP = 4;
let interrupted: Promise<string> | null = null;
async function interruptedRun(): Promise<string> {
  const runDir = mkdtempSync(path.join(os.tmpdir(), "ferkit-interrupted-"));
  process.once("exit", () => rmSync(runDir, { recursive: true, force: true }));
  const stop = new AbortController();
  const options = { runDir, data: "stripes", signal: stop.signal };
  let numBatches = 0;
  for await (const { type } of train(dataset, config({ emaDecay: 0.9 }), options))
    if (type === "batch" && ++numBatches === INTERRUPTED_STEP) stop.abort();
  return runDir;
}

/** At least a byte, since something that is missing had some. */
function sizeOf(file: string): number {
  return existsSync(file) ? Math.max(1, statSync(file).size) : 1;
}

const MODELS = [1, 2].map((seed) => () => randomNetwork({ imageSize: 33 }, seed));
async function save(dir: string, make: (typeof MODELS)[number]): Promise<void> {
  const network = make();
  try {
    await saveModel(path.join(dir, "model"), network.config, await network.parameters());
  } finally {
    network.dispose();
  }
}

/** A model folder that takes the place of another one. */
const model: Scenario = {
  prepare: (dir) => save(dir, MODELS[0]),
  async run(dir, acknowledge) {
    await save(dir, MODELS[1]);
    acknowledge("model");
  },
  async lostBytes(dir) {
    const found = await loadParameters(path.join(dir, "model")).catch(() => null);
    return found ? 0 : sizeOf(path.join(dir, "model/model.json"));
  },
  result: async (dir) => digestOf((await loadParameters(path.join(dir, "model"))).parameters),
};

const IMAGE_SIZE = 16;
async function drawnImages(): Promise<Record<string, Buffer>> {
  const random = new Random(3, "faults");
  const files = Array.from({ length: 10 }, async (_, i) => {
    const pixels = Buffer.from(Array.from({ length: 20 * 20 * 3 }, () => random.integer(256)));
    const image = sharp(pixels, { raw: { width: 20, height: 20, channels: 3 } }).png();
    return [`${i % 2 ? "a" : "b"}/${i}.png`, await image.toBuffer()] as const;
  });
  return Object.fromEntries(await Promise.all(files));
}

const loading = (name: string, prepare: Scenario["prepare"]): Scenario => {
  const load = async (dir: string) => {
    process.env.FERKIT_CACHE = path.join(dir, "cache");
    return loadDataset({ data: path.join(dir, name), imageSize: IMAGE_SIZE });
  };
  return {
    prepare,
    run: async (dir) => void (await load(dir)),
    lostBytes: async () => 0,
    async result(dir) {
      const sides = await load(dir);
      const parts = [sides.train, sides.validation].map(async ({ paths, pixels, numImages }) => [
        paths.join(),
        await pixels.read(Int32Array.from({ length: numImages }, (_, i) => i)),
      ]);
      return digest(...(await Promise.all(parts)).flat());
    },
  };
};

/** The cache of decoded images. */
const pixels = loading(
  "images",
  async (dir) => void writeFiles(path.join(dir, "images"), await drawnImages()),
);
/** The cache of unpacked archives. */
const archive = loading("images.tar", async (dir) => {
  const link = { target: "a/1.png", isHard: true };
  writeFileSync(path.join(dir, "images.tar"), tarOf({ ...(await drawnImages()), "a/link.png": link }));
});

/** A download from the server that FAULT_URL names. */
const download: Scenario = {
  prepare: async () => {},
  async run(dir, acknowledge) {
    const { FAULT_URL = "", FAULT_SHA256 } = process.env;
    const options = { instead: "Try again.", sha256: FAULT_SHA256, waitMs: 1 };
    await downloadFile(FAULT_URL, path.join(dir, "downloads/file.bin"), options);
    acknowledge("file");
  },
  async lostBytes(dir, acknowledged) {
    const file = path.join(dir, "downloads/file.bin");
    if (!existsSync(file)) return acknowledged.length;
    const bytes = readFileSync(file);
    return digest(bytes) === process.env.FAULT_SHA256 ? 0 : bytes.length;
  },
  result: async (dir) => digest(readFileSync(path.join(dir, "downloads/file.bin"))),
};

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  training,
  resume,
  model,
  pixels,
  archive,
  download,
};
