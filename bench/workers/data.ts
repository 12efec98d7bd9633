// Measures ferkit's handling of a whole data set: time to load its images, and tensors left after each epoch.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { loadDataset, train, trainConfig } from "../../src/index.js";
import { CLASS_NAMES } from "../suite.js";
import { greyJpeg, noise } from "./noise.js";
import { firstBatch } from "./steps.js";

export interface DataOptions {
  numImages: number;
  /** Number of images that are decoded one after another; the time of all is estimated from them. */
  numSerialImages: number;
}

/** Seconds that the same images take. */
export interface DataTimes {
  /** Finding and decoding them and writing the cache. */
  decode: number;
  /** Decoding with sharp, one call after another. */
  decodeSerially: number;
  /** From the cache to the first batch in the engine. */
  startEpoch: number;
}

/** What the engine holds after an epoch. */
export interface EpochTensors {
  epoch: number;
  numTensors: number;
  /** Memory of the process. */
  residentBytes: number;
}

const IMAGE_SIZE = 48;
const BATCH_SIZE = 32;
/** Number of distinct files; they are written many times under other names. */
const NUM_DRAWN = 256;

/** Times a data set of grey JPEG files as large as FER-2013, in its own folder and cache. */
export async function timeData({ numImages, numSerialImages }: DataOptions): Promise<DataTimes> {
  const dir = await mkdtemp(path.join(os.tmpdir(), "ferkit-bench-"));
  const { FERKIT_CACHE } = process.env;
  try {
    const images = path.join(dir, "images");
    await writeImages(images, numImages);
    process.env.FERKIT_CACHE = path.join(dir, "cache");
    const load = () => loadDataset({ data: images, imageSize: IMAGE_SIZE });
    const decode = await secondsOf(load);
    const startEpoch = await secondsOf(async () => {
      const { train } = await load();
      const { images: first } = await firstBatch(train, trainConfig("baseline", { imageSize: IMAGE_SIZE }));
      first.dispose();
    });
    const serially = await secondsOf(() => decodeSerially(images, numSerialImages));
    return { decode, decodeSerially: (serially * numImages) / numSerialImages, startEpoch };
  } finally {
    if (FERKIT_CACHE === undefined) delete process.env.FERKIT_CACHE;
    else process.env.FERKIT_CACHE = FERKIT_CACHE;
    await rm(dir, { recursive: true });
  }
}

async function writeImages(dir: string, numImages: number): Promise<void> {
  const drawn = await Promise.all(Array.from({ length: NUM_DRAWN }, (_, seed) => greyJpeg(IMAGE_SIZE, seed)));
  for (const className of CLASS_NAMES) await mkdir(path.join(dir, className), { recursive: true });
  for (let i = 0; i < numImages; i++)
    await writeFile(path.join(dir, CLASS_NAMES[i % CLASS_NAMES.length], `${i}.jpg`), drawn[i % NUM_DRAWN]);
}

async function decodeSerially(dir: string, numImages: number): Promise<void> {
  const { default: sharp } = await import("sharp");
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).slice(0, numImages);
  for (const { parentPath, name } of files)
    await sharp(await readFile(path.join(parentPath, name)))
      .resize(IMAGE_SIZE, IMAGE_SIZE)
      .raw()
      .toBuffer();
}

async function secondsOf(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

/** Trains for some epochs of a few batches and counts tensors and memory after each: both grow if there is a leak. */
export async function countEpochTensors({ epochs }: { epochs: number }): Promise<EpochTensors[]> {
  const size = { imageSize: IMAGE_SIZE, batchSize: BATCH_SIZE };
  const config = trainConfig("baseline", { ...size, weights: "random", epochs });
  const images = noise(IMAGE_SIZE, 4 * BATCH_SIZE);
  const dataset = { name: "noise", classNames: CLASS_NAMES, train: images, validation: images };
  const runDir = await mkdtemp(path.join(os.tmpdir(), "ferkit-bench-"));
  const counts: EpochTensors[] = [];
  try {
    for await (const event of train(dataset, config, { runDir, data: "noise" }))
      if (event.type === "epoch")
        counts.push({
          epoch: event.epoch,
          numTensors: event.numTensors,
          residentBytes: process.memoryUsage.rss(),
        });
  } finally {
    await rm(runDir, { recursive: true });
  }
  return counts;
}
